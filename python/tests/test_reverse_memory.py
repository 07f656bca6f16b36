"""Reverse mode in windows, and what becomes of its processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import gradmod
import numpy as np
import pytest
from conftest import Passive, run
from models import comparing, everything, reference, twig
from neuron import h


def gradients(memory: float, simulate: Any, duration: float, where: Any, *, times: int = 1, **parameters: Any) -> Any:
    with gradmod.Reverse(memory=memory, **parameters) as reverse:
        trace = reverse.record(where)
        reverse.run(duration, simulate=simulate)
        weights = np.sin(np.arange(len(trace.values)))
        found = [reverse.gradient({trace: weights}) for _ in range(times)]
        return reverse, [{name: np.array(value) for name, value in gradient.items()} for gradient in found]


def test_windows_change_nothing() -> None:
    model = reference.branched()
    times, voltage = h.Vector().record(h._ref_t), h.Vector().record(model.soma(0.5)._ref_v)
    parameters = {name: gradmod.PerSegment(name, model.all) for name in reference.PARAMETERS}
    duration, seen = reference.T_STOP, []
    before = children()

    def simulate() -> None:
        reference.run()
        seen.append(os.getpid())

    _, (whole,) = gradients(64, simulate, duration, model.soma(0.5), **parameters)
    plain = voltage.as_numpy().copy()
    # 4.3 MiB in all: nine windows.
    _, (once, again) = gradients(1, simulate, duration, model.soma(0.5), times=2, **parameters)
    assert np.array_equal(voltage.as_numpy(), plain)
    assert len(times) == len(plain)
    assert seen == [os.getpid()] * 2
    for name, value in whole.items():
        assert np.array_equal(once[name], value)
        assert np.array_equal(again[name], value)
    assert children() <= before


@pytest.mark.parametrize("mechanism", ["nacarry", "kwatch"])
def test_windows_with_values_that_are_carried_along(mechanism: str) -> None:
    """nacarry has one that NEURON does not show, kwatch some that BEFORE and AFTER blocks change."""
    cell = twig.Twig((mechanism,))
    parameters = {"g": gradmod.Range(f"gbar_{mechanism}", cell.all), "v": gradmod.InitialVoltage()}

    def simulate() -> None:
        cell.run(0.025, 6.0)

    _, (whole,) = gradients(64, simulate, 6.0, cell.soma(0.5), **parameters)
    _, (parts,) = gradients(0.02, simulate, 6.0, cell.soma(0.5), **parameters)
    assert parts == whole


def test_windows_where_the_first_step_needs_what_nothing_shows() -> None:
    """What INITIAL and BEFORE BREAKPOINT leave is in the first frame only; its place is taken by a later window."""
    cell = twig.Twig(("kfore",))
    lone = h.Section(name="lone")
    lone.insert("kfore")
    sections = [*cell.all, lone]
    for number, segment in enumerate(segment for section in sections for segment in section):
        segment.kfore.gbar, segment.kfore.slope = 0.002 + 1e-4 * number, 40 + 3 * number
    names = ("gbar_kfore", "slope_kfore")
    directions = {name: everything.range_of(name, name, sections) for name in names}
    parameters = {name: directions[name][0] for name in names}
    vectors = cell.vectors | {f"{place}.v": h.Vector().record(place._ref_v) for place in (cell.soma(0.5), lone(0.5))}

    def simulate() -> dict[str, Any]:
        cell.run(0.1, 6.0)
        return {name: vector.as_numpy().copy() for name, vector in vectors.items()}

    found = comparing.gradients(directions, [(cell.soma(0.5), "v"), (lone(0.5), "v")], simulate)
    assert comparing.wrong(found, directions, simulate) == {}
    for place in (cell.soma(0.5), lone(0.5)):
        _, (whole,) = gradients(64, simulate, 6.0, place, **parameters)
        _, (parts, again) = gradients(0.005, simulate, 6.0, place, times=2, **parameters)
        assert parts == again == whole
        for name in names:
            trace = found[name][f"{place}.v"]
            assert float(whole[name]) == pytest.approx(np.sum(np.sin(np.arange(len(trace))) * trace), rel=1e-9)


def test_too_little_memory(passive: Passive) -> None:
    with (
        gradmod.Reverse(g=gradmod.Range("g_pas", passive.with_pas), memory=1e-4) as reverse,
        pytest.raises(gradmod.Error, match="too little"),
    ):
        reverse.run(8, simulate=run)


def children() -> set[int]:
    """Processes whose parent is this one, those that ended left out."""
    found = set()
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = status.read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if int(fields[1]) == os.getpid() and fields[0] != "Z":
            found.add(int(status.parent.name))
    return found


needs_proc = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks for processes in /proc")


@needs_proc
def test_a_run_in_one_window_needs_no_other_process(passive: Passive) -> None:
    before = children()
    with gradmod.Reverse(g=gradmod.Range("g_pas", passive.with_pas)) as reverse:
        trace = reverse.record(passive["soma"](0.5))
        reverse.run(8, simulate=run)
        assert children() == before
        assert reverse.gradient({trace: np.ones(len(trace.values))})["g"] != 0.0
        assert children() == before


def test_a_run_that_fails_leaves_the_model_usable(passive: Passive) -> None:
    def fail() -> None:
        run(2.0)
        raise ZeroDivisionError

    with gradmod.Reverse(g=gradmod.Range("g_pas", passive.with_pas), memory=0.01) as reverse:
        trace = reverse.record(passive["soma"](0.5))
        voltage = h.Vector().record(passive["soma"](0.5)._ref_v)
        run()
        plain = voltage.as_numpy().copy()
        with pytest.raises(ZeroDivisionError):
            reverse.run(8, simulate=fail)
        with pytest.raises(gradmod.Error, match="call run"):
            reverse.gradient({trace: np.ones(len(plain))})
        run()
        assert np.array_equal(voltage.as_numpy(), plain)
        h.dt = 0.1
        reverse.run(8, simulate=run)
        assert np.array_equal(trace.values, plain)


# A shell makes the processes that it starts in the background ignore SIGINT, and they hand that on.
SCRIPT = """
import gradmod, signal, numpy as np
from neuron import h
signal.signal(signal.SIGINT, signal.default_int_handler)
soma = h.Section(name="soma"); soma.insert("hh"); soma.nseg = 50
clamp = h.IClamp(soma(0.5)); clamp.delay, clamp.dur, clamp.amp = 1, 1e9, 1.0
reverse = gradmod.Reverse(g=gradmod.Range("gnabar_hh", soma), memory=4)
trace = reverse.record(soma(0.5))
reverse.run(2000)
print("back", flush=True)
try:
    reverse.gradient({trace: np.ones(len(trace.values))})
except KeyboardInterrupt:
    h.finitialize(-65); h.fadvance()
    print("usable", soma.v, flush=True)
"""


@needs_proc
@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGINT])
def test_nothing_is_left_of_a_process_that_is_stopped(sent: signal.Signals) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT], stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "back\n"
    time.sleep(0.3)
    below = descendants(process.pid)
    assert len(below) > 2  # the worker and the copies
    os.killpg(process.pid, sent)
    rest = process.stdout.read()
    process.wait(60)
    process.stdout.close()
    assert rest.startswith("usable") is (sent == signal.SIGINT)
    deadline = time.monotonic() + 20
    while (left := [pid for pid in below if is_running(pid)]) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not left


def descendants(pid: int) -> list[int]:
    below = [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return below + [further for child in below for further in descendants(child)]


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False
