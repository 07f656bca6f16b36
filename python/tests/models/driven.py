"""Two branched cells of unequal segments, with everything on them that can be an input of a run."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import gradmod
import numpy as np
from conftest import Passive, build_passive, run
from neuron import h

from . import library

T_STOP = 8.0
#: [place, sample] of a loss.
WEIGHTS = np.random.default_rng(5).normal(size=(3, 81))
#: The values of all inputs, of which some runs differ.
FIRST: dict[str, Any] = {
    "amp": 0.2,
    "delay": 1.0,
    "e": -70.0,
    "rest": np.linspace(-75.0, -65.0, 5),
    "weights": np.array([1e-3, 2e-3]),
    "start": 0.5,
    "levels": 0.1 * np.sin(np.arange(17)),
    "events": np.array([1.0, 2.0, 1e9]),
    "celsius": 6.3,
}
SECOND = FIRST | {
    "amp": 0.45,
    "delay": 3.0,
    "e": -62.0,
    "rest": np.linspace(-60.0, -80.0, 5),
    "weights": np.array([4e-3, 0.5e-3]),
    "start": 2.6,
    "levels": 0.15 * np.cos(np.arange(17)),
    "events": np.array([0.7, 3.0, 5.0]),
}


class Driven:
    """The cells, and what drives them; not connected to each other but by what they share."""

    def __init__(self) -> None:
        library.load_fixtures(library.CHANNELS.parent / "events")
        h.dt = 0.1
        self.cells: list[Passive] = [build_passive(), build_passive()]
        self.cells[1]["trunk"].nseg, self.cells[1]["twig"].L = 3, 210.0
        for i, seg in enumerate(seg for sec in self.with_pas for seg in sec):
            seg.pas.g = 1e-4 * (1 + 0.07 * i)
        one, other = self.cells
        self.synapses = [h.ExpSyn(one["twig"](0.7)), h.ExpSyn(other["trunk"](0.2))]
        self.source, self.times, self.events = h.NetStim(), h.Vector([1.0, 2.0, 1e9]), h.VecStim()
        self.source.interval, self.source.number, self.source.noise = 1.3, 5, 0
        self.events.play(self.times)
        self.netcons = [h.NetCon(self.source, self.synapses[0]), h.NetCon(self.events, self.synapses[1])]
        for synapse, netcon in zip(self.synapses, self.netcons, strict=True):
            synapse.tau, netcon.delay = 1.5, 0.3
        self.clamp = h.IClamp(other["back"](0.5))
        self.clamp.delay, self.clamp.dur = 0.0, 1e9
        self.levels, self.clock = h.Vector(FIRST["levels"]), h.Vector(np.arange(17) * 0.5)
        self.levels.play(self.clamp._ref_amp, self.clock, True)
        self.runs = 0

    @property
    def with_pas(self) -> list[Any]:
        return [sec for cell in self.cells for sec in cell.with_pas]

    def inputs(self) -> dict[str, gradmod.Parameter]:
        """One of each kind."""
        one, other = self.cells
        return {
            "amp": gradmod.Stimulus(one.clamps[0], "amp"),
            "delay": gradmod.Stimulus(one.clamps[0], "delay"),
            "e": gradmod.Range("e_pas", other["trunk"]),
            "rest": gradmod.PerSegment("e_pas", one["twig"]),
            "weights": gradmod.PerNetCon(self.netcons),
            "start": gradmod.Stimulus(self.source, "start"),
            "levels": gradmod.Played(self.levels),
            "events": gradmod.Played(self.times),
            "celsius": gradmod.Global("celsius"),
        }

    def set(self, values: dict[str, Any]) -> None:
        """What the inputs do, by hand."""
        one, other = self.cells
        one.clamps[0].amp, one.clamps[0].delay = values["amp"], values["delay"]
        for seg in other["trunk"]:
            seg.pas.e = values["e"]
        for seg, rest in zip(one["twig"], values["rest"], strict=True):
            seg.pas.e = rest
        for netcon, weight in zip(self.netcons, values["weights"], strict=True):
            netcon.weight[0] = weight
        self.source.start = values["start"]
        self.levels.from_python(values["levels"])
        self.times.from_python(values["events"])

    def looks(self) -> list[Any]:
        one, other = self.cells
        return [one["soma"](0.5), one["twig"](0.9), other["back"](0.5)]

    def run(self) -> None:
        self.runs += 1
        run(T_STOP)

    def simulation(self, mode: str, memory: float = 64, **more: Any) -> gradmod.Simulation:
        """With three parameters: of all segments, of a section and of a synapse."""
        chosen: dict[str, Any] = {
            "g": gradmod.Range("g_pas", self.with_pas, weight="present"),
            "Ra": gradmod.Range("Ra", self.cells[0]["trunk"]),
            "tau": gradmod.Stimulus(self.synapses[1], "tau"),
        }
        given: dict[str, Any] = {"inputs": self.inputs(), "simulate": self.run, "quiet": True} | more
        return gradmod.Simulation(chosen, self.looks(), T_STOP, mode=mode, memory=memory, **given)


def loss(*traces: np.ndarray) -> float:
    """Of one run after another, each with the next one."""
    found = sum(np.sum(WEIGHTS * one**2) for one in traces)
    return float(found + sum(np.sum(one * other) for one, other in pairwise(traces)))


def slopes(*traces: np.ndarray) -> list[np.ndarray]:
    """[run, place, sample] the derivative of the loss."""
    zero = np.zeros_like(WEIGHTS)
    before, after = [zero, *traces[:-1]], [*traces[1:], zero]
    return [2 * WEIGHTS * one + b + a for one, b, a in zip(traces, before, after, strict=True)]


def differences(function: Callable[[np.ndarray], float], x: np.ndarray) -> np.ndarray:
    """Of the shape of x."""
    found = np.zeros_like(x)
    for i in np.ndindex(x.shape):
        above, below = x.copy(), x.copy()
        above[i] *= 1 + 1e-5
        below[i] *= 1 - 1e-5
        found[i] = (function(above) - function(below)) / (above[i] - below[i])
    return found
