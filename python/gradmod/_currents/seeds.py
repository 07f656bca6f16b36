"""Where going back begins, of a loss of membrane currents: at the voltages that these follow from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from .. import _neuron as nrn
from .._model.cells import Cell, Floats
from ..membrane_currents import MembraneCurrents
from .axial_balance import AxialBalance, solved, solved_transposed

#: A node: (cell, node).
Node = tuple[int, int]


class Seeds:
    """Of sums on the cells of one model."""

    def __init__(self, cells: Sequence[Cell], axial: set[nrn.Section], secondorder: int) -> None:
        """Say of which.

        Args:
            cells: On which parameters act.
            axial: The sections whose Ra is a parameter.
            secondorder: NEURON's.
        """
        self._cells = cells
        self._owner = {sec: index for index, cell in enumerate(cells) for sec in cell.sections}
        self._axial = axial
        self._order = secondorder

    def places(self, currents: MembraneCurrents) -> Iterator[tuple[Node, nrn.Segment, float]]:
        """The nodes of a sum, with their weights; on other cells no parameter acts."""
        for seg, weight in zip(currents.segments, currents.weights, strict=True):
            index = self._owner.get(seg.sec)
            if index is not None:
                yield (index, self._cells[index].node(seg.sec, seg.x)), seg, float(weight)

    def voltages(self, currents: MembraneCurrents) -> dict[Node, nrn.Segment]:
        """Where v must be recorded: at both ends of each edge whose conductance a parameter changes."""
        found: dict[Node, nrn.Segment] = {}
        for index, weights in self._by_cell(currents).items():
            cell = self._cells[index]
            for node in self._changed(cell, weights):
                for one in (node, int(cell.parent[node])):
                    sec, x = cell.places[one]
                    found[index, one] = sec(x)
        return found

    def spread(
        self,
        currents: MembraneCurrents,
        slopes: Floats,
        resistances: Sequence[Floats],
        ra: Mapping[nrn.Section, float],
        voltages: Mapping[Node, Floats],
    ) -> tuple[dict[Node, Floats], dict[nrn.Section, float]]:
        """What the derivatives by a sum make of those by voltages, and by Ra.

        Args:
            currents: The sum.
            slopes: [sample] derivatives of the loss by it.
            resistances: [cell] between the nodes in the run, in MOhm.
            ra: Of the sections, in ohm cm.
            voltages: [sample] where :meth:`voltages` says.
        """
        by_sample = solved_transposed(slopes, self._order)
        between = {node: solved(values, self._order) for node, values in voltages.items()}
        columns: dict[Node, Floats] = {}
        axial: dict[nrn.Section, float] = {}
        for index, weights in self._by_cell(currents).items():
            cell = self._cells[index]
            balance = AxialBalance(cell, resistances[index])
            for node, slope in enumerate(balance.voltages(weights)):
                if slope != 0.0:
                    columns[index, node] = slope * by_sample
            edges = balance.edges(weights)
            for node in self._changed(cell, weights):
                sec, _ = cell.places[node]
                fall = between[index, int(cell.parent[node])] - between[index, node]
                # A conductance is in inverse proportion to Ra.
                axial[sec] = axial.get(sec, 0.0) - edges[node] / ra[sec] * float(slopes @ fall)
        return columns, axial

    def _changed(self, cell: Cell, weights: Floats) -> list[int]:
        """The nodes above which an edge is part of the sum, and its conductance changes with a parameter."""
        is_part = (cell.parent >= 0) & ((weights != 0.0) | (weights[cell.parent] != 0.0))
        return [int(node) for node in np.flatnonzero(is_part) if cell.places[node][0] in self._axial]

    def _by_cell(self, currents: MembraneCurrents) -> dict[int, Floats]:
        """[node] the weights, by number of the cell."""
        found: dict[int, Floats] = {}
        for (index, node), _, weight in self.places(currents):
            found.setdefault(index, np.zeros(len(self._cells[index].places)))[node] += weight
        return found
