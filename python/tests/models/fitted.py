"""A cell that tests fit, and the features of its own runs."""

from __future__ import annotations

from functools import partial
from typing import Any

import gradmod
import numpy as np
from gradmod.features import Features
from gradmod.fit import FeatureTarget, Free, Problem, Scale, Sweep, TraceTarget
from neuron import h

TRUTH = {"gna": 0.12, "gk": 0.036, "cm": 1.0}
WANTED = ("peak_time", "peak_voltage", "min_AHP_values", "voltage_base")
SIZES = {"peak_time": 0.2, "peak_voltage": 1.0, "min_AHP_values": 1.0, "voltage_base": 0.3}
AMPS = (0.12, 0.3)
DURATION = 40.0


class Cell:
    """A soma with hh and a dendrite."""

    def __init__(self) -> None:
        self.soma, self.dend = h.Section(name="soma"), h.Section(name="dend")
        self.dend.connect(self.soma(1))
        self.soma.L = self.soma.diam = 18.0
        self.dend.L, self.dend.diam, self.dend.nseg = 200.0, 1.5, 3
        self.soma.insert("hh")
        self.dend.insert("pas")
        self.clamp = h.IClamp(self.soma(0.5))
        self.clamp.delay, self.clamp.dur = 4.0, 32.0
        if hasattr(h, "usetable_hh"):
            h.usetable_hh = 0
        h.dt, h.v_init = 0.025, -65.0

    def amp(self, value: float) -> None:
        self.clamp.amp = value

    def free(self, scale: Scale = Scale.LOG) -> dict[str, Free]:
        return {
            "gna": Free(gradmod.Range("gnabar_hh", self.soma), 0.03, 0.5, scale),
            "gk": Free(gradmod.Range("gkbar_hh", self.soma), 0.008, 0.15, scale),
            "cm": Free(gradmod.Range("cm", [self.soma, self.dend]), 0.4, 2.5, scale),
        }

    def set(self, **values: float) -> None:
        self.soma.gnabar_hh, self.soma.gkbar_hh = values["gna"], values["gk"]
        self.soma.cm = self.dend.cm = values["cm"]

    def trace(self, amp: float) -> tuple[np.ndarray, np.ndarray]:
        self.amp(amp)
        t, v = h.Vector().record(h._ref_t), h.Vector().record(self.soma(0.5)._ref_v)
        h.finitialize(-65)
        parallel = h.ParallelContext()
        parallel.set_maxstep(10)
        parallel.psolve(DURATION)
        return np.array(t), np.array(v)

    def sweep(self, amp: float) -> Sweep:
        """With the features of the present model."""
        asked = Features(WANTED, stim_start=4, stim_end=36, interp_step=0.025)
        found = asked.of(*self.trace(amp))
        target = FeatureTarget(asked, {name: found[name] for name in found}, SIZES)
        return Sweep(f"{amp} nA", self.soma(0.5), DURATION, [target], before=partial(self.amp, amp))

    def stepped(self, amp: float, every: int = 8, uncertainty: float = 1.0) -> Sweep:
        """With the trace of the present model."""
        t, v = self.trace(amp)
        return Sweep(
            f"{amp} nA", self.soma(0.5), DURATION, [TraceTarget(v[::every], t[::every], uncertainty)],
            before=partial(self.amp, amp),
        )  # fmt: skip


def problem(**options: Any) -> Problem:
    """Of the features and a trace of a new cell; for workers too."""
    h.load_file("stdrun.hoc")
    made = Cell()
    made.set(**TRUTH)
    sweeps = [made.sweep(0.3), made.stepped(0.12)]
    return Problem(made.free(), sweeps, keep=made, **options)
