"""The nodes of the user's cells by number, and what the cells are like."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, fields

import numpy as np
from numpy.typing import NDArray

from .. import _neuron as nrn
from .._manifest.membrane import Membrane
from .._model.cells import Cell, Floats
from .._outside.layers import LayersAdjoint
from .._outside.sheaths import Sheaths, SheathValues
from .recorder import Recorders


@dataclass(frozen=True)
class Nodes:
    """The nodes of all cells, every parent before its children.

    Attributes:
        before, after: [node] where v is in a frame, and where v at the end of the step before is.
        parent: [node] index of the parent; -1 for roots.
    """

    before: tuple[int, ...]
    after: tuple[int, ...]
    parent: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Values:
    """What may change from run to run.

    Attributes:
        ra: [section] in ohm cm.
        cm, area, diameter: [segment] in uF/cm2, um2 and um, in the order of the sections.
        capacitance, axial: [node] in nF, and to the parent in uS; 0 at ends without area, and at roots. A branch that
            counts several times counts so here.
        scale: [spot] area/100 um2, 1 for point processes; the same factors in it.
        inertia: [spot] cm of its node per its own scale, in uF/cm2.
        capacity: [spot] cm in uF/cm2; 0 for point processes.
        spot_area, spot_diameter: [spot] of its segment.
        settings: [spot] by name, what the styles of ions are.
        outside: What ``extracellular`` is like, where the model has it.
    """

    ra: Floats
    cm: Floats
    area: Floats
    diameter: Floats
    capacitance: Floats
    axial: Floats
    scale: Floats
    inertia: Floats
    capacity: Floats
    spot_area: Floats
    spot_diameter: Floats
    settings: tuple[dict[str, float], ...]
    outside: SheathValues | None

    def key(self) -> tuple[object, ...]:
        """To be compared."""
        arrays = [getattr(self, one.name) for one in fields(self) if one.name != "settings"]
        arrays = [array for array in arrays if array is not None]
        return *(array.tobytes() for array in arrays), self.settings

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Values) and self.key() == other.key()


@dataclass
class Layout:
    """The numbers of nodes.

    Attributes:
        membrane: The units of its equation.
        nodes: Of all cells, one after the other.
        ends: Number of each end without membrane, by (cell, node); ``end_nodes`` [end].
        edges: (cell, node) of each axial resistance that is asked for; ``edge_nodes`` [edge] the node below it.
        pointer_targets: (spot, its POINTER, (cell, node) where that looks), of those that look at one of the cells.
        weights: [cell] :func:`multiplicity`.
        resistances: [cell] of the last :meth:`values`.
    """

    membrane: Membrane
    nodes: Nodes
    ends: dict[tuple[int, int], int]
    edges: list[tuple[int, int]]
    pointer_targets: list[tuple[int, int, tuple[int, int]]]
    weights: list[Floats]
    resistances: list[Floats] = field(default_factory=list[Floats])
    _first: list[int] = field(default_factory=list[int])
    _sheaths: Sheaths | None = None

    @classmethod
    def of(
        cls, membrane: Membrane, cells: Sequence[Cell], recorders: Recorders, axial: Iterable[nrn.Section]
    ) -> Layout:
        """Number everything.

        Args:
            membrane: The units of its equation.
            cells: The user's cells.
            recorders: On these cells.
            axial: The sections whose Ra is a parameter.
        """
        chosen = set(axial)
        every = [(index, node) for index, cell in enumerate(cells) for node in range(len(cell.places))]
        ends = [(index, node) for index, node in every if not cells[index].is_segment[node]]
        edges = [
            (index, node)
            for index, node in every
            if cells[index].parent[node] >= 0 and cells[index].places[node][0] in chosen
        ]
        owners = {sec: index for index, cell in enumerate(cells) for sec in cell.sections}
        looks = [
            (i, j, (owners[sec], cells[owners[sec]].node(sec, x)))
            for i, spot in enumerate(recorders.spots)
            for j, (sec, x) in enumerate(spot.pointer_targets)
            if sec in owners
        ]
        first = [sum(len(cell.places) for cell in cells[:index]) for index in range(len(cells))]
        above = [(first[index], int(parent)) for index, cell in enumerate(cells) for parent in cell.parent]
        nodes = Nodes(
            before=tuple(recorders.frame.nodes[place] for place in every),
            after=tuple(recorders.frame.place_after(*place) for place in every),
            parent=tuple(begin + parent if parent >= 0 else -1 for begin, parent in above),
        )
        weights = [multiplicity(cell) for cell in cells]
        return cls(
            membrane,
            nodes,
            {end: i for i, end in enumerate(ends)},
            edges,
            looks,
            weights,
            _first=first,
            _sheaths=recorders.sheaths,
        )

    def number(self, cell: int, node: int) -> int:
        """Of a node of a cell among all."""
        return self._first[cell] + node

    def layers_adjoint(self, parent: NDArray[np.intp]) -> LayersAdjoint:
        """What goes back through the layers of the sheaths; ``parent`` as there."""
        assert self._sheaths is not None
        numbers = {node: self.number(*node) for node in self._sheaths.nodes}
        return LayersAdjoint(self.membrane, self._sheaths, numbers, parent)

    @property
    def end_nodes(self) -> list[int]:
        return [self.number(*end) for end in self.ends]

    @property
    def edge_nodes(self) -> list[int]:
        return [self.number(*edge) for edge in self.edges]

    def values(self, cells: Sequence[Cell], recorders: Recorders) -> Values:
        """What the cells are like now."""
        areas = [cell.areas() for cell in cells]
        self.resistances = [cell.resistances() for cell in cells]
        scale: list[float] = []
        for spot in recorders.spots:
            weight = float(self.weights[spot.cell][spot.node])
            scale.append(weight if spot.process else weight * float(areas[spot.cell][spot.node]) * self.membrane.area)
        segments = [seg for cell in cells for seg in cell.segments]
        of_nodes = list(zip(cells, areas, self.weights, strict=True))
        return Values(
            ra=np.array([float(sec.Ra) for cell in cells for sec in cell.sections]),
            cm=np.array([float(seg.cm) for seg in segments]),
            area=np.concatenate([_of_segments(cell, area) for cell, area in zip(cells, areas, strict=True)]),
            diameter=np.array([float(seg.diam) for seg in segments]),
            capacitance=np.concatenate([_capacitance(self.membrane, cell, area * w) for cell, area, w in of_nodes]),
            axial=np.concatenate([w / r for w, r in zip(self.weights, self.resistances, strict=True)]),
            scale=np.array(scale),
            inertia=np.fromiter(_inertia(recorders, scale), dtype=np.float64),
            capacity=np.array([0.0 if spot.process else float(spot.segment.cm) for spot in recorders.spots]),
            spot_area=np.array([float(areas[spot.cell][spot.node]) for spot in recorders.spots]),
            spot_diameter=np.array([float(spot.segment.diam) for spot in recorders.spots]),
            settings=recorders.all_settings(),
            outside=self._sheaths.values(self.membrane, areas, self.weights) if self._sheaths else None,
        )


def _inertia(recorders: Recorders, scales: Sequence[float]) -> Iterator[float]:
    """[spot] cm of its node per its own scale, in uF/cm2; the adjoint of v there is that times y/dt."""
    membrane = {
        (spot.cell, spot.node): scale * float(spot.segment.cm)
        for spot, scale in zip(recorders.spots, scales, strict=True)
        if spot.process is None
    }
    for spot, scale in zip(recorders.spots, scales, strict=True):
        yield membrane.get((spot.cell, spot.node), 0.0) / scale


def _capacitance(membrane: Membrane, cell: Cell, areas: Floats) -> Floats:
    """[node] in nF, of areas in um2."""
    found = np.zeros(len(areas))
    for seg in cell.segments:
        node = cell.node(seg.sec, seg.x)
        found[node] = membrane.capacitance(float(seg.cm), areas[node])
    return found


def _of_segments(cell: Cell, values: Floats) -> Floats:
    """[segment] what belongs to ``cell.segments`` among values of all nodes."""
    return values[[cell.node(seg.sec, seg.x) for seg in cell.segments]]


def multiplicity(cell: Cell) -> Floats:
    """[node] how many equal branches a node stands for (``rallbranch``).

    A branch that counts several times is several in its parent's equation and one in its own. Weighted so, the axial
    matrix is symmetric, which the adjoint needs.
    """
    weights, rall = np.ones(len(cell.places)), cell.rall()
    for node in range(1, len(weights)):
        weights[node] = weights[int(cell.parent[node])] * rall[node]
    return weights
