"""Time of a forward run with K gradients over that of the plain run, for hh in a branched cell of many segments.

As benches/forward.py; the tables of hh are off. Prints one line per size and K, as JSON with `--json`.
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
from neuron import h

#: What a run may cost, in plain runs: with one gradient, with 25.
AIM = {1: 2.0, 25: 2.5}


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


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--directions", type=int, nargs="+", default=[1, 5, 12, 25])
    arguments.add_argument("--nseg", type=int, nargs="+", default=[50, 175])
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--t-stop", type=float, default=100.0)
    arguments.add_argument("--json", action="store_true")
    given = arguments.parse_args()
    for nseg, count in itertools.product(given.nseg, given.directions):
        sections = build(nseg)
        clamp = h.IClamp(sections[0](0.5))
        clamp.delay, clamp.dur, clamp.amp = 2, given.t_stop, 0.6
        found: list[float] = []
        for _ in range(given.rounds):
            plain = min(run(given.t_stop) for _ in range(3))
            gradients = gradmod.attach(directions(sections, count), quiet=True)
            found.append(min(run(given.t_stop) for _ in range(3)) / plain)
            gradients.detach()
        row = {
            "neuron": neuron.__version__,
            "segments": 4 * nseg + 1,
            "K": count,
            "ratio": round(statistics.median(found), 2),
            "aim": AIM.get(count),
        }
        print(json.dumps(row) if given.json else "  ".join(f"{k} {v}" for k, v in row.items()), flush=True)
        del clamp
        for section in sections:
            h.delete_section(sec=section)


if __name__ == "__main__":
    main()
