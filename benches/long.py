"""A long run in windows: its memory, and what it costs beyond a short run that fits into the memory as a whole.

The branched cell of the tests cut into 640 segments, ten channels, a parameter per segment and conductance. Each line:
the plain runs that a run with its backward run took, beside a plain run without recorders just before it, and what the
trajectories took of the memory.
"""

from __future__ import annotations

import argparse
import json
import os
import sys

import gradmod
import neuron
from reverse import back, branched, ten_channels, timed

#: Plain runs that windows may add, and MiB of trajectories.
AIM = 1.0, 1024.0


def measure(
    parameters: dict[str, gradmod.Parameter], where: object, duration: float, dt: float, **options: float
) -> dict[str, float]:
    """Seconds of the plain run, the run and the backward run; their ratio; MiB of trajectories."""

    def simulate() -> None:
        branched.run(dt, duration)

    plain = timed(simulate)
    with gradmod.Reverse(**parameters, **options, quiet=True) as reverse:
        trace = reverse.record(where)
        run, backward, _ = back(reverse, trace, simulate, duration)
        memory = os.fstat(reverse._held.descriptor).st_blocks * 512 / 2**20
    return {
        "duration": duration,
        "plain": plain,
        "run": run,
        "back": backward,
        "ratio": (run + backward) / plain,
        "MiB": memory,
    }


def main() -> int:
    """Measure and print."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--json", action="store_true", help="one JSON object")
    arguments.add_argument(
        "--durations", type=float, nargs="+", default=[20.0, 1000.0], help="ms; the first one is to fit"
    )
    arguments.add_argument("--fine", type=int, default=20, help="times 32 segments")
    arguments.add_argument("--dt", type=float, default=0.025)
    arguments.add_argument("--memory", type=float, help="MiB of `Reverse`")
    chosen = arguments.parse_args()
    options = {} if chosen.memory is None else {"memory": chosen.memory}
    cell, having = ten_channels(chosen.fine)
    parameters = {name: gradmod.PerSegment(name, segments) for name, segments in having.items()}
    measure(parameters, cell.soma(0.5), 1.0, chosen.dt)
    found = [measure(parameters, cell.soma(0.5), duration, chosen.dt, **options) for duration in chosen.durations]
    if chosen.json:
        print(json.dumps({"neuron": neuron.__version__, "aim": AIM, "cases": found}))
    else:
        for case in found:
            print(
                f"{case['duration']:6.0f} ms: {case['ratio']:.2f} plain runs (plain {case['plain']:.2f} s, run "
                f"{case['run']:.2f}, back {case['back']:.2f}), {case['MiB']:.0f} MiB of trajectories"
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
