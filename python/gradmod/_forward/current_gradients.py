"""Gradients of membrane currents along a run, made of those of the voltages around them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from .. import _neuron as nrn
from .._currents.axial_balance import AxialBalance, solved
from .._model.cells import Floats
from .attachment import Attachment


class CurrentGradients:
    """Of one weighted sum, in all directions."""

    def __init__(self, parts: Mapping[Attachment, Floats], secondorder: int) -> None:
        """Begin to record; ends of sections get what keeps their gradients.

        Args:
            parts: [node] the weights, by what is attached to the cell.
            secondorder: NEURON's.
        """
        self._order = secondorder
        self._parts = [_Part(attachment, weights) for attachment, weights in parts.items()]

    def of(self, k: int) -> Floats | None:
        """[sample] in direction k; None where that does not act."""
        found = [part.of(k, self._order) for part in self._parts if k in part.attachment.acting]
        return np.sum(found, axis=0) if found else None

    def stop(self) -> None:
        """Stop recording."""
        for part in self._parts:
            part.stop()


class _Part:
    """On one cell."""

    def __init__(self, attachment: Attachment, weights: Floats) -> None:
        self.attachment = attachment
        self._weights = weights
        cell = attachment.cell
        above = cell.parent
        edges = np.flatnonzero((above >= 0) & ((weights != 0.0) | (weights[above] != 0.0)))
        self._nodes = sorted({int(node) for node in (*edges, *above[edges])})
        places = {node: cell.places[node] for node in self._nodes}
        self._gradients = {
            (node, k): nrn.record(attachment.voltage(sec, x, k), sec)
            for node, (sec, x) in places.items()
            for k in attachment.acting
        }
        self._is_axial = any(attachment.directions[k].is_axial for k in attachment.acting)
        self._voltages = (
            {node: nrn.record(nrn.ref(sec(x), "v"), sec) for node, (sec, x) in places.items()} if self._is_axial else {}
        )

    def of(self, k: int, order: int) -> Floats:
        balance = AxialBalance(self.attachment.cell, self.attachment.geometry.resistance)
        gradients = np.array([nrn.values(self._gradients[node, k]) for node in self._nodes])
        total = balance.voltages(self._weights)[self._nodes] @ solved(gradients, order)
        if not self.attachment.directions[k].is_axial:
            return total
        edges = balance.edges(self._weights)
        voltages = {node: solved(nrn.values(vector), order) for node, vector in self._voltages.items()}
        for node, below in voltages.items():
            change = self.attachment.axial_change(node, k)
            if change != 0.0 and edges[node] != 0.0:
                total = total + edges[node] * change * (voltages[int(self.attachment.cell.parent[node])] - below)
        return total

    def stop(self) -> None:
        for vector in (*self._gradients.values(), *self._voltages.values()):
            nrn.stop_recording(vector)
