"""Nine spikes found again: least squares on features, squared error of the voltage by L-BFGS, and CMA-ES.

From 20 starts, each of five conductances a factor of up to 2 away. A fit has 60 evaluations with gradients of five
parameters; CMA-ES has as many plain runs as these cost, and the same residuals. Prints one line per method, as JSON:
how many starts reach all spikes within 0.05 ms.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cma
import gradmod
import numpy as np
from gradmod.features import Features
from gradmod.fit import FeatureTarget, Free, Problem, Sweep, TraceTarget, least_squares
from neuron import h
from numpy.typing import NDArray
from scipy.optimize import minimize

h.load_file("stdrun.hoc")

Floats = NDArray[np.float64]

DURATION, RUNS = 120.0, 60
#: What a run with five gradients costs, in plain runs (benches/forward.py), rounded up.
COST = 2.5
#: Spike times that count as found, in ms.
NEAR = 0.05
UNCERTAINTIES = {"peak_time": 0.5, "peak_voltage": 2.0, "min_AHP_values": 1.0}


@dataclass(frozen=True)
class Model:
    """A soma and a dendrite with hh, a step of current, and the features of its nine spikes."""

    soma: Any
    dend: Any
    clamp: Any
    free: dict[str, Free]
    truth: dict[str, float]
    data: tuple[Floats, Floats]

    @property
    def asked(self) -> Features:
        """What is fitted."""
        return Features(list(UNCERTAINTIES), stim_start=5, stim_end=115, interp_step=0.025)

    def problem(self) -> Problem:
        """With features of the data as targets."""
        found = self.asked.of(*self.data)
        target = FeatureTarget(self.asked, dict(found), UNCERTAINTIES)
        return Problem(self.free, [Sweep("step", self.soma(0.5), DURATION, [target])], keep=self)

    def squares(self) -> Problem:
        """With the voltage itself as the target."""
        target = TraceTarget(self.data[1][::4], self.data[0][::4], 1.0)
        return Problem(self.free, [Sweep("step", self.soma(0.5), DURATION, [target])], keep=self)

    def error(self) -> float:
        """Of the present model: by how many ms the worst spike is off; infinite if there are fewer or more."""
        wanted, found = self.asked.of(*self.data)["peak_time"], self.asked.of(*trace(self.soma))
        times = found["peak_time"] if "peak_time" in found else np.empty(0)
        return float(np.abs(times - wanted).max()) if len(times) == len(wanted) else np.inf


def trace(soma: Any) -> tuple[Floats, Floats]:
    """Times and voltages of a run."""
    t, v = h.Vector().record(h._ref_t), h.Vector().record(soma(0.5)._ref_v)
    h.finitialize(-65)
    h.ParallelContext().set_maxstep(10)
    h.ParallelContext().psolve(DURATION)
    return np.array(t), np.array(v)


def build() -> Model:
    """The model with the values that are to be found."""
    soma, dend = h.Section(name="soma"), h.Section(name="dend")
    dend.connect(soma(1))
    soma.L = soma.diam = 18.0
    dend.L, dend.diam, dend.nseg = 200.0, 1.5, 3
    soma.insert("hh")
    dend.insert("hh")
    dend.gnabar_hh, dend.gkbar_hh = 0.02, 0.006
    if hasattr(h, "usetable_hh"):
        h.usetable_hh = 0
    h.dt, h.v_init = 0.025, -65.0
    clamp = h.IClamp(soma(0.5))
    clamp.delay, clamp.dur, clamp.amp = 5.0, 110.0, 0.25
    where = {
        "gna": ("gnabar_hh", [soma]),
        "gk": ("gkbar_hh", [soma]),
        "gl": ("gl_hh", [soma, dend]),
        "gna_dend": ("gnabar_hh", [dend]),
        "gk_dend": ("gkbar_hh", [dend]),
    }
    truth = {name: float(getattr(sections[0], of)) for name, (of, sections) in where.items()}
    free = {
        name: Free(gradmod.Range(of, sections), truth[name] / 5, truth[name] * 5)
        for name, (of, sections) in where.items()
    }
    return Model(soma, dend, clamp, free, truth, trace(soma))


def by_features(model: Model, start: dict[str, float]) -> None:
    """Least squares on features, with their gradients."""
    with model.problem() as problem:
        least_squares(problem, start, runs=RUNS)


def by_voltage(model: Model, start: dict[str, float]) -> None:
    """L-BFGS on the squared error of the voltage."""
    with model.squares() as problem:

        def loss(u: Floats) -> tuple[float, Floats]:
            found = problem.evaluate(u)
            return float(found.values @ found.values), 2 * found.values @ found.jacobian

        begin = problem.inner(list(start.values()))
        done = minimize(
            loss, begin, jac=True, method="L-BFGS-B", bounds=list(zip(*problem.bounds, strict=True)),
            options={"maxfun": RUNS},
        )  # fmt: skip
        problem.evaluate(done.x)


def by_cma(model: Model, start: dict[str, float]) -> None:
    """CMA-ES on the features' residuals, without gradients."""
    target = model.problem()
    sweep = target.sweeps[0]
    bounds, begin = target.bounds, target.inner(list(start.values()))
    outer = target.outer
    target.close()

    def cost(u: Floats) -> float:
        for (free, _), value in zip(_set(model), outer(u), strict=True):
            free(float(value))
        return float(np.sum(sweep.targets[0].rows(*trace(model.soma)).values ** 2))

    options = {"bounds": [list(side) for side in bounds], "maxfevals": int(COST * RUNS), "verbose": -9, "seed": 1}
    best, _ = cma.fmin2(cost, begin, 0.4, options)
    cost(best)


def _set(model: Model) -> list[tuple[Callable[[float], None], str]]:
    """How the parameters are set, in their order."""

    def setter(name: str, sections: list[Any]) -> Callable[[float], None]:
        def put(value: float) -> None:
            for sec in sections:
                for seg in sec:
                    setattr(seg, name, value)

        return put

    soma, dend = [model.soma], [model.dend]
    where = [
        ("gnabar_hh", soma),
        ("gkbar_hh", soma),
        ("gl_hh", [*soma, *dend]),
        ("gnabar_hh", dend),
        ("gkbar_hh", dend),
    ]
    return [(setter(name, sections), name) for name, sections in where]


METHODS = {"features, least squares": by_features, "voltage, L-BFGS": by_voltage, "features, CMA-ES": by_cma}


def main() -> None:
    """Print how many starts reach the data."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--starts", type=int, default=20)
    arguments = parser.parse_args()
    model = build()
    spikes = len(model.asked.of(*model.data)["peak_time"])
    for name, method in METHODS.items():
        errors = []
        for seed in range(arguments.starts):
            factors = 2 ** np.random.default_rng(seed).uniform(-1, 1, len(model.truth))
            start = {key: value * factor for (key, value), factor in zip(model.truth.items(), factors, strict=True)}
            method(model, start)
            errors.append(model.error())
        found = sum(error < NEAR for error in errors)
        line = {"method": name, "spikes": spikes, "starts": len(errors), "found": found}
        print(json.dumps({**line, "errors, ms": [round(e, 4) if np.isfinite(e) else None for e in errors]}), flush=True)


if __name__ == "__main__":
    main()
