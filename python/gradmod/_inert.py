"""Point processes that need nothing of ours: no direction acts on them, and so all their gradients are 0."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from . import _neuron as nrn
from ._directions import Direction
from ._manifest import Manifest
from .errors import Error
from .parameters import Global, NetConDelay, NetConWeight, Range, Stimulus


def inert(
    points: Sequence[tuple[str, nrn.PointProcess]], made: Manifest, directions: Sequence[Direction]
) -> frozenset[str]:
    """The names of such point processes among these, which are given by kind."""
    own = {d.parameter.process for d in directions if isinstance(d.parameter, Stimulus)}
    own |= {name for name, netcons in nrn.netcons_by_target().items() if _has_direction(netcons, directions)}
    shared = {d.wrt for d in directions if isinstance(d.parameter, (Range, Global))}
    regions = {kind: made.point(kind) for kind in {kind for kind, _ in points}}
    quiet = {kind for kind, region in regions.items() if region.inert and shared.isdisjoint(region.parameters)}
    return frozenset(nrn.name_of(process) for kind, process in points if kind in quiet) - own


def check_inert(names: Iterable[str], directions: Sequence[Direction], again: str) -> None:
    """Look whether no direction acts on these now, by a NetCon that was turned to one.

    Raises:
        Error: One does; ``again`` says what to do.
    """
    by_target: Mapping[str, Sequence[nrn.NetCon]] = nrn.netcons_by_target()
    for name in names:
        if _has_direction(by_target.get(name, ()), directions):
            raise Error(f"a NetCon whose weight is a parameter was turned to {name}; {again}")


def _has_direction(netcons: Iterable[nrn.NetCon], directions: Sequence[Direction]) -> bool:
    chosen = {d.parameter.netcon for d in directions if isinstance(d.parameter, (NetConWeight, NetConDelay))}
    return bool(chosen) and any(nrn.name_of(netcon) in chosen for netcon in netcons)
