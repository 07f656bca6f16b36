"""Seconds from `attach` or `Reverse` to the first gradient, with an empty cache and with a warm one.

Each in a process of its own, as a user meets it; the run itself is short. What NEURON needs to start and to load the
model's own channels is not counted. Models: the branched reference with hh, and the cell of benches/reverse.py with ten
channels, which are two regions.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

#: Seconds, by model and cache.
AIM = {"hh": {"cold": 3.0, "warm": 0.1}, "ten channels": {"cold": 6.0, "warm": 0.1}}
MODES = ("forward", "reverse")


def first_gradient(model: str, mode: str) -> float:
    import gradmod
    import numpy as np
    import reverse
    from models import reference
    from neuron import h

    if model == "hh":
        cell = reference.branched()
        wanted = {name: gradmod.Range(name, cell.all) for name in reference.PARAMETERS}
    else:
        cell, having = reverse.ten_channels(1)
        wanted = {name: gradmod.Range(name, segments) for name, segments in having.items()}
    begin = time.perf_counter()
    if mode == "forward":
        record = gradmod.attach(wanted, quiet=True).record(cell.soma(0.5))
        h.ParallelContext().set_maxstep(10)
        h.finitialize(-65)
        h.ParallelContext().psolve(1)
        assert all(len(record[name]) > 1 for name in wanted)
    else:
        model_run = gradmod.Reverse(wanted, quiet=True)
        trace = model_run.record(cell.soma(0.5))
        model_run.run(1.0, v_init=-65.0)
        assert len(model_run.gradient({trace: np.ones(len(trace.values))})) == len(wanted)
    return time.perf_counter() - begin


def elsewhere(model: str, mode: str, cache: str) -> float:
    """The same in a new process."""
    command = [sys.executable, __file__, "--once", model, mode]
    done = subprocess.run(
        command, env=os.environ | {"GRADMOD_CACHE": cache}, capture_output=True, text=True, check=True
    )
    return float(done.stdout.split()[-1])


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument(
        "--once", nargs=2, metavar=("MODEL", "MODE"), help="in this process, with the cache as it is"
    )
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument("--json", action="store_true")
    given = arguments.parse_args()
    if given.once:
        print(first_gradient(*given.once))
        return
    import neuron

    for model, mode in ((model, mode) for model in AIM for mode in MODES):
        found: dict[str, list[float]] = {"cold": [], "warm": []}
        for _ in range(given.rounds):
            with tempfile.TemporaryDirectory() as cache:
                found["cold"].append(elsewhere(model, mode, cache))
                found["warm"].append(elsewhere(model, mode, cache))
        for name, seconds in found.items():
            row = {
                "neuron": neuron.__version__, "model": model, "mode": mode, "cache": name,
                "seconds": round(statistics.median(seconds), 2), "aim": AIM[model][name],
            }  # fmt: skip
            print(json.dumps(row) if given.json else "  ".join(f"{k} {v}" for k, v in row.items()), flush=True)


if __name__ == "__main__":
    main()
