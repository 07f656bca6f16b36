"""Sheaths: what ``extracellular`` puts around a node. What reverse mode remembers of them, and what they are like.

The unknowns of a node with a sheath are the potential inside, ``v + vext[0]``, and ``vext`` of each layer. The
emitted mechanism ``gm_descent_layers_...`` solves for these blocks (templates/reverse/descent_layers.mod.j2).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from .. import _neuron as nrn
from .._emitted.recorder_site import RecorderSite
from .._manifest.membrane import Membrane
from .._model.cells import Cell, Floats
from .._model.extracellular import BATTERY, CURRENT, POTENTIAL, layer_count, layer_of
from ..errors import Refused
from .geometry import half_resistances, nodes_with_it, resistances, value_at

Node = tuple[int, int]


@dataclass(frozen=True, eq=False)
class SheathValues:
    """What may change from run to run. ``key()`` is to be compared.

    Attributes:
        gap, store: [sheath, layer] xg in uS, and xc in nF; 0 at ends.
        axial: [sheath, layer] uS to the parent's layer; 0 where that has none.
        scale: [sheath] uS that 1 S/cm2 makes; 0 at ends.
        half: [sheath] MOhm of half a segment per MOhm/cm of xraxial; 0 at ends.
        conductance: [sheath, layer] xg in S/cm2.
        battery: [sheath] e_extracellular in mV; 0 at ends.
        weight: [sheath] how many equal branches it stands for.
    """

    gap: Floats
    store: Floats
    axial: Floats
    scale: Floats
    half: Floats
    conductance: Floats
    battery: Floats
    weight: Floats

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SheathValues) and self.tobytes() == other.tobytes()

    def tobytes(self) -> bytes:
        """To be compared."""
        return b"".join(values.tobytes() for values in (self.gap, self.store, self.axial, self.scale))


class Sheaths:
    """The nodes with ``extracellular``.

    Attributes:
        cells: Of the model.
        layers: How many each has.
        nodes: (cell, node) of each sheath.
        vext, battery: [sheath] where in a frame vext of the first layer and e_extracellular are; -1 for no battery.
        inside: (cell, node) of sheaths with electrodes, and where the potential inside is in a frame.
    """

    def __init__(self, cells: Sequence[Cell]) -> None:
        """Look for them."""
        self.layers = layer_count()
        self.cells = cells
        having = [nodes_with_it(cell) for cell in cells]
        self._having = [frozenset(nodes) for nodes in having]
        self.nodes: list[Node] = [(index, node) for index, nodes in enumerate(having) for node in nodes]
        self._number = {node: sheath for sheath, node in enumerate(self.nodes)}
        self.vext: list[int] = []
        self.battery: list[int] = []
        self.inside: dict[Node, int] = {}

    def are_same(self) -> bool:
        """Whether the model has no other ones now."""
        return self.layers == layer_count() and self.nodes == Sheaths(self.cells).nodes

    def __bool__(self) -> bool:
        return bool(self.nodes)

    def __contains__(self, node: object) -> bool:
        return node in self._number

    def number(self, node: Node) -> int:
        """Which sheath a node is; -1 if it is none."""
        return self._number.get(node, -1)

    def is_segment(self, sheath: int) -> bool:
        """Whether it has area."""
        index, node = self.nodes[sheath]
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

    def place(self, begin: int) -> int:
        """Say where in a frame their numbers begin; returns where they end."""
        for sheath in range(len(self.nodes)):
            has_battery = self.is_segment(sheath)
            self.vext.append(begin)
            self.battery.append(begin + self.layers if has_battery else -1)
            begin += self.layers + has_battery
        return begin

    def insert(self, kind: str, owner: int) -> Iterator[nrn.PointProcess]:
        """Put recorders on all of them."""
        for sheath, (index, node) in enumerate(self.nodes):
            sec, x = self.cells[index].places[node]
            recorder = nrn.new_point_process(kind, sec(x))
            nrn.set_pointer(recorder, "outside", nrn.ref(sec(x), "vext[0]"))
            if self.is_segment(sheath):
                nrn.set_pointer(recorder, "battery", nrn.ref(sec(x), "e_extracellular"))
                recorder.battery_at = float(self.battery[sheath])
            recorder.vext_at, recorder.layers, recorder.owner = float(self.vext[sheath]), self.layers, float(owner)
            yield recorder

    def variables(self, node: Node) -> list[str]:
        """What a loss may look at around a node."""
        if node not in self:
            return []
        potentials = [f"{POTENTIAL}[{layer}]" for layer in range(self.layers)]
        return [*potentials, CURRENT] if self.is_segment(self.number(node)) else potentials

    def look(self, node: Node, variable: str, column: int, loss: SheathLoss) -> bool:
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

    def values(self, membrane: Membrane, areas: Sequence[Floats], weights: Sequence[Floats]) -> SheathValues:
        """What is so now, by [cell, node] areas in um2 and multiplicities."""
        weight = np.array([weights[index][node] for index, node in self.nodes])
        scale = weight * membrane.area * np.array([areas[index][node] for index, node in self.nodes])
        halves = [half_resistances(cell) for cell in self.cells]
        conductance, capacity = self._across("xg"), self._across("xc")
        battery = [
            value_at(self.cells[index].places[node], BATTERY) if self.is_segment(sheath) else 0.0
            for sheath, (index, node) in enumerate(self.nodes)
        ]
        return SheathValues(
            gap=conductance * scale[:, None],
            store=capacity * scale[:, None] * membrane.capacitive,
            axial=np.array([self._axial(node, halves[node[0]]) for node in self.nodes]) * weight[:, None],
            scale=scale,
            half=np.array([halves[index][node] for index, node in self.nodes]),
            conductance=conductance,
            battery=np.array(battery),
            weight=weight,
        )

    def _across(self, name: str) -> Floats:
        """[sheath, layer] xg or xc; 0 at ends, where NEURON has none."""
        return np.array(
            [
                [
                    value_at(self.cells[index].places[node], f"{name}[{layer}]") if self.is_segment(sheath) else 0.0
                    for layer in range(self.layers)
                ]
                for sheath, (index, node) in enumerate(self.nodes)
            ]
        )

    def _axial(self, at: Node, halves: Sequence[float]) -> list[float]:
        """[layer] uS to the parent's layers, by [node] :func:`half_resistances`; 0 where it has none."""
        found = resistances(self.cells[at[0]], at[1], halves, self._having[at[0]])
        return [1.0 / one for one in found] or [0.0] * self.layers


@dataclass
class SheathLoss:
    """The columns of losses that look at sheaths: of vext, by (sheath, layer), and of i_membrane, by sheath."""

    of_vext: dict[tuple[int, int], int] = field(default_factory=dict[tuple[int, int], int])
    of_current: dict[int, int] = field(default_factory=dict[int, int])
