"""A model as a function for optimisers, torch and jax."""

from __future__ import annotations

from typing import Any

import gradmod
import numpy as np
import pytest
from conftest import Passive, run
from models import reference
from neuron import h


def parameters(cell: Passive) -> dict[str, gradmod.Parameter]:
    return {
        "g": gradmod.Range("g_pas", cell.with_pas, weight=lambda seg: 1 + seg.x),
        "each": gradmod.PerSegment("e_pas", cell["trunk"]),
        "Ra": gradmod.Range("Ra", cell["soma"]),
        "amp": gradmod.Stimulus(cell.clamps[0], "amp"),
    }


@pytest.fixture
def simulation(passive: Passive) -> Any:
    for seg in (seg for sec in passive.with_pas for seg in sec):
        seg.pas.g = 1e-4 * (1 + seg.x)
    h.dt = 0.1
    with gradmod.Simulation(
        parameters(passive), [passive["soma"](0.5), passive["bare"](1)], 8.0, simulate=run
    ) as simulation:
        yield simulation


def differences(function: Any, x: np.ndarray) -> np.ndarray:
    found = []
    for i, step in enumerate(1e-5 * np.abs(x)):
        above, below = x.copy(), x.copy()
        above[i] += step
        below[i] -= step
        found.append((function(above) - function(below)) / (above[i] - below[i]))
    return np.array(found)


def test_values_are_read_and_set(simulation: gradmod.Simulation, passive: Passive) -> None:
    x = simulation.x
    assert simulation.names == ["g", *(f"each[{i}]" for i in range(7)), "Ra", "amp"]
    assert x[0] == pytest.approx(1e-4) and x[-1] == 0.2
    x[0] = 3e-4
    x[2] = -80
    traces = simulation(x)
    assert traces.shape == (2, 81) == (2, len(simulation.t))
    assert passive["twig"](0.5).pas.g == pytest.approx(4.5e-4)
    assert [seg.pas.e for seg in passive["trunk"]][:3] == [-70, -80, -70]
    passive["twig"](0.5).pas.g = 1
    with pytest.raises(gradmod.Error, match="g: g_pas is between"):
        _ = simulation.x
    with pytest.raises(gradmod.Error, match="not finite"):
        simulation(np.where(np.arange(len(x)) == 2, np.nan, x))


def test_squared_error_between_samples(simulation: gradmod.Simulation) -> None:
    times = np.array([0.0, 0.25, 3.0, 7.91, 8.0])
    rng = np.random.default_rng(3)
    loss = gradmod.SquaredError(rng.normal(-60, 5, (2, 5)), times, 0.1)
    x = simulation.x
    traces = simulation(x)
    expected = [np.interp(times, simulation.t, row) for row in traces]
    assert loss(traces)[0] == pytest.approx(np.mean((expected - loss.target) ** 2), rel=1e-12)
    function = gradmod.objective.ValueAndGrad(loss, simulation)
    assert function(x)[1] == pytest.approx(differences(lambda y: function(y)[0], x), rel=1e-5)
    with pytest.raises(gradmod.Error, match="after the end"):
        gradmod.SquaredError(np.zeros((2, 1)), [8.05], 0.1)(traces)


def test_a_fit() -> None:
    """Conductances of the reference cell, from a wrong start, by scipy."""
    optimize = pytest.importorskip("scipy.optimize")
    model = reference.single()
    goal = reference.trace(model)[:801]
    looks = gradmod.SquaredError(goal, np.arange(801) * 0.025, 0.025)
    chosen = {name: gradmod.Range(name, model.all) for name in reference.PARAMETERS}
    function = gradmod.value_and_grad(looks, chosen, [model.soma(0.5)], 20.0)
    truth = function.simulation.x
    scale = lambda z: function(truth * np.exp(z))  # noqa: E731
    start = np.array([-0.05, 0.05, 0.3])
    first = scale(start)[0]
    found = optimize.minimize(
        lambda z: (scale(z)[0], scale(z)[1] * truth * np.exp(z)), start, jac=True, method="L-BFGS-B"
    )
    function.close()
    assert found.fun < 1e-4 * first


@pytest.fixture
def forward(passive: Passive) -> Any:
    h.dt = 0.1
    chosen = {name: p for name, p in parameters(passive).items() if name != "each"}
    for seg in (seg for sec in passive.with_pas for seg in sec):
        seg.pas.g = 1e-4 * (1 + seg.x)
    looks = [passive["soma"](0.5), passive["bare"](1)]
    with gradmod.Simulation(chosen, looks, 8.0, simulate=run, mode="forward") as simulation:
        yield simulation


def test_forward_mode_is_reverse_mode(simulation: gradmod.Simulation, forward: gradmod.Simulation) -> None:
    x, y = simulation.x, forward.x
    assert (simulation.mode, forward.mode) == ("reverse", "forward")
    assert np.array_equal(simulation(x), forward(y))
    assert simulation.t == pytest.approx(forward.t)
    weights = np.random.default_rng(5).normal(size=(2, 81))
    mine = dict(zip(simulation.names, simulation.vjp(x, weights), strict=True))
    theirs = dict(zip(forward.names, forward.vjp(y, weights), strict=True))
    scale = np.abs(weights[:, :, None] * forward.jacobian(y)).sum(axis=(0, 1))
    for name, addends in zip(forward.names, scale, strict=True):
        assert mine[name] == pytest.approx(theirs[name], abs=1e-11 * addends), name
    with pytest.raises(gradmod.Error, match="mode='forward'"):
        simulation.jacobian(x)
    with pytest.raises(gradmod.Error, match="mode='forward'"):
        gradmod.Residuals(np.zeros((2, 1)), [1.0], 0.1, simulation)


def test_a_variable_of_a_point_process(passive: Passive) -> None:
    synapse, source = h.ExpSyn(passive["trunk"](0.4)), h.NetStim()
    source.start, source.interval, source.number = 1, 1.5, 3
    netcon = h.NetCon(source, synapse, 0, 0.3, 0.002)
    with gradmod.Simulation(
        {"weight": gradmod.NetConWeight(netcon), "tau": gradmod.Stimulus(synapse, "tau")},
        [(synapse, "g"), passive["soma"](0.5)], 8.0, mode="forward", v_init=-66.0, quiet=True,
    ) as simulation:  # fmt: skip
        x = simulation.x
        found = np.moveaxis(simulation.jacobian(x), -1, 0)
        assert np.allclose(found, differences(simulation, x), rtol=1e-6, atol=1e-9)
        assert np.all(np.any(found, axis=-1))


def test_residuals_between_samples(forward: gradmod.Simulation) -> None:
    times = np.array([0.25, 3.0, 7.91])
    residuals = gradmod.Residuals(np.zeros((2, 3)), times, 0.1, forward)
    x = forward.x
    expected = [np.interp(times, forward.t, row) for row in forward(x)]
    assert residuals(x) == pytest.approx(np.ravel(expected), rel=1e-12)
    slopes = differences(residuals, x).T
    assert residuals.jac(x) == pytest.approx(slopes, rel=1e-5, abs=1e-7 * np.abs(slopes).max())


def test_a_fit_by_least_squares() -> None:
    """The same, by SciPy's least_squares and a Jacobian."""
    optimize = pytest.importorskip("scipy.optimize")
    model = reference.single()
    goal = reference.trace(model)[:801]
    chosen = {name: gradmod.Range(name, model.all) for name in reference.PARAMETERS}
    with gradmod.Simulation(chosen, [model.soma(0.5)], 20.0, mode="forward") as simulation:
        residuals = gradmod.Residuals(goal, np.arange(801) * 0.025, 0.025, simulation)
        truth = simulation.x
        found = optimize.least_squares(
            lambda z: residuals(truth * np.exp(z)),
            np.array([-0.05, 0.05, 0.3]),
            jac=lambda z: residuals.jac(truth * np.exp(z)) * truth * np.exp(z),
        )
    assert found.x == pytest.approx(np.zeros(3), abs=1e-6)


def test_the_mode_is_chosen_and_told(passive: Passive, capfd: pytest.CaptureFixture[str]) -> None:
    """By cost; and forward mode where reverse mode refuses."""
    chosen = parameters(passive)

    def mode(names: tuple[str, ...], **more: gradmod.Parameter) -> str:
        some = {name: chosen[name] for name in names} | more
        with gradmod.Simulation(some, [passive["soma"](0.5)], 8.0, simulate=run) as simulation:
            return simulation.mode

    for seg in (seg for sec in passive.with_pas for seg in sec):
        seg.pas.g = 1e-4 * (1 + seg.x)
    assert mode(("g", "amp")) == "forward"
    assert "forward mode for 2 parameters" in capfd.readouterr().err
    assert mode(("g", "amp", "Ra")) == "reverse"
    assert "reverse mode for 3 parameters" in capfd.readouterr().err
    assert mode(("each",)) == "reverse"
    refused = gradmod.Refused("no")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("gradmod._simulation.backends.Reverse", lambda *_, **__: (_ for _ in ()).throw(refused))
        assert mode(("g", "amp", "Ra")) == "forward"
        with pytest.raises(gradmod.Refused, match="no"):
            mode(("each",))


def test_torch(simulation: gradmod.Simulation) -> None:
    torch = pytest.importorskip("torch")
    from gradmod.torch import simulate

    x = torch.tensor(simulation.x, requires_grad=True)
    weights = torch.linspace(-1, 1, 81, dtype=torch.float64)
    (torch.tanh(simulate(simulation, x) / 50) @ weights).sum().backward()
    loss = lambda y: float((np.tanh(simulation(y) / 50) @ weights.numpy()).sum())  # noqa: E731
    assert x.grad.numpy() == pytest.approx(differences(loss, simulation.x), rel=1e-5)


def test_jax(simulation: gradmod.Simulation) -> None:
    jax = pytest.importorskip("jax")
    from gradmod.jax import simulator

    jax.config.update("jax_enable_x64", True)
    simulate = simulator(simulation)
    weights = np.linspace(-1, 1, 81)
    loss = lambda y: (jax.numpy.tanh(simulate(y) / 50) @ weights).sum()  # noqa: E731
    x = simulation.x
    gradient = jax.jit(jax.grad(loss))(x)
    plain = lambda y: float((np.tanh(simulation(y) / 50) @ weights).sum())  # noqa: E731
    assert np.asarray(gradient) == pytest.approx(differences(plain, x), rel=1e-5)
