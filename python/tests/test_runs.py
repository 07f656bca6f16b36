"""One run, one gradient: what else happens in the process, before and after, changes neither."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import Any

import gradmod
import numpy as np
import pytest
from conftest import V_INIT, Passive, run
from gradmod import _neuron as neuron_calls
from neuron import h

MODES = ("forward", "reverse")


def vary(cell: Passive) -> None:
    """Other values in every segment."""
    for i, seg in enumerate(seg for sec in cell.with_pas for seg in sec):
        seg.pas.g = 1e-4 * (1 + 0.1 * i)


def profile(cell: Passive) -> gradmod.Range:
    values = {(seg.sec, seg.x): seg.pas.g for sec in cell.with_pas for seg in sec}
    return gradmod.Range("g_pas", cell.with_pas, weight=lambda seg: values[seg.sec, seg.x])


def parameters(cell: Passive) -> dict[str, gradmod.Parameter]:
    return {"g": profile(cell), "amp": gradmod.Stimulus(cell.clamps[0], "amp")}


@pytest.fixture
def cell(passive: Passive) -> Passive:
    vary(passive)
    h.dt = 0.1
    return passive


def looks(cell: Passive) -> list[Any]:
    return [cell["soma"](0.5), cell["twig"](0.9)]


WEIGHTS = np.random.default_rng(7).normal(size=(2, 81))


def differences(function: Callable[[np.ndarray], float], x: np.ndarray) -> np.ndarray:
    found = []
    for i, step in enumerate(1e-5 * np.abs(x)):
        above, below = x.copy(), x.copy()
        above[i] += step
        below[i] -= step
        found.append((function(above) - function(below)) / (above[i] - below[i]))
    return np.array(found)


# --- Reverse ----------------------------------------------------------------------------------------------------------


def change_all(cell: Passive) -> None:
    cell["twig"].cm, cell["twig"].diam, cell["trunk"].Ra, h.celsius, h.dt = 2, 3, 300, 20, 0.05
    for seg in cell["trunk"]:
        seg.pas.g *= 3
    cell.clamps[0].amp = 1


@pytest.mark.parametrize("memory", [64, 0.008])
def test_what_is_changed_after_a_run_does_not_count(cell: Passive, memory: float) -> None:
    wanted = {
        "log": gradmod.Range("g_pas", cell.with_pas, weight=lambda seg: seg.pas.g),
        "Ra": gradmod.PerSegment("Ra", cell.all),
        "amp": gradmod.Stimulus(cell.clamps[0], "amp"),
    }
    with gradmod.Reverse(memory=memory, **wanted) as reverse:
        traces = [reverse.record(place) for place in looks(cell)]
        reverse.run(8, simulate=run)
        loss = dict(zip(traces, WEIGHTS, strict=True))
        before = reverse.gradient(loss)
        reverse.run(8, simulate=run)
        values = traces[0].values
        change_all(cell)
        after = reverse.gradient(loss)
        assert all(np.array_equal(before[name], after[name]) for name in wanted)
        run(dt=0.1)
        assert np.array_equal(traces[0].values, values)
        with pytest.raises(gradmod.Error, match="NEURON was initialised again since run"):
            reverse.gradient(loss)


def test_traces_of_no_run_of_its_own(cell: Passive) -> None:
    with gradmod.Reverse(**parameters(cell)) as reverse, gradmod.Reverse(Ra=gradmod.Range("Ra", cell.all)) as other:
        trace, theirs = reverse.record(cell["soma"](0.5)), other.record(cell["soma"](0.5))
        run()
        with pytest.raises(gradmod.Error, match=r"nothing is recorded yet; call run\(\)"):
            _ = trace.values
        reverse.run(8, simulate=run)
        late = reverse.record(cell["twig"](0.5))
        for strange in (late, theirs):
            with pytest.raises(gradmod.Error, match="was not recorded in this run"):
                reverse.gradient({strange: np.ones(81)})


def test_a_run_needs_finitialize(cell: Passive) -> None:
    """And what was remembered before is not written over, nor memory that is not there."""
    with gradmod.Reverse(**parameters(cell)) as reverse:
        trace = reverse.record(cell["soma"](0.5))
        with pytest.raises(gradmod.Error, match="the run took 120 time steps, there was room for 80"):
            reverse.run(8, simulate=lambda: run(12.0))
        with pytest.raises(gradmod.Error, match="did not call finitialize"):
            reverse.run(8, simulate=lambda: h.continuerun(14))
        with pytest.raises(gradmod.Error, match="made no time step"):
            reverse.run(8, simulate=lambda: h.finitialize(V_INIT))
        with pytest.raises(gradmod.Error, match="call run"):
            reverse.gradient({trace: np.ones(81)})


@pytest.mark.parametrize("what", ["cm", "diam", "Ra", "celsius"])
def test_what_is_changed_during_a_run_is_refused(cell: Passive, what: str) -> None:
    def simulate() -> None:
        run(4.0)
        setattr(h if what == "celsius" else cell["trunk"], what, 7.0)
        h.continuerun(8.0)

    with gradmod.Reverse(**parameters(cell)) as reverse, pytest.raises(gradmod.Refused, match="changed after"):
        reverse.run(8, simulate=simulate)


def test_what_is_changed_before_finitialize_counts(cell: Passive) -> None:
    """By simulate() itself: the worker's copies have to be what the run was of."""

    def simulate() -> None:
        cell["trunk"].cm, cell["twig"].diam, cell["soma"].Ra = 1.7, 1.9, 133
        run()

    with gradmod.Reverse(g=profile(cell)) as reverse:
        trace = reverse.record(cell["soma"](0.5))
        cell["trunk"].cm, cell["twig"].diam, cell["soma"].Ra = 1, 1, 100
        reverse.run(8, simulate=simulate)
        first = reverse.gradient({trace: WEIGHTS[0]})["g"]
        reverse.run(8, simulate=simulate)
        assert reverse.gradient({trace: WEIGHTS[0]})["g"] == first


def test_after_close(cell: Passive) -> None:
    reverse = gradmod.Reverse(**parameters(cell))
    reverse.close()
    for call in (lambda: reverse.run(8), lambda: reverse.gradient({}), lambda: reverse.record(cell["soma"](0.5))):
        with pytest.raises(gradmod.Error, match="was closed"):
            call()
    for mode in MODES:
        simulation = gradmod.Simulation(parameters(cell), looks(cell), 8.0, simulate=run, mode=mode, quiet=True)
        x = simulation.x
        simulation(x)
        simulation.close()
        for call in (lambda: simulation(x), lambda: simulation.vjp(x, WEIGHTS), lambda: simulation.keep(x)):  # noqa: B023
            with pytest.raises(gradmod.Error, match="was closed"):
                call()


def test_v_init_is_that_of_the_run_system(cell: Passive) -> None:
    cell.keep.clear()  # the handler that sets v by itself
    h.v_init = -71.0
    try:
        for mode in MODES:
            with gradmod.Simulation(parameters(cell), looks(cell), 1.0, mode=mode, quiet=True) as simulation:
                assert simulation(simulation.x)[0, 0] == -71.0
        with gradmod.Simulation(parameters(cell), looks(cell), 1.0, v_init=-60, quiet=True) as simulation:
            assert simulation(simulation.x)[0, 0] == -60.0
    finally:
        h.v_init = -65.0


@pytest.mark.parametrize("dt", [10.0, 25.0])
def test_long_time_steps(cell: Passive, dt: float) -> None:
    h.dt = dt
    found = []
    for mode in MODES:
        with gradmod.Simulation(parameters(cell), looks(cell), 80 * dt, mode=mode, quiet=True) as simulation:
            x = simulation.x
            assert simulation(x).shape == (2, 81)
            found.append(simulation.vjp(x, WEIGHTS))
    assert found[0] == pytest.approx(found[1], rel=1e-9)


# --- processes and threads --------------------------------------------------------------------------------------------


def in_a_child(action: Callable[[], object]) -> str:
    """What an action comes to in a forked child: its result, or what it raised."""
    receive, send = os.pipe()
    child = os.fork()
    if not child:
        try:
            answer = repr(action())
        except BaseException as error:
            answer = f"{type(error).__name__}: {error}"
        os.write(send, answer.encode())
        os._exit(0)
    os.close(send)
    with os.fdopen(receive) as file:
        answer = file.read()
    os.waitpid(child, 0)
    return answer


@pytest.mark.parametrize("memory", [64, 0.008])
def test_a_forked_child_has_no_part_in_it(cell: Passive, memory: float) -> None:
    with gradmod.Reverse(memory=memory, **parameters(cell)) as reverse:
        trace = reverse.record(cell["soma"](0.5))
        reverse.run(8, simulate=run)
        loss = {trace: WEIGHTS[0]}
        expected = dict(reverse.gradient(loss))
        for action in (lambda: reverse.gradient(loss), lambda: reverse.run(8, simulate=run)):
            assert "made in another process" in in_a_child(action)
        assert in_a_child(reverse.close) == "None"
        assert dict(reverse.gradient(loss)) == expected


def test_a_child_forked_during_a_run_writes_nothing(cell: Passive) -> None:
    def simulate(disturb: bool = True) -> None:
        run(3.0)
        if disturb:
            cell_goes_on = lambda: (cell["twig"].psection(), h.continuerun(8))  # noqa: E731
            amplitude = cell.clamps[0].amp
            cell.clamps[0].amp += 1
            assert "None" not in in_a_child(cell_goes_on)[:4]
            cell.clamps[0].amp = amplitude
        h.continuerun(8)

    with gradmod.Reverse(memory=0.008, **parameters(cell)) as reverse:
        trace = reverse.record(cell["soma"](0.5))
        found = []
        for disturb in (False, True):
            reverse.run(8, simulate=lambda disturb=disturb: simulate(disturb))
            found.append(dict(reverse.gradient({trace: WEIGHTS[0]})))
    assert found[0] == found[1]


@pytest.mark.parametrize("memory", [64, 0.008])
def test_a_run_outlives_its_thread(cell: Passive, memory: float) -> None:
    with gradmod.Reverse(memory=memory, **parameters(cell)) as reverse:
        trace = reverse.record(cell["soma"](0.5))
        found = []
        for _ in range(2):
            thread = threading.Thread(target=lambda: reverse.run(8, simulate=run))
            thread.start()
            thread.join()
            found.append(dict(reverse.gradient({trace: WEIGHTS[0]})))
    assert found[0] == found[1] and found[0]["g"] != 0


@pytest.mark.parametrize("gap", [-1e-3, 1e-3])
def test_a_clock_that_gathers_rounding(cell: Passive, monkeypatch: pytest.MonkeyPatch, gap: float) -> None:
    """After hours of a run, a window does not end when the clock says that it should."""
    call_at = neuron_calls.call_at
    monkeypatch.setattr(neuron_calls, "call_at", lambda time, function: call_at(time + gap, function))
    found = []
    for memory in (64, 0.008):
        with gradmod.Reverse(memory=memory, **parameters(cell)) as reverse:
            trace = reverse.record(cell["soma"](0.5))
            reverse.run(8, simulate=run)
            assert reverse.last is not None and (reverse.last.windows.count > 3) is (memory < 1)
            found.append(dict(reverse.gradient({trace: WEIGHTS[0]})))
    assert found[0] == found[1]
