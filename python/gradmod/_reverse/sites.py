"""The nodes that have ``extracellular``, in reverse mode: what is remembered of them, and what they are like.

The unknowns of such a node, a *site*, are the potential inside, ``v + vext[0]``, and ``vext`` of each layer. The
emitted mechanism ``gm_descent_layers_...`` solves for these blocks (templates/reverse/descent_layers.mod.j2).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from .. import _neuron as nrn
from .._emitted.recorder_site import RecorderSite
from .._manifest.membrane import Membrane
from .._manifest.reverse import ReverseRegion
from .._model.cells import Cell, Floats
from .._model.extracellular import (
    CURRENT,
    POTENTIAL,
    half_resistances,
    has_it,
    layer_count,
    layer_of,
    segment_above,
    sites_of,
    value_at,
)
from ..errors import Refused
from .frame import Frame

Node = tuple[int, int]


@dataclass(frozen=True, eq=False)
class SiteValues:
    """What may change from run to run. ``key()`` is to be compared.

    Attributes:
        gap, store: [site, layer] xg in uS, and xc in nF; 0 at ends.
        axial: [site, layer] uS to the parent's layer; 0 where that has none.
        scale: [site] uS that 1 S/cm2 makes; 0 at ends.
        half: [site] MOhm of half a segment per MOhm/cm of xraxial; 0 at ends.
        conductance: [site, layer] xg in S/cm2.
        weight: [site] how many equal branches it stands for.
    """

    gap: Floats
    store: Floats
    axial: Floats
    scale: Floats
    half: Floats
    conductance: Floats
    weight: Floats

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SiteValues) and self.tobytes() == other.tobytes()

    def tobytes(self) -> bytes:
        """To be compared."""
        return b"".join(values.tobytes() for values in (self.gap, self.store, self.axial, self.scale))


class Sites:
    """The nodes with ``extracellular``.

    Attributes:
        cells: Of the model.
        layers: How many each has.
        nodes: (cell, node) of each site.
        vext, battery: [site] where in a frame vext of the first layer and e_extracellular are; -1 for no battery.
        inside: (cell, node) of sites with electrodes, and where the potential inside is in a frame.
    """

    def __init__(self, cells: Sequence[Cell]) -> None:
        """Look for them."""
        self.layers = layer_count()
        self.cells = cells
        self.nodes: list[Node] = [(index, node) for index, cell in enumerate(cells) for node in sites_of(cell)]
        self._number = {node: site for site, node in enumerate(self.nodes)}
        self.vext: list[int] = []
        self.battery: list[int] = []
        self.inside: dict[Node, int] = {}

    def are_same(self) -> bool:
        """Whether the model has no other ones now."""
        return self.layers == layer_count() and self.nodes == Sites(self.cells).nodes

    def __bool__(self) -> bool:
        return bool(self.nodes)

    def __contains__(self, node: object) -> bool:
        return node in self._number

    def number(self, node: Node) -> int:
        """Which site a node is; -1 if it is none."""
        return self._number.get(node, -1)

    def is_segment(self, site: int) -> bool:
        """Whether it has area."""
        index, node = self.nodes[site]
        return bool(self.cells[index].is_segment[node])

    def check_jump(self, spot: RecorderSite) -> None:
        """Look whether events set v of a cell that has such nodes.

        Raises:
            Refused: They do.
        """
        if any(index == spot.cell for index, _ in self.nodes):
            raise Refused(
                f"{spot.process}: events that set v are not differentiated on a cell where extracellular is inserted"
            )

    def add_to(self, frame: Frame) -> None:
        """Let a frame have room for their potentials."""
        for site in range(len(self.nodes)):
            self.vext.append(frame.stride)
            frame.stride += self.layers
            self.battery.append(frame.stride if self.is_segment(site) else -1)
            frame.stride += self.is_segment(site)

    def add_inside(self, frame: Frame, node: Node) -> int:
        """Let a frame have room for the potential that an electrode sees; returns where it is."""
        if node not in self.inside:
            self.inside[node] = frame.stride
            frame.stride += 1
        return self.inside[node]

    def insert(self, kind: str, owner: int) -> Iterator[nrn.PointProcess]:
        """Put recorders on all of them."""
        for site, (index, node) in enumerate(self.nodes):
            sec, x = self.cells[index].places[node]
            recorder = nrn.new_point_process(kind, sec(x))
            nrn.set_pointer(recorder, "outside", nrn.ref(sec(x), "vext[0]"))
            if self.is_segment(site):
                nrn.set_pointer(recorder, "battery", nrn.ref(sec(x), "e_extracellular"))
                recorder.battery_at = float(self.battery[site])
            recorder.vext_at, recorder.layers, recorder.owner = float(self.vext[site]), self.layers, float(owner)
            yield recorder

    def variables(self, node: Node) -> list[str]:
        """What a loss may look at around a node."""
        if node not in self:
            return []
        potentials = [f"{POTENTIAL}[{layer}]" for layer in range(self.layers)]
        return [*potentials, CURRENT] if self.is_segment(self.number(node)) else potentials

    def look(self, node: Node, variable: str, column: int, loss: SiteLoss) -> bool:
        """Let a loss look at what is around a node; False if the variable is another one."""
        layer = layer_of(variable, [POTENTIAL])
        if layer is not None:
            loss.of_vext[self.number(node), layer] = column
        elif variable == CURRENT and node in self:
            loss.of_current[self.number(node)] = column
        else:
            return False
        return True

    def fill(self, frames: Floats, voltages: Mapping[Node, int]) -> None:
        """Compute the potentials that electrodes see in frames, [frame, number], as NEURON does."""
        for node, at in self.inside.items():
            frames[:, at] = frames[:, voltages[node]] + frames[:, self.vext[self.number(node)]]

    def values(self, membrane: Membrane, areas: Sequence[Floats], weights: Sequence[Floats]) -> SiteValues:
        """What is so now, by [cell, node] areas in um2 and multiplicities."""
        shape = len(self.nodes), self.layers
        gap, store, axial, conductance = (np.zeros(shape) for _ in range(4))
        scale, half, multiple = np.zeros(shape[0]), np.zeros(shape[0]), np.zeros(shape[0])
        halves = [half_resistances(cell) for cell in self.cells]
        for site, (index, node) in enumerate(self.nodes):
            cell, weight = self.cells[index], float(weights[index][node])
            place, half[site] = cell.places[node], halves[index][node]
            above, parent = segment_above(cell, node), int(cell.parent[node])
            multiple[site] = weight
            scale[site] = weight * float(areas[index][node]) * membrane.area
            for layer in range(self.layers):
                if self.is_segment(site):
                    conductance[site, layer] = value_at(place, f"xg[{layer}]")
                    gap[site, layer] = conductance[site, layer] * scale[site]
                    xc = value_at(place, f"xc[{layer}]")
                    store[site, layer] = weight * membrane.capacitance(xc, float(areas[index][node]))
                if parent >= 0 and has_it(cell.places[parent][0]):
                    resistance = 0.0
                    if half[site] > 0.0:
                        resistance += half[site] * value_at(place, f"xraxial[{layer}]")
                    if above is not None:
                        resistance += halves[index][above] * value_at(cell.places[above], f"xraxial[{layer}]")
                    axial[site, layer] = weight / resistance
        return SiteValues(gap, store, axial, scale, half, conductance, multiple)


def check_electrode(region: ReverseRegion, process: str | None, segment: nrn.Segment) -> None:
    """Look whether what an electrode does at a node with ``extracellular`` is followed.

    Raises:
        Refused: It is not.
    """
    name = process or ", ".join(region.mechanisms)
    if process is None:
        raise Refused(
            f"{name} at {segment}: an ELECTRODE_CURRENT of a density mechanism is not differentiated where "
            "extracellular is inserted; make it a point process"
        )
    if not region.gathered:
        raise Refused(
            f"{name} at {segment}: an ELECTRODE_CURRENT with variables of this kind (events that set v, values that "
            "BEFORE BREAKPOINT sets) is not differentiated where extracellular is inserted"
        )


@dataclass
class SiteLoss:
    """The columns of losses that look at sites: of vext, by (site, layer), and of i_membrane, by site."""

    of_vext: dict[tuple[int, int], int] = field(default_factory=dict[tuple[int, int], int])
    of_current: dict[int, int] = field(default_factory=dict[int, int])
