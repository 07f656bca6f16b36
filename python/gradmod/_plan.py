"""The user's cells as plain data, for the worker that builds copies of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from . import _neuron as nrn
from ._adjoint import EdgePlan, FarPlan, Plan, SectionPlan, SpotPlan, Values
from ._neuron_sections import orientation, parent_place
from ._recorder import Recorders, Spot, multiplicity
from ._residual import NodesPlan, NodeValues
from ._reverse_manifest import ReverseManifest
from .cells import Cell, Floats
from .shape import Shape


@dataclass
class Layout:
    """The numbers by which this process and the worker speak of places.

    Attributes:
        plan: For the worker.
        ends: Number of each end without membrane, by (cell, node).
        edges: (cell, node) of each axial resistance that is asked for.
        far: (spot, its POINTER, (cell, node) where that looks), of those that look at one of the cells.
        weights: [cell] :func:`multiplicity`.
        resistances: [cell] of the last :meth:`values`.
    """

    plan: Plan
    ends: dict[tuple[int, int], int]
    edges: list[tuple[int, int]]
    far: list[tuple[int, int, tuple[int, int]]]
    weights: list[Floats]
    resistances: list[Floats] = field(default_factory=list[Floats])

    @classmethod
    def of(
        cls, cells: Sequence[Cell], recorders: Recorders, axial: Iterable[nrn.Section], made: ReverseManifest
    ) -> Layout:
        """Number everything.

        Args:
            cells: The user's cells.
            recorders: On these cells.
            axial: The sections whose Ra is a parameter.
            made: What the compiler emitted.
        """
        sections, numbers = _sections(cells)
        chosen = set(axial)
        edges: dict[tuple[int, int], EdgePlan] = {}
        ends: dict[tuple[int, int], tuple[int, float]] = {}
        for index, cell in enumerate(cells):
            for node, (sec, x) in enumerate(cell.places):
                if not cell.is_segment[node]:
                    ends[index, node] = numbers[sec], x
                above = int(cell.parent[node])
                if above >= 0 and sec in chosen:
                    parent, parent_x = cell.places[above]
                    frames = recorders.place_after(index, node), recorders.place_after(index, above)
                    edges[index, node] = EdgePlan(numbers[sec], x, numbers[parent], parent_x, *frames)
        first = [sum(len(cell.places) for cell in cells[:index]) for index in range(len(cells))]
        spots = [
            SpotPlan(
                numbers[spot.segment.sec],
                cells[spot.cell].places[spot.node][1],
                spot.region.adjoint,
                spot.process is not None,
                spot.region.weights is not None,
                spot.frame,
                spot.fixed,
                spot.out,
                first[spot.cell] + spot.node,
                recorders.landed_place(spot) if recorders.landed else None,
                (spot.cell, spot.node) in recorders.landed,
                spot.region.sets_voltage,
            )
            for spot in recorders.spots
        ]
        owners = {sec: index for index, cell in enumerate(cells) for sec in cell.sections}
        looks = [
            (i, j, owners[sec], (sec, x))
            for i, spot in enumerate(recorders.spots)
            for j, (sec, x) in enumerate(spot.far)
            if sec in owners
        ]
        plan = Plan(
            sections=tuple(sections),
            spots=tuple(spots),
            edges=tuple(edges.values()),
            far=tuple(FarPlan(i, j, numbers[sec], x) for i, j, _, (sec, x) in looks),
            ends=tuple(ends.values()),
            nodes=_nodes(cells, recorders),
            source=made.source,
            edge=made.edge,
            far_effect=made.far,
        )
        far = [(i, j, (cell, cells[cell].node(*place))) for i, j, cell, place in looks]
        weights = [multiplicity(cell) for cell in cells]
        return cls(plan, {end: i for i, end in enumerate(ends)}, list(edges), far, weights)

    def values(self, cells: Sequence[Cell], recorders: Recorders) -> Values:
        """What the cells are like now."""
        _, numbers = _sections(cells)
        areas = [cell.areas() for cell in cells]
        self.resistances = [cell.resistances() for cell in cells]
        resistance = [
            (numbers[sec], x, float(self.resistances[index][node]))
            for index, cell in enumerate(cells)
            for node, (sec, x) in enumerate(cell.places)
            if cell.parent[node] >= 0
        ]
        scale: list[float] = []
        for spot in recorders.spots:
            weight = float(self.weights[spot.cell][spot.node])
            scale.append(weight if spot.process else weight * float(areas[spot.cell][spot.node]) * 1e-2)
        segments = [seg for cell in cells for seg in cell.segments]
        styles: dict[tuple[object, ...], dict[str, float]] = {}
        for spot in recorders.spots:
            if _style_key(spot) not in styles:
                styles[_style_key(spot)] = recorders.settings(spot)
        return Values(
            shapes=tuple(Shape.of(sec) for sec in numbers),
            ra=tuple(float(sec.Ra) for sec in numbers),
            cm=tuple(float(seg.cm) for seg in segments),
            area=tuple(float(a) for cell, area in zip(cells, areas, strict=True) for a in _of_segments(cell, area)),
            resistance=tuple(resistance),
            scale=tuple(scale),
            inertia=tuple(_inertia(recorders, scale)),
            capacity=tuple(0.0 if spot.process else float(spot.segment.cm) for spot in recorders.spots),
            nodes=NodeValues(
                np.concatenate(
                    [_capacitance(cell, area * w) for cell, area, w in zip(cells, areas, self.weights, strict=True)]
                ),
                np.concatenate([w / r for w, r in zip(self.weights, self.resistances, strict=True)]),
            ),
            far_scale=tuple(scale[i] / float(self.weights[cell][node]) for i, _, (cell, node) in self.far),
            settings=tuple(styles[_style_key(spot)] for spot in recorders.spots),
        )


def _inertia(recorders: Recorders, scales: Sequence[float]) -> Iterator[float]:
    """[spot] cm of its node per its own scale, in uF/cm2; what the loss thinks of v there is that times y/dt."""
    membrane = {
        (spot.cell, spot.node): scale * float(spot.segment.cm)
        for spot, scale in zip(recorders.spots, scales, strict=True)
        if spot.process is None
    }
    for spot, scale in zip(recorders.spots, scales, strict=True):
        yield membrane.get((spot.cell, spot.node), 0.0) / scale


def _nodes(cells: Sequence[Cell], recorders: Recorders) -> NodesPlan:
    before: list[int] = []
    after: list[int] = []
    parent: list[int] = []
    for index, cell in enumerate(cells):
        first = len(parent)
        parent.extend(first + int(above) if above >= 0 else -1 for above in cell.parent)
        before.extend(recorders.nodes[index, node] for node in range(len(cell.places)))
        after.extend(recorders.place_after(index, node) for node in range(len(cell.places)))
    return NodesPlan(tuple(before), tuple(after), tuple(parent))


def _capacitance(cell: Cell, areas: Floats) -> Floats:
    """[node] in nF, of areas in um2."""
    found = np.zeros(len(areas))
    for seg in cell.segments:
        node = cell.node(seg.sec, seg.x)
        found[node] = 1e-5 * float(seg.cm) * areas[node]
    return found


def _style_key(spot: Spot) -> tuple[object, ...]:
    """What the ion style is the same for."""
    return spot.segment.sec, spot.region.name, None if spot.process is None else spot.node


def _of_segments(cell: Cell, values: Floats) -> Floats:
    """[segment] what belongs to ``cell.segments`` among values of all nodes."""
    return values[[cell.node(seg.sec, seg.x) for seg in cell.segments]]


def _sections(cells: Sequence[Cell]) -> tuple[list[SectionPlan], dict[nrn.Section, int]]:
    numbers: dict[nrn.Section, int] = {}
    plans: list[SectionPlan] = []
    for cell in cells:
        for sec in cell.sections:
            numbers[sec] = len(plans)
            place = parent_place(sec)
            parent, at = (-1, 0.0) if place is None else (numbers[place[0]], place[1])
            plans.append(SectionPlan(parent, at, orientation(sec), int(sec.nseg), float(sec.rallbranch)))
    return plans, numbers
