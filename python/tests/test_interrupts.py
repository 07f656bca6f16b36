"""Ctrl-C always arrives, and what it interrupted is not used."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from typing import Any

import gradmod
import numpy as np
import pytest
from conftest import Passive, run
from gradmod._reverse import windows
from neuron import h
from test_runs import MODES, WEIGHTS, cell, looks, parameters  # noqa: F401


@pytest.fixture(autouse=True)
def keyboard() -> Iterator[None]:
    """What starts the tests may have told this process to ignore the keyboard."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    signal.signal(signal.SIGINT, before)


def interrupt() -> None:
    os.kill(os.getpid(), signal.SIGINT)


def once(condition: Callable[[], bool] = lambda: True) -> Callable[[], None]:
    done: list[bool] = []

    def action() -> None:
        if not done and condition():
            done.append(True)
            interrupt()

    return action


def test_at_the_borders_of_windows(cell: Passive, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    """Four windows; an interrupt while each copy is made, by a run of ours and by one of the script's."""
    me, real = os.getpid(), os.fork
    count, at = [0], [0]

    def fork() -> int:
        pid = real()
        if pid and os.getpid() == me:
            count[0] += 1
            if count[0] == at[0]:
                interrupt()
        return pid

    monkeypatch.setattr(windows.os, "fork", fork)
    for simulate in (None, run):
        with gradmod.Reverse(memory=0.008, **parameters(cell)) as reverse:
            trace = reverse.record(cell["soma"](0.5))
            loss = {trace: WEIGHTS[0]}
            count[0] = 0
            reverse.run(8, v_init=-66, simulate=simulate)
            goal, forks = dict(reverse.gradient(loss)), count[0]
            assert forks > 2
            for at[0] in range(1, forks + 1):
                count[0] = 0
                with pytest.raises(KeyboardInterrupt):
                    reverse.run(8, v_init=-66, simulate=simulate)
                with pytest.raises(gradmod.Error, match="call run"):
                    reverse.gradient(loss)
                at[0] = 0
                reverse.run(8, v_init=-66, simulate=simulate)
                assert dict(reverse.gradient(loss)) == goal
            at[0] = 0


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("memory", [64, 0.008])
def test_where_neuron_calls_the_script(cell: Passive, mode: str, memory: float) -> None:  # noqa: F811
    """In handlers of ``finitialize`` and at events, NEURON swallows it, or does not survive it."""
    if mode == "forward" and memory < 1:
        return
    chosen: dict[str, Any] = {"mode": mode, "memory": memory, "v_init": -66.0, "quiet": True}
    with gradmod.Simulation(parameters(cell), looks(cell), 8.0, **chosen) as simulation:
        x = simulation.x
        traces, goal = simulation(x), simulation.vjp(x, WEIGHTS)
        for kind in (3, 0, 1, 2):
            handler = h.FInitializeHandler(kind, once())
            with pytest.raises(KeyboardInterrupt):
                simulation(x)
            del handler
            assert np.array_equal(simulation(x), traces)
        for time in (0.0, 3.05, 7.95):
            handler = h.FInitializeHandler(1, lambda time=time: h.CVode().event(time, once()))
            with pytest.raises(KeyboardInterrupt):
                simulation(x)
            del handler
            assert np.array_equal(simulation.vjp(x, WEIGHTS), goal)


def test_in_a_run_of_the_script_with_gradients_attached(cell: Passive) -> None:  # noqa: F811
    """Gradients follow the model when it is initialised: half of that is not enough."""
    steps: list[Callable[[], None]] = []

    def weight(_: Any) -> float:
        for step in steps:
            step()
        return 1.0

    gradients = gradmod.attach(g=gradmod.Range("g_pas", cell.with_pas, weight))
    record = gradients.record(cell["soma"](0.5))
    run()
    goal = record["g"]
    steps.append(once())
    with pytest.raises(KeyboardInterrupt):
        run()
        time.sleep(5)
    steps.clear()
    with pytest.raises(gradmod.Error, match="finitialize was interrupted"):
        _ = record["g"]
    run()
    assert np.array_equal(record["g"], goal)
    gradients.detach()


def test_a_script_that_handles_interrupts_by_itself(cell: Passive) -> None:  # noqa: F811
    came: list[int] = []
    signal.signal(signal.SIGINT, lambda number, _: came.append(number))
    handler = h.FInitializeHandler(1, once())
    with gradmod.Reverse(**parameters(cell)) as reverse:
        trace = reverse.record(cell["soma"](0.5))
        reverse.run(8, simulate=run)
        assert reverse.gradient({trace: WEIGHTS[0]})["g"] != 0
    del handler
    assert came == [signal.SIGINT]
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.mark.parametrize("memory", [64, 0.008])
def test_during_a_gradient(cell: Passive, memory: float) -> None:  # noqa: F811
    with gradmod.Reverse(memory=memory, **parameters(cell)) as reverse:
        trace = reverse.record(cell["soma"](0.5))
        loss = {trace: WEIGHTS[0]}
        reverse.run(8, simulate=run)
        goal = dict(reverse.gradient(loss))
        act = once()
        with pytest.raises(KeyboardInterrupt):
            reverse.gradient(loss, progress=lambda _: act())
        with pytest.raises(gradmod.Error, match="call run"):
            reverse.gradient(loss)
        reverse.run(8, simulate=run)
        assert dict(reverse.gradient(loss)) == goal


def test_a_copy_that_was_killed(cell: Passive) -> None:  # noqa: F811
    with gradmod.Reverse(memory=0.008, **parameters(cell)) as reverse:
        trace = reverse.record(cell["soma"](0.5))
        loss = {trace: WEIGHTS[0]}
        reverse.run(8, simulate=run)
        goal = dict(reverse.gradient(loss))
        reverse.run(8, simulate=run)
        assert reverse.last is not None
        for copy in reverse.last.windows._copies:
            os.kill(copy._pid, signal.SIGKILL)
        with pytest.raises(gradmod.Error, match=r"a copy of this process, made to compute .* died: call run"):
            reverse.gradient(loss)
        reverse.run(8, simulate=run)
        assert dict(reverse.gradient(loss)) == goal
