"""Time of a run with gradients over that of the plain run, for hh in a branched cell of many segments.

Forward mode with K gradients, as benches/forward.py, and reverse mode with the gradients of three conductances in every
segment: the run that is remembered, and the way back. The tables of hh are off. Prints one line per size and K, as JSON
with `--json`.
"""

from __future__ import annotations

import argparse
import itertools
import json
import statistics
import time
from typing import Any

import gradmod
import neuron
import numpy as np
from neuron import h

#: What a run may cost, in plain runs: with one gradient, with 25; in reverse mode.
AIM, AIM_REVERSE = {1: 2.0, 25: 2.5}, 1.5


def build(nseg: int) -> list[Any]:
    """A soma and four dendrites of `nseg` segments each; the stimulus is kept by the first section."""
    names = ("soma", "trunk", "side", "left", "right")
    soma, trunk, side, left, right = made = [h.Section(name=name) for name in names]
    soma.L = soma.diam = 20
    for section, diameter in zip(made[1:], (3, 2, 1.5, 1), strict=True):
        section.L, section.diam, section.nseg = 300, diameter, nseg
    trunk.connect(soma(1))
    side.connect(soma(0.3))
    left.connect(trunk(1))
    right.connect(trunk(1))
    for section in made:
        section.insert("hh")
        section.Ra, section.cm = 100, 1.1
        for segment in section:
            segment.hh.gnabar = 0.12 if section is soma else 0.08
    return made


def directions(sections: list[Any], count: int) -> dict[str, gradmod.Parameter]:
    """Conductances everywhere, then by section, then by pairs of sections."""
    names = ("gnabar_hh", "gkbar_hh", "gl_hh")
    pairs = list(itertools.combinations(sections, 2))
    places = [sections, *([section] for section in sections), *(list(pair) for pair in pairs)]
    found = {f"{name}_{number}": gradmod.Range(name, where) for number, where in enumerate(places) for name in names}
    return dict(list(found.items())[:count])


def run(t_stop: float) -> float:
    """Processor seconds that one run takes, without `finitialize`."""
    h.dt, h.celsius, h.usetable_hh = 0.025, 6.3, 0
    h.finitialize(-65)
    context = h.ParallelContext()
    context.set_maxstep(10)
    begin = time.thread_time()
    context.psolve(t_stop)
    return time.thread_time() - begin


def forward(sections: list[Any], count: int, rounds: int, t_stop: float) -> dict[str, Any]:
    """One row: the median over some rounds."""
    found: list[float] = []
    for _ in range(rounds):
        plain = min(run(t_stop) for _ in range(3))
        gradients = gradmod.attach(directions(sections, count), quiet=True)
        found.append(min(run(t_stop) for _ in range(3)) / plain)
        gradients.detach()
    return {"mode": "forward", "K": count, "ratio": round(statistics.median(found), 2), "aim": AIM.get(count)}


def reverse(sections: list[Any], rounds: int, t_stop: float) -> dict[str, Any]:
    """The same of both parts of reverse mode."""
    wanted = {name: gradmod.PerSegment(name, sections) for name in ("gnabar_hh", "gkbar_hh", "gl_hh")}
    found: list[tuple[float, float]] = []
    with gradmod.Reverse(wanted, memory=2048, quiet=True) as engine:
        trace = engine.record(sections[0](0.5))

        def once() -> tuple[float, float]:
            taken: list[float] = []
            engine.run(t_stop, simulate=lambda: taken.append(run(t_stop)))
            cotangents = {trace: np.ones(len(trace.values))}
            begin = time.thread_time()
            engine.gradient(cotangents)
            return taken[-1], time.thread_time() - begin

        measured = [once() for _ in range(3 * rounds)]
    plain = [min(run(t_stop) for _ in range(3)) for _ in range(rounds)]
    for k, one in enumerate(plain):
        recording, back = (min(part) / one for part in zip(*measured[3 * k : 3 * k + 3], strict=True))
        found.append((recording, back))
    recording, back = (statistics.median(part) for part in zip(*found, strict=True))
    return {
        "mode": "reverse", "K": 3 * sum(sec.nseg for sec in sections), "ratio": round(recording + back, 2),
        "recording": round(recording, 2), "back": round(back, 2), "aim": AIM_REVERSE,
    }  # fmt: skip


def main() -> None:
    """Measure and print."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--directions", type=int, nargs="*", default=[1, 5, 12, 25])
    arguments.add_argument("--nseg", type=int, nargs="+", default=[50, 175])
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--t-stop", type=float, default=100.0)
    arguments.add_argument("--json", action="store_true")
    given = arguments.parse_args()
    for nseg in given.nseg:
        sections = build(nseg)
        clamp = h.IClamp(sections[0](0.5))
        clamp.delay, clamp.dur, clamp.amp = 2, given.t_stop, 0.6
        rows = [forward(sections, count, given.rounds, given.t_stop) for count in given.directions]
        for row in [*rows, reverse(sections, given.rounds, given.t_stop)]:
            row = {"neuron": neuron.__version__, "segments": 4 * nseg + 1, **row}
            print(json.dumps(row) if given.json else "  ".join(f"{k} {v}" for k, v in row.items()), flush=True)
        del clamp
        for section in sections:
            h.delete_section(sec=section)


if __name__ == "__main__":
    main()
