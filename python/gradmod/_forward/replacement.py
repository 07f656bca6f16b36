"""Gradients that are attached anew while old ones are still there, as where a notebook's cell runs again."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Protocol
from weakref import ref

from ..errors import Error
from ..parameters import Parameter
from .wiring import Wiring


class _Attached(Protocol):
    """Gradients that stand in the model."""

    wiring: Wiring

    @property
    def is_online(self) -> bool: ...

    directions: dict[str, Parameter]

    def detach(self, why: str = "") -> None: ...


_known: list[ref[_Attached]] = []


def remember(gradients: _Attached) -> None:
    """Know of gradients, as long as they live."""
    _known[:] = [one for one in _known if one() is not None]
    _known.append(ref(gradients))


def replace(names: Iterable[str], wiring: Wiring, *, quiet: bool) -> None:
    """Detach those that new ones stand in the place of: the same names on the same cells, or the same mechanisms.

    Args:
        names: Of the new directions.
        wiring: What is to be inserted for them.
        quiet: Say nothing.

    Raises:
        Error: They act on the run, and are not simply taken away.
    """
    new = set(names)
    for gradients in [one for reference in _known if (one := reference()) is not None]:
        old = gradients.wiring
        if not (old.shares_mechanisms(wiring) or (set(gradients.directions) == new and old.shares_cells(wiring))):
            continue
        places = ", ".join(sorted({attachment.cell.root.name() for attachment in old.attachments}))
        if gradients.is_online:
            raise Error(f"the same gradients are already attached to {places}: call detach() on them first")
        if not quiet:
            told = f"gradients in {', '.join(gradients.directions)} at {places}"
            print(f"gradmod: detached the old {told}: new ones take their place", file=sys.stderr, flush=True)
        gradients.detach("new ones were attached in their place")
