"""Reverse mode sees whatever acts on a run from outside, by what it leaves in states and voltages."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import gradmod
import numpy as np
from models import library
from neuron import h

DT, T_STOP = 0.05, 8.0


class Cell:
    """Two branched cells with other values in every segment, synapses of two kinds, and a third without directions."""

    def __init__(self) -> None:
        library.load_fixtures()
        self.cells = [self._branched(f"c{i}", i) for i in range(3)]
        self.soma, self.dend, self.twig = self.cells[0]
        self.other = self.cells[1][1]
        self.far = self.cells[2][0]
        self.clamp = h.IClamp(self.soma(0.5))
        self.clamp.delay, self.clamp.dur, self.clamp.amp = 0.5, 6, 0.4
        self.at_end = h.IClamp(self.twig(1))
        self.at_end.delay, self.at_end.dur, self.at_end.amp = 2, 3, 0.02
        self.synapses = [h.ExpSyn(self.dend(0.2)), h.ExpSyn(self.other(0.9))]
        self.graded = h.Graded(self.twig(0.5))
        h.setpointer(self.soma(0.5)._ref_v, "vpre", self.graded)
        self.source = h.NetStim()
        self.source.start, self.source.interval, self.source.number = 1.0, 1.3, 5
        self.netcons = [h.NetCon(self.source, synapse) for synapse in self.synapses]
        for i, netcon in enumerate(self.netcons):
            netcon.delay, netcon.weight[0] = 0.3 + i, 0.002 + 0.001 * i
        self.keep: list[Any] = []

    @staticmethod
    def _branched(name: str, number: int) -> list[Any]:
        soma, dend, twig = made = [h.Section(name=f"{name}_{part}") for part in ("soma", "dend", "twig")]
        dend.connect(soma(1))
        twig.connect(dend(0.5))
        soma.L, soma.diam = 18 + number, 20
        dend.L, dend.diam, dend.nseg = 200, 2, 3
        twig.L, twig.diam, twig.nseg = 90, 1, 3
        for sec in made:
            sec.Ra = 100 + 10 * number
            for mechanism in ("hh", "cah", "capool", "sk", "kmark", "nap"):
                sec.insert(mechanism)
        if hasattr(h, "usetable_hh"):
            h.usetable_hh = 0
        for i, seg in enumerate(seg for sec in made for seg in sec):
            seg.cm = 1 + 0.05 * i
            seg.gnabar_hh, seg.gl_hh = 0.12 - 0.003 * (i + number), 3e-4 + 1e-5 * i
            seg.gbar_kmark = 1e-3 * (1 + 0.1 * i)
            seg.gbar_cah = 1e-4 * (1 + 0.1 * i)
        return made

    def directions(self) -> dict[str, gradmod.Parameter]:
        mine = [sec for cell in self.cells[:2] for sec in cell]
        return {
            "gna": gradmod.Range("gnabar_hh", mine),
            "gl": gradmod.PerSegment("gl_hh", mine),
            "Ra": gradmod.Range("Ra", self.dend),
            "weight": gradmod.NetConWeight(self.netcons[0]),
        }

    def run(self, *acts: tuple[float, Callable[[], Any]]) -> None:
        """A run in which events call the script."""

        def send() -> None:
            for t, act in acts:
                h.CVode().event(t, act)

        handler = h.FInitializeHandler(1, send)
        h.dt, h.steps_per_ms = DT, 1 / DT
        h.finitialize(-65)
        h.ParallelContext().set_maxstep(10)
        h.ParallelContext().psolve(T_STOP)
        del handler


def verdict(reverse: gradmod.Reverse, trace: Any, simulate: Callable[[], None]) -> str:
    """What a run that went so is refused with, or the gradient."""
    h.dt = DT
    try:
        reverse.run(T_STOP, simulate=simulate)
        gradient = reverse.gradient({trace: np.sin(np.arange(len(trace.values)))})
    except gradmod.Error as error:
        return f"{type(error).__name__}: {error}"
    return "gradient " + " ".join(f"{np.sum(gradient[name]):.12g}" for name in gradient)


#: What is changed: where, the variable, how; and what the refusal says. In the middle of the run, for good or for 2 ms.
CHANGES: dict[str, tuple[Callable[[Cell], Any], str, Callable[[float], float], str]] = {
    "density parameter": (lambda c: c.dend(0.5), "gl_hh", lambda x: 3 * x, r"gl_hh at c0_dend|voltage"),
    "of the other instance": (lambda c: c.other(0.5), "gkbar_hh", lambda x: 2 * x, r"gkbar_hh at c1_dend|voltage"),
    "rate": (lambda c: c.twig(0.9), "tau_capool", lambda x: 2 * x, r"tau_capool at c0_twig|cai"),
    "cm": (lambda c: c.dend(0.1), "cm", lambda x: 1.5 * x, r"c0_.*voltage|cm changed"),
    "Ra": (lambda c: c.twig, "Ra", lambda x: 2 * x, r"c0_.*voltage|Ra changed"),
    "diam": (lambda c: c.twig(0.5), "diam", lambda x: 1.1 * x, r"c0_.*voltage|the diameter or"),
    "L": (lambda c: c.cells[1][2], "L", lambda x: 1.1 * x, r"c1_.*voltage|the diameter or"),
    "celsius": (lambda c: h, "celsius", lambda x: x + 2, "celsius"),
    "global": (lambda c: h, "usetable_hh", lambda x: 1 - x, "usetable_hh|hh is not what its equation"),
}

#: What has a memory of its own, so that it is set once.
SETS: dict[str, tuple[Callable[[Cell], Any], str, Callable[[float], float], str]] = {
    "v": (lambda c: c.dend(0.5), "v", lambda x: x + 5, r"c0_dend\(0.5\), in the step from 2.95 to 3 ms.*voltage"),
    "v by little": (lambda c: c.soma(0.5), "v", lambda x: x + 1e-4, r"c0_soma\(0.5\).*voltage"),
    "gate": (lambda c: c.soma(0.5), "h_hh", lambda x: 0.3, r"from 2.95 to 3 ms.*h_hh is not what"),
    "gate by little": (lambda c: c.other(0.1), "n_hh", lambda x: x + 1e-5, r"c1_dend.*n_hh is not what"),
    "concentration": (lambda c: c.dend(0.9), "cai", lambda x: 2 * x, "cai"),
    "state of a kinetic scheme": (lambda c: c.dend(0.9), "c2_kmark", lambda x: x + 0.01, "c2_kmark"),
    "state by derivimplicit": (lambda c: c.other(0.9), "p_nap", lambda x: x + 0.01, "p_nap"),
    "state of a synapse": (lambda c: c.synapses[1], "g", lambda x: x + 1e-3, r"ExpSyn\[\d+\] was changed"),
    "state without events": (lambda c: c.graded, "s", lambda x: x + 0.1, r"Graded.*s is not what"),
    "weight": (lambda c: c.netcons[0], "weight", lambda x: 2 * x, r"ExpSyn\[\d+\] was changed"),
    "dt": (lambda c: h, "dt", lambda x: x / 2, "dt changed|dt or t|t was set"),
    "t": (lambda c: h, "t", lambda x: x + 1.0, "t was set"),
    "t by little": (lambda c: h, "t", lambda x: x + 0.2 * DT, "another time than dt|t was set|dt"),
    "secondorder": (lambda c: h, "secondorder", lambda x: 2, "secondorder"),
}


def test_what_is_changed_in_a_run_is_refused() -> None:
    cell = Cell()
    with gradmod.Reverse(**cell.directions(), quiet=True) as reverse:
        trace = reverse.record(cell.soma(0.5))
        plain = verdict(reverse, trace, cell.run)
        assert plain.startswith("gradient")
        wrong: dict[str, str] = {}

        def look(case: str, said: str, text: str) -> None:
            if not re.search(text, said):
                wrong[case] = said

        for case, (where, name, change, text) in CHANGES.items():
            owner = where(cell)
            before = getattr(owner, name)

            def put(value: float, owner: Any = owner, name: str = name) -> None:
                setattr(owner, name, value)

            changed, back = (lambda: put(change(before))), (lambda: put(before))  # noqa: B023
            look(case, verdict(reverse, trace, lambda: cell.run((3.0, changed))), text)  # noqa: B023
            back()
            look(f"{case}, for 2 ms", verdict(reverse, trace, lambda: cell.run((3.0, changed), (5.0, back))), text)  # noqa: B023
        for case, (where, name, change, text) in SETS.items():
            owner = where(cell)
            before = cell.netcons[0].weight[0], h.dt, h.secondorder

            def act(owner: Any = owner, name: str = name, change: Callable[[float], float] = change) -> None:
                if name == "weight":
                    owner.weight[0] = change(owner.weight[0])
                else:
                    setattr(owner, name, change(getattr(owner, name)))

            def in_parts(act: Callable[[], None] = act) -> None:
                h.dt = DT
                h.finitialize(-65)
                h.ParallelContext().psolve(3.0)
                act()
                h.fadvance()  # psolve alone would put t back
                h.ParallelContext().psolve(T_STOP)

            by_event = name not in ("t", "dt")  # NEURON puts t back after an event
            run = (lambda act=act: cell.run((3.0, act))) if by_event else in_parts
            look(case, verdict(reverse, trace, run), text)
            cell.netcons[0].weight[0], h.dt, h.secondorder = before
        assert not wrong
        # None of this is left.
        assert verdict(reverse, trace, cell.run) == plain


def test_what_does_not_concern_a_gradient_is_not_refused() -> None:
    """A cell without directions, and what forward mode follows too."""
    cell = Cell()
    with gradmod.Reverse(**cell.directions(), quiet=True) as reverse:
        trace = reverse.record(cell.soma(0.5))
        plain = verdict(reverse, trace, cell.run)

        def elsewhere() -> None:
            cell.far(0.5).v, cell.far(0.5).hh.m, cell.far.cm, cell.far.Ra = -20, 0.9, 2, 300

        def other_geometry() -> None:
            cell.dend(0.5).cm, cell.twig.Ra, cell.twig.diam = 1.3, 150, 1.2
            cell.run()

        def by_hand() -> None:
            h.dt = DT
            h.finitialize(-65)
            for sec in cell.cells[0]:
                sec.v = -66
            h.fcurrent()
            h.frecord_init()
            h.ParallelContext().psolve(3.0)
            h.fcurrent()
            h.ParallelContext().psolve(T_STOP)

        assert verdict(reverse, trace, lambda: cell.run((3.0, elsewhere))) == plain
        assert verdict(reverse, trace, lambda: cell.run((3.0, lambda: setattr(cell.clamp, "amp", 0.1)))).startswith(
            "gradient"
        )
        cell.clamp.amp = 0.4
        assert verdict(reverse, trace, by_hand).startswith("gradient")
        moved = verdict(reverse, trace, other_geometry)
        assert moved.startswith("gradient")
        assert moved != plain
        # Set before the run, it is the same.
        assert verdict(reverse, trace, cell.run) == moved
        looks = {trace: np.ones(len(trace.values))}
        before = reverse.gradient(looks)["Ra"]
        cell.dend.Ra = 300
        assert reverse.gradient(looks)["Ra"] == before


def test_between_two_windows() -> None:
    """What is set right where a window ends, by an event after the one by which it does."""
    cell = Cell()
    with gradmod.Reverse(**cell.directions(), quiet=True) as reverse:
        trace = reverse.record(cell.soma(0.5))
        plain = verdict(reverse, trace, cell.run)
        reverse._memory = 2 * 21 * reverse._recorders.frame.stride * 8 / 2**20  # windows of 20 steps
        assert verdict(reverse, trace, cell.run) == plain

        def set_v() -> None:
            cell.dend(0.5).v += 1e-3

        def set_gate() -> None:
            cell.other(0.5).hh.n += 1e-3

        def set_at_end() -> None:
            cell.twig(1).v += 1e-3

        for steps in (20, 40, 47, 60, 140):
            for act, text in ((set_v, "c0_dend"), (set_gate, "c1_dend"), (set_gate, "n_hh")):
                said = verdict(reverse, trace, lambda steps=steps, act=act: cell.run((steps * DT, act)))
                assert said.startswith("Refused"), (steps, said)
                assert re.search(text, said), (steps, said)
        # Nothing would remember it but what point processes there do.
        assert re.search(r"c0_twig\(1\)", verdict(reverse, trace, lambda: cell.run((2.0, set_at_end))))
