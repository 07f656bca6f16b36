"""What happens to a model between attach and reading: followed exactly, or refused; never a wrong number."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gradmod
import neuron
import numpy as np
import pytest
from gradmod import Global, InitialVoltage, Range
from models import library
from neuron import h

STALE = Path(__file__).resolve().parents[2] / "fixtures" / "stale"
DT = 0.05
T_STOP = 8.0


class Cell:
    """A soma and a dendrite with hh, a calcium pool and Nernst, and a current clamp."""

    def __init__(self) -> None:
        library.load_fixtures()
        self.soma, self.dend = h.Section(name="soma"), h.Section(name="dend")
        self.dend.connect(self.soma(1))
        self.soma.L = self.soma.diam = 20
        self.dend.L, self.dend.diam, self.dend.nseg = 200, 2, 3
        for sec in self.all:
            for mechanism in ("hh", "cah", "capool", "sk"):
                sec.insert(mechanism)
            sec.cm, sec.Ra = 1, 100
        self.clamp = h.IClamp(self.soma(0.5))
        self.clamp.delay, self.clamp.dur, self.clamp.amp = 1, 5, 0.5
        if hasattr(h, "usetable_hh"):
            h.usetable_hh = 0
        self.keep: list[Any] = []
        self.grad: gradmod.Gradients | None = None

    @property
    def all(self) -> list[Any]:
        return [self.soma, self.dend]

    @property
    def segments(self) -> list[Any]:
        return [seg for sec in self.all for seg in sec]


@pytest.fixture
def cell() -> Iterator[Cell]:
    made = Cell()
    yield made
    if made.grad is not None:
        made.grad.detach()
    made.keep.clear()
    h.ParallelContext().nthread(1)
    h.CVode().cache_efficient(0)


def start() -> None:
    h.dt, h.steps_per_ms = DT, 1 / DT
    h.finitialize(-65)


def go(until: float) -> None:
    context = h.ParallelContext()
    context.set_maxstep(10)
    context.psolve(until)


DIRECTIONS: dict[str, tuple[Callable[[Cell], Any], Callable[[Cell, float], None], float]] = {
    "gna": (lambda c: Range("gnabar_hh", c.all), lambda c, x: _shift(c.segments, "gnabar_hh", x), 1e-5),
    "gca": (lambda c: Range("gbar_cah", c.all), lambda c, x: _shift(c.segments, "gbar_cah", x), 1e-7),
    "cm": (lambda c: Range("cm", c.soma), lambda c, x: _shift([c.soma(0.5)], "cm", x), 1e-4),
    "Ra": (lambda c: Range("Ra", c.all), lambda c, x: _shift(c.all, "Ra", x), 1e-2),
}


def _shift(owners: list[Any], name: str, by: float) -> None:
    for owner in owners:
        setattr(owner, name, getattr(owner, name) + by)


def _set(owners: list[Any], name: str, values: list[float]) -> None:
    for owner, value in zip(owners, values, strict=True):
        setattr(owner, name, value)


def attach(cell: Cell) -> tuple[gradmod.Gradients, gradmod.Recording]:
    grad = gradmod.attach(**{name: make(cell) for name, (make, _, _) in DIRECTIONS.items()})
    cell.grad = grad
    return grad, grad.record(cell.soma(0.5))


# --- followed exactly -----------------------------------------------------------------------------------------------


def _continuerun(_: Cell) -> None:
    start()
    h.continuerun(T_STOP)


def _fadvance(_: Cell) -> None:
    start()
    for _ in range(round(T_STOP / DT)):
        h.fadvance()


def _init_by_hand(cell: Cell) -> None:
    start()
    for seg in cell.segments:
        seg.v = -70
    h.fcurrent()
    h.frecord_init()
    go(T_STOP)


def _fcurrent_in_the_middle(_: Cell) -> None:
    start()
    go(3)
    h.fcurrent()
    go(T_STOP)


def _stimulus_in_the_middle(cell: Cell) -> None:
    cell.clamp.amp = 0.5
    start()
    go(3)
    cell.clamp.amp = 0.1
    go(T_STOP)


def _parameters_in_the_middle(cell: Cell) -> None:
    before = {name: [getattr(seg, name) for seg in cell.segments] for name in ("gkbar_hh", "el_hh", "ena")}
    start()
    go(3)
    for seg in cell.segments:
        seg.gkbar_hh, seg.el_hh, seg.ena = 0.02, -60, 40
    go(T_STOP)
    for name, values in before.items():
        _set(cell.segments, name, values)


def _weighted_parameter_in_the_middle(cell: Cell) -> None:
    before = [seg.gnabar_hh for seg in cell.segments]
    start()
    go(3)
    _shift(cell.segments, "gnabar_hh", 0.01)
    go(T_STOP)
    _set(cell.segments, "gnabar_hh", before)


def _played(cell: Cell, reference: Any, samples: Any) -> None:
    vector, times = h.Vector(samples), h.Vector(np.linspace(0, T_STOP, len(samples)))
    vector.play(reference, times, True)
    cell.keep.append((vector, times))
    start()
    go(T_STOP)
    vector.play_remove()


def _played_stimulus(cell: Cell) -> None:
    _played(cell, cell.clamp._ref_amp, [0.2, 0.6, 0.1, 0.5])


def _played_parameter(cell: Cell) -> None:
    _played(cell, cell.soma(0.5).hh._ref_gkbar, [0.03, 0.04, 0.03])


def _cache_efficient(_: Cell) -> None:
    h.CVode().cache_efficient(1)
    start()
    go(T_STOP)


def _threads(_: Cell) -> None:
    h.ParallelContext().nthread(2)
    start()
    go(T_STOP)


def _new_geometry(cell: Cell) -> None:
    cell.dend.L, cell.dend.diam = 150, 1.5
    start()
    go(T_STOP)


def _ion_style(cell: Cell) -> None:
    for sec in cell.all:
        h.ion_style("ca_ion", 3, 1, 0, 0, 1, sec=sec)
        sec.eca = 120
    start()
    go(T_STOP)


def _new_dt(_: Cell) -> None:
    h.dt = 0.025
    h.finitialize(-65)
    go(T_STOP)


def _time_from(_: Cell) -> None:
    """A run that starts at another t, set in finitialize."""
    handler = h.FInitializeHandler(1, lambda: setattr(h, "t", -2.0))
    start()
    go(T_STOP)
    del handler


def _restored_at_the_start(cell: Cell) -> None:
    """What a SaveState restores at t = 0 without having changed anything."""
    start()
    state = h.SaveState()
    state.save()
    state.restore()
    go(T_STOP)


IS_OLD = neuron.__version__.startswith("8.")

FOLLOWED: list[Callable[[Cell], None]] = [
    _continuerun,
    _fadvance,
    _init_by_hand,
    _fcurrent_in_the_middle,
    _stimulus_in_the_middle,
    _parameters_in_the_middle,
    _played_stimulus,
    _played_parameter,
    *([] if IS_OLD else [_cache_efficient]),
    _threads,
    _new_geometry,
    _ion_style,
    _new_dt,
    _time_from,
    _restored_at_the_start,
]


@pytest.mark.parametrize("simulate", FOLLOWED, ids=lambda case: case.__name__.strip("_"))
def test_followed(cell: Cell, simulate: Callable[[Cell], None]) -> None:
    """Runs in unusual ways, against differences of the same run without gradients."""
    voltage = h.Vector().record(cell.soma(0.5)._ref_v)
    grad, record = attach(cell)
    simulate(cell)
    attached = np.array(voltage)
    mine = {name: record[name] for name in grad.directions}
    assert all(len(mine[name]) == len(attached) for name in mine)
    grad.detach()
    simulate(cell)
    assert np.array_equal(np.array(voltage), attached)
    for name, (_, shift, step) in DIRECTIONS.items():
        around = []
        for by in (step, -2 * step):
            shift(cell, by)
            simulate(cell)
            around.append(np.array(voltage))
        shift(cell, step)
        theirs = (around[0] - around[1]) / (2 * step)
        assert np.abs(mine[name] - theirs).max() <= 1e-6 * np.abs(theirs).max(), name


# --- refused --------------------------------------------------------------------------------------------------------


def _at(t: float, change: Callable[[Cell], Any]) -> Callable[[Cell], None]:
    def simulate(cell: Cell) -> None:
        start()
        go(t)
        change(cell)
        go(T_STOP)

    return simulate


def _after(change: Callable[[Cell], Any]) -> Callable[[Cell], None]:
    """A change after which NEURON cannot go on: the mechanisms that see each other are made anew."""

    def simulate(cell: Cell) -> None:
        start()
        go(T_STOP)
        change(cell)

    return simulate


def _restore_in_the_middle(cell: Cell) -> None:
    start()
    go(2)
    state = h.SaveState()
    state.save()
    go(4)
    state.restore()
    go(T_STOP)


def _restore_after_finitialize(cell: Cell) -> None:
    start()
    go(2)
    state = h.SaveState()
    state.save()
    start()
    state.restore()
    go(T_STOP)


def _restore_everything_but_time(cell: Cell) -> None:
    start()
    go(2)
    state = h.BBSaveState()
    state.save_test()
    start()
    state.restore_test()
    go(T_STOP)


def _back_in_time(_: Cell) -> None:
    start()
    for step in range(round(T_STOP / DT)):
        h.fadvance()
        if step == 60:
            h.t = 1.0


def _played_voltage(cell: Cell) -> None:
    _played(cell, cell.dend(0.5)._ref_v, [-65.0, -60, -65])


def _played_into_a_state(cell: Cell) -> None:
    # NEURON computes currents with the value in the middle of a step and states with that at its end.
    _played(cell, cell.dend(0.5).capool._ref_tau, [45.0, 5.0, 45.0])


def _by_an_event(cell: Cell) -> None:
    start()
    h.CVode().event(3, lambda: setattr(cell.soma(0.5).hh, "m", 0.9))
    go(T_STOP)


REFUSED: dict[str, tuple[Callable[[Cell], None], str]] = {
    "v set": (_at(3, lambda c: setattr(c.soma(0.5), "v", -20)), r"soma\(0.5\).*v was set"),
    "v set in a dendrite": (_at(3, lambda c: setattr(c.dend(0.5), "v", -60)), r"dend\(0.5\).*v was set"),
    "v played": (_played_voltage, "v was set"),
    "state played with straight lines": (_played_into_a_state, "a state is not what"),
    "state set": (_at(3, lambda c: setattr(c.soma(0.5).hh, "m", 0.9)), "a state is not what"),
    "state set after finitialize": (_at(0, lambda c: setattr(c.soma(0.5).hh, "m", 0.9)), "a state is not what"),
    "state set by an event": (_by_an_event, "a state is not what"),
    "concentration set": (_at(3, lambda c: setattr(c.dend(0.5), "cai", 1e-3)), "a state is not what"),
    "restored in the middle": (_restore_in_the_middle, "dt or t was changed"),
    "restored after finitialize": (_restore_after_finitialize, "dt or t was changed"),
    "direction set": (_weighted_parameter_in_the_middle, r"gnabar_hh at soma\(0.5\) was set .* t = 3.025"),
    "t set": (_back_in_time, "dt or t was changed"),
    "dt set": (_at(3, lambda c: setattr(h, "dt", 0.025)), "dt or t was changed"),
    "celsius set": (_at(3, lambda c: setattr(h, "celsius", 8)), "celsius was changed"),
    "cm set": (_at(3, lambda c: setattr(c.soma, "cm", 2)), r"the cm of soma\(0.5\) changed"),
    "Ra set": (_at(3, lambda c: setattr(c.dend, "Ra", 200)), "the axial resistance of dend"),
    "diam set": (_at(3, lambda c: setattr(c.dend, "diam", 3)), "the area of dend"),
    "nseg set": (_after(lambda c: setattr(c.dend, "nseg", 5)), "nseg changed"),
    "ion_style set": (_at(3, lambda c: h.ion_style("ca_ion", 3, 1, 0, 0, 1, sec=c.soma)), "ion_style of ca in soma"),
    "clamp added": (_after(lambda c: c.keep.append(_clamp(c))), "point processes were added"),
    "mechanism inserted": (_after(lambda c: c.dend.insert("pas")), "mechanisms of dend changed"),
    "mechanism removed": (_after(lambda c: c.dend.uninsert("sk")), "mechanisms of dend changed"),
    "section connected": (_after(lambda c: c.keep.append(_child(c))), "connections"),
    "section deleted": (_after(lambda c: h.delete_section(sec=c.dend)), "deleted"),
    "cvode": (_at(3, lambda c: h.CVode().active(1)), "variable step"),
    "secondorder": (_at(3, lambda c: setattr(h, "secondorder", 2)), "secondorder"),
}


def _clamp(cell: Cell) -> Any:
    clamp = h.IClamp(cell.dend(0.5))
    clamp.amp, clamp.dur = 0.1, 100
    return clamp


def _child(cell: Cell) -> Any:
    child = h.Section(name="child")
    child.connect(cell.dend(1))
    return child


@pytest.mark.parametrize("case", REFUSED)
def test_refused(cell: Cell, case: str) -> None:
    simulate, text = REFUSED[case]
    grad, record = attach(cell)
    simulate(cell)
    with pytest.raises(gradmod.Error, match=text):
        record["gna"]
    grad.detach()


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda: h.CVode().active(1), "variable step"),
        *([(lambda: h.CVode().cache_efficient(1), "forgets the POINTERs")] if IS_OLD else []),
    ],
)
def test_refused_when_attaching(cell: Cell, change: Callable[[], Any], text: str) -> None:
    change()
    with pytest.raises(gradmod.Refused, match=text):
        attach(cell)


def test_linear_mechanisms_are_refused(cell: Cell) -> None:
    size = 1
    matrices = [h.Matrix(size, size), h.Matrix(size, size)]
    vectors = [h.Vector(size), h.Vector(size), h.Vector(size)]
    sections = h.SectionList([cell.soma])
    cell.keep.append(h.LinearMechanism(*matrices, *vectors, sections, h.Vector([0.5])))
    with pytest.raises(gradmod.Refused, match="LinearMechanism"):
        attach(cell)


def test_gap_junctions_by_transfer_since_attach_are_refused(cell: Cell) -> None:
    """A clamp whose amplitude is another place's voltage: no .mod tells, and differences would see it."""
    grad, record = attach(cell)
    start()
    go(T_STOP)
    assert record["gna"].any()
    context = h.ParallelContext()
    context.source_var(cell.dend(0.5)._ref_v, 1, sec=cell.dend)
    context.target_var(cell.clamp, cell.clamp._ref_amp, 1)
    context.setup_transfer()
    try:
        start()
        with pytest.raises(gradmod.Error, match="setup_transfer"):
            record["gna"]
        grad.detach()
    finally:
        context.gid_clear(4)


# --- tables ---------------------------------------------------------------------------------------------------------


class Stale:
    """A section whose potassium channel has a TABLE that does not watch vhalf."""

    def __init__(self) -> None:
        library.load_fixtures(STALE)
        self.soma = h.Section(name="soma")
        self.soma.L = self.soma.diam = 20
        for mechanism in ("pas", "kstale"):
            self.soma.insert(mechanism)
        self.soma.e_pas = -50
        self.voltage = h.Vector().record(self.soma(0.5)._ref_v)

    def run(self) -> Any:
        start()
        go(T_STOP)
        return np.array(self.voltage)


@pytest.fixture
def stale() -> Iterator[Stale]:
    made = Stale()
    h.vhalf_kstale, h.slope_kstale, h.usetable_kstale = -40, 12, 1
    # Fill the table with these values, whatever test ran before.
    h.slope_kstale = 13
    h.finitialize()
    h.slope_kstale = 12
    yield made
    h.vhalf_kstale, h.slope_kstale, h.usetable_kstale = -40, 12, 1


def test_an_unwatched_parameter_is_refused_as_a_direction(stale: Stale) -> None:
    with pytest.raises(gradmod.Refused, match=r"x: no gradient in vhalf_kstale: the TABLE of rates in kstale.mod"):
        gradmod.attach(x=Global("vhalf_kstale"))
    h.usetable_kstale = 0
    grad = gradmod.attach(x=Global("vhalf_kstale"))
    record = grad.record(stale.soma(0.5))
    stale.run()
    mine = record["x"]
    h.usetable_kstale = 1
    stale.run()
    with pytest.raises(gradmod.Error, match="usetable_kstale = 0"):
        record["x"]
    h.usetable_kstale = 0
    around = []
    for h.vhalf_kstale in (-40 + 1e-3, -40 - 1e-3):
        around.append(stale.run())
    theirs = (around[0] - around[1]) / 2e-3
    assert np.abs(mine - theirs).max() <= 1e-6 * np.abs(theirs).max()
    grad.detach()


def test_after_a_change_of_an_unwatched_parameter_there_are_no_gradients(stale: Stale) -> None:
    grad = gradmod.attach(g=Range("gbar_kstale", stale.soma), slope=Global("slope_kstale"))
    record = grad.record(stale.soma(0.5))
    plain = stale.run()
    mine = {name: record[name] for name in record}
    h.vhalf_kstale = -30
    stale.run()
    with pytest.raises(gradmod.Error, match="vhalf_kstale was changed from -40 to -30 since attach"):
        record["g"]
    h.vhalf_kstale = -40
    assert np.array_equal(stale.run(), plain)
    assert all(np.array_equal(record[name], mine[name]) for name in mine)
    grad.detach()


def test_a_table_that_was_stale_before_is_found_out(stale: Stale) -> None:
    """NEURON still has the table for -40; nothing but the states tells."""
    plain = stale.run()
    h.vhalf_kstale = -30
    assert np.array_equal(stale.run(), plain)
    grad = gradmod.attach(g=Range("gbar_kstale", stale.soma))
    record = grad.record(stale.soma(0.5))
    assert np.array_equal(stale.run(), plain)
    with pytest.raises(gradmod.Refused, match="a TABLE is in use that NEURON did not fill again"):
        record["g"]
    h.slope_kstale = 11  # fills it again
    stale.run()
    assert record["g"].any()
    grad.detach()


def test_reverse_mode_refuses_stale_tables_and_transfer(stale: Stale) -> None:
    with pytest.raises(gradmod.Refused, match="x: no gradient in vhalf_kstale"):
        gradmod.Reverse(x=Global("vhalf_kstale"))
    other = h.IClamp(stale.soma(0.5))
    with gradmod.Reverse(g=Range("gbar_kstale", stale.soma)) as reverse:
        trace = reverse.record(stale.soma(0.5))
        h.dt = DT
        reverse.run(T_STOP)
        assert reverse.gradient({trace: np.ones(len(trace.values))})["g"] != 0
        h.vhalf_kstale = -30
        with pytest.raises(gradmod.Refused, match="vhalf_kstale was changed"):
            reverse.run(T_STOP)
        h.vhalf_kstale = -40
        context = h.ParallelContext()
        context.target_var(other, other._ref_amp, 1)
        try:
            with pytest.raises(gradmod.Refused, match="setup_transfer"):
                reverse.run(T_STOP)
        finally:
            context.gid_clear(4)


_PROCESS = """
import json, sys
sys.path.insert(0, sys.argv[1])
import test_limits
from neuron import h
h.load_file("stdrun.hoc")
cell = test_limits.Stale()
h.vhalf_kstale = float(sys.argv[2])
print(json.dumps(cell.run().tolist()))
"""


def test_differences_of_a_stale_table_depend_on_the_process(stale: Stale) -> None:
    """Why it is refused: in one process the differences are 0, in new processes they are not."""
    step = 1e-2
    same = []
    for h.vhalf_kstale in (-40 + step, -40 - step):
        same.append(stale.run())
    assert np.array_equal(same[0], same[1])
    fresh = []
    for value in (-40 + step, -40 - step):
        command = [sys.executable, "-c", _PROCESS, str(Path(__file__).parent), repr(value)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        fresh.append(np.array(json.loads(done.stdout.splitlines()[-1])))
    slope = (fresh[0] - fresh[1]) / (2 * step)
    assert np.abs(slope).max() > 0.01
    # What the equations say is that of new processes.
    h.vhalf_kstale = -40
    h.usetable_kstale = 0
    grad = gradmod.attach(x=Global("vhalf_kstale"))
    record = grad.record(stale.soma(0.5))
    stale.run()
    assert np.abs(record["x"] - slope).max() <= 0.05 * np.abs(slope).max()  # without the table's interpolation
    grad.detach()


@pytest.mark.parametrize("mechanism", ["naf", "ktab"])
def test_tables_switched_between_runs_are_followed(cell: Cell, mechanism: str) -> None:
    for sec in cell.all:
        sec.insert(mechanism)
    voltage = h.Vector().record(cell.soma(0.5)._ref_v)
    directions = {"g": Range(f"gbar_{mechanism}", cell.all), "v": InitialVoltage()}
    grad = gradmod.attach(**directions)
    record = grad.record(cell.soma(0.5))
    try:
        for on in (1, 0, 1):
            setattr(h, f"usetable_{mechanism}", on)

            def run() -> Any:
                start()
                go(T_STOP)
                return np.array(voltage)

            run()
            mine = record["g"]
            around = []
            for by in (1e-6, -2e-6):
                _shift(cell.segments, f"gbar_{mechanism}", by)
                around.append(run())
            _shift(cell.segments, f"gbar_{mechanism}", 1e-6)
            theirs = (around[0] - around[1]) / 2e-6
            assert np.abs(mine - theirs).max() <= 2e-6 * np.abs(theirs).max(), on
    finally:
        setattr(h, f"usetable_{mechanism}", 1)
        grad.detach()
