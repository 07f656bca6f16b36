"""torch and JAX: inputs and batches, each run with its own gradient."""

from __future__ import annotations

from typing import Any

import gradmod
import numpy as np
import pytest
from gradmod._simulation.batches import batch_size
from models.driven import FIRST, SECOND, Driven, differences, loss, slopes

#: MiB: everything fits; windows, of which nothing is kept; room for the last run and one more.
KINDS = [("forward", 64), ("reverse", 64), ("reverse", 0.015), ("reverse", 0.04)]
RUNS = 3
#: What has an axis for the batch: x, all inputs, or x and some of the inputs.
BATCHES = [("x", "forward", 64), ("inputs", "reverse", 64), *(("both", *kind) for kind in KINDS)]


@pytest.fixture
def model() -> Driven:
    return Driven()


@pytest.fixture
def jax() -> Any:
    found = pytest.importorskip("jax")
    found.config.update("jax_enable_x64", True)
    return found


@pytest.fixture
def torch() -> Any:
    return pytest.importorskip("torch")


def batch(x: np.ndarray, kind: str) -> tuple[np.ndarray, dict[str, Any]]:
    """x, or a row of x for each run; inputs, or some of them for each run."""
    mixed = {
        name: np.array([(1 - part) * np.array(FIRST[name]) + part * np.array(SECOND[name]) for part in (0.0, 1.0, 0.4)])
        for name in (FIRST if kind == "inputs" else ("weights", "levels", "amp"))
    }
    rows = x if kind == "inputs" else x * (1 + 0.1 * np.arange(RUNS)[:, None])
    return rows, FIRST if kind == "x" else FIRST | mixed


def run_all(simulation: gradmod.Simulation, x: np.ndarray, inputs: dict[str, Any]) -> list[np.ndarray]:
    """The same without a bridge."""
    own = simulation.input_shapes
    return [
        simulation(
            x if x.ndim == 1 else x[i],
            {name: value if np.shape(value) == own[name] else value[i] for name, value in inputs.items()},
        )
        for i in range(RUNS)
    ]


def of_batch(model: Driven, kind: str) -> tuple[np.ndarray, dict[str, Any], list[np.ndarray], np.ndarray, np.ndarray]:
    """x, inputs, and without a bridge: traces, and two gradients by differences, of the loss and of all squares."""
    with model.simulation("reverse") as simulation:
        x, inputs = batch(simulation.x, kind)
        goal = differences(lambda z: loss(*run_all(simulation, z, inputs)), x)
        squares = differences(lambda z: float(np.sum(np.square(run_all(simulation, z, inputs)))), x)
        expected = run_all(simulation, x, inputs)
        simulation.x = x if x.ndim == 1 else x[0]
    return x, inputs, expected, goal, squares


@pytest.mark.parametrize(("kind", "mode", "memory"), BATCHES)
def test_jax_batches(model: Driven, jax: Any, kind: str, mode: str, memory: float) -> None:
    from gradmod.jax import simulator

    x, inputs, expected, goal, squares = of_batch(model, kind)
    with model.simulation(mode, memory) as simulation:
        simulate = simulator(simulation)
        traces, pull = jax.vjp(lambda z: simulate(z, inputs), x)
        assert np.array_equal(traces, expected)
        assert np.asarray(pull(np.array(slopes(*expected)))[0]) == pytest.approx(goal, rel=1e-6)
        compiled = jax.jit(jax.grad(lambda z, given: loss_of(jax.numpy, simulate(z, given))))
        assert np.asarray(compiled(x, inputs)) == pytest.approx(goal, rel=1e-6)
        # vmap by hand, around the gradient of each.
        own = simulation.input_shapes
        axes = 0 if x.ndim == 2 else None, {n: None if np.shape(v) == own[n] else 0 for n, v in inputs.items()}
        each = jax.vmap(jax.grad(lambda z, given: (simulate(z, given) ** 2).sum()), axes)(x, inputs)
        assert np.asarray(each if x.ndim == 2 else each.sum(axis=0)) == pytest.approx(squares, rel=1e-6)


@pytest.mark.parametrize(("kind", "mode", "memory"), BATCHES)
def test_torch_batches(model: Driven, torch: Any, kind: str, mode: str, memory: float) -> None:
    from gradmod.torch import simulate

    rows, inputs, expected, goal, _ = of_batch(model, kind)
    with model.simulation(mode, memory) as simulation:
        x = torch.tensor(rows, requires_grad=True)
        traces = simulate(simulation, x, inputs | {"levels": torch.tensor(inputs["levels"])})
        assert np.array_equal(traces.detach().numpy(), expected)
        loss_of(torch, traces).backward()
        assert x.grad.numpy() == pytest.approx(goal, rel=1e-6)
        before = model.runs
        assert not simulate(simulation, x.detach(), inputs).requires_grad
        with torch.no_grad():
            assert torch.equal(simulate(simulation, x, inputs), traces)
        assert model.runs - before == 2 * RUNS


def loss_of(library: Any, traces: Any) -> Any:
    """The loss of :mod:`models.driven`, of [run, place, sample]."""
    from models.driven import WEIGHTS

    weights = library.asarray(WEIGHTS)
    return (weights * traces**2).sum() + (traces[:-1] * traces[1:]).sum()


@pytest.mark.parametrize(("mode", "memory"), KINDS)
def test_several_calls_at_equal_parameters(model: Driven, jax: Any, mode: str, memory: float) -> None:
    """Without a batch, under jit, the inputs made of what jit does not know."""
    from gradmod.jax import simulator

    with model.simulation("reverse") as simulation:
        x = simulation.x
        plain = lambda z: loss(*(simulation(z, g) for g in (FIRST, SECOND, FIRST | {"amp": 0.6})))  # noqa: E731
        goal = differences(plain, x)
        simulation.x = x
    with model.simulation(mode, memory) as simulation:
        simulate = simulator(simulation)

        def of_all(z: Any, amp: Any) -> Any:
            traces = simulate(z, FIRST), simulate(z, SECOND), simulate(z, FIRST | {"amp": 2 * amp})
            return loss_of(jax.numpy, jax.numpy.array(traces))

        assert np.asarray(jax.jit(jax.grad(of_all))(x, 0.3)) == pytest.approx(goal, rel=1e-6)


# --- what is refused --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["forward", "reverse"])
def test_jax_has_no_derivative_by_an_input(model: Driven, jax: Any, mode: str) -> None:
    """Zeros would be a wrong gradient that nobody notices."""
    from gradmod.jax import simulator

    with model.simulation(mode) as simulation:
        simulate, x = simulator(simulation), simulation.x
        value = lambda z, amp: simulate(z, FIRST | {"amp": amp}).sum()  # noqa: E731
        of_all = lambda z, given: simulate(z, given).sum()  # noqa: E731
        several = lambda amps: simulate(x, FIRST | {"amp": amps}).sum()  # noqa: E731
        what = r"a derivative with respect to the input amp: .* jax\.lax\.stop_gradient"
        for ask in (
            lambda: jax.grad(value, 1)(x, 0.3),
            lambda: jax.grad(value, (0, 1))(x, 0.3),
            lambda: jax.jit(jax.grad(value, 1))(x, 0.3),
            lambda: jax.grad(jax.jit(value), 1)(x, 0.3),
            lambda: jax.vmap(jax.grad(value, 1), (None, 0))(x, np.array([0.1, 0.3])),
            lambda: jax.grad(several)(np.array([0.1, 0.3])),
            lambda: jax.grad(lambda z: value(z, 0.1 * z[0]))(x),
            lambda: jax.jacrev(lambda amp: simulate(x, FIRST | {"amp": amp}))(0.3),
            lambda: jax.jvp(lambda amp: value(x, amp), (0.3,), (1.0,)),
            lambda: jax.grad(lambda amp: jax.checkpoint(value)(x, amp))(0.3),
            lambda: jax.grad(lambda amp: jax.lax.map(lambda a: value(x, a), amp).sum())(np.array([0.1, 0.3])),
        ):
            with pytest.raises(gradmod.Refused, match=what):
                ask()
        with pytest.raises(gradmod.Refused, match="the input amp, celsius, delay"):
            jax.grad(of_all, 1)(x, {name: np.asarray(value) for name, value in FIRST.items()})
        goal = jax.grad(value)(x, 0.3)
        stopped = jax.grad(lambda z: value(z, jax.lax.stop_gradient(0.3 + 0 * z[0])))(x)
        assert np.array_equal(stopped, goal)
        unused = jax.grad(lambda z: (simulate(z, FIRST), z.sum())[1])(x)
        assert np.array_equal(unused, np.ones(3))
        single = jax.grad(value)(x.astype(np.float32), 0.3)
        assert single.dtype == np.float32 and np.asarray(single) == pytest.approx(np.asarray(goal), rel=1e-3)
        with pytest.raises(gradmod.Error, match="x has the type int64"):
            simulate(np.array([1, 110, 2]), FIRST)
        # Derivatives that are asked for inside jit and of nothing else.
        assert np.array_equal(jax.grad(jax.jit(value))(x, 0.3), goal)
        traced = jax.grad(lambda z: jax.lax.map(lambda a: value(z, a), np.array([0.3, 0.3])).sum())(x)
        assert np.asarray(traced) == pytest.approx(2 * np.asarray(goal), rel=1e-12)


@pytest.mark.parametrize("mode", ["forward", "reverse"])
def test_torch_has_no_derivative_by_an_input(model: Driven, torch: Any, mode: str) -> None:
    from gradmod.torch import simulate

    with model.simulation(mode) as simulation:
        x = torch.tensor(simulation.x, requires_grad=True)
        amp = torch.tensor(0.3, dtype=torch.float64, requires_grad=True)
        for rows in (x, x.detach()):
            with pytest.raises(gradmod.Refused, match=r"a derivative with respect to the input amp: .*\.detach\(\)"):
                simulate(simulation, rows, FIRST | {"amp": amp})
        dual = torch.autograd.forward_ad
        with dual.dual_level(), pytest.raises(RuntimeError, match=r"forward mode|jvp"):
            simulate(simulation, x.detach(), FIRST | {"amp": dual.make_dual(amp.detach(), torch.ones_like(amp))})
        with torch.no_grad():
            simulate(simulation, x, FIRST | {"amp": amp})
        with pytest.raises(gradmod.Error, match=r"x has the type torch\.int64"):
            simulate(simulation, torch.tensor([1, 110, 2]), FIRST)
        single = simulate(simulation, x.to(torch.float32), FIRST | {"amp": amp.detach()})
        assert single.dtype == torch.float32
        exact = simulation(x.detach().numpy().astype(np.float32), FIRST | {"amp": 0.3})
        assert np.array_equal(single.detach().numpy(), exact.astype(np.float32))


def test_shapes_of_batches() -> None:
    own = {"amp": (), "levels": (17,)}
    single = {"amp": (), "levels": (17,)}
    assert batch_size((3,), 3, single, own) is None
    assert batch_size((5, 3), 3, single, own) == 5
    assert batch_size((3,), 3, {"amp": (1,), "levels": (17,)}, own) == 1
    assert batch_size((4, 3), 3, {"amp": (4,), "levels": (4, 17)}, own) == 4
    for x, given, what in (
        ((2,), single, r"^x has shape \(2,\), it must have \(3,\), or \[batch, 3\]"),
        ((2, 5, 3), single, r"^x has shape \(2, 5, 3\)"),
        ((3,), single | {"levels": (16,)}, r"the input levels has shape \(16,\), it must have \(17,\), or"),
        ((3,), single | {"amp": (2, 2)}, r"the input amp has shape \(2, 2\), it must have \(\), or \[batch\]"),
        ((0, 3), single, "a batch needs at least one run"),
        ((2, 3), single | {"amp": (3,)}, "a batch has one size: x has 2, the input amp has 3"),
        ((3,), {"amp": ()}, "^levels: an input needs a value in each run"),
        ((3,), single | {"tau": ()}, "there is no input 'tau'; there are amp, levels"),
    ):
        with pytest.raises(gradmod.Error, match=what):
            batch_size(x, 3, given, own)
