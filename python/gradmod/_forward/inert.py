"""Point processes that need nothing of ours: no direction acts on them, and so all their gradients are 0."""

from __future__ import annotations

from collections.abc import Sequence

from .. import _neuron as nrn
from .._manifest.gradients import Manifest
from .._model.directions import Direction
from ..errors import Error
from ..parameters import Global, NetConDelay, NetConWeight, Range, Stimulus


def inert(
    points: Sequence[tuple[str, nrn.PointProcess]], made: Manifest, directions: Sequence[Direction]
) -> frozenset[str]:
    """The names of such point processes among these, which are given by kind."""
    own = {d.parameter.process for d in directions if isinstance(d.parameter, Stimulus)}
    shared = {d.wrt for d in directions if isinstance(d.parameter, (Range, Global))}
    regions = {kind: made.point(kind) for kind in {kind for kind, _ in points}}
    quiet = {kind for kind, region in regions.items() if region.inert and shared.isdisjoint(region.parameters)}
    return frozenset(nrn.name_of(process) for kind, process in points if kind in quiet) - own - _targets(directions)


def check_inert(names: frozenset[str], directions: Sequence[Direction], again: str) -> None:
    """Look whether no direction acts on these now, by a NetCon that was turned to one.

    Raises:
        Error: One does; ``again`` says what to do.
    """
    for name in sorted(names & _targets(directions)):
        raise Error(f"a NetCon whose weight is a parameter was turned to {name}; {again}")


def _targets(directions: Sequence[Direction]) -> set[str]:
    """The point processes that NetCons with a direction bring events to."""
    chosen = {d.parameter.netcon for d in directions if isinstance(d.parameter, (NetConWeight, NetConDelay))}
    if not chosen:
        return set()
    by_target = nrn.netcons_by_target().items()
    return {name for name, netcons in by_target if any(nrn.name_of(netcon) in chosen for netcon in netcons)}
