"""Directions in parameters that no gradient depends on: most are slips, so all of them are named, before any work."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Protocol

from .. import _neuron as nrn
from .._model.directions import Direction
from ..errors import Error
from ..parameters import Global, Range, Stimulus


class Emitted(Protocol):
    """What the compiler emitted for some mechanisms, in either mode."""

    @property
    def mechanisms(self) -> Sequence[str]: ...

    @property
    def parameters(self) -> Collection[str]: ...


def check_influence(
    directions: Iterable[Direction],
    passed_over: Iterable[str],
    fused: Mapping[nrn.Section, Emitted],
    points: Sequence[tuple[nrn.PointProcess, Emitted]],
) -> None:
    """Raise if there are directions without influence.

    Args:
        directions: All.
        passed_over: Mechanisms that act on no membrane.
        fused: What was emitted for the density mechanisms of each section.
        points: What was emitted for each point process.

    Raises:
        Error: There is one; the message has a line for each of these directions.
    """
    passed_over = tuple(passed_over)
    lines: list[str] = []
    for direction in directions:
        sentence = _outside(direction, passed_over) or _idle(direction, fused, points)
        if sentence:
            lines.append(f"{direction.name}: {direction.wrt} has no influence{sentence}")
    if lines:
        raise Error("\n".join(lines))


def _outside(direction: Direction, passed_over: Iterable[str]) -> str:
    wrt = direction.wrt or ""
    for mechanism in passed_over:
        if wrt.startswith(f"{mechanism}.") or wrt.endswith(f"_{mechanism}"):
            return f": {mechanism} acts on no membrane"
    return ""


def _idle(
    direction: Direction, fused: Mapping[nrn.Section, Emitted], points: Sequence[tuple[nrn.PointProcess, Emitted]]
) -> str:
    """Where the direction has no influence; empty if it has some."""
    parameter, wrt = direction.parameter, direction.wrt
    if wrt is None:
        return ""
    if isinstance(parameter, Stimulus):
        # Names: a reference to a point process would keep it alive.
        chosen = set(parameter.processes)
        missed = (nrn.name_of(p) for p, made in points if wrt not in made.parameters)
        return next((f" on {name}" for name in missed if name in chosen), "")
    if isinstance(parameter, Range):
        for seg, weight in direction.weights():
            made = fused.get(seg.sec)
            if made is not None and weight != 0.0 and is_missed(wrt, made):
                return f" at {seg}"
    if isinstance(parameter, Global):
        acting = [made for made in (*fused.values(), *(made for _, made in points)) if wrt in made.parameters]
        owners = [made for made in (*fused.values(), *(made for _, made in points)) if is_missed(wrt, made)]
        if owners and not acting:
            return " anywhere"
    return ""


def is_missed(wrt: str, made: Emitted) -> bool:
    """Whether a parameter is one of these mechanisms, but nothing depends on it."""
    return wrt not in made.parameters and any(wrt.endswith(f"_{name}") for name in made.mechanisms)
