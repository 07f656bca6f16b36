"""Point processes that watch the membrane potential and that set it, against finite differences.

The times of all events are those of the run: its differences say the same as long as no step moves a crossing.
"""

from __future__ import annotations

from typing import Any

import gradmod
import numpy as np
import pytest
from models import comparing, firing
from neuron import h
from test_reverse import compare

DT, T_STOP = 0.025, 9.0


def run_of(cell: firing.Firing) -> Any:
    return lambda: cell.run(DT, T_STOP)


@pytest.mark.parametrize("kind", firing.CURRENT)
def test_forward(kind: str) -> None:
    cell = firing.Firing(kind)
    directions = cell.directions()
    found = comparing.gradients(directions, cell.watched, run_of(cell))
    assert comparing.wrong(found, directions, run_of(cell)) == {}


@pytest.mark.parametrize("delay", [0.0, 0.005])
def test_events_at_the_start(delay: float) -> None:
    """They set v before the first currents are computed, or between these and the first step."""
    cell = firing.Firing("ExpReset")
    cell.source.start, cell.netcons[1].delay = 0.0, delay
    directions = {
        name: cell.directions()[name] for name in ("kick", "v_init", "amp", "Ra", "weight1", "tau", "gbar_ih")
    }
    found = comparing.gradients(directions, cell.watched, run_of(cell))
    assert comparing.wrong(found, directions, run_of(cell)) == {}
    first = found["kick"][f"{cell.soma(0.5)}.v"]
    assert (first[0] != 0.0) == (delay == 0.0)
    assert first[1] != 0.0


def test_reading_between_two_parts_of_a_run_changes_nothing() -> None:
    cell = firing.Firing("ResetQuad")
    # A push right before the end of a step: NEURON delivers it with that step.
    cell.netcons[1].delay = 1.22
    wanted = {name: wanted for name, (wanted, _, _) in cell.directions().items()}
    grad = gradmod.attach(**wanted)
    records = {f"{place}.{name}": grad.record(place, name) for place, name in cell.watched}
    cell.run(DT, T_STOP)
    whole = {d: {name: np.array(record[d]) for name, record in records.items()} for d in wanted}
    spike = cell.spikes[1]
    for until in (3.425, spike - DT, spike, spike + DT, 6.0):
        cell.run(DT, until)
        early = {d: {name: np.array(record[d]) for name, record in records.items()} for d in wanted}
        h.ParallelContext().psolve(T_STOP)
        for d in wanted:
            for name, record in records.items():
                assert np.array_equal(record[d], whole[d][name])
                count = len(early[d][name])
                scale = np.max(np.abs(whole[d][name]))
                assert np.allclose(early[d][name], whole[d][name][:count], rtol=0.0, atol=1e-9 * scale)


def test_events_of_one_kind_at_one_time() -> None:
    """Pushes add up in any order; other changes of v do not."""
    for kind in ("ResetQuad", "ExpReset"):
        cell = firing.Firing(kind)
        again = h.NetCon(cell.source, cell.process)
        again.delay, again.weight[0] = cell.netcons[1].delay, 0.1
        grad = gradmod.attach(amp=gradmod.Stimulus(cell.clamp, "amp"))
        record = grad.record(cell.soma(0.5))
        cell.run(DT, 5.0)
        if kind == "ResetQuad":
            assert np.any(record["amp"])
        else:
            with pytest.raises(gradmod.Refused, match="give their NetCons different delays"):
                record["amp"]
        grad.detach()


def test_v_set_by_others_is_noticed() -> None:
    cell = firing.Firing("HoldSpike")
    grad = gradmod.attach(amp=gradmod.Stimulus(cell.clamp, "amp"))
    record = grad.record(cell.soma(0.5))

    def push() -> None:
        cell.soma(0.5).v += 1.0

    handler = h.FInitializeHandler(1, lambda: h.CVode().event(1.0, push))
    cell.run(DT, 5.0)
    with pytest.raises(gradmod.Refused, match="v was set from outside"):
        record["amp"]
    del handler


@pytest.mark.parametrize(
    ("other", "x", "message"),
    [
        ("HoldSpike", 0.5, "at the same place sets it too"),
        ("AdaptWatch", 0.5, "AdaptWatch.0. at the same place reads it when events come"),
        ("StepSyn", 1.0, "there is no membrane"),
        ("Gap", 0.5, "a POINTER sees v there"),
        ("kwatch", 0.5, "kwatch.* at the same place reads it when events come"),
    ],
)
def test_what_can_not_stand_beside_it(other: str, x: float, message: str) -> None:
    cell = firing.Firing("ResetQuad", x)
    if other == "kwatch":
        cell.soma.insert(other)
    else:
        cell.other = getattr(h, other)(cell.twig(0.5) if other == "Gap" else cell.soma(0.5))  # type: ignore[attr-defined]
    if other == "Gap":
        h.setpointer(cell.soma(0.5)._ref_v, "vgap", cell.other)
    with pytest.raises(gradmod.Refused, match=message):
        gradmod.attach(amp=gradmod.Stimulus(cell.clamp, "amp"))
    # Nothing is left of it.
    assert not any(str(mechanism).startswith("gm_") for mechanism in cell.soma.psection()["density_mechs"])


@pytest.mark.parametrize("kind", firing.CURRENT)
def test_forward_and_reverse_agree(kind: str) -> None:
    cell = firing.Firing(kind)
    plain = cell.run(DT, T_STOP)
    directions = {name: wanted for name, (wanted, _, _) in cell.directions().items()}
    looks = [look for look in cell.watched if look[0] is not cell.process]
    found = compare(directions, looks, run_of(cell), T_STOP)
    after = {name: vector.as_numpy().copy() for name, vector in cell.vectors.items()}
    assert all(np.array_equal(plain[name], after[name]) for name in plain)
    wrong = {name: values for name, values in found.items() if not abs(values[0] - values[1]) <= 1e-9 * values[2]}
    assert not wrong


@pytest.mark.parametrize("steps", [4, 7])
def test_windows_change_nothing(steps: int) -> None:
    """Events that set v fall on the ends of the windows, before and after them."""
    cell = firing.Firing("ResetQuad")
    cell.source.start, cell.source.interval, cell.source.number = 0.7, 0.1, 20
    wanted = {name: wanted for name, (wanted, _, _) in cell.directions().items()}
    with gradmod.Reverse(**wanted) as reverse:
        memory = 2 * (steps + 1) * reverse._recorders.frame.stride * 8 / 2**20
    found = []
    for room in (64.0, memory):
        with gradmod.Reverse(memory=room, **wanted) as reverse:
            trace = reverse.record(cell.soma(0.5))
            h.dt = DT
            reverse.run(4.5, simulate=lambda: cell.run(DT, 4.5))
            found.append(dict(reverse.gradient({trace: np.sin(np.arange(len(trace.values)))})))
    assert found[0] == found[1]
    assert found[0]["weight1"] != 0.0


def test_an_event_that_sets_v_at_the_start_is_refused_in_reverse_mode() -> None:
    cell = firing.Firing("ExpReset")
    cell.source.start, cell.netcons[1].delay = 0.0, 0.005
    h.dt = DT
    with (
        gradmod.Reverse(amp=gradmod.Stimulus(cell.clamp, "amp")) as reverse,
        pytest.raises(gradmod.Refused, match="set v before the first step"),
    ):
        reverse.run(3.0, simulate=lambda: cell.run(DT, 3.0))
