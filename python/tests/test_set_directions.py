"""What a direction changes and the run sets by itself: then the run does not depend on the value that was given."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gradmod
import numpy as np
import pytest
from conftest import central
from gradmod import NetConWeight, Range, Stimulus
from neuron import h

DT, T_STOP = 0.05, 6.0


class Cells:
    """Two branched cells with hh, other values in every segment, a synapse and a current in each."""

    def __init__(self) -> None:
        self.cells = [self._branched(f"c{i}", i) for i in range(2)]
        if hasattr(h, "usetable_hh"):
            h.usetable_hh = 0
        self.place = self.cells[0][0](0.5)
        self.clamps = [h.IClamp(cell[0](0.5)) for cell in self.cells]
        self.synapses = [h.ExpSyn(cell[1](0.5)) for cell in self.cells]
        self.source = h.NetStim()
        self.source.start, self.source.number, self.source.interval, self.source.noise = 2, 2, 2, 0
        self.netcons = [h.NetCon(self.source, synapse) for synapse in self.synapses]
        for i, (clamp, netcon) in enumerate(zip(self.clamps, self.netcons, strict=True)):
            clamp.delay, clamp.dur, clamp.amp = 1, 3, 0.5 + 0.1 * i
            netcon.delay, netcon.weight[0] = 0.5, 0.01
        self.act: Callable[[], object] = lambda: None
        self.before_run: Callable[[], object] = lambda: None
        self.keep: list[Any] = []

    @staticmethod
    def _branched(name: str, number: int) -> list[Any]:
        soma, dend, twig = made = [h.Section(name=f"{name}_{part}") for part in ("soma", "dend", "twig")]
        dend.connect(soma(1))
        twig.connect(dend(0.5))
        soma.L = soma.diam = 20
        dend.L, dend.diam, dend.nseg = 100, 2, 3
        twig.L, twig.diam, twig.nseg = 60, 1, 2
        for sec in made:
            sec.insert("hh")
        for i, seg in enumerate(seg for sec in made for seg in sec):
            seg.hh.gnabar, seg.hh.gkbar = 0.1 + 0.005 * (i + number), 0.03 + 0.001 * i
        return made

    def directions(self) -> dict[str, Any]:
        return {
            "gna": Range("gnabar_hh", self.cells[0]),
            "ena": Range("ena", self.cells[0]),
            "amp": Stimulus(self.clamps[0], "amp"),
            "tau": Stimulus(self.synapses[0], "tau"),
            "weight": NetConWeight(self.netcons[0]),
        }

    def run(self) -> None:
        h.dt, h.steps_per_ms = DT, 1 / DT
        h.finitialize(-65)
        self.before_run()
        context = h.ParallelContext()
        context.set_maxstep(10)
        context.psolve(T_STOP)

    def at(self, moment: str, act: Callable[[], object]) -> None:
        """Let every run do that."""
        if moment == "script":
            self.before_run = act
        elif moment == "event":
            self.keep.append(h.FInitializeHandler(1, lambda: h.CVode().event(2.21, act)))
        else:
            self.keep.append(h.FInitializeHandler(int(moment[-1]), act))


#: What is set: by name, and what the refusals say in forward and in reverse mode.
ACTS: dict[str, tuple[Callable[[Cells], object], str]] = {
    "gna": (lambda c: setattr(c.place.hh, "gnabar", 0.2), r"gnabar_hh (at|of) c0_soma\(0.5\)"),
    "gna, by a part": (lambda c: setattr(c.cells[0][1](0.1).hh, "gnabar", 1.01 * 0.1), r"gnabar_hh (at|of) c0_dend"),
    "ena": (lambda c: setattr(c.cells[0][2](0.9), "ena", 45), r"ena (at|of) c0_twig"),
    "amp": (lambda c: setattr(c.clamps[0], "amp", 0.1), r"amp of IClamp"),
    "tau": (lambda c: setattr(c.synapses[0], "tau", 0.5), r"tau of ExpSyn"),
}
MOMENTS = ("event", "script", "type 0", "type 1", "type 2")


def gradient(cells: Cells, mode: str) -> dict[str, float]:
    """Of the last voltage, or what is refused."""
    if mode == "forward":
        grad = gradmod.attach(cells.directions())
        recording = grad.record(cells.place)
        cells.run()
        try:
            return {name: float(recording[name][-1]) for name in recording}
        finally:
            grad.detach()
    with gradmod.Reverse(cells.directions(), quiet=True) as reverse:
        trace = reverse.record(cells.place)
        h.dt = DT
        reverse.run(T_STOP, simulate=cells.run)
        loss = np.zeros(len(trace.values))
        loss[-1] = 1.0
        return dict(reverse.gradient({trace: loss}))


@pytest.mark.parametrize("mode", ["forward", "reverse"])
@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("what", ACTS)
def test_refused(what: str, moment: str, mode: str) -> None:
    cells = Cells()
    act, text = ACTS[what]
    cells.at(moment, lambda: act(cells))
    with pytest.raises(gradmod.Error, match=text):
        gradient(cells, mode)
    cells.keep.clear()


def test_the_truth_is_not_what_a_change_would_add() -> None:
    """After the event the value is what the event says: that is why."""
    cells = Cells()
    value = cells.clamps[0].amp

    def last() -> float:
        cells.run()
        return float(cells.place.v)

    change = lambda x: setattr(cells.clamps[0], "amp", value + x)  # noqa: E731
    followed = gradient(cells, "forward")["amp"]
    assert central(last, change, 1e-6) == pytest.approx(followed, rel=1e-6)
    cells.at("type 1", lambda: setattr(cells.clamps[0], "amp", 0.5))
    assert central(last, change, 1e-6) == 0.0
    cells.keep.clear()


@pytest.mark.parametrize("mode", ["forward", "reverse"])
def test_what_no_direction_changes_may_be_set(mode: str) -> None:
    cells = Cells()

    def act() -> None:
        cells.cells[1][0](0.5).hh.gnabar = 0.2
        cells.clamps[1].amp = 0.3
        cells.synapses[0].e = -20
        if mode == "forward":
            cells.place.hh.gkbar = 0.02

    def last() -> float:
        for seg, value in zip(gkbar, before, strict=True):
            seg.hh.gkbar = value
        cells.synapses[0].e = 0
        cells.run()
        return float(cells.place.v)

    gkbar = [seg for sec in cells.cells[0] for seg in sec]
    before = [seg.hh.gkbar for seg in gkbar]
    cells.at("event", act)
    found = gradient(cells, mode)
    segments = [(seg, seg.hh.gnabar) for sec in cells.cells[0] for seg in sec]

    def shift(x: float) -> None:
        for seg, value in segments:
            seg.hh.gnabar = value + x

    assert central(last, shift, 1e-6) == pytest.approx(found["gna"], rel=1e-6)
    cells.keep.clear()


def test_values_may_change_between_a_run_and_reading() -> None:
    cells = Cells()
    grad = gradmod.attach(cells.directions())
    recording = grad.record(cells.place)
    cells.run()
    first = {name: recording[name].copy() for name in recording}
    assert all(np.isfinite(values).all() for values in first.values())
    cells.run()
    cells.place.hh.gnabar = 0.3
    assert all(np.array_equal(recording[name], values) for name, values in first.items())
    grad.detach()
