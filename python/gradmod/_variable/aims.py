"""What the directions change: parameters at places, axial conductances, initial voltages, each with a weight."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from .._model.cells import Cell
from .._model.directions import Direction
from ..errors import Refused
from ..parameters import Global, InitialVoltage, NetConWeight, PerNetCon, PerPointProcess, PerSegment, Range, Stimulus
from .geometry import Geometry
from .spot import Spot


@dataclass
class Aim:
    """One number that a gradient is taken in.

    Attributes:
        places: (spot, parameter of its region, weight).
        axial: (node, weight): of the resistivity between the node and its parent.
        initial: (node, weight): of the voltage that a run begins with.
        netcons: (name, which weight).
    """

    places: list[tuple[int, int, float]] = field(default_factory=list[tuple[int, int, float]])
    axial: list[tuple[int, float]] = field(default_factory=list[tuple[int, float]])
    initial: list[tuple[int, float]] = field(default_factory=list[tuple[int, float]])
    netcons: list[tuple[str, int]] = field(default_factory=list[tuple[str, int]])


def aims_of(
    direction: Direction, cells: Sequence[Cell], spots: Sequence[Spot], geometry: Geometry
) -> tuple[list[Aim], bool]:
    """The aims of a direction, and whether the user gets an array of them.

    Raises:
        Refused: It has no gradient under the variable step.
    """
    parameter = direction.parameter
    owner = {sec: index for index, cell in enumerate(cells) for sec in cell.sections}
    if isinstance(parameter, InitialVoltage):
        weights = {(owner[seg.sec], cells[owner[seg.sec]].node(seg.sec, seg.x)): w for seg, w in direction.weights()}
        aim = Aim()
        for index, cell in enumerate(cells):
            for node, beside in enumerate(cell.beside):
                weight = weights.get((index, beside), 0.0)
                if weight != 0.0 and (parameter.where is None or beside == node):
                    aim.initial.append((geometry.node(index, node), weight))
        return [aim], False
    if isinstance(parameter, Range):
        aims: list[Aim] = []
        by_node: dict[tuple[int, int], list[int]] = {}
        for number, spot in enumerate(spots):
            by_node.setdefault((spot.cell, spot.node), []).append(number)
        for seg, weight in direction.weights():
            index = owner[seg.sec]
            cell, aim = cells[index], Aim()
            if direction.is_axial:
                nodes = [node for node, (sec, _) in enumerate(cell.places) if sec == seg.sec and cell.parent[node] >= 0]
                aim.axial = [(geometry.node(index, node), weight) for node in nodes]
            else:
                for number in by_node.get((index, cell.node(seg.sec, seg.x)), ()):
                    known = spots[number].region.parameters
                    if parameter.name in known and (
                        spots[number].process is None or parameter.name in spots[number].region.of_ions
                    ):
                        aim.places.append((number, known.index(parameter.name), weight))
            aims.append(aim)
        return (aims, True) if isinstance(parameter, PerSegment) else ([_sum(aims)], False)
    if isinstance(parameter, Stimulus):
        aims = [
            _of_spots(spots, direction.wrt, [n for n, spot in enumerate(spots) if spot.process == name])
            for name in parameter.processes
        ]
        return (aims, True) if isinstance(parameter, PerPointProcess) else (aims[:1], False)
    if isinstance(parameter, Global):
        return [_of_spots(spots, direction.wrt, range(len(spots)))], False
    if isinstance(parameter, NetConWeight):
        return [Aim(netcons=[(parameter.netcon, parameter.index)])], False
    if isinstance(parameter, PerNetCon):
        return [Aim(netcons=[(name, parameter.index)]) for name in parameter.netcons], True
    raise Refused(f"{direction.name}: {parameter!r} has no gradient under the variable step")


def _of_spots(spots: Sequence[Spot], wrt: str | None, numbers: Iterable[int]) -> Aim:
    chosen = [number for number in numbers if wrt in spots[number].region.parameters]
    return Aim([(number, spots[number].region.parameters.index(wrt or ""), 1.0) for number in chosen])


def _sum(aims: Sequence[Aim]) -> Aim:
    return Aim(
        [place for aim in aims for place in aim.places],
        [edge for aim in aims for edge in aim.axial],
        [node for aim in aims for node in aim.initial],
    )
