"""Events in reverse mode against forward mode, which test_events compares with differences, and against differences."""

from __future__ import annotations

import signal
from typing import Any

import gradmod
import numpy as np
import pytest
from models import library
from neuron import h
from test_events import SYNAPSES, Driven
from test_reverse import compare

DT, T_STOP = 0.025, 4.5


@pytest.mark.parametrize("kind", SYNAPSES)
def test_forward_and_reverse_agree(kind: str) -> None:
    cell = Driven(kind)
    plain = cell.run(DT, T_STOP)
    followed = {name: of for name, of in cell.directions().items() if not name.startswith("hold")}
    directions = {name: wanted for name, (wanted, _, _) in followed.items()}
    found = compare(directions, cell.watched, lambda: cell.run(DT, T_STOP), T_STOP)
    after = {name: vector.as_numpy().copy() for name, vector in cell.vectors.items()}
    assert all(np.array_equal(plain[name], after[name]) for name in plain)
    wrong = {name: values for name, values in found.items() if not abs(values[0] - values[1]) <= 1e-9 * values[2]}
    assert not wrong
    assert all(values[1] != 0.0 for name, values in found.items() if not name.endswith("_far"))


def test_when_events_come_is_not_differentiated() -> None:
    cell = Driven("HoldSyn")
    with pytest.raises(gradmod.Refused, match=r"hold: HoldSyn.hold changes when events come .* forward mode"):
        gradmod.Reverse(hold=gradmod.Stimulus(cell.near, "hold"))


def gradients(cell: Driven, memory: float, *, times: int = 1, **parameters: Any) -> list[dict[str, Any]]:
    with gradmod.Reverse(memory=memory, **parameters) as reverse:
        trace = reverse.record(cell.soma(0.5))
        h.dt = DT
        reverse.run(T_STOP, simulate=lambda: cell.run(DT, T_STOP))
        weights = np.sin(np.arange(len(trace.values)))
        found = [reverse.gradient({trace: weights}) for _ in range(times)]
        return [{name: np.array(value) for name, value in gradient.items()} for gradient in found]


def parameters_of(cell: Driven) -> dict[str, Any]:
    return {
        "weights": gradmod.PerNetCon(cell.netcons),
        "one": gradmod.NetConWeight(cell.netcons[1]),
        "e": gradmod.Stimulus(cell.near, "e"),
        "v": gradmod.InitialVoltage(),
    }


@pytest.mark.parametrize("kind", ["TmSyn", "PulseSyn", "StepSyn", "QuadSyn", "RingSyn"])
@pytest.mark.parametrize("steps", [4, 7])
def test_windows_change_nothing(kind: str, steps: int) -> None:
    """Events fall on the ends of the windows, before and after them."""
    cell = Driven(kind)
    cell.source.start, cell.source.interval = 0.7, 0.1
    cell.source.number = 20
    (whole,) = gradients(cell, 64, **parameters_of(cell))
    plain = {name: vector.as_numpy().copy() for name, vector in cell.vectors.items()}
    with gradmod.Reverse(**parameters_of(cell)) as reverse:
        memory = 2 * (steps + 1) * reverse._recorders.frame.stride * 8 / 2**20
    once, again = gradients(cell, memory, times=2, **parameters_of(cell))
    assert all(np.array_equal(plain[name], vector.as_numpy()) for name, vector in cell.vectors.items())
    for name, value in whole.items():
        assert np.all(value != 0.0)
        assert np.array_equal(once[name], value)
        assert np.array_equal(again[name], value)


def test_a_second_initialisation_begins_anew() -> None:
    cell = Driven("PulseSyn")
    (plain,) = gradients(cell, 64, **parameters_of(cell))
    run = cell.run

    def twice(dt: float, t_stop: float) -> None:
        run(dt, 2.0)
        run(dt, t_stop)

    cell.run = twice  # type: ignore[assignment, method-assign]
    for memory in (64.0, 0.005):
        (found,) = gradients(cell, memory, **parameters_of(cell))
        for name, value in plain.items():
            assert np.array_equal(found[name], value)


def test_each_weight_against_differences() -> None:
    cell = Driven("TmSyn")
    (found,) = gradients(cell, 64, weights=gradmod.PerNetCon(cell.netcons), second=gradmod.PerNetCon(cell.netcons, 1))

    def loss() -> float:
        trace = cell.run(DT, T_STOP)[f"{cell.soma(0.5)}.v"]
        return float(np.sin(np.arange(len(trace))) @ trace)

    for netcon, mine in zip(cell.netcons, found["weights"], strict=True):
        value = netcon.weight[0]

        def central(step: float, netcon: Any = netcon, value: float = value) -> float:
            sums = []
            for netcon.weight[0] in (value * (1 + step), value * (1 - step)):
                sums.append(loss())
            netcon.weight[0] = value
            return (sums[0] - sums[1]) / (2 * step * value)

        assert mine == pytest.approx((4 * central(2e-4) - central(4e-4)) / 3, rel=1e-6)
    # INITIAL of NET_RECEIVE sets it.
    assert not np.any(found["second"])


def test_value_and_grad_of_weights() -> None:
    cell = Driven("Exp2Syn")
    h.dt = DT
    f = gradmod.value_and_grad(
        lambda traces: (float(np.sum(traces**2)), 2 * traces),
        {
            "w": gradmod.PerNetCon(cell.netcons[:2]),
            "far": gradmod.NetConWeight(cell.netcons[2]),
            "e": gradmod.Stimulus(cell.near, "e"),
        },
        [cell.soma(0.5)],
        T_STOP,
        simulate=lambda: cell.run(DT, T_STOP),
    )
    assert f.simulation.names == ["w[0]", "w[1]", "far", "e"]
    x = f.simulation.x
    assert list(x[:3]) == [netcon.weight[0] for netcon in cell.netcons]
    _, gradient = f(x)
    for i, step in enumerate((1e-7, 1e-7, 1e-7, 1e-3)):
        moved = [f(x + sign * step * np.eye(4)[i])[0] for sign in (1, -1)]
        assert gradient[i] == pytest.approx((moved[0] - moved[1]) / (2 * step), rel=1e-5)
    f.close()


@pytest.mark.parametrize(("kind", "parameter"), [("ExpSyn", "tau"), ("StepSyn", "e")])
def test_an_event_without_a_source_is_noticed(kind: str, parameter: str) -> None:
    cell = Driven(kind)
    lonely = h.NetCon(None, cell.near)
    lonely.weight[0] = 0.002
    send = h.FInitializeHandler(1, lambda: lonely.event(1.0))
    with gradmod.Reverse(direction=gradmod.Stimulus(cell.near, parameter)) as reverse:
        trace = reverse.record(cell.soma(0.5))
        h.dt = DT
        with pytest.raises(gradmod.Refused, match=rf"{kind}\[0\].* was changed by something"):
            reverse.run(3.0, simulate=lambda: cell.run(DT, 3.0))
            reverse.gradient({trace: np.ones(len(trace.values))})
    del send


def test_a_netcon_that_watches_another_variable_is_refused() -> None:
    cell = Driven("ExpSyn")
    other = h.NetCon(cell.soma(0.5)._ref_m_hh, cell.near, sec=cell.soma)

    def simulate() -> None:
        cell.keep = h.NetCon(cell.soma(0.5)._ref_n_hh, cell.near, sec=cell.soma)  # type: ignore[attr-defined]
        cell.run(DT, 3.0)

    with gradmod.Reverse(tau=gradmod.Stimulus(cell.near, "tau")) as reverse:
        h.dt = DT
        with pytest.raises(gradmod.Refused, match="other than v"):
            reverse.run(3.0)
        del other
        with pytest.raises(gradmod.Refused, match="other than v"):
            reverse.run(3.0, simulate=simulate)


def test_a_parameter_that_initial_corrects_is_refused() -> None:
    cell = Driven("Exp2Syn")
    cell.near.tau1 = 5.0
    with (
        gradmod.Reverse(tau1=gradmod.Stimulus(cell.near, "tau1")) as reverse,
        pytest.raises(gradmod.Refused, match="INITIAL changed tau1"),
    ):
        reverse.run(1.0)


def test_a_neuron_that_runs_away_has_no_backward_run() -> None:
    library.load_fixtures()
    soma = h.Section(name="soma")
    soma.L = soma.diam = 20
    soma.insert("pas")
    neuron, clamp = h.ExpReset(soma(0.5)), h.IClamp(soma(0.5))
    clamp.delay, clamp.dur, clamp.amp = 1.0, 1e9, 5.0
    h.dt = 0.1
    with (
        gradmod.Reverse(leak=gradmod.Stimulus(neuron, "leak"), quiet=True) as reverse,
        pytest.raises(gradmod.Refused, match="ran so far beyond its threshold"),
    ):
        trace = reverse.record(soma(0.5))
        reverse.run(20.0, v_init=-65.0)
        reverse.gradient({trace: np.ones(201)})


def test_too_many_events(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gradmod._reverse.window_plan._LEAST_LOG", 0.0)
    cell = Driven("TmSyn")
    with gradmod.Reverse(memory=1e-4, e=gradmod.Stimulus(cell.near, "e")) as reverse:
        reverse._memory = 2 * 5 * reverse._recorders.frame.stride * 8 / 2**20
        cell.source.interval, cell.source.number = 0.001, 1000
        h.dt = DT
        with pytest.raises(gradmod.Error, match="more events than there is room for"):
            reverse.run(T_STOP, simulate=lambda: cell.run(DT, T_STOP))
    # The run was not broken off.
    assert h.t == pytest.approx(T_STOP)


def test_an_error_in_a_run_leaves_no_clock() -> None:
    """`psolve` has the process ended when t stands still for 20 s, also after an error that breaks it off."""
    cell = Driven("ExpSyn")

    def simulate() -> None:
        h.finitialize(-65)
        h.CVode().event(1.0, lambda: 1 / 0)
        h.ParallelContext().psolve(3.0)

    with gradmod.Reverse(e=gradmod.Stimulus(cell.near, "e")) as reverse:
        h.dt = DT
        with pytest.raises(RuntimeError):
            reverse.run(3.0, simulate=simulate)
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def test_forward_mode_refuses_many_netcons() -> None:
    cell = Driven("ExpSyn")
    with pytest.raises(gradmod.Error, match="reverse mode"):
        gradmod.attach(w=gradmod.PerNetCon(cell.netcons))
