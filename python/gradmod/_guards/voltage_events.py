"""Point processes whose events set the membrane potential, and what stands beside them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Protocol

from .. import _neuron as nrn
from .._emitted.mechanism import EmittedMechanism
from .._model.cells import Cell, Place
from ..errors import Refused

#: RANGE variable of every emitted mechanism: 1 where events set the potential.
_JUMPS = "jumps"


class _Region(Protocol):
    """What was emitted, in either mode."""

    @property
    def kind(self) -> str: ...

    @property
    def mechanisms(self) -> tuple[str, ...]: ...

    @property
    def sets_voltage(self) -> bool: ...

    @property
    def sees_jumps(self) -> bool: ...


def check_jumps(
    cells: Iterable[Cell],
    regions: Mapping[nrn.Section, _Region],
    points: Sequence[tuple[nrn.PointProcess, _Region]],
    seen: Collection[Place],
) -> None:
    """Look at what stands where events set the potential.

    Args:
        cells: The user's cells.
        regions: What was emitted for the density mechanisms of their sections.
        points: The point processes, and what was emitted for them.
        seen: The places whose potential a POINTER sees.

    Raises:
        Refused: Which event comes first would matter there, or the place has no membrane.
    """
    by_section: dict[nrn.Section, list[tuple[nrn.PointProcess, _Region]]] = {}
    for process, region in points:
        by_section.setdefault(process.get_segment().sec, []).append((process, region))
    for cell in cells:
        sections = set(cell.sections)
        here: dict[int, list[tuple[str, _Region]]] = {}
        for seg in cell.segments:
            region = regions[seg.sec]
            here[cell.node(seg.sec, seg.x)] = [(", ".join(region.mechanisms), region)]
        own = [both for sec in cell.sections for both in by_section.get(sec, ())]
        for process, region in own:
            seg = process.get_segment()
            here.setdefault(cell.node(seg.sec, seg.x), []).append((nrn.name_of(process), region))
        for process, region in own:
            if not region.sets_voltage:
                continue
            seg = process.get_segment()
            who = f"{nrn.name_of(process)} at {seg} sets v in NET_RECEIVE"
            beside = here[cell.node(seg.sec, seg.x)]
            if beside[0][1].kind == "point":
                raise Refused(f"{who}, and there is no membrane: put it into the middle of a segment")
            if any(sec in sections and cell.node(sec, x) == cell.node(seg.sec, seg.x) for sec, x in seen):
                raise Refused(f"{who}, and a POINTER sees v there: not differentiated")
            for name, other in beside:
                if name != nrn.name_of(process) and (other.sets_voltage or other.sees_jumps):
                    does = "sets it too" if other.sets_voltage else "reads it when events come"
                    raise Refused(f"{who}, and {name} at the same place {does}: not differentiated")


def tell_jumps(spots: Sequence[EmittedMechanism], companions: Sequence[EmittedMechanism]) -> frozenset[int]:
    """Tell all emitted mechanisms of a cell where events set the potential.

    Args:
        spots: Those in the segments.
        companions: Those beside the point processes.

    Returns:
        Those nodes.
    """
    nodes = {spot.node for spot in companions if spot.region.sets_voltage}
    for spot in (*spots, *companions):
        if spot.node in nodes:
            setattr(spot.mechanism, _JUMPS, 1)
    return frozenset(nodes)
