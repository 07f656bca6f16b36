"""Seconds from `attach` to the first gradient, with an empty cache and with a warm one.

Each in a process of its own, as a user meets it, on the branched cell of the tests with 12 gradients; the run itself is
short. What NEURON needs to start and to load the model's own channels is not counted.
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

#: Seconds: with an empty cache, with a warm one.
AIM = {"cold": 15.0, "warm": 1.0}
COUNT = 12


def first_gradient() -> float:
    import forward
    import gradmod
    from models import branched

    cell = branched.reference()
    wanted = dict(list(forward.parameters(cell).items())[:COUNT])
    begin = time.perf_counter()
    gradients = gradmod.attach(quiet=True, **wanted)
    record = gradients.record(cell.soma(0.5))
    branched.run(tstop=1.0)
    assert len(record["naf"]) > 1
    return time.perf_counter() - begin


def elsewhere(cache: str) -> float:
    """The same in a new process."""
    command = [sys.executable, __file__, "--once"]
    done = subprocess.run(
        command, env=os.environ | {"GRADMOD_CACHE": cache}, capture_output=True, text=True, check=True
    )
    return float(done.stdout.split()[-1])


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--once", action="store_true", help="measure in this process, with the cache as it is")
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument("--json", action="store_true")
    given = arguments.parse_args()
    if given.once:
        print(first_gradient())
        return
    import neuron

    found: dict[str, list[float]] = {"cold": [], "warm": []}
    for _ in range(given.rounds):
        with tempfile.TemporaryDirectory() as cache:
            found["cold"].append(elsewhere(cache))
            found["warm"].append(elsewhere(cache))
    for name, seconds in found.items():
        median = round(statistics.median(seconds), 2)
        row = {"neuron": neuron.__version__, "cache": name, "seconds": median, "aim": AIM[name]}
        print(json.dumps(row) if given.json else "  ".join(f"{k} {v}" for k, v in row.items()), flush=True)


if __name__ == "__main__":
    main()
