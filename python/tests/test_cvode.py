"""Gradients under the variable step: against differences of runs at a tolerance of 1e-10, and each other."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from typing import Any

import gradmod
import numpy as np
import pytest
from conftest import build_passive
from models import twig
from neuron import h

END = 6.0
TIMES = np.array([0.7, 1.6, 2.2, 2.9, 3.7, 4.9, 5.6])


@pytest.fixture(autouse=True)
def variable_step() -> Iterator[None]:
    h.cvode_active(1)
    h.cvode.atol(1e-8)
    h.cvode.rtol(0)
    yield
    h.cvode.atol(1e-3)
    h.cvode_active(0)


class Cell(twig.Twig):
    """Other values in every segment, and a second clamp."""

    def __init__(self, *mechanisms: str) -> None:
        super().__init__(mechanisms)
        for number, section in enumerate(self.all):
            for seg in section:
                seg.gnabar_hh *= 1 + 0.2 * number + 0.1 * seg.x
                seg.cm = 1 - 0.1 * seg.x
        self.second = h.IClamp(self.long(0.75))
        self.second.delay, self.second.dur, self.second.amp = 2.5, 2.0, 0.05
        self.celsius = twig.CELSIUS

    def begin(self) -> None:
        if hasattr(h, "usetable_hh"):
            h.usetable_hh = 0
        h.celsius = self.celsius
        h.finitialize(self.v_init)

    def simulate(self) -> None:
        self.begin()
        h.continuerun(END)

    def oracle(self, places: list[tuple[Any, str]]) -> np.ndarray:
        """[place, time] of an untouched run at the finest tolerance."""
        atol = h.cvode.atol()
        h.cvode.atol(1e-10)
        self.begin()
        found = []
        for time in TIMES:
            h.cvode.solve(time)
            found.append([getattr(seg, name) for seg, name in places])
        h.cvode.atol(atol)
        return np.array(found).T


def test_a_cell_that_is_gone() -> None:
    """close() takes the point process away, and does without it where the cell is gone."""
    cell = Cell("kdr")
    for is_there in (True, False):
        model = gradmod.VariableStep(g=gradmod.Range("gnabar_hh", cell.all), quiet=True)
        model.run(1.0, simulate=cell.simulate)
        found = [name for name in map(str, cell.soma(0.5).point_processes()) if name.startswith("gm_")]
        assert len(found) == 1
        if not is_there:
            h.delete_section(sec=cell.soma)
        model.close()
        if is_there:
            assert not [name for name in map(str, cell.soma(0.5).point_processes()) if name.startswith("gm_")]


def test_threads_afterwards() -> None:
    """What looked at the parameters is not in the way of other runs of the process."""
    cell = Cell("kdr")
    model = gradmod.VariableStep(g=gradmod.Range("gnabar_hh", cell.all), quiet=True)
    model.run(1.0, simulate=cell.simulate)
    model.close()
    h.cvode_active(0)
    parallel = h.ParallelContext()
    parallel.nthread(2)
    try:
        cell.simulate()
        assert np.isfinite(cell.soma(0.5).v)
    finally:
        parallel.nthread(1)


def differences(cell: Cell, shift: Callable[[float], None], size: float, places: list[tuple[Any, str]]) -> np.ndarray:
    found = []
    for step in (2e-3, 4e-3):
        sides = []
        for sign in (1, -1):
            shift(sign * step * size)
            sides.append(cell.oracle(places))
        shift(0.0)
        found.append((sides[0] - sides[1]) / (2 * step * size))
    return (4 * found[0] - found[1]) / 3


def both(cell: Cell, asked: dict[str, Any], places: list[tuple[Any, str]]) -> dict[str, np.ndarray]:
    """[place, time] forwards, when backwards says the same of each place."""
    model = gradmod.VariableStep(quiet=True, **asked)
    looks = [model.record(seg, name, times=TIMES) for seg, name in places]
    model.run(END, simulate=cell.simulate)
    found = {name: np.zeros((len(places), len(TIMES))) for name in asked}
    rng = np.random.default_rng(1)
    loss = {look: rng.normal(size=len(TIMES)) for look in looks}
    backwards = model.gradient(loss)
    for index, look in enumerate(looks):
        for name, values in model.derivatives(look).items():
            found[name][index] = values
    for name, values in found.items():
        forwards = sum(float(loss[look] @ row) for look, row in zip(looks, values, strict=True))
        size = sum(float(abs(loss[look]) @ abs(row)) for look, row in zip(looks, values, strict=True))
        assert abs(forwards - backwards[name]) <= 1e-9 * size, name
    model.close()
    return found


KINDS = {
    "gates, a cubic current, GHK, pool, Nernst": ("kdr", "nap", "kir", "cal_ghk", "cah", "capool", "sk"),
    "KINETIC, a pool with an outside, mixed cations": ("kmark", "ih", "nashell"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_against_differences_both_ways(kind: str) -> None:
    cell = Cell(*KINDS[kind])
    directions = cell.directions()
    directions["Ra"] = (gradmod.Range("Ra", cell.all), _shift_ra(cell), 35.4)
    directions["amp"] = (gradmod.Stimulus(cell.second, "amp"), _shift_amp(cell), 0.05)
    places = cell.watched
    if "capool" not in cell.mechanisms:
        # An IF on v, at a bend of which no step ends, leaves two digits of l.
        places = [place for place in places if place[1] not in ("cai", "l_ih")]
        directions.pop("cai0", None)
    asked = {name: parameter for name, (parameter, _, _) in directions.items()}
    found = both(cell, asked, places)
    moves = np.ptp(cell.oracle(places), axis=1)
    wrong: dict[str, float] = {}
    for name, (_, shift, size) in directions.items():
        expected = differences(cell, shift, size, places)
        # What hardly changes anything is as noisy as the tolerance.
        scale = np.maximum(np.max(abs(expected), axis=1), 1e-3 * moves / size)
        deviation = float(np.max(abs(found[name] - expected) / scale[:, None]))
        if deviation > 1e-3:
            wrong[name] = deviation
    assert wrong == {}


def _shift_ra(cell: Cell) -> Callable[[float], None]:
    before = [section.Ra for section in cell.all]

    def shift(by: float) -> None:
        for section, value in zip(cell.all, before, strict=True):
            section.Ra = value + by

    return shift


def _shift_amp(cell: Cell) -> Callable[[float], None]:
    before = cell.second.amp

    def shift(by: float) -> None:
        cell.second.amp = before + by

    return shift


def test_the_run_stays_what_it_was() -> None:
    cell = Cell("kdr")
    v, t = h.Vector().record(cell.soma(0.5)._ref_v), h.Vector().record(h._ref_t)
    cell.simulate()
    plain = np.array(v), np.array(t)
    model = gradmod.VariableStep(g=gradmod.PerSegment("gbar_kdr", cell.all), quiet=True)
    model.record(cell.long(0.75))
    model.run(END, simulate=cell.simulate)
    assert np.array_equal(plain[0], np.array(v)) and np.array_equal(plain[1], np.array(t))
    assert np.array_equal(model.t, np.array(t))


def test_it_gets_better_with_the_tolerance() -> None:
    cell = Cell("kdr")
    places = [(cell.soma(0.5), "v")]
    names = {"gna": "gnabar_hh", "gk": "gkbar_hh"}
    asked = {name: gradmod.Range(range_, cell.all) for name, range_ in names.items()}
    found: list[dict[str, np.ndarray]] = []
    errors: list[float] = []
    for atol in (1e-4, 1e-6, 1e-8, 1e-10):
        h.cvode.atol(atol)
        found.append(both(cell, asked, places))
        model = gradmod.VariableStep(quiet=True, **asked)
        model.run(END, simulate=cell.simulate)
        errors.append(model.error)
        model.close()
    off = [max(np.max(abs(one[n] - found[-1][n])) / np.max(abs(found[-1][n])) for n in asked) for one in found[:-1]]
    assert off[0] > 3 * off[1] > 9 * off[2]
    assert off[2] < 1e-4
    assert errors[0] > 3 * errors[1] > 9 * errors[2]


def test_times_of_spikes() -> None:
    cell = Cell("kdr")
    h.cvode.condition_order(2)
    model = gradmod.VariableStep(g=gradmod.Range("gnabar_hh", cell.all), quiet=True)
    spikes = model.record_spikes(cell.soma(0.5), -20)
    model.run(END, simulate=cell.simulate)
    assert len(spikes.values) == 1
    backwards = model.gradient({spikes: np.ones(1)})["g"]
    forwards = model.derivatives(spikes)["g"]
    assert abs(backwards - forwards[0]) <= 1e-9 * abs(backwards)
    model.close()
    times = []
    counter, log = h.NetCon(cell.soma(0.5)._ref_v, None, sec=cell.soma), h.Vector()
    counter.threshold = -20
    counter.record(log)
    before = [seg.gnabar_hh for section in cell.all for seg in section]
    h.cvode.atol(1e-10)
    for sign in (1, -1):
        for seg, value in zip((seg for section in cell.all for seg in section), before, strict=True):
            seg.gnabar_hh = value + sign * 1e-3
        cell.simulate()
        times.append(log[0])
    h.cvode.condition_order(1)
    assert abs((times[0] - times[1]) / 2e-3 - forwards[0]) <= 1e-3 * abs(forwards[0])


def test_one_number_for_each_segment_in_a_cell_with_ends() -> None:
    cell = build_passive()
    for clamp in cell.clamps:
        clamp.amp *= 1.0
    model = gradmod.VariableStep(
        g=gradmod.PerSegment("g_pas", cell.with_pas), Ra=gradmod.Range("Ra", cell.all), quiet=True
    )
    look = model.record(cell["twig"](0.5), times=[3.0])
    model.run(4.0, v_init=-60)
    backwards = model.gradient({look: np.ones(1)})
    forwards = model.derivatives(look)
    assert np.max(abs(backwards["g"] - forwards["g"][:, 0])) <= 1e-10 * np.max(abs(backwards["g"]))

    def at(by: float) -> float:
        for section in cell.all:
            section.Ra += by
        h.cvode.atol(1e-10)
        h.finitialize(-60)
        h.cvode.solve(3.0)
        found = cell["twig"](0.5).v
        for section in cell.all:
            section.Ra -= by
        return float(found)

    expected = (at(0.01) - at(-0.01)) / 0.02
    assert abs(backwards["Ra"] - expected) <= 1e-4 * abs(expected)


def test_a_coarse_run_says_so() -> None:
    cell = Cell("kdr")
    h.cvode.atol(3e-2)
    model = gradmod.VariableStep(g=gradmod.Range("gnabar_hh", cell.all), quiet=True)
    look = model.record(cell.soma(0.5))
    model.run(END, simulate=cell.simulate)
    with pytest.warns(UserWarning, match="lower h.cvode.atol"):
        model.derivatives(look)
    h.cvode.atol(1e-6)
    model.run(END, simulate=cell.simulate)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.derivatives(look)


@pytest.mark.parametrize(
    ("mechanisms", "reason"),
    [
        (("kbare",), "that INITIAL solves by iteration"),
        (("cabuf",), "`cai` is set without an equation of its own"),
        (("khand",), "a PROCEDURE, LINEAR or NONLINEAR block that BREAKPOINT solves"),
        (("kwatch",), "BEFORE|AFTER"),
        (("kfilled",), "FUNCTION_TABLE"),
        (("nacarry",), "as other code has left it"),
    ],
)
def test_refused_by_name(mechanisms: tuple[str, ...], reason: str) -> None:
    cell = Cell(*mechanisms)
    with pytest.raises(gradmod.Refused, match=reason) as refusal:
        gradmod.VariableStep(g=gradmod.Range("gnabar_hh", cell.all), quiet=True)
    assert f"{mechanisms[0]}.mod" in str(refusal.value) and "the fixed step" in str(refusal.value)


def test_settings_that_are_refused() -> None:
    cell = Cell("kdr")
    asked = {"g": gradmod.Range("gnabar_hh", cell.all)}
    for build, match in ((gradmod.attach, "VariableStep"), (gradmod.Reverse, "VariableStep")):
        with pytest.raises(gradmod.Refused, match=match):
            build(**asked, quiet=True)
    h.cvode.use_local_dt(1)
    with pytest.raises(gradmod.Refused, match="use_local_dt"):
        gradmod.VariableStep(**asked, quiet=True)
    h.cvode.use_local_dt(0)
    h.cvode_active(0)
    with pytest.raises(gradmod.Refused, match="variable step is off"):
        gradmod.VariableStep(**asked, quiet=True)


def test_what_changes_during_a_run_is_refused() -> None:
    cell = Cell("kdr")
    model = gradmod.VariableStep(g=gradmod.Range("gnabar_hh", cell.all), quiet=True)

    def changing(act: Callable[[], object]) -> Callable[[], None]:
        def simulate() -> None:
            cell.begin()
            h.cvode.event(2.0, lambda: (act(), h.cvode.re_init()))
            h.continuerun(END)

        return simulate

    with pytest.raises(gradmod.Refused, match=r"gkbar_hh at .* was changed by INITIAL or during the run"):
        model.run(END, simulate=changing(lambda: setattr(cell.soma(0.5), "gkbar_hh", 0.05)))
    cell.soma(0.5).gkbar_hh = 0.036
    with pytest.raises(gradmod.Refused, match="it was set during the run"):
        model.run(END, simulate=changing(lambda: setattr(cell.soma(0.5), "v", cell.soma(0.5).v + 0.2)))
    with pytest.raises(gradmod.Refused, match="it was set during the run"):
        model.run(END, simulate=changing(lambda: setattr(cell.soma(0.5), "v", -50.0)))
    more: list[Any] = []
    with pytest.raises(gradmod.Refused, match="the model was changed during the run"):
        model.run(END, simulate=changing(lambda: more.append(h.IClamp(cell.soma(0.5)))))
    more.clear()
    played, times = h.Vector([0.0, 0.3, 0.0]), h.Vector([0.0, 3.0, 6.0])
    played.play(cell.second._ref_amp, times, 1)
    with pytest.raises(gradmod.Refused, match=r"amp at IClamp\[\d+\] was changed during the run, at "):
        model.run(END, simulate=cell.simulate)
    played.play_remove()
    # By little, and set back before the end.
    usual = cell.soma(0.5).gkbar_hh
    played = h.Vector([usual, 1.01 * usual, usual, usual])
    times = h.Vector([0.0, 3.0, 5.0, 100.0])
    played.play(cell.soma(0.5)._ref_gkbar_hh, times, 1)
    with pytest.raises(gradmod.Refused, match=r"gkbar_hh at .*soma\(0.5\) was changed during the run, at "):
        model.run(END, simulate=cell.simulate)
    played.play_remove()
    cell.soma(0.5).gkbar_hh = usual
    model.run(END, simulate=cell.simulate)
    # Its Vectors would tell of the run before.
    model.close()
    with pytest.raises(gradmod.Error, match="this VariableStep was closed"):
        model.run(END, simulate=cell.simulate)


class Synapses(Cell):
    """Two kinds, two of one, with events from NetStims, some at one moment."""

    def __init__(self) -> None:
        super().__init__("kdr")
        self.stimuli, self.netcons = [], []
        self.synapses = [h.ExpSyn(self.soma(0.5)), h.Exp2Syn(self.long(0.25)), h.ExpSyn(self.long(0.75))]
        self.synapses[1].tau1, self.synapses[1].tau2 = 0.4, 2.5
        for number, (synapse, start) in enumerate(
            zip((*self.synapses, self.synapses[1]), (0.5, 1.0, 1.0, 1.7), strict=True)
        ):
            source = h.NetStim()
            source.start, source.number, source.interval, source.noise = start, 2, 2.1, 0
            connection = h.NetCon(source, synapse)
            connection.delay, connection.weight[0] = 0.3, 1e-3 * (1 + number)
            self.stimuli.append(source)
            self.netcons.append(connection)


def test_synapses() -> None:
    cell = Synapses()
    places = [(cell.soma(0.5), "v"), (cell.long(0.75), "v")]
    asked = {
        "gna": gradmod.Range("gnabar_hh", cell.all, weight="present"),
        "tau1": gradmod.Stimulus(cell.synapses[1], "tau1"),
        "w": gradmod.NetConWeight(cell.netcons[1]),
        "u": gradmod.NetConWeight(cell.netcons[3]),
        "e": gradmod.Stimulus(cell.synapses[0], "e"),
    }
    found = both(cell, asked, places)
    netcons, synapses = cell.netcons, cell.synapses
    shifts: dict[str, tuple[Callable[[float], None], float]] = {
        "tau1": (lambda by: setattr(synapses[1], "tau1", 0.4 + by), 0.4),
        "w": (lambda by: netcons[1].weight.__setitem__(0, 2e-3 + by), 2e-3),
        "u": (lambda by: netcons[3].weight.__setitem__(0, 4e-3 + by), 4e-3),
        "e": (lambda by: setattr(synapses[0], "e", by), 10.0),
    }
    for name, (shift, size) in shifts.items():
        expected = differences(cell, shift, size, places)
        assert np.max(abs(found[name] - expected)) <= 1e-4 * np.max(abs(expected)), name


def test_events_whose_times_depend_on_the_model_are_refused() -> None:
    cell = Synapses()
    loop = h.NetCon(cell.soma(0.5)._ref_v, cell.synapses[2], sec=cell.soma)
    model = gradmod.VariableStep(g=gradmod.Range("gnabar_hh", cell.all), quiet=True)
    with pytest.raises(gradmod.Refused, match="at times that depend on parameters"):
        model.run(END, simulate=cell.simulate)
    model.close()
    del loop
    with pytest.raises(gradmod.Refused, match=r"(?s)TmSyn.mod:.*NET_RECEIVE that changes a weight"):
        tiring = h.TmSyn(cell.soma(0.5))
        gradmod.VariableStep(g=gradmod.Range("gnabar_hh", cell.all), quiet=True)
    del tiring
