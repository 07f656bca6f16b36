"""Simulations and fits under the variable step: what runs along and what goes back, beside differences."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gradmod
import numpy as np
import pytest
from gradmod import fit
from models.fitted import Cell
from neuron import h
from test_cvode import Cell as Uneven

END = 12.0


@pytest.fixture(autouse=True)
def variable_step() -> Iterator[None]:
    h.cvode_active(1)
    h.cvode.atol(1e-7)
    h.cvode.rtol(0)
    yield
    h.cvode.atol(1e-3)
    h.cvode_active(0)


@pytest.fixture
def cell() -> Cell:
    made = Cell()
    made.amp(0.3)
    return made


def parameters(cell: Cell) -> dict[str, Any]:
    return {
        "gna": gradmod.Range("gnabar_hh", cell.soma),
        "g": gradmod.PerSegment("g_pas", cell.dend),
        "amp": gradmod.Stimulus(cell.clamp, "amp"),
    }


def simulation(cell: Cell, **options: Any) -> gradmod.Simulation:
    return gradmod.Simulation(
        parameters(cell), [cell.soma(0.5), (cell.soma(0.5), "n_hh"), cell.dend(0.9)], END, quiet=True, **options
    )


def sampled(made: gradmod.Simulation, x: np.ndarray) -> np.ndarray:
    h.cvode.atol(1e-10)
    traces = made(x)
    h.cvode.atol(1e-7)
    return traces


def test_jacobian_and_gradient_against_differences(cell: Cell) -> None:
    with simulation(cell, every=0.05) as made:
        assert made.mode == "variable"
        x = made.x
        traces = made(x)
        assert made.t == pytest.approx(np.arange(241) * 0.05) and traces.shape == (3, 241)
        jacobian = made.jacobian(x)
        loss = np.cos(np.arange(traces.size).reshape(traces.shape) / 30.0) / np.array([[1.0], [0.01], [1.0]])
        backwards = made.vjp(x, loss)
        assert backwards == pytest.approx(np.einsum("ps,psk->k", loss, jacobian), rel=1e-9)
        for k, value in enumerate(x):
            step = 2e-4 * value
            sides = [sampled(made, x + sign * step * (np.arange(len(x)) == k)) for sign in (1, -1)]
            expected = (sides[0] - sides[1]) / (2 * step)
            for place in range(3):
                size = np.max(np.abs(expected[place]))
                assert np.max(np.abs(jacobian[place, :, k] - expected[place])) < 1e-3 * size, (made.names[k], place)


def test_runs_that_are_kept(cell: Cell) -> None:
    """Each gradient is of its own run; what there is no room for is run again."""
    for memory in (64.0, 1e-3):
        with simulation(cell, memory=memory) as made:
            x = made.x
            points = [x * scale for scale in (1.0, 1.1, 0.9)]
            kept = [made.keep(point) for point in points]
            loss = np.ones_like(kept[0].traces)
            found = [one.vjp(loss) for one in kept]
            for point, gradient in zip(points, found, strict=True):
                made(point)
                assert np.array_equal(made.vjp(point, loss), gradient)
            assert not np.array_equal(found[0], found[1])
            made.x = x


def test_a_run_that_is_made_again_is_the_same_in_all_that_its_gradient_depends_on(cell: Cell) -> None:
    """Where a conductance is 0 no trace shows its reversal potential, but the derivative by it depends on that."""
    for seg in cell.dend:
        seg.g_pas = 0.0
    asked = {"g": gradmod.Range("g_pas", cell.dend)}
    with gradmod.Simulation(asked, [cell.soma(0.5)], END, memory=1e-3, quiet=True) as made:
        first, second = (made.keep(made.x) for _ in range(2))
        loss = np.ones_like(first.traces)
        gradient = second.vjp(loss)
        assert np.array_equal(first.vjp(loss), gradient) and gradient[0] != 0.0
        third, _ = (made.keep(made.x) for _ in range(2))
        cell.dend.e_pas = -50.0
        assert np.array_equal(made(made.x), third.traces)
        with pytest.raises(gradmod.Refused, match="it was made again, and came out different"):
            third.vjp(loss)


def test_an_uneven_cell_with_two_clamps_against_differences() -> None:
    cell = Uneven("kdr")
    asked = {
        "gna": gradmod.Range("gnabar_hh", cell.all, weight="present"),
        "g": gradmod.PerSegment("gkbar_hh", cell.all),
        "amp": gradmod.PerPointProcess([cell.stimulus, cell.second], "amp"),
    }
    looks = [cell.soma(0.5), cell.long(0.75), cell.short(0.5)]
    with gradmod.Simulation(asked, looks, 6.0, simulate=cell.simulate, every=0.1, quiet=True) as made:
        h.cvode.atol(1e-8)
        x = made.x
        traces, jacobian = made(x), made.jacobian(x)
        loss = np.cos(np.arange(traces.size).reshape(traces.shape) / 20.0)
        assert made.vjp(x, loss) == pytest.approx(np.einsum("ps,psk->k", loss, jacobian), rel=1e-8)
        h.cvode.atol(1e-11)
        for k, value in enumerate(x):
            step = 2e-4 * value
            sides = [made(x + sign * step * (np.arange(len(x)) == k)) for sign in (1, -1)]
            expected = (sides[0] - sides[1]) / (2 * step)
            deviation = np.max(np.abs(jacobian[:, :, k] - expected), axis=1)
            assert np.all(deviation < 1e-3 * np.max(np.abs(expected), axis=1)), made.names[k]


def test_value_and_gradient(cell: Cell) -> None:
    times = np.array([3.0, 5.5, 6.2, 9.0])
    target = np.array([[-65.0, -60.0, 20.0, -70.0]])
    f = gradmod.value_and_grad(
        gradmod.SquaredError(target, times, 0.025), {"gna": gradmod.Range("gnabar_hh", cell.soma)},
        [cell.soma(0.5)], END, quiet=True,
    )  # fmt: skip
    h.cvode.atol(1e-9)
    x = f.simulation.x
    value, gradient = f(x)
    step = 1e-5
    sides = [f(x + sign * step)[0] for sign in (1, -1)]
    assert value > 0 and gradient[0] == pytest.approx((sides[0] - sides[1]) / (2 * step), rel=1e-4)
    f.close()


def test_a_fit(cell: Cell) -> None:
    """By least squares, to features of a run with other parameters; then the fixed step as before."""
    sweeps = [cell.sweep(amp) for amp in (0.12, 0.3)]
    cell.set(gna=0.16, gk=0.03, cm=1.15)
    problem = fit.Problem(cell.free(), sweeps, keep=cell)
    assert problem.mode == "variable" and problem.has_jacobian
    found = fit.least_squares(problem, runs=30, progress=False)
    assert found.cost < 1e-4
    problem.close()


def test_misuse(cell: Cell) -> None:
    with pytest.raises(gradmod.Error, match="spike_times is for the fixed step"):
        simulation(cell, spike_times=True)
    with pytest.raises(gradmod.Refused, match="the variable step is on"):
        simulation(cell, mode="forward")
    model = gradmod.VariableStep(quiet=True, **parameters(cell))
    with pytest.raises(gradmod.Error, match="give either times"):
        model.record(cell.soma(0.5), every=-1.0)
    model.close()
    h.cvode_active(0)
    with simulation(cell) as made:
        assert made.mode == "reverse"
    with pytest.raises(gradmod.Refused, match="the variable step is off"):
        simulation(cell, mode="variable")
