"""Going back through the layers around the nodes that have ``extracellular``: what the compiled code is handed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from .._emitted.adjoint_interface import Arrays, LayersStructure
from .._manifest.membrane import Membrane
from .._model.cells import Floats
from .fields import Fields
from .geometry import segment_above
from .sheaths import Node, SheathLoss, Sheaths, SheathValues


class LayersAdjoint:
    """The part of a :class:`~.adjoint.Adjoint` that has to do with sheaths.

    Attributes:
        structure: The whole structure of the run.
    """

    def __init__(
        self, membrane: Membrane, sheaths: Sheaths, numbers: Mapping[Node, int], parent: NDArray[np.intp]
    ) -> None:
        """Number the unknowns.

        Args:
            membrane: The units of its equation.
            sheaths: Of the model.
            numbers: Of all nodes, by (cell, node).
            parent: [node] the number of the parent; a root's is its own.
        """
        self.structure = LayersStructure()
        self._arrays = Arrays(self.structure)
        self._sheaths, self._parent, self._capacitive = sheaths, parent, membrane.capacitive
        count = len(parent)
        sheath = np.full(count, -1)
        inner = np.full(count, -1)
        sheath_node = [numbers[node] for node in sheaths.nodes]
        sheath[sheath_node] = np.arange(len(sheath_node))
        #: What the insides are called, beyond the nodes.
        self.inner = {node: count + k for k, node in enumerate(sheaths.inside)}
        for node, number in self.inner.items():
            inner[numbers[node]] = number
        self._of_node = sheath
        sizes = np.where(sheath >= 0, 1 + sheaths.layers, 1)
        self._row = np.concatenate(([0], np.cumsum(sizes)))[:-1]
        self._block = np.concatenate(([0], np.cumsum(sizes**2)))[:-1]
        self._unknowns, self._blocks = int(sizes.sum()), int((sizes**2).sum())
        structure = self.structure
        structure.layers, structure.sheaths, structure.blocks = sheaths.layers, len(sheaths.nodes), self._blocks
        self._arrays.integers(
            sheath=sheath, inner=inner, row=self._row, block=self._block, sheath_node=sheath_node,
            vext=sheaths.vext, battery=sheaths.battery,
        )  # fmt: skip

    def begin(self, values: SheathValues, axial: Floats, solved: float, loss: SheathLoss, fields: Fields) -> None:
        """Stand at the end of a run.

        Args:
            values: Of the sheaths.
            axial: [node] uS inside, to the parent.
            solved: The time step in ms.
            loss: What to differentiate.
            fields: The waveforms of e_extracellular; their slopes are set step by step.
        """
        store = values.store / solved
        coupling = np.zeros(self._unknowns)
        coupling[self._row] = axial
        for sheath, row in self._rows():
            coupling[row + 1 : row + 1 + self._sheaths.layers] = values.axial[sheath]
        layers, count = self._sheaths.layers, len(self._sheaths.nodes)
        per_area = np.divide(1.0, values.scale, out=np.zeros(count), where=values.scale > 0)
        self._arrays.doubles(
            coupling=coupling, constant=self._constant(coupling, values.gap + store), gap=values.gap.ravel(),
            store=store.ravel(), per_area=per_area, matrix=np.zeros(self._blocks),
            **{name: np.zeros(self._unknowns) for name in ("unknown", "potential", "rest", "bulk")},
            **{name: np.zeros(count) for name in ("current_adjoint", "battery_total")},
            **{f"{name}_total": np.zeros(count * layers) for name in ("gap", "store", "coupling")},
        )  # fmt: skip
        vext = [loss.of_vext.get((sheath, layer), -1) for sheath in range(count) for layer in range(layers)]
        self._arrays.integers(vext_loss=vext, current_loss=[loss.of_current.get(sheath, -1) for sheath in range(count)])
        self._arrays.doubles(field_weight=fields.weights.ravel())
        self.structure.fields, self.structure.field = len(fields.weights), fields.slopes.ctypes.data
        self._values, self._solved = values, solved

    def _rows(self) -> Iterator[tuple[int, int]]:
        """Each sheath, and where its unknowns are."""
        for number in np.flatnonzero(self._of_node >= 0):
            yield int(self._of_node[number]), int(self._row[number])

    def _constant(self, coupling: Floats, across: Floats) -> Floats:
        """The matrix without the membrane: along the layers, and [sheath, layer] ``across`` them."""
        constant = np.zeros(self._blocks)
        for number, above in enumerate(self._parent):
            own = 1 + self._sheaths.layers if self._of_node[number] >= 0 else 1
            theirs = 1 + self._sheaths.layers if self._of_node[above] >= 0 else 1
            for k in range(own if number != above else 0):
                flow = coupling[self._row[number] + k]
                constant[self._block[number] + k * (own + 1)] += flow
                if k < theirs:
                    constant[self._block[above] + k * (theirs + 1)] += flow
            sheath = self._of_node[number]
            for layer in range(own - 1):
                at = self._block[number] + (1 + layer) * (own + 1)
                constant[at] += across[sheath, layer]
                if layer + 2 < own:
                    constant[at + own + 1] += across[sheath, layer]
                    constant[at + 1] -= across[sheath, layer]
                    constant[at + own] -= across[sheath, layer]
        return constant

    def totals(self) -> dict[str, dict[Node, float]]:
        """What came of it: the adjoints of the parameters, by their names and (cell, node)."""
        sheaths, values = self._sheaths, self._values
        layers = sheaths.layers
        gap, store, coupling = (
            self._arrays[f"{name}_total"].reshape(-1, layers) for name in ("gap", "store", "coupling")
        )
        battery = self._arrays["battery_total"]
        segments = [sheath for sheath in range(len(sheaths.nodes)) if sheaths.is_segment(sheath)]

        def by_node(numbers: Floats) -> dict[Node, float]:
            return {sheaths.nodes[sheath]: float(numbers[sheath]) for sheath in segments}

        found = {"e_extracellular": by_node(battery)}
        of_store = self._capacitive / self._solved
        for layer in range(layers):
            found[f"xg[{layer}]"] = by_node(gap[:, layer] * values.scale)
            found[f"xc[{layer}]"] = by_node(store[:, layer] * values.scale * of_store)
            found[f"xraxial[{layer}]"] = self._of_resistances(coupling[:, layer], values.axial[:, layer])
        return found

    def _of_resistances(self, total: Floats, axial: Floats) -> dict[Node, float]:
        """By xraxial: half of a segment is on the way to what is above it, half to what is below."""
        sheaths, values = self._sheaths, self._values
        found = {sheaths.nodes[sheath]: 0.0 for sheath in range(len(sheaths.nodes)) if sheaths.is_segment(sheath)}
        for sheath, (index, node) in enumerate(sheaths.nodes):
            if axial[sheath] == 0.0:
                continue
            by_resistance = -float(total[sheath]) * float(axial[sheath]) ** 2 / float(values.weight[sheath])
            for one in (node, segment_above(sheaths.cells[index], node)):
                if one is not None and (index, one) in found:
                    found[index, one] += by_resistance * float(values.half[sheaths.number((index, one))])
        return found
