"""From the results of going back, which belong to places, to gradients in the user's directions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .. import _neuron as nrn
from .._model.cells import Cell, Floats
from .._model.directions import Direction
from ..errors import NOT_FINITE, Error, Refused
from ..gradient import Gradient
from ..parameters import Global, InitialVoltage, NetConWeight, PerNetCon, PerPointProcess, PerSegment, Range, Stimulus
from ..samples import Samples
from .layout import Layout
from .record import Start
from .recorder import Recorders

#: Where a value belongs: (cell, node).
Place = tuple[int, int]


class Harvest:
    """The results by place; sums them to gradients in the user's directions."""

    def __init__(
        self,
        cells: Sequence[Cell],
        recorders: Recorders,
        layout: Layout,
        start: Start,
        outs: Floats,
        flows: Floats,
        edges: Sequence[float],
        played: Mapping[str, Floats],
        first: Mapping[Place, float],
        axial: Mapping[nrn.Section, float],
        around: Mapping[str, Mapping[Place, float]],
    ) -> None:
        """Take the results.

        Args:
            cells: Of the model.
            recorders: On them.
            layout: Numbers of the places.
            start: What the run began with.
            outs: What the adjoint mechanisms handed back.
            flows: The adjoints of the weights of NetCons, one after the other.
            edges: What the axial resistances did, in the order of ``layout.edges``.
            played: By direction, the gradients of samples.
            first: The adjoints of the initial voltages of ends without membrane.
            axial: What the axial resistances did besides.
            around: By name, the adjoints of the parameters of ``extracellular``.
        """
        self.cells = cells
        self._owner = {sec: index for index, cell in enumerate(cells) for sec in cell.sections}
        self._by_name: dict[str, dict[Place, float]] = {name: dict(values) for name, values in around.items()}
        self._companions: dict[tuple[str, str], float] = {}
        self._initial: dict[Place, float] = dict(first)
        self._weights: dict[str, Floats] = {
            name: layout.weights[spot.cell][spot.node] * flows[begin : begin + (spot.region.weights or 0)]
            for name, (spot, begin) in start.weight_of.items()
        }
        #: Where something is not finite.
        self._places: list[str] = []
        for spot in recorders.spots:
            place = spot.cell, spot.node
            count = len(spot.region.parameters)
            values, initial = outs[spot.out : spot.out + count], outs[spot.out + count]
            if not np.all(np.isfinite(values)):
                self._places.append(f"{spot.segment} ({spot.process or ', '.join(spot.region.mechanisms)})")
            for name, value in zip(spot.region.parameters, values, strict=True):
                if spot.process is None or name in spot.region.of_ions:
                    here = self._by_name.setdefault(name, {})
                    here[place] = here.get(place, 0.0) + float(value)
                else:
                    self._companions[spot.process, name] = float(value)
            self._initial[place] = self._initial.get(place, 0.0) + float(initial)
        for i, j, there in layout.pointer_targets:
            spot = recorders.spots[i]
            value = float(outs[spot.out + len(spot.region.parameters) + 4 + j])
            self._initial[there] = self._initial.get(there, 0.0) + value
        self._axial = dict.fromkeys((sec for cell in cells for sec in cell.sections), 0.0) | dict(axial)
        for (index, node), total in zip(layout.edges, edges, strict=True):
            sec, _ = cells[index].places[node]
            multiple, resistance = layout.weights[index][node], start.resistances[index][node]
            self._axial[sec] += float(multiple * total / (start.ra[sec] * resistance))
        self._directions = start.directions
        self._played = played

    def gradient(self) -> Gradient:
        """The gradient, with the weights that the directions had in the run."""
        values = {direction.name: self._of(direction) for direction in self._directions}
        for name, value in values.items():
            if not np.all(np.isfinite(value)):
                places = f", at {self._places[0]}" if self._places else ""
                raise Refused(f"no gradient in {name}: {NOT_FINITE}{places}")
        return Gradient(values)

    def _of(self, direction: Direction) -> Any:
        parameter = direction.parameter
        if isinstance(parameter, InitialVoltage):
            return self._in_initial(direction, parameter)
        if isinstance(parameter, Samples):
            return self._played[direction.name]
        if isinstance(parameter, Range):
            parts = [weight * self._at(direction, seg) for seg, weight in direction.weights()]
            return np.array(parts) if isinstance(parameter, PerSegment) else float(sum(parts))
        if isinstance(parameter, Stimulus):
            found = [self._companions.get((name, direction.wrt or ""), 0.0) for name in parameter.processes]
            return np.array(found) if isinstance(parameter, PerPointProcess) else found[0]
        if isinstance(parameter, NetConWeight):
            return self._of_weight(direction.name, parameter.netcon, parameter.index)
        if isinstance(parameter, PerNetCon):
            return np.array([self._of_weight(direction.name, name, parameter.index) for name in parameter.netcons])
        if isinstance(parameter, Global):
            wrt = direction.wrt or ""
            spread = sum(self._by_name.get(wrt, {}).values())
            return spread + sum(value for (_, name), value in self._companions.items() if name == wrt)
        raise Refused(f"{direction.name}: {parameter!r} is not known in reverse mode")

    def _of_weight(self, direction: str, netcon: str, index: int) -> float:
        if netcon not in self._weights:
            raise Error(f"{direction}: {netcon} took no part in the run")
        return float(self._weights[netcon][index])

    def _at(self, direction: Direction, seg: nrn.Segment) -> float:
        if direction.is_axial:
            return self._axial[seg.sec]
        return self._by_name.get(direction.parameter.name, {}).get(self._place(seg), 0.0)

    def _in_initial(self, direction: Direction, parameter: InitialVoltage) -> float:
        weights = {self._place(seg): weight for seg, weight in direction.weights()}
        total = 0.0
        for (index, node), value in self._initial.items():
            beside = self.cells[index].beside[node]
            if parameter.where is None or beside == node:
                total += weights.get((index, beside), 0.0) * value
        return total

    def _place(self, seg: nrn.Segment) -> Place:
        index = self._owner.get(seg.sec)
        if index is None:
            raise Error(f"{seg} is on no cell of this model")
        return index, self.cells[index].node(seg.sec, seg.x)
