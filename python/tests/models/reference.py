"""The two Hodgkin-Huxley reference models, and the numbers that they must give.

The set-up that reproduces the losses to all printed digits: NEURON's built-in `hh` with its default parameters
and reversal potentials (ena 50, ek -77, el -54.3), `usetable_hh = 0`, celsius 6.3, dt 0.025 ms, v_init -65 mV,
100 ms, that is 4001 samples of v at soma(0.5), the one at t = 0 included; IClamp at soma(0.5), delay 5 ms, dur 90 ms.

The target of the loss is the trace of the same model with gnabar x 0.9, gkbar x 1.1 and gl x 1.2 everywhere.
Confirmed on NEURON 9.0.2 and 8.2.7 (losses to 1e-12 relative; differences agree with the gradients to 1e-9) and with
Jaxley 0.14 in float64 (losses to 1e-12, gradients to 1e-10; its stimulus sampled at t + dt/2, as NEURON's IClamp is).

A parameter is changed in all segments together, so the gradients are sums over the segments.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from neuron import h
from numpy.typing import NDArray

DT = 0.025
T_STOP = 100.0
V_INIT = -65.0
CELSIUS = 6.3
PARAMETERS = {"gnabar_hh": 0.12, "gkbar_hh": 0.036, "gl_hh": 0.0003}  # S/cm2
TARGET_SCALE = {"gnabar_hh": 0.9, "gkbar_hh": 1.1, "gl_hh": 1.2}


@dataclass(frozen=True)
class Expected:
    """Loss in mV2 and its gradient in mV2 per S/cm2."""

    loss: float
    gradient: dict[str, float]


SINGLE = Expected(
    864.404018542,
    {"gnabar_hh": -2485.48695658, "gkbar_hh": 27545.7010417, "gl_hh": 170462.239329},
)
BRANCHED = Expected(
    418.802232072,
    {"gnabar_hh": 4523.54776859, "gkbar_hh": -11701.2692234, "gl_hh": -188698.920886},
)


@dataclass
class Model:
    """A cell with hh everywhere and its stimulus."""

    soma: Any
    dendrites: list[Any]
    stimulus: Any
    expected: Expected

    @property
    def all(self) -> list[Any]:
        return [self.soma, *self.dendrites]

    def set(self, name: str, value: float) -> None:
        """Set a parameter of hh, such as "gnabar_hh", in every segment."""
        for section in self.all:
            for segment in section:
                setattr(segment, name, value)


def single() -> Model:
    """One segment, L = diam = 20 um, 0.2 nA."""
    soma = h.Section(name="soma")
    soma.L = soma.diam = 20
    soma.Ra, soma.cm = 100, 1
    soma.insert("hh")
    return Model(soma, [], _clamp(soma, 0.2), SINGLE)


def branched() -> Model:
    """That soma with four dendrites on soma(1), L 200 um, diam 2 um, nseg 8: 33 segments, 0.5 nA."""
    model = single()
    for number in range(4):
        dendrite = h.Section(name=f"dend{number}")
        dendrite.L, dendrite.diam, dendrite.nseg = 200, 2, 8
        dendrite.Ra, dendrite.cm = 100, 1
        dendrite.insert("hh")
        dendrite.connect(model.soma(1), 0)
        model.dendrites.append(dendrite)
    model.stimulus.amp = 0.5
    model.expected = BRANCHED
    return model


def run() -> None:
    """One run of 100 ms, tables off."""
    if hasattr(h, "usetable_hh"):  # the hh of 8.2 has no table
        h.usetable_hh = 0
    h.celsius = CELSIUS
    h.dt = DT
    h.secondorder = 0
    h.finitialize(V_INIT)
    context = h.ParallelContext()
    context.set_maxstep(10)
    context.psolve(T_STOP)


def trace(model: Model) -> NDArray[np.float64]:
    """Run and return v at soma(0.5) in mV: 4001 samples."""
    recorded = h.Vector().record(model.soma(0.5)._ref_v)
    run()
    return recorded.as_numpy().copy()


def target(model: Model) -> NDArray[np.float64]:
    """The trace with the scaled conductances; puts the parameters back."""
    for name, value in PARAMETERS.items():
        model.set(name, value * TARGET_SCALE[name])
    goal = trace(model)
    for name, value in PARAMETERS.items():
        model.set(name, value)
    return goal


def loss(voltage: NDArray[np.float64], goal: NDArray[np.float64]) -> float:
    """Mean over the samples of (v - target)^2, in mV2."""
    return float(np.mean((voltage - goal) ** 2))


def _clamp(soma: Any, amp: float) -> Any:
    stimulus = h.IClamp(soma(0.5))
    stimulus.delay, stimulus.dur, stimulus.amp = 5, 90, amp
    return stimulus
