"""Individuals: what BluePyOpt's optimisers find, as values by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..errors import Error

#: Values in the order of ``evaluator.param_names``, or by these names.
Individual = Sequence[float] | Mapping[str, float]


def named(evaluator: Any, individual: Individual | None) -> dict[str, float]:
    """Its values by name; the middle of the bounds if there is none.

    Raises:
        Error: There are other names or numbers than parameters, or a parameter has no bounds.
    """
    names = [str(name) for name in evaluator.param_names]
    if individual is None:
        bounds = [evaluator.cell_model.params[name].bounds for name in names]
        unbounded = [name for name, pair in zip(names, bounds, strict=True) if pair is None]
        if unbounded:
            raise Error(f"parameters without bounds: {', '.join(unbounded)}")
        return {name: 0.5 * (pair[0] + pair[1]) for name, pair in zip(names, bounds, strict=True)}
    if isinstance(individual, Mapping):
        if set(individual) != set(names):
            raise Error(f"the individual has values of {', '.join(individual)}, the parameters are {', '.join(names)}")
        return {name: float(individual[name]) for name in names}
    if len(individual) != len(names):
        raise Error(f"the individual has {len(individual)} values, there are {len(names)} parameters")
    return dict(zip(names, map(float, individual), strict=True))
