"""Batches: many runs in one call of a bridge to another library."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..errors import Error
from .inputs import check_names


def batch_size(
    x: Sequence[int], parameters: int, inputs: Mapping[str, Sequence[int]], shapes: Mapping[str, tuple[int, ...]]
) -> int | None:
    """How many runs a call asks for; None if it is one run, without an axis for a batch.

    Args:
        x: The shape of the parameters: [parameter] or [batch, parameter].
        parameters: How many there are.
        inputs: By name the shape of the value of each input: its own, or [batch, ...].
        shapes: By name its own.

    Raises:
        Error: An input is missing or unknown, a shape is another, or two batches are not of the same size.
    """
    check_names(shapes, inputs)
    sizes: dict[str, int] = {}
    for what, found, own in (
        ("x", tuple(x), (parameters,)),
        *((f"the input {name}", tuple(inputs[name]), shape) for name, shape in shapes.items()),
    ):
        if found == own:
            continue
        if len(found) != len(own) + 1 or found[1:] != own:
            batch = ", ".join(("batch", *map(str, own)))
            raise Error(f"{what} has shape {found}, it must have {own}, or [{batch}]")
        if not found[0]:
            raise Error(f"{what} has shape {found}: a batch needs at least one run")
        sizes[what] = found[0]
    if len(set(sizes.values())) > 1:
        raise Error("a batch has one size: " + ", ".join(f"{what} has {size}" for what, size in sizes.items()))
    return next(iter(sizes.values()), None)
