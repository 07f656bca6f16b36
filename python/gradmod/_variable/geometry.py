"""The nodes of all cells by number, and the constants of their equations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .._manifest.membrane import Membrane
from .._model.cells import Cell, Floats
from .spot import Spot


@dataclass(frozen=True)
class Geometry:
    """What a run does not change of the cells.

    Attributes:
        parent: [node] every parent before its children; a root is its own.
        first: [cell] the number of its first node.
        capacitance, axial: [node] in nF, and to the parent in uS; 0 at ends without area, and at roots. A branch that
            counts several times (``rallbranch``) counts so here, so that the matrix is symmetric.
        scale: [spot] area/100 um2, 1 for point processes; the same factors in it.
        area, diameter: [spot] of its segment in um2 and um.
        resistivity: [node] Ra of its section in ohm cm.
    """

    parent: NDArray[np.int64]
    first: tuple[int, ...]
    capacitance: Floats
    axial: Floats
    scale: Floats
    area: Floats
    diameter: Floats
    resistivity: Floats

    @classmethod
    def of(cls, membrane: Membrane, cells: Sequence[Cell], spots: Sequence[Spot]) -> Geometry:
        """As the cells are now."""
        sizes = [len(cell.places) for cell in cells]
        first = tuple(sum(sizes[:index]) for index in range(len(cells)))
        above = [
            begin + (int(up) if up >= 0 else node)
            for begin, cell in zip(first, cells, strict=True)
            for node, up in enumerate(cell.parent)
        ]
        areas = [cell.areas() for cell in cells]
        counts = [_multiplicity(cell) for cell in cells]
        cms = [np.array([sec(x).cm if 0.0 < x < 1.0 else 0.0 for sec, x in cell.places]) for cell in cells]
        scale = [
            float(counts[spot.cell][spot.node]) * (1.0 if spot.process else areas[spot.cell][spot.node] * membrane.area)
            for spot in spots
        ]
        return cls(
            parent=np.array(above, dtype=np.int64),
            first=first,
            capacitance=np.concatenate(
                [
                    np.array([membrane.capacitance(cm, area) for cm, area in zip(some, area_, strict=True)]) * count
                    for some, area_, count in zip(cms, areas, counts, strict=True)
                ]
            ),
            axial=np.concatenate([c / cell.resistances() for c, cell in zip(counts, cells, strict=True)]),
            scale=np.array(scale),
            area=np.array([float(areas[spot.cell][spot.node]) for spot in spots]),
            diameter=np.array([float(spot.segment.diam) for spot in spots]),
            resistivity=np.array([float(sec.Ra) for cell in cells for sec, _ in cell.places]),
        )

    def node(self, cell: int, node: int) -> int:
        """The number of a node of a cell."""
        return self.first[cell] + node

    def is_same(self, other: Geometry) -> bool:
        """Whether nothing has changed."""
        names = ("capacitance", "axial", "scale", "area", "diameter", "resistivity")
        return all(np.array_equal(getattr(self, name), getattr(other, name)) for name in names)


def _multiplicity(cell: Cell) -> Floats:
    """[node] how many equal branches a node stands for."""
    weights, rall = np.ones(len(cell.places)), cell.rall()
    for node in range(1, len(weights)):
        weights[node] = weights[int(cell.parent[node])] * rall[node]
    return weights
