"""Three conductances of hh fitted to a voltage, from starts up to a factor 3 away, with and without a clamp.

Prints one line per way, as JSON: how many starts arrive, and how many runs with gradients they took on average.
"""

from __future__ import annotations

import argparse
import json

import gradmod
import numpy as np
from gradmod.fit import Free, Nudge, Problem, Sweep, TraceTarget, least_squares, nudged
from neuron import h

h.load_file("stdrun.hoc")

DURATION = 60.0
NAMES = ("gnabar_hh", "gkbar_hh", "gl_hh")
GAINS = (0.05, 0.01, 0.002)
#: Relative error of the worst conductance that has arrived.
NEAR = 1e-3


def main() -> None:
    """Print both."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--starts", type=int, default=40)
    starts = parser.parse_args().starts
    soma = h.Section(name="soma")
    soma.L = soma.diam = 18.0
    soma.insert("hh")
    if hasattr(h, "usetable_hh"):
        h.usetable_hh = 0
    h.dt = 0.025
    clamp = h.IClamp(soma(0.5))
    clamp.delay, clamp.dur, clamp.amp = 5.0, 50.0, 0.15
    times, voltage = h.Vector().record(h._ref_t), h.Vector().record(soma(0.5)._ref_v)
    h.finitialize(-65)
    h.continuerun(DURATION)
    t, v = np.array(times), np.array(voltage)
    truth = {name: float(getattr(soma, name)) for name in NAMES}
    free = {name: Free(gradmod.Range(name, soma), value / 10, value * 10) for name, value in truth.items()}
    sweep = Sweep("step", soma(0.5), DURATION, [TraceTarget(v[::4], t[::4], 1.0)], v_init=-65)
    for way in ("least squares", "with a clamp"):
        arrived, runs = 0, 0
        with Nudge(soma(0.5), t, v) as nudge, Problem(free, [sweep]) as problem:
            for seed in range(starts):
                factors = 3 ** np.random.default_rng(seed).uniform(-1, 1, len(truth))
                start = {name: value * factor for (name, value), factor in zip(truth.items(), factors, strict=True)}
                if way == "least squares":
                    found = least_squares(problem, start, runs=60)
                else:
                    found = nudged(problem, nudge, GAINS, start, runs=20)
                arrived += all(abs(found.x[name] / value - 1) < NEAR for name, value in truth.items())
                runs += found.evaluations
        print(json.dumps({"way": way, "starts": starts, "arrived": arrived, "runs": runs / starts}), flush=True)


if __name__ == "__main__":
    main()
