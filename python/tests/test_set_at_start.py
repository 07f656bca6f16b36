"""Potentials and states that are set between INITIAL and the first step: a run begins with what INITIAL did not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gradmod
import numpy as np
import pytest
from conftest import central
from gradmod import Global, InitialVoltage, Range
from gradmod.parameters import Parameter
from models import library
from neuron import h

DT, T_STOP = 0.025, 4.0
MOMENTS = ("type 1", "type 2", "script")


class Cells:
    """Two branched cells, other values in every segment, whose INITIAL depends on v and on a parameter."""

    def __init__(self) -> None:
        library.load_fixtures()
        if hasattr(h, "usetable_hh"):
            h.usetable_hh = 0
        self.cells = [self._branched(f"c{i}", i) for i in range(2)]
        self.segments = [seg for cell in self.cells for sec in cell for seg in sec]
        self.mine = [seg for sec in self.cells[0] for seg in sec]
        self.place = self.cells[0][0](0.5)
        self.clamp = h.IClamp(self.place)
        self.clamp.delay, self.clamp.dur, self.clamp.amp = 1, 3, 0.3
        self.v_init = -65.0
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
            for mechanism in ("hh", "cah", "capool", "sk"):
                sec.insert(mechanism)
        for i, seg in enumerate(seg for sec in made for seg in sec):
            seg.hh.gnabar, seg.hh.gkbar = 0.1 + 0.005 * (i + number), 0.03 + 0.001 * i
        return made

    def at(self, moment: str, act: Callable[[], object]) -> None:
        if moment == "script":
            self.before_run = act
        else:
            self.keep.append(h.FInitializeHandler(int(moment[-1]), act))

    def run(self) -> None:
        h.dt, h.steps_per_ms = DT, 1 / DT
        h.finitialize(self.v_init)
        self.before_run()
        context = h.ParallelContext()
        context.set_maxstep(10)
        context.psolve(T_STOP)

    def last(self) -> float:
        self.run()
        return float(self.place.v)

    def directions(self, *names: str) -> dict[str, Parameter]:
        known = {
            "gna": Range("gnabar_hh", self.cells[0]),
            "vh": Global("vh_cah"),
            "v0": InitialVoltage(),
            "v0 of dend": InitialVoltage(self.cells[0][1]),
        }
        return {name: known[name] for name in names}

    def differences(self, name: str) -> float:
        if name == "v0":
            return float(central(self.last, lambda x: setattr(self, "v_init", -65.0 + x), 1e-4))
        if name == "vh":
            before = h.vh_cah
            return float(central(self.last, lambda x: setattr(h, "vh_cah", before + x), 1e-3))
        values = [seg.hh.gnabar for seg in self.mine]

        def change(x: float) -> None:
            for seg, value in zip(self.mine, values, strict=True):
                seg.hh.gnabar = value + x

        return float(central(self.last, change, 1e-6))


def gradient(cells: Cells, mode: str, *names: str) -> dict[str, float]:
    """Of the last voltage, or what is refused."""
    if mode == "forward":
        grad = gradmod.attach(cells.directions(*names))
        recording = grad.record(cells.place)
        cells.run()
        try:
            return {name: float(recording[name][-1]) for name in recording}
        finally:
            grad.detach()
    with gradmod.Reverse(cells.directions(*names), quiet=True) as reverse:
        trace = reverse.record(cells.place)
        h.dt = DT
        reverse.run(T_STOP, simulate=cells.run)
        loss = np.zeros(len(trace.values))
        loss[-1] = 1.0
        return dict(reverse.gradient({trace: loss}))


def everywhere(cells: Cells) -> None:
    for i, seg in enumerate(cells.segments):
        seg.v = -72 + 0.4 * i


def by_some(cells: Cells) -> None:
    for i, seg in enumerate(cells.segments):
        seg.v += 3 + 0.1 * i


def at_one(cells: Cells) -> None:
    cells.place.v = -58


def gate(cells: Cells) -> None:
    cells.place.hh.m = 0.3


def calcium(cells: Cells) -> None:
    for i, seg in enumerate(cells.mine):
        seg.cai = 1e-4 * (1 + i)


POTENTIALS = {"everywhere": everywhere, "by some": by_some, "at one place": at_one}


def follows(cells: Cells, mode: str, *names: str) -> None:
    found = gradient(cells, mode, *names)
    for name in names:
        assert found[name] == pytest.approx(cells.differences(name), rel=2e-6), name
    cells.keep.clear()


@pytest.mark.parametrize("how", POTENTIALS)
@pytest.mark.parametrize("moment", MOMENTS)
def test_forward_follows_what_does_not_depend_on_the_potential(how: str, moment: str) -> None:
    """INITIAL's own derivative is that at the potential which INITIAL found."""
    cells = Cells()
    cells.at(moment, lambda: POTENTIALS[how](cells))
    follows(cells, "forward", "gna", "vh")


@pytest.mark.parametrize("moment", MOMENTS)
def test_reverse_follows_what_is_not_in_initial(moment: str) -> None:
    cells = Cells()
    cells.at(moment, lambda: by_some(cells))
    follows(cells, "reverse", "gna")


@pytest.mark.parametrize("moment", MOMENTS)
def test_reverse_refuses_a_parameter_of_initial(moment: str) -> None:
    cells = Cells()
    cells.at(moment, lambda: by_some(cells))
    with pytest.raises(gradmod.Refused, match=r"vh: .*c0_soma\(0.5\): v, or a state, was set between INITIAL"):
        gradient(cells, "reverse", "gna", "vh")
    cells.keep.clear()


@pytest.mark.parametrize("mode", ["forward", "reverse"])
@pytest.mark.parametrize("how", POTENTIALS)
@pytest.mark.parametrize("moment", MOMENTS)
def test_the_initial_voltage_is_refused(how: str, moment: str, mode: str) -> None:
    cells = Cells()
    cells.at(moment, lambda: POTENTIALS[how](cells))
    with pytest.raises(gradmod.Refused, match=r"c0_soma\(0.5\).*: v, or a state, was set between INITIAL and the"):
        gradient(cells, mode, "gna", "v0")
    cells.keep.clear()


@pytest.mark.parametrize("mode", ["forward", "reverse"])
def test_what_initial_finds_is_the_initial_voltage(mode: str) -> None:
    cells = Cells()
    cells.at("type 0", lambda: by_some(cells))
    follows(cells, mode, "gna", "vh", "v0")


def test_where_the_initial_voltage_is_not_changed_it_may_be_set() -> None:
    cells = Cells()
    cells.at("type 1", lambda: setattr(cells.place, "v", -60))
    assert np.isfinite(gradient(cells, "forward", "v0 of dend")["v0 of dend"])
    cells.keep.clear()
    cells.at("type 1", lambda: setattr(cells.cells[0][1](0.5), "v", -60))
    with pytest.raises(gradmod.Refused, match=r"c0_dend\(0.5\).*was set between INITIAL"):
        gradient(cells, "forward", "v0 of dend")
    cells.keep.clear()


@pytest.mark.parametrize("mode", ["forward", "reverse"])
@pytest.mark.parametrize("what", [gate, calcium])
def test_states_by_a_handler(what: Callable[[Cells], None], mode: str) -> None:
    """As long as no direction has changed them, nobody asks how they were set."""
    cells = Cells()
    cells.at("type 1", lambda: what(cells))
    follows(cells, mode, "gna")


@pytest.mark.parametrize("mode", ["forward", "reverse"])
def test_states_by_a_handler_that_depend_on_a_direction(mode: str) -> None:
    cells = Cells()
    cells.at("type 1", lambda: gate(cells))
    text = "a state is not what" if mode == "forward" else "v, or a state, was set between INITIAL"
    with pytest.raises(gradmod.Refused, match=text):
        gradient(cells, mode, "v0")
    cells.keep.clear()
