"""A cell whose channel has two parameters that act only as a product, and noisy data of it."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import gradmod
import numpy as np
from gradmod.fit import Free, Problem, Scale, Sweep, TraceTarget
from neuron import h

from .library import load_fixtures

SOURCE = """
: A leak whose conductance is the product of two parameters.

NEURON {
    SUFFIX product
    NONSPECIFIC_CURRENT i
    RANGE g, factor, e
}

PARAMETER {
    g = 2e-4 (S/cm2)
    factor = 1 (1)
    e = -70 (mV)
}

ASSIGNED {
    v (mV)
    i (mA/cm2)
}

BREAKPOINT {
    i = g*factor*(v - e)
}
"""
TRUTH = {"g": 2e-4, "factor": 1.0, "cm": 1.0, "e": -70.0}
START = {"g": 4e-4, "factor": 0.8, "cm": 1.4, "e": -62.0}
BOUNDS = {"g": (1e-5, 1e-2), "factor": (0.05, 20.0), "cm": (0.3, 5.0), "e": (-90.0, -40.0)}
#: In ms; a run takes a few ms.
DURATION, STEP, BETWEEN = 40.0, 0.1, 1.0


class Leaky:
    """A ball with that leak, and a step of current; two parameters, and with a spare factor three, are told by it."""

    def __init__(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            own = Path(folder) / "product"
            own.mkdir()
            (own / "product.mod").write_text(SOURCE)
            load_fixtures(own)
        self.soma = h.Section(name="soma")
        self.soma.L = self.soma.diam = 20.0
        self.soma.insert("product")
        self.clamp = h.IClamp(self.soma(0.5))
        self.clamp.delay, self.clamp.dur, self.clamp.amp = 5.0, 20.0, 0.02
        h.dt, h.v_init = STEP, -70.0
        self.set(**TRUTH)

    def set(self, **values: float) -> None:
        segment = self.soma(0.5)
        segment.product.g, segment.product.factor = values["g"], values["factor"]
        segment.product.e, segment.cm = values["e"], values["cm"]

    def trace(self) -> tuple[np.ndarray, np.ndarray]:
        """Times in ms and voltages in mV, each ms."""
        t, v = h.Vector().record(h._ref_t), h.Vector().record(self.soma(0.5)._ref_v)
        h.finitialize(h.v_init)
        parallel = h.ParallelContext()
        parallel.set_maxstep(10)
        parallel.psolve(DURATION)
        every = slice(None, None, round(BETWEEN / STEP))
        return np.array(t)[every], np.array(v)[every]

    def problem(
        self, noise: float, seed: int = 0, names: tuple[str, ...] = tuple(TRUTH), scale: Scale = Scale.LOG,
        **options: Any,
    ) -> Problem:  # fmt: skip
        """With the trace of the true parameters, and noise of this deviation in mV."""
        self.set(**TRUTH)
        t, v = self.trace()
        target = TraceTarget(v + np.random.default_rng(seed).normal(0.0, noise, len(t)), t, noise)
        sweep = Sweep("step", self.soma(0.5), DURATION, [target])
        return Problem(free(self.soma, names, scale), [sweep], keep=self, **options)


def free(soma: Any, names: tuple[str, ...], scale: Scale = Scale.LOG) -> dict[str, Free]:
    """Parameters of a ball; e is on a linear scale."""
    of = {"g": "g_product", "factor": "factor_product", "cm": "cm", "e": "e_product"}
    return {
        name: Free(gradmod.Range(of[name], soma), *BOUNDS[name], Scale.LINEAR if name == "e" else scale)
        for name in names
    }
