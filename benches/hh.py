"""Time of a run with gradients over that of the plain run, for hh in a branched cell of many segments.

Forward mode with K gradients, as benches/forward.py, and reverse mode with the gradients of three conductances in every
segment: the run that is remembered, and the way back. The tables of hh are off. Prints one line per size and K, as JSON
with `--json`.
"""

from __future__ import annotations

import argparse
import itertools
from typing import Any

import cost
import gradmod
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


def main() -> None:
    """Measure and print."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--directions", type=int, nargs="*", default=[1, 5, 12, 25])
    arguments.add_argument("--nseg", type=int, nargs="+", default=[50, 175])
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--t-stop", type=float, default=100.0)
    arguments.add_argument("--json", action="store_true")
    given = arguments.parse_args()
    h.celsius, h.usetable_hh = 6.3, 0
    for nseg in given.nseg:
        sections = build(nseg)
        clamp = h.IClamp(sections[0](0.5))
        clamp.delay, clamp.dur, clamp.amp = 2, given.t_stop, 0.6
        size = {"segments": 4 * nseg + 1}

        def run() -> float:
            return cost.psolve(given.t_stop)

        for count in given.directions:
            row = cost.forward(directions(sections, count), run, given.rounds)
            cost.show(size | row | {"aim": AIM.get(count)}, as_json=given.json)
        wanted = {name: gradmod.PerSegment(name, sections) for name in ("gnabar_hh", "gkbar_hh", "gl_hh")}
        row = cost.reverse(wanted, [sections[0](0.5)], run, given.t_stop, given.rounds)
        cost.show(size | row | {"aim": AIM_REVERSE}, as_json=given.json)
        del clamp
        for section in sections:
            h.delete_section(sec=section)


if __name__ == "__main__":
    main()
