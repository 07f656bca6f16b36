"""Three small branched cells with hh in a ring: each excites the next one by a spike, after a delay."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import gradmod
import numpy as np
from neuron import h

from . import everything, library

CELSIUS = 10.0

#: What is set of each kind of synapse, and the weight that makes its cell fire.
SYNAPSES: dict[str, tuple[dict[str, float], float]] = {
    "ExpSyn": ({"tau": 1.5}, 0.02),
    "NmdaSyn": ({"rise": 0.4, "decay": 2.0, "mg": 0.3}, 0.06),
    "TmSyn": ({"tau": 1.5, "tau_rec": 40.0}, 0.06),
    "QuadSyn": ({"tau": 2.0, "sharp": 50.0}, 0.03),
    "BindSyn": ({}, 1.5),
    "PulseSyn": ({"gmax": 0.1, "width": 0.4}, 0.5),
    "HandSyn": ({"tau": 1.5, "rest": 1e-3}, 0.02),
    "StepSyn": ({}, 0.02),
}


class Circuit:
    """A step of current makes the first cell fire; the ring keeps all of them firing."""

    def __init__(self, kind: str, *, closed: bool = True) -> None:
        """Build it.

        Args:
            kind: The synapses.
            closed: The last cell excites the first.
        """
        library.load_fixtures()
        if hasattr(h, "usetable_hh"):  # NEURON 9
            h.usetable_hh = 0
        self.cells = [self._cell(f"c{i}", size) for i, size in enumerate((1.0, 1.2, 0.9))]
        self.all = [section for cell in self.cells for section in cell.values()]
        self.stimulus = h.IClamp(self.cells[0]["soma"](0.5))
        self.stimulus.delay, self.stimulus.dur, self.stimulus.amp = 0.5, 100.0, 0.6
        self.synapses: list[Any] = []
        self.netcons: list[Any] = []
        settings, weight = SYNAPSES[kind]
        for i, delay in ((0, 1.3), (1, 0.9), *(((2, 2.1),) if closed else ())):
            source, target = self.cells[i], self.cells[(i + 1) % 3]
            synapse = getattr(h, kind)(target["dendrite"](0.5 if i else 0.1))
            for name, value in settings.items():
                owner, full = (synapse, name) if hasattr(synapse, name) else (h, f"{name}_{kind}")
                setattr(owner, full, value)
            self.synapses.append(synapse)
            self.netcons.append(self.connect(source, synapse, delay, weight))
        #: One for each cell, to see its spikes.
        self.seen = [self.connect(cell, None, 1.0, 0.0) for cell in self.cells]
        self.times = [h.Vector() for _ in self.cells]
        for netcon, times in zip(self.seen, self.times, strict=True):
            netcon.record(times)

    @staticmethod
    def _cell(name: str, size: float) -> dict[str, Any]:
        cell = {part: h.Section(name=f"{name}_{part}") for part in ("soma", "dendrite")}
        for part, length, diameter in (("soma", 15, 15), ("dendrite", 80, 2)):
            cell[part].L, cell[part].diam, cell[part].Ra = size * length, diameter, 100
            cell[part].insert("hh")
        cell["dendrite"].connect(cell["soma"](1))
        return cell

    @staticmethod
    def connect(source: Mapping[str, Any], target: Any, delay: float, weight: float) -> Any:
        """A NetCon from the end of a cell's soma."""
        netcon = h.NetCon(source["soma"](1)._ref_v, target, sec=source["soma"])
        netcon.threshold, netcon.delay = -20, delay
        if target is not None:
            netcon.weight[0] = weight
        return netcon

    def directions(self) -> everything.Everything:
        """Parameters of the first cell, the stimulus, the second cell, the first synapse and its NetCon."""
        first, second = (list(cell.values()) for cell in self.cells[:2])
        found: everything.Everything = {
            "gnabar": everything.range_of("gnabar_hh", "gnabar_hh", first),
            "gkbar": everything.range_of("gkbar_hh", "gkbar_hh", second),
            "cm": everything.range_of("cm", "cm", [first[1]]),
            "amp": (gradmod.Stimulus(self.stimulus, "amp"), everything.shift([self.stimulus], "amp"), 0.6),
            "weight": everything.weight_of(self.netcons[0]),
            "delay": (gradmod.NetConDelay(self.netcons[0]), everything.shift([self.netcons[0]], "delay"), 1.3),
        }
        return found

    def run(self, dt: float, t_stop: float) -> None:
        """With fixed steps."""
        h.celsius, h.dt = CELSIUS, dt
        context = h.ParallelContext()
        context.set_maxstep(10)
        h.finitialize(-65)
        context.psolve(t_stop)

    def run_variable(self, t_stop: float, looks: Sequence[Any] = (), at: Sequence[float] = ()) -> dict[str, np.ndarray]:
        """With the variable step, which finds the crossings: the spikes of each cell, and variables at some times."""
        cvode = h.CVode()
        cvode.active(1)
        tolerances = cvode.atol(), cvode.rtol(), cvode.condition_order()
        try:
            cvode.atol(1e-10)
            cvode.rtol(0)
            cvode.condition_order(2)
            h.celsius = CELSIUS
            h.finitialize(-65)
            rows = []
            for time in at:
                cvode.solve(time)
                rows.append([look[0] for look in looks])
            cvode.solve(t_stop)
        finally:
            cvode.active(0)
            cvode.atol(tolerances[0])
            cvode.rtol(tolerances[1])
            cvode.condition_order(tolerances[2])
        found = {f"c{i}": times.as_numpy().copy() for i, times in enumerate(self.times)}
        return found | {f"look{i}": np.array(row) for i, row in enumerate(zip(*rows, strict=True))}
