"""Problems: modes, numbers that set several parameters, robust sweeps, several places, doubts."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import gradmod
import numpy as np
import pytest
from gradmod.fit import (
    Free,
    Problem,
    Robust,
    Scale,
    Sweep,
    TraceTarget,
    growing,
    hessian_vector,
    least_squares,
    minimise,
)
from models.fitted import DURATION, TRUTH, Cell, problem
from neuron import h


@pytest.fixture
def cell() -> Cell:
    made = Cell()
    made.set(**TRUTH)
    return made


AT = {"gna": 0.117, "gk": 0.037, "cm": 1.02}


def differences(f: Callable[[np.ndarray], np.ndarray], u: np.ndarray, k: int, mine: np.ndarray) -> float:
    """How far the best of several central differences is from a derivative, relatively."""
    best = np.inf
    for step in (1e-2, 3e-3, 1e-3, 3e-4, 1e-4, 3e-5, 1e-5, 3e-6, 1e-6):
        by = step * np.eye(len(u))[k]
        theirs = (f(u + by) - f(u - by)) / (2 * step)
        best = min(best, float(np.abs(mine - theirs).max() / np.abs(theirs).max()))
    return best


def test_reverse_mode_is_forward_mode(cell: Cell) -> None:
    sweeps = [cell.sweep(0.3), cell.stepped(0.12)]
    with Problem(cell.free(), sweeps, keep=cell) as forward:
        u = forward.inner(list(AT.values()))
        first = forward.evaluate(u)
    with Problem(cell.free(), sweeps, keep=cell, mode="reverse") as reverse:
        second = reverse.evaluate(u)
        assert reverse.mode == "reverse"
        with pytest.raises(gradmod.Error, match="a Jacobian needs forward mode"):
            _ = second.jacobian
        with pytest.raises(gradmod.Error, match="a Jacobian needs forward mode"):
            least_squares(reverse, AT, progress=False)
    assert second.names == first.names
    # Voltages are the same, times but for rounding: forward mode has NEURON's own.
    for one, other in zip(first.traces, second.traces, strict=True):
        assert np.array_equal(one.values, other.values)
    assert np.allclose(second.values, first.values, rtol=1e-9)
    assert second.cost == pytest.approx(first.cost, rel=1e-10)
    assert np.allclose(second.gradient, first.gradient, rtol=1e-8)
    assert np.allclose(first.gradient, first.jacobian.T @ first.values, rtol=1e-12)
    assert np.array_equal(first.fisher, first.jacobian.T @ first.jacobian)


def test_many_numbers(cell: Cell) -> None:
    """A conductance in each segment, found by gradients made backwards."""
    for seg, value in zip(cell.dend, (1e-4, 4e-4, 9e-4), strict=True):
        seg.g_pas = value
    v = {}
    for x in (0.1, 0.9):
        vector = h.Vector().record(cell.dend(x)._ref_v)
        t, _ = cell.trace(0.05)
        v[x] = np.array(vector)
    targets = {x: [TraceTarget(values[::10], t[::10], 0.1)] for x, values in v.items()}
    sweep = Sweep(
        "pulse", cell.dend(0.1), DURATION, targets[0.1], before=partial(cell.amp, 0.05),
        others=[(cell.dend(0.9), targets[0.9])],
    )  # fmt: skip
    free = {"g": Free(gradmod.PerSegment("g_pas", cell.dend), 1e-5, 1e-2)}
    with Problem(free, [sweep], mode="reverse", keep=cell) as made:
        assert made.names == ["g[0]", "g[1]", "g[2]"]
        u = made.inner([2e-4, 3e-4, 5e-4])
        evaluated = made.evaluate(u)
        assert evaluated.names[0].startswith("pulse: ") and "dend(0.1" in evaluated.names[0]
        assert {seen.name for seen in evaluated.traces} == {f"pulse: {cell.dend(x)}" for x in (0.1, 0.9)}
        for k in range(3):
            assert differences(lambda w: np.array([made.evaluate(w).cost]), u, k, evaluated.gradient[k]) < 1e-6
        found = minimise(made, dict(zip(made.names, (2e-4, 3e-4, 5e-4), strict=True)), runs=150, progress=False)
    assert found.certainty is None
    assert np.allclose(list(found.x.values()), (1e-4, 4e-4, 9e-4), rtol=0.02)


def test_a_number_that_sets_several_parameters(cell: Cell) -> None:
    cell.dend.insert("hh")
    cell.dend.gkbar_hh = 0.036
    profile = gradmod.Profile(
        "g_pas", cell.dend, lambda seg, low, high: low + (high - low) * seg.x**2, low=2e-4, high=1e-3
    )
    parameters: dict[str, Any] = {
        "gk": Free([gradmod.Range("gkbar_hh", cell.soma), gradmod.Range("gkbar_hh", cell.dend, weight=1.0)], 0.01, 0.1),
        "high": Free(profile["high"], 1e-4, 1e-2),
        "e": Free([gradmod.Range("e_pas", cell.dend(x)) for x in (0.1, 0.9)], -90, -50, Scale.LINEAR),
    }  # fmt: skip
    with Problem(parameters, [cell.stepped(0.2), cell.sweep(0.3)], keep=cell) as made:
        assert np.array_equal(made.x, [0.036, 1e-3, -70.0])
        u = made.inner([0.034, 8e-4, -67.0])
        mine = made.jacobian(u)
        assert cell.soma.gkbar_hh == cell.dend.gkbar_hh == pytest.approx(0.034)
        for k in range(3):
            assert differences(made.residuals, u, k, mine[:, k]) < 1e-6
    cell.dend.gkbar_hh = 0.02
    with pytest.raises(gradmod.Error, match=r"gk sets several parameters, which are 0\.034 and 0\.02"):
        Problem(parameters, [cell.stepped(0.2)], keep=cell)


@pytest.mark.parametrize("robust", list(Robust))
def test_robust_sweeps(cell: Cell, robust: Robust) -> None:
    """The cost is SciPy's, and the Jacobian that of the shrunk residuals."""
    from scipy.optimize import least_squares as scipys

    plain = cell.stepped(0.12)
    made = Sweep(plain.name, plain.place, DURATION, plain.targets, before=plain.before, robust=robust, weight=2.0)
    with Problem(cell.free(), [plain], keep=cell) as whole:
        u = whole.inner(list(AT.values()))
        residuals = whole.evaluate(u).values
    assert np.abs(residuals).max() > 1.5 > 0.1 > np.abs(residuals).min()
    with Problem(cell.free(), [made], keep=cell) as shrunk:
        evaluated = shrunk.evaluate(u)
        for k in range(3):
            assert differences(shrunk.residuals, u, k, evaluated.jacobian[:, k]) < 1e-6
    fixed: Any = scipys(lambda x: residuals + 0 * x[0], [0.0], loss=robust.value, max_nfev=1)
    assert evaluated.cost == pytest.approx(2 * fixed.cost, rel=1e-12)
    values, slopes = robust.shrink(np.array([0.0, 1e-12, -1e-12, 1e-7, -3.0]))
    assert np.all(np.isfinite(slopes)) and slopes[0] == 1.0
    assert np.array_equal(np.sign(values), [0, 1, -1, 1, -1])


def test_several_sweeps_at_one_place_are_one_recording(cell: Cell) -> None:
    with Problem(cell.free(), [cell.sweep(0.3), cell.stepped(0.12), cell.stepped(0.2)], keep=cell) as made:
        assert len(made._simulation.variables) == 1
        traces = made.evaluate(made.inner(made.x)).traces
    assert [seen.name for seen in traces] == ["0.3 nA", "0.12 nA", "0.2 nA"]
    assert {seen.unit for seen in traces} == {"v (mV)"}


def test_places_of_several_sweeps_between_samples(cell: Cell) -> None:
    """Each sweep at a place of its own, compared at times that are no samples."""
    sweeps = []
    for amp, place in ((0.12, cell.soma(0.5)), (0.3, cell.dend(0.9))):
        vector = h.Vector().record(place._ref_v)
        t, _ = cell.trace(amp)
        times = np.arange(0.5, 38.0, 0.737)
        target = TraceTarget(np.interp(times, t, np.array(vector)) + 0.3, times, 0.5)
        sweeps.append(Sweep(f"{amp} nA", place, DURATION, [target], before=partial(cell.amp, amp)))
    with Problem(cell.free(), sweeps, keep=cell) as made:
        at_truth = made.evaluate(made.inner(list(TRUTH.values()))).values
        assert np.allclose(at_truth, -0.6, atol=2e-2)  # the target is 0.3 mV above, the uncertainty 0.5 mV
        u = made.inner(list(AT.values()))
        mine = made.jacobian(u)
        for k in range(3):
            assert differences(made.residuals, u, k, mine[:, k]) < 1e-6


def test_a_state_as_a_target(cell: Cell) -> None:
    recorded = h.Vector().record(cell.soma(0.5)._ref_n_hh)
    t, _ = cell.trace(0.3)
    target = TraceTarget(np.array(recorded)[::20], t[::20], 0.01, "n")
    sweep = Sweep("gate", (cell.soma(0.5), "n_hh"), DURATION, [target], before=partial(cell.amp, 0.3))
    with Problem(cell.free(), [sweep], keep=cell) as made:
        u = made.inner(list(AT.values()))
        evaluated = made.evaluate(u)
        for k in range(3):
            assert differences(made.residuals, u, k, evaluated.jacobian[:, k]) < 1e-6
        assert evaluated.traces[0].unit == "n_hh"


def test_windows_that_grow(cell: Cell) -> None:
    sweep = cell.stepped(0.3, every=4)
    with Problem(cell.free(), [sweep], keep=cell) as made:
        far = {"gna": 0.2, "gk": 0.024, "cm": 0.8}
        made.horizon = 9.0
        cut = made.evaluate(made.inner(list(far.values())))
        assert cut.traces[0].t[-1] == pytest.approx(9.0)
        assert len(cut.values) == 91
        made.horizon = None
        alone = least_squares(made, far, runs=60, progress=False)
        grown = growing(made, [9.0, 16.0, 24.0, 32.0], far, runs=12, progress=False)
        assert made.horizon is None
        assert grown.cost < 1e-6 < 1e3 < alone.cost or alone.cost < 1e-6
        assert grown.evaluations <= 60
        assert grown.history[-1][0] == grown.evaluations
        with pytest.raises(gradmod.Error, match="must be above 0 ms and rise"):
            growing(made, [20.0, 10.0], far)
        with pytest.raises(gradmod.Error, match="the run has no time step"):
            made.horizon = 1e-9
            Problem.evaluate(made, made.inner(list(far.values())))
    with (
        Problem(cell.free(), [cell.sweep(0.3)], keep=cell) as made,
        pytest.raises(gradmod.Error, match="a FeatureTarget is of a whole trace"),
    ):
        growing(made, [10.0], far)


def test_hessian_times_vector() -> None:
    """Beside second differences of the cost, and the Fisher matrix where residuals vanish."""
    with problem() as made:
        u = made.inner(list(AT.values()))
        for vector in np.array([[0.3, -0.2, 0.5], [2.0, 0.0, 0.0]]):
            found = hessian_vector(made, u, vector)
            assert found.error < 1e-4 * np.linalg.norm(found.product)
            best = np.inf
            for step in (1e-2, 3e-3, 1e-3, 3e-4):
                costs = [made.evaluate(u + by * vector).cost for by in (-step, 0.0, step)]
                second = (costs[0] - 2 * costs[1] + costs[2]) / step**2
                best = min(best, abs(vector @ found.product / second - 1))
            assert best < 1e-3
        truth = made.inner(list(TRUTH.values()))
        fisher = made.evaluate(truth).fisher
        found = hessian_vector(made, truth, [0.1, 0.1, -0.3])
        assert np.allclose(found.product, fisher @ [0.1, 0.1, -0.3], rtol=1e-3)
        with pytest.raises(gradmod.Error, match="length above 0"):
            hessian_vector(made, u, [0, 0, 0])
        with pytest.raises(gradmod.Error, match="u has shape"):
            hessian_vector(made, u[:2], [1, 0, 0])
        with pytest.raises(gradmod.Error, match="widen the bounds"):
            hessian_vector(made, made.bounds[1], [1, 0, 0])


@pytest.mark.parametrize(
    ("by", "said"),
    [
        ((1e-3, 1.0), "is it in volts"),
        ((1.0, 1e-3), "are they in seconds"),
    ],
)
def test_volts_and_seconds(cell: Cell, by: tuple[float, float], said: str) -> None:
    t, v = cell.trace(0.12)
    target = TraceTarget(v * by[0], t * by[1], 1.0)
    sweep = Sweep("step", cell.soma(0.5), DURATION, [target], before=partial(cell.amp, 0.12))
    with Problem(cell.free(), [sweep], keep=cell) as made:
        u = made.inner(made.x)
        with pytest.warns(UserWarning, match=said):
            made.evaluate(u)
        made.evaluate(u)  # once is enough


def test_features_in_volts_and_seconds(cell: Cell) -> None:
    from gradmod.features import Features
    from gradmod.fit import FeatureTarget

    asked = Features(["peak_time", "voltage_base"], stim_start=4, stim_end=36)
    found = asked.of(*cell.trace(0.3))
    for name, said in (("peak_time", "in seconds"), ("voltage_base", "in volts")):
        target = FeatureTarget(asked, {name: found[name] * 1e-3}, 1.0)
        sweep = Sweep("step", cell.soma(0.5), DURATION, [target], before=partial(cell.amp, 0.3))
        with Problem(cell.free(), [sweep], keep=cell) as made, pytest.warns(UserWarning, match=said):
            made.evaluate(made.inner(made.x))


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda c: Free([], 0.1, 0.5), "sets nothing"),
        (lambda c: Problem({}, [c.stepped(0.1)]), "there are no parameters"),
        (lambda c: Sweep("a", c.soma(0.5), -1, [c.stepped(0.1).targets[0]]), "the duration of the sweep a is -1 ms"),
        (lambda c: Sweep("a", c.soma(0.5), 1, c.stepped(0.1).targets, weight=-1), "the weight of the sweep a is -1"),
        (lambda c: TraceTarget([1, np.nan], [1, 2], 1), "the target is not finite"),
        (
            lambda c: Problem(
                {"a": Free([gradmod.PerSegment("g_pas", c.dend), gradmod.Range("cm", c.soma)], 1, 2)},
                [c.stepped(0.1)],
                mode="reverse",
            ),
            "a: its parameters are 3, 1 numbers",
        ),
        (lambda c: Problem({"g": Free(gradmod.PerSegment("g_pas", c.dend), 1, 2)}, [c.stepped(0.1)]), "reverse"),
    ],
)
def test_misuse(cell: Cell, make: Any, said: str) -> None:
    with pytest.raises(gradmod.Error, match=said):
        make(cell)
