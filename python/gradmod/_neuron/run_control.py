"""Runs: initialised, advanced, stopped, and interrupted by calls of Python."""

from __future__ import annotations

import signal
from collections.abc import Callable
from typing import Any

from .interpreter import h
from .mechanism import is_number


def run(dt: float, t_stop: float, v_init: float, celsius: float) -> None:
    """Initialise and run with a fixed step; times in ms, voltage in mV."""
    h.celsius, h.dt = celsius, dt
    h.finitialize(v_init)
    solve(round(t_stop / dt) * dt)


def advance() -> None:
    """One step."""
    h.fadvance()


def solve(until: float) -> None:
    """Run to a time, without what HOC's run system does at every step."""
    context = h.ParallelContext()
    context.set_maxstep(longest_step())
    try:
        context.psolve(until)
    except BaseException:
        stop_clock()
        raise


def longest_step() -> float:
    """How long ``psolve`` may go without looking for events of other ranks, in ms: more than a time step."""
    return max(10.0, 2.0 * float(h.dt))


def v_init() -> float:
    """Where the run system (stdrun.hoc) begins, in mV; -65 where it was not loaded, as that does."""
    return float(h.v_init) if is_number(h, "v_init") else -65.0


def stop_run() -> None:
    """End the run that is going on after the present step."""
    h.stoprun = 1


def let_run() -> None:
    """Take back :func:`stop_run`, which would stop the next run too."""
    h.stoprun = 0


def stop_clock() -> None:
    """Stop what an error leaves behind that breaks ``psolve`` off: NEURON ends the process 20 s later."""
    if hasattr(signal, "setitimer") and signal.getsignal(signal.SIGALRM) in (None, signal.SIG_DFL):
        signal.setitimer(signal.ITIMER_REAL, 0)


def call_at(time: float, function: Callable[[], None]) -> None:
    """Call a function between two steps of the run, at a time in ms."""
    h.CVode().event(time, function)


def on_finitialize(kind: int, function: Callable[[], None]) -> Any:
    """Call a function at every ``finitialize``; lives as long as what is returned."""
    return h.FInitializeHandler(kind, function)
