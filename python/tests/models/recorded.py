"""Traces of real runs for tests of features: spikes of many shapes, steps that hyperpolarise, none at all."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from neuron import h
from numpy.typing import NDArray

from . import library

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Run:
    """A trace, and the stimulus that made it, in ms and nA."""

    t: Floats
    v: Floats
    stim_start: float
    stim_end: float
    current: float


def runs(count: int, seed: int) -> list[Run]:
    """Of a soma with hh and a dendrite with ``ih``, each with other values."""
    library.load_fixtures()
    random = np.random.default_rng(seed)
    soma, dend = h.Section(name="soma"), h.Section(name="dend")
    dend.connect(soma(1))
    soma.L = soma.diam = 18.0
    dend.L, dend.diam, dend.nseg = 150.0, 2.0, 3
    soma.insert("hh")
    for mechanism in ("hh", "ih"):
        dend.insert(mechanism)
    clamp = h.IClamp(soma(0.5))
    v, t = h.Vector().record(soma(0.5)._ref_v), h.Vector().record(h._ref_t)
    found: list[Run] = []
    for number in range(count):
        h.celsius = random.choice([6.3, 9.0, 14.0])
        soma.gnabar_hh, soma.gkbar_hh = random.uniform(0.08, 0.2), random.uniform(0.02, 0.05)
        dend.gnabar_hh, soma.cm = random.uniform(0.0, 0.06), random.uniform(0.7, 1.5)
        for seg in dend:
            seg.ih.gbar = random.uniform(0.0, 2e-4)
        clamp.delay, clamp.dur = random.uniform(4.0, 12.0), random.uniform(15.0, 60.0)
        clamp.amp = random.uniform(0.05, 0.6) if number % 3 else -random.uniform(0.02, 0.25)
        h.dt = random.choice([0.025, 0.05, 0.1])
        h.steps_per_ms = 1.0 / h.dt
        h.finitialize(random.uniform(-72.0, -60.0))
        h.continuerun(clamp.delay + clamp.dur + random.uniform(2.0, 25.0))
        stop = float(clamp.delay + clamp.dur)
        found.append(Run(np.array(t), np.array(v), float(clamp.delay), stop, float(clamp.amp)))
    return found
