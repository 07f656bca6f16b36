"""Going back through the layers around the nodes that have ``extracellular``: what the compiled code is handed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from .._emitted.adjoint_interface import Arrays, LayersStructure
from .._manifest.membrane import Membrane
from .._model.cells import Floats
from .geometry import segment_above
from .sites import Node, SiteLoss, Sites, SiteValues


class LayersAdjoint:
    """The part of a :class:`~.adjoint.Adjoint` that has to do with sites.

    Attributes:
        structure: The whole structure of the run.
    """

    def __init__(self, membrane: Membrane, sites: Sites, numbers: Mapping[Node, int], parent: NDArray[np.intp]) -> None:
        """Number the unknowns.

        Args:
            membrane: The units of its equation.
            sites: Of the model.
            numbers: Of all nodes, by (cell, node).
            parent: [node] the number of the parent; a root's is its own.
        """
        self.structure = LayersStructure()
        self._arrays = Arrays(self.structure)
        self._sites, self._parent, self._capacitive = sites, parent, membrane.capacitive
        count = len(parent)
        site = np.full(count, -1)
        inner = np.full(count, -1)
        site_node = [numbers[node] for node in sites.nodes]
        site[site_node] = np.arange(len(site_node))
        #: What the insides are called, beyond the nodes.
        self.inner = {node: count + k for k, node in enumerate(sites.inside)}
        for node, number in self.inner.items():
            inner[numbers[node]] = number
        self._site = site
        sizes = np.where(site >= 0, 1 + sites.layers, 1)
        self._row = np.concatenate(([0], np.cumsum(sizes)))[:-1]
        self._block = np.concatenate(([0], np.cumsum(sizes**2)))[:-1]
        self._unknowns, self._blocks = int(sizes.sum()), int((sizes**2).sum())
        structure = self.structure
        structure.layers, structure.sites, structure.blocks = sites.layers, len(sites.nodes), self._blocks
        self._arrays.integers(
            site=site, inner=inner, row=self._row, block=self._block, site_node=site_node,
            vext=sites.vext, battery=sites.battery,
        )  # fmt: skip

    def begin(self, values: SiteValues, axial: Floats, solved: float, loss: SiteLoss) -> None:
        """Stand at the end of a run.

        Args:
            values: Of the sites.
            axial: [node] uS inside, to the parent.
            solved: The time step in ms.
            loss: What to differentiate.
        """
        store = values.store / solved
        coupling = np.zeros(self._unknowns)
        coupling[self._row] = axial
        for site, row in self._rows():
            coupling[row + 1 : row + 1 + self._sites.layers] = values.axial[site]
        layers, count = self._sites.layers, len(self._sites.nodes)
        per_area = np.divide(1.0, values.scale, out=np.zeros(count), where=values.scale > 0)
        self._arrays.doubles(
            coupling=coupling, constant=self._constant(coupling, values.gap + store), gap=values.gap.ravel(),
            store=store.ravel(), per_area=per_area, matrix=np.zeros(self._blocks),
            **{name: np.zeros(self._unknowns) for name in ("unknown", "potential", "rest", "bulk")},
            **{name: np.zeros(count) for name in ("current_adjoint", "battery_total")},
            **{f"{name}_total": np.zeros(count * layers) for name in ("gap", "store", "coupling")},
        )  # fmt: skip
        vext = [loss.of_vext.get((site, layer), -1) for site in range(count) for layer in range(layers)]
        self._arrays.integers(vext_loss=vext, current_loss=[loss.of_current.get(site, -1) for site in range(count)])
        self._values, self._solved = values, solved

    def _rows(self) -> Iterator[tuple[int, int]]:
        """Each site, and where its unknowns are."""
        for number in np.flatnonzero(self._site >= 0):
            yield int(self._site[number]), int(self._row[number])

    def _constant(self, coupling: Floats, across: Floats) -> Floats:
        """The matrix without the membrane: along the layers, and [site, layer] ``across`` them."""
        constant = np.zeros(self._blocks)
        for number, above in enumerate(self._parent):
            own = 1 + self._sites.layers if self._site[number] >= 0 else 1
            theirs = 1 + self._sites.layers if self._site[above] >= 0 else 1
            for k in range(own if number != above else 0):
                flow = coupling[self._row[number] + k]
                constant[self._block[number] + k * (own + 1)] += flow
                if k < theirs:
                    constant[self._block[above] + k * (theirs + 1)] += flow
            site = self._site[number]
            for layer in range(own - 1):
                at = self._block[number] + (1 + layer) * (own + 1)
                constant[at] += across[site, layer]
                if layer + 2 < own:
                    constant[at + own + 1] += across[site, layer]
                    constant[at + 1] -= across[site, layer]
                    constant[at + own] -= across[site, layer]
        return constant

    def totals(self) -> dict[str, dict[Node, float]]:
        """What came of it: the adjoints of the parameters, by their names and (cell, node)."""
        sites, values = self._sites, self._values
        layers = sites.layers
        gap, store, coupling = (
            self._arrays[f"{name}_total"].reshape(-1, layers) for name in ("gap", "store", "coupling")
        )
        battery = self._arrays["battery_total"]
        segments = [site for site in range(len(sites.nodes)) if sites.is_segment(site)]
        found = {"e_extracellular": {sites.nodes[site]: float(battery[site]) for site in segments}}
        of_store = self._capacitive / self._solved
        for layer in range(layers):
            found[f"xg[{layer}]"] = {
                sites.nodes[site]: float(gap[site, layer] * values.scale[site]) for site in segments
            }
            found[f"xc[{layer}]"] = {
                sites.nodes[site]: float(store[site, layer] * values.scale[site] * of_store) for site in segments
            }
            found[f"xraxial[{layer}]"] = self._of_resistances(coupling[:, layer], values.axial[:, layer])
        return found

    def _of_resistances(self, total: Floats, axial: Floats) -> dict[Node, float]:
        """By xraxial: half of a segment is on the way to what is above it, half to what is below."""
        sites, values = self._sites, self._values
        found = {sites.nodes[site]: 0.0 for site in range(len(sites.nodes)) if sites.is_segment(site)}
        for site, (index, node) in enumerate(sites.nodes):
            if axial[site] == 0.0:
                continue
            by_resistance = -float(total[site]) * float(axial[site]) ** 2 / float(values.weight[site])
            for one in (node, segment_above(sites.cells[index], node)):
                if one is not None and (index, one) in found:
                    found[index, one] += by_resistance * float(values.half[sites.number((index, one))])
        return found
