"""Time of a run and the way back through it over that of the plain run, by `ParallelContext.psolve`.

Each figure is the median over some rounds of (run + gradient) / (plain run just before it, without recorders), set-up
not counted. Models: the branched reference with hh (33 segments, 3 and 99 parameters), and the branched cell of the
tests cut into more segments, with ten channels (10 parameters, and one per segment and conductance).
Prints one line per case, as JSON with `--json`.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "python" / "tests"))

import gradmod
import neuron
import numpy as np
from models import branched, reference
from neuron import h

#: What a run and the way back may cost, in plain runs; and how far the number of parameters may matter.
AIM = 2.0, 0.2
#: Besides pas, naf, kdr, ih, cah, capool, sk.
MORE = ("cal_ghk", "kir", "nap", "kmq10")
CONDUCTANCES = ("g_pas", "gbar_naf", "gbar_kdr", "gbar_ih", "gbar_cah", "gbar_sk", "gbar_kir", "gbar_nap", "gbar_kmq10")


def timed(solve: Callable[[], object]) -> float:
    """Seconds that it takes."""
    begin = time.perf_counter()
    solve()
    return time.perf_counter() - begin


def back(
    reverse: gradmod.Reverse, trace: gradmod.trace.Trace, simulate: Callable[[], None], duration: float
) -> tuple[float, float, gradmod.gradient.Gradient]:
    """Seconds of the run and of the way back, and what came out."""
    begin = time.perf_counter()
    reverse.run(duration, simulate=simulate)
    middle = time.perf_counter()
    gradient = reverse.gradient({trace: np.ones(len(trace.values))})
    return middle - begin, time.perf_counter() - middle, gradient


def ratios(
    cases: dict[str, dict[str, gradmod.Parameter]],
    simulate: Callable[[], None],
    duration: float,
    where: object,
    rounds: int,
) -> dict[str, dict[str, float]]:
    """Per case: the median ratio, and its parts in ms."""
    found: dict[str, dict[str, float]] = {}
    for name, parameters in cases.items():
        simulate()
        times: list[tuple[float, float, float]] = []
        for _ in range(rounds):
            plain = min(timed(simulate) for _ in range(2))
            with gradmod.Reverse(**parameters, memory=2048, quiet=True) as reverse:
                trace = reverse.record(where)
                gradient = back(reverse, trace, simulate, duration)[2]
                times.append((plain, *back(reverse, trace, simulate, duration)[:2]))
        count = sum(np.size(value) for value in gradient.values())
        median = [1e3 * statistics.median(part) for part in zip(*times, strict=True)]
        ratio = statistics.median((run + back) / plain for plain, run, back in times)
        found[name] = {"parameters": count, "ratio": ratio, "plain": median[0], "run": median[1], "back": median[2]}
    return found


def hh(rounds: int) -> dict[str, dict[str, float]]:
    """The branched reference."""
    model = reference.branched()
    names = reference.PARAMETERS
    cases: dict[str, dict[str, gradmod.Parameter]] = {
        "branched hh": {name: gradmod.Range(name, model.all) for name in names},
        "branched hh, per segment": {name: gradmod.PerSegment(name, model.all) for name in names},
    }
    return ratios(cases, reference.run, reference.T_STOP, model.soma(0.5), rounds)


def ten_channels(fine: int) -> tuple[branched.Cell, dict[str, list[object]]]:
    """The branched cell of the tests in ``32 * fine`` segments, and where each maximal conductance is."""
    cell = branched.build()
    for section in cell.all:
        section.nseg *= fine
    branched.distribute(cell, MORE)
    branched.use_tables(False)
    cell.clamp()
    return cell, {name: [seg for seg in cell.segments() if hasattr(seg, name)] for name in CONDUCTANCES}


def channels(rounds: int, fine: int) -> dict[str, dict[str, float]]:
    """The cell of the tests with ten channels."""
    cell, having = ten_channels(fine)
    few = {name: gradmod.Range(name, segments) for name, segments in having.items()}
    each = {name: gradmod.PerSegment(name, segments) for name, segments in having.items()}
    cases = {"ten channels": {**few, "Ra": gradmod.Range("Ra", cell.all)}, "ten channels, per segment": each}
    return ratios(cases, lambda: branched.run(0.025, 30.0), 30.0, cell.soma(0.5), rounds)


def main() -> int:
    """Measure and print."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--json", action="store_true", help="one JSON object")
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--fine", type=int, default=10, help="times 32 segments in the cell with ten channels")
    chosen = arguments.parse_args()
    found = hh(chosen.rounds)
    h.usetable_hh = 1 if hasattr(h, "usetable_hh") else 0
    found |= channels(chosen.rounds, chosen.fine)
    if chosen.json:
        print(json.dumps({"neuron": neuron.__version__, "aim": AIM, "cases": found}))
    else:
        for name, case in found.items():
            print(
                f"{name:<28} {case['parameters']:5.0f} parameters: {case['ratio']:.2f} plain runs"
                f" (plain {case['plain']:.1f} ms, run {case['run']:.1f}, back {case['back']:.1f})"
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
