"""Ctrl-C at random moments of runs and gradients: how many arrive, and what is used afterwards.

    .venv/bin/python benches/interrupts.py --count 100

Another process sends SIGINT at a moment that is drawn from the whole of run and gradient, and a bit more. Each must
arrive as a KeyboardInterrupt; a gradient that is read afterwards, without another run, must be refused or be that of
the run; the next run must give the same bits as ever. Ways: reverse mode, as a whole and in windows; a Simulation in
each mode.
"""

from __future__ import annotations

import argparse
import collections
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "python" / "tests"))

import gradmod
import numpy as np
from models import reference

DURATION = 800.0


class Way:
    """One way to a gradient.

    Attributes:
        run: Makes a run.
        gradient: Of the run before; as bytes.
        close: Ends it.
    """

    def __init__(self, run: Callable[[], object], gradient: Callable[[], bytes], close: Callable[[], None]) -> None:
        self.run, self.gradient, self.close = run, gradient, close


def by_reverse(model: Any, memory: float) -> Way:
    """By a `Reverse`."""
    reverse = gradmod.Reverse(quiet=True, memory=memory, gna=gradmod.PerSegment("gnabar_hh", model.all))
    trace = reverse.record(model.soma(0.5))

    def gradient() -> bytes:
        return np.asarray(reverse.gradient({trace: np.ones(round(DURATION / 0.025) + 1)})["gna"]).tobytes()

    return Way(lambda: reverse.run(DURATION, v_init=-65), gradient, reverse.close)


def by_simulation(model: Any, mode: str) -> Way:
    """By a `Simulation`."""
    parameters = {"gna": gradmod.Range("gnabar_hh", model.all), "gk": gradmod.Range("gkbar_hh", model.all)}
    looks = [model.soma(0.5)]
    simulation = gradmod.Simulation(parameters, looks, DURATION, mode=mode, v_init=-65.0, quiet=True)
    x = simulation.x
    shape = simulation(x).shape
    return Way(lambda: simulation(x), lambda: simulation.vjp(x, np.ones(shape)).tobytes(), simulation.close)


def one(way: Way, goal: bytes, span: float) -> str:
    """What becomes of one interrupt; "wrong ..." if it is not as it should be."""
    wait = f"sleep {random.uniform(0.0, span + 0.02):.4f}; kill -INT {os.getpid()}"
    sender = None
    where = "nowhere"
    try:
        sender = subprocess.Popen(["sh", "-c", wait])
        where = "run"
        way.run()
        where = "gradient"
        found = way.gradient()
        where = "afterwards"
        if found != goal:
            return "wrong gradient, before it came"
        time.sleep(5)
    except KeyboardInterrupt:
        try:
            left = "the same" if way.gradient() == goal else "wrong gradient"
        except gradmod.Error:
            left = "refused"
    else:
        return f"wrong: no KeyboardInterrupt ({where})"
    finally:
        if sender is not None:
            sender.wait()
    way.run()
    return f"{where}, then {left}" if way.gradient() == goal else "wrong gradient of the next run"


def main() -> int:
    """Count what became of them."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--count", type=int, default=100)
    arguments.add_argument("--seed", type=int, default=1)
    chosen = arguments.parse_args()
    random.seed(chosen.seed)
    model = reference.branched()
    makers: dict[str, Callable[[], Way]] = {
        "reverse": lambda: by_reverse(model, 512),
        "reverse, windows": lambda: by_reverse(model, 1),
        "simulation, reverse": lambda: by_simulation(model, "reverse"),
        "simulation, forward": lambda: by_simulation(model, "forward"),
    }
    bad = 0
    for number, (name, make) in enumerate(makers.items()):
        way = make()
        way.run()
        begin = time.perf_counter()
        way.run()
        goal = way.gradient()
        span = time.perf_counter() - begin
        count = (chosen.count + number) // len(makers)
        ends = collections.Counter(one(way, goal, span) for _ in range(count))
        way.close()
        bad += sum(n for end, n in ends.items() if "wrong" in end)
        print(f"{name} ({span:.2f} s): " + ", ".join(f"{n} {end}" for end, n in ends.most_common()), flush=True)
    print(f"{chosen.count} interrupts, {bad} wrong")
    return int(bad > 0)


if __name__ == "__main__":
    sys.exit(main())
