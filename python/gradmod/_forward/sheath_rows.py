"""The rows of the layers around the nodes of one cell: the gradients of their potentials."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from .. import _neuron as nrn
from .._manifest.faults import Fault
from .._manifest.gradients import Solver
from .._model.cells import Cell
from .._model.directions import Direction
from .._model.extracellular import BATTERY, CURRENT, LAYERED, NAME, POTENTIAL, layer_count, layer_of
from .._outside.checks import check_short
from .._outside.geometry import half_resistances, nodes_with_it, resistances, segment_above, value_at
from ..errors import Refused

#: What a direction changes, and the array of a row that it is told in.
_SEEDS = {"xg": "by_xg", "xc": "by_xc", "xraxial": "by_r", BATTERY: "by_e"}

_FAULTS = {
    Fault.DIRECTION: (
        f"xg, xc or {BATTERY} changed, and a direction acts on it: the run does not depend on the value that was given"
    ),
    Fault.VOLTAGE: f"{POTENTIAL} was set from outside during the run",
    Fault.EQUATIONS: (
        f"the potentials are not what the equations of {NAME} make of those before: xg, xc or xraxial changed during "
        f"the run, or a mechanism sets {BATTERY} while NEURON computes currents; let it do so in BEFORE BREAKPOINT, or "
        f"play {BATTERY}"
    ),
}


class SheathRows:
    """Nothing, where the cell has no ``extracellular``."""

    def __init__(self, cell: Cell) -> None:
        """Changes nothing yet."""
        self._cell = cell
        self.nodes = nodes_with_it(cell)
        self._layers = layer_count()
        self._rows: dict[int, nrn.PointProcess] = {}
        self._directions = 0
        self._values: list[float] = []

    def insert(self, made: Solver, directions: int) -> None:
        """Put a row on each node that has it."""
        self._directions = directions
        for node in self.nodes if made.layers is not None else ():
            sec, x = self._cell.places[node]
            row = self._rows[node] = nrn.new_point_process(str(made.layers), sec(x))
            nrn.set_pointer(row, "to_vext", nrn.ref(sec(x), "vext[0]"))
            row.is_end = float(not self._cell.is_segment[node])
            for name, variable in (("to_e", BATTERY), ("to_xg", "xg[0]"), ("to_xc", "xc[0]"), ("to_i", CURRENT)):
                nrn.set_pointer(row, name, nrn.ref(sec(x), variable))

    def are_same(self) -> bool:
        """Whether the cell has it where it had it."""
        return self._layers == layer_count() and self.nodes == nodes_with_it(self._cell)

    def _present(self) -> list[float]:
        """All that must not change during a run."""
        names = [f"{name}[{layer}]" for name in LAYERED for layer in range(self._layers)]
        return [value_at(self._cell.places[node], name) for node in self._rows for name in names]

    def has_changed(self) -> bool:
        """Whether xg, xc or xraxial are others than :meth:`sync` found."""
        return self._values != self._present()

    def sync(self, directions: Sequence[Direction], acting: Iterable[int]) -> None:
        """Follow the cell, before a run: resistances, and the weights of directions.

        Raises:
            Refused: A derivative would be nothing but rounding.
        """
        self._values = self._present()
        if not self._rows:
            return
        halves = half_resistances(self._cell)
        for node, row in self._rows.items():
            for layer, resistance in enumerate(
                resistances(self._cell, node, halves, self._rows) or [0.0] * self._layers
            ):
                row.resistance[layer] = resistance
        for k in acting:
            if directions[k].is_outside:
                self._seed(k, directions[k], halves)

    def _seed(self, k: int, direction: Direction, halves: Sequence[float]) -> None:
        """Tell the rows how much of a parameter direction k changes."""
        sections = set(self._cell.sections)
        weights: dict[int, float] = {}
        for seg, weight in direction.weights():
            if seg.sec in sections:
                weights[self._cell.node(seg.sec, seg.x)] = weight
                if weight != 0.0 and direction.parameter.name != BATTERY:
                    check_short(direction, seg, np.array([nrn.number(seg, f"xg[{i}]") for i in range(self._layers)]))
        plain = direction.parameter.name.partition("[")[0]
        at = k + self._directions * (layer_of(direction.parameter.name, LAYERED) or 0)
        for node, row in self._rows.items():
            value = weights.get(node, 0.0)
            if plain == "xraxial":
                way = [one for one in (node, segment_above(self._cell, node)) if one is not None]
                value = sum(halves[one] * weights.get(one, 0.0) for one in way)
            getattr(row, _SEEDS[plain])[at] = value

    def variables(self, node: int) -> list[str]:
        """What there are gradients of around a node."""
        if node not in self._rows:
            return []
        potentials = [f"{POTENTIAL}[{layer}]" for layer in range(self._layers)]
        return [*potentials, CURRENT] if self._cell.is_segment[node] else potentials

    def gradient(self, node: int, variable: str, k: int) -> nrn.Ref:
        """The gradient of one of :meth:`variables` in direction k."""
        if variable == CURRENT:
            return nrn.ref(self._rows[node], "current", k)
        layer = layer_of(variable, [POTENTIAL]) or 0
        return nrn.ref(self._rows[node], "W", k + self._directions * layer)

    def check(self, made: Solver) -> None:
        """Look whether the run was one that is followed.

        Raises:
            Refused: It was not.
        """
        for node, row in self._rows.items():
            if not int(row.fault):
                continue
            sec, x = self._cell.places[node]
            what = _FAULTS[made.faults[int(row.fault)]]
            raise Refused(f"no exact gradient of this run, at {sec.name()}({x:g}): {what}")

    def remove(self) -> None:
        """Take them away."""
        self._rows.clear()
