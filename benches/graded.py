"""A network of graded synapses, each conductance a parameter: preparing, a value and its gradient, memory.

Cells of an hh soma and a branched passive dendrite; each synapse sees the voltage of a soma elsewhere through a POINTER
(fixtures/channels/graded.mod, compiled here). Prints one line, as JSON with `--json`.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "python" / "tests"))

import gradmod
import neuron
import numpy as np
from models import library
from neuron import h

#: Seconds to prepare, plain runs of a value and its gradient, GiB.
AIM = 60.0, 4.0, 2.0


def build(cells: int, segments: int, synapses: int) -> tuple[list[Any], list[Any]]:
    """The somas and all synapses; the sections are kept by the first soma's list."""
    chance = random.Random(1)
    somas: list[Any] = []
    branches: list[list[Any]] = []
    for i in range(cells):
        soma = h.Section(name=f"soma{i}")
        soma.L = soma.diam = 15 + 0.01 * i
        soma.insert("hh")
        mine = [h.Section(name=f"branch{i}_{k}") for k in range(2)]
        for k, branch in enumerate(mine):
            branch.L, branch.diam, branch.nseg = 200 + 10 * k, 1.0 + 0.2 * k, (segments - 1) // 2
            branch.insert("pas")
            branch.g_pas = 1e-4 * (1 + 0.001 * i)
            branch.connect(soma(1))
        somas.append(soma)
        branches.append(mine)
    found: list[Any] = []
    for number in range(synapses):
        cell = number % cells
        synapse = h.Graded(chance.choice(branches[cell])(chance.random()))
        synapse.gmax = 1e-4 * (1 + chance.random())
        h.setpointer(somas[chance.randrange(cells)](0.5)._ref_v, "vpre", synapse)
        found.append(synapse)
    build.keep = branches  # type: ignore[attr-defined]
    return somas, found


def main() -> None:
    """Measure and print."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--cells", type=int, default=800)
    arguments.add_argument("--segments", type=int, default=17, help="of each cell")
    arguments.add_argument("--synapses", type=int, default=50_000)
    arguments.add_argument("--t-stop", type=float, default=20.0)
    arguments.add_argument("--memory", type=float, default=1024.0, help="MiB for the record")
    arguments.add_argument("--json", action="store_true")
    given = arguments.parse_args()
    library.load_fixtures()
    somas, synapses = build(given.cells, given.segments, given.synapses)
    clamps = [h.IClamp(soma(0.5)) for soma in somas[::10]]
    for clamp in clamps:
        clamp.delay, clamp.dur, clamp.amp = 1, given.t_stop, 0.3
    h.dt = 0.025
    h.usetable_hh = 0

    def run() -> float:
        h.finitialize(-65)
        context = h.ParallelContext()
        context.set_maxstep(10)
        begin = time.thread_time()
        context.psolve(given.t_stop)
        return time.thread_time() - begin

    plain = min(run() for _ in range(3))
    begin = time.perf_counter()
    parameters = {"g": gradmod.PerPointProcess(synapses, "gmax")}
    with gradmod.Reverse(parameters, memory=given.memory, quiet=True) as reverse:
        traces = [reverse.record(soma(0.5)) for soma in somas[:20]]
        prepare = time.perf_counter() - begin
        reverse.run(given.t_stop, simulate=run)
        begin = time.perf_counter()
        recording: list[float] = []
        reverse.run(given.t_stop, simulate=lambda: recording.append(run()))
        middle = time.perf_counter()
        reverse.gradient({trace: np.ones(len(trace.values)) for trace in traces})
        end = time.perf_counter()
    wall = {"run": middle - begin, "back": end - middle, "ratio": end - begin}
    row: dict[str, Any] = {"neuron": neuron.__version__, "cells": given.cells, "synapses": given.synapses}
    row |= {"plain s": round(plain, 2), "prepare s": round(prepare, 1), "recording": round(recording[0] / plain, 2)}
    row |= {name: round(seconds / plain, 2) for name, seconds in wall.items()}
    row |= {"GiB": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20, 2), "aim": AIM}
    print(json.dumps(row) if given.json else "  ".join(f"{k} {v}" for k, v in row.items()))


if __name__ == "__main__":
    main()
