"""Several runs of a model before their gradients are asked for: each gets its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gradmod
import numpy as np
import pytest
from conftest import Passive, run
from gradmod._simulation.tape import Tape
from neuron import h
from test_runs import MODES, WEIGHTS, cell, differences, looks, parameters, profile  # noqa: F401

#: MiB: everything fits; windows, of which nothing is kept; a run of one window, and one more.
MEMORIES = {"forward": (64,), "reverse": (64, 0.008, 0.02)}
KINDS = [(mode, memory) for mode in MODES for memory in MEMORIES[mode]]


def make(cell: Passive, mode: str, memory: float = 64, **more: Any) -> gradmod.Simulation:  # noqa: F811
    return gradmod.Simulation(
        {"g": profile(cell)}, looks(cell), 8.0, simulate=run, mode=mode, memory=memory, quiet=True, **more
    )


def two_stimuli(cell: Passive, simulate: Callable[[Any], Any], x: Any) -> list[Any]:  # noqa: F811
    """The traces at the same x with two values of a stimulus."""
    found = []
    for amp in (0.05, 0.4):
        cell.clamps[0].amp = amp
        found.append(simulate(x))
    return found


def loss(first: np.ndarray, second: np.ndarray) -> float:
    return float(np.sum(WEIGHTS * first**2) + np.sum(WEIGHTS[::-1] * first * second))


def slopes(first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return 2 * WEIGHTS * first + WEIGHTS[::-1] * second, WEIGHTS[::-1] * first


def expected(cell: Passive, simulation: gradmod.Simulation) -> np.ndarray:  # noqa: F811
    return differences(lambda x: loss(*two_stimuli(cell, simulation, x)), simulation.x)


@pytest.mark.parametrize("mode", MODES)
def test_each_run_has_its_gradient(cell: Passive, mode: str) -> None:  # noqa: F811
    with make(cell, mode) as simulation:
        x = simulation.x
        goal = expected(cell, simulation)
        kept = two_stimuli(cell, simulation.keep, x)
        run(5.0)  # the script's own
        cell["trunk"].Ra = 70
        parts = [k.vjp(d) for k, d in zip(kept, slopes(*(k.traces for k in kept)), strict=True)]
        again = kept[0].vjp(slopes(*(k.traces for k in kept))[0])
    assert sum(parts) == pytest.approx(goal, rel=1e-6)
    assert np.array_equal(again, parts[0])


@pytest.mark.parametrize("memory", MEMORIES["reverse"][1:])
def test_what_is_not_kept_is_run_again_and_compared(cell: Passive, memory: float) -> None:  # noqa: F811
    """The same run: its gradient; with another stimulus: refused."""
    with make(cell, "reverse", memory) as simulation, make(cell, "forward") as other:
        x = simulation.x
        cell.clamps[0].amp = 0.3
        first = simulation.keep(x)
        goal = other.keep(x).vjp(WEIGHTS)
        second = simulation.keep(1.1 * x)
        assert first.vjp(WEIGHTS) == pytest.approx(goal, rel=1e-9)
        assert simulation.x == pytest.approx(1.1 * x)
        more = [simulation.keep(z * x) for z in (1.2, 1.3, 1.4)]
        assert first.vjp(WEIGHTS) == pytest.approx(goal, rel=1e-9)
        cell.clamps[0].amp = 0.7
        with pytest.raises(gradmod.Refused, match="made again, and came out different"):
            second.vjp(WEIGHTS)
        del more


@pytest.mark.parametrize(("mode", "memory"), KINDS)
def test_by_the_parameters_alone(cell: Passive, mode: str, memory: float) -> None:  # noqa: F811
    """Where it is not plain which run is meant, it is refused."""
    with make(cell, mode, memory) as simulation:
        x = simulation.x
        two_stimuli(cell, simulation, x)
        with pytest.raises(gradmod.Error, match="two runs with the same parameters had other traces"):
            simulation.vjp(x, WEIGHTS)
        first, second = two_stimuli(cell, lambda x: (simulation(x), simulation.vjp(x, WEIGHTS)), x)
        assert not np.allclose(first[1], second[1])
        simulation(x)
        cell.clamps[0].amp = 0.05
        assert np.array_equal(simulation.vjp(x, WEIGHTS), second[1])  # that of the run that was made
        simulation(2 * x)
        with pytest.raises(gradmod.Error, match="two runs"):
            simulation.vjp(x, WEIGHTS)


def test_a_jacobian_is_that_of_the_model_as_it_is(cell: Passive) -> None:  # noqa: F811
    with make(cell, "forward") as simulation:
        x = simulation.x
        residuals = gradmod.Residuals(np.zeros((2, 3)), [0.25, 3.0, 7.91], 0.1, simulation)
        two_stimuli(cell, residuals, x)
        found = two_stimuli(cell, residuals.jac, x)
        goals = two_stimuli(cell, lambda x: (residuals(x), residuals.jac(x))[1], x)
    assert np.array_equal(found, goals)
    assert not np.allclose(*goals)


@pytest.mark.parametrize("mode", MODES)
def test_two_simulations_of_one_model(cell: Passive, mode: str) -> None:  # noqa: F811
    for sec in cell.all:
        sec.Ra = 120
    with (
        make(cell, mode) as one,
        gradmod.Simulation(
            {"Ra": gradmod.Range("Ra", cell.all)}, looks(cell), 8.0, simulate=run, mode=mode, quiet=True
        ) as other,
    ):
        x, y = one.x, other.x
        one(x)
        goal = one.vjp(x, WEIGHTS), other.keep(y).vjp(WEIGHTS)
        one(x)
        other(y)
        assert np.array_equal(one.vjp(x, WEIGHTS), goal[0])
        assert np.array_equal(other.vjp(y, WEIGHTS), goal[1])
        kept = one.keep(x), other.keep(2 * y)
        assert np.array_equal(kept[0].vjp(WEIGHTS), goal[0])


def test_a_loss_that_runs_the_model_itself(cell: Passive) -> None:  # noqa: F811
    for mode in MODES:
        with make(cell, mode) as simulation:

            def value(traces: np.ndarray) -> tuple[float, np.ndarray]:
                simulation(1.5 * simulation.x)
                return float(np.sum(WEIGHTS * traces)), WEIGHTS

            x = simulation.x
            function = gradmod.objective.ValueAndGrad(value, simulation)
            goal = simulation.keep(x).vjp(WEIGHTS)
            assert np.array_equal(function(x)[1], goal)


@pytest.mark.parametrize(("mode", "memory"), [("forward", 64), ("reverse", 64)])
def test_a_tape(cell: Passive, mode: str, memory: float) -> None:  # noqa: F811
    """What the bridges to other libraries do, without these."""
    with make(cell, mode, memory) as simulation:
        x, tape = simulation.x, Tape(simulation)
        goal = expected(cell, simulation)
        runs = two_stimuli(cell, tape.run, x)
        rows = slopes(*(traces for traces, _ in runs))
        assert tape.vjp(runs[1][1], rows[1]) + tape.vjp(runs[0][1], rows[0]) == pytest.approx(goal, rel=1e-6)
        for _ in range(12):
            tape.vjp(tape.run(x)[1], rows[0])
        with pytest.raises(gradmod.Error, match="too many runs"):
            tape.vjp(runs[0][1], rows[0])


@pytest.mark.parametrize("mode", MODES)
def test_jax_with_several_runs_in_a_loss(cell: Passive, mode: str) -> None:  # noqa: F811
    jax = pytest.importorskip("jax")
    from gradmod.jax import simulator

    jax.config.update("jax_enable_x64", True)
    with make(cell, mode) as simulation:
        simulate = simulator(simulation)
        x = simulation.x

        def of_two(z: Any) -> Any:
            first, second = two_stimuli(cell, simulate, z)
            return (WEIGHTS * first**2).sum() + (WEIGHTS[::-1] * first * second).sum()

        assert np.asarray(jax.grad(of_two)(x)) == pytest.approx(expected(cell, simulation), rel=1e-6)
        cell.clamps[0].amp = 0.2
        plain = lambda z: float(np.sum(WEIGHTS * simulation(z) * simulation(1.2 * z)))  # noqa: E731
        both = jax.jit(jax.grad(lambda z: (WEIGHTS * simulate(z) * simulate(1.2 * z)).sum()))
        points = np.array([x, 1.3 * x])
        for point, gradient in zip(points, jax.vmap(both)(points), strict=True):
            assert np.asarray(gradient) == pytest.approx(differences(plain, point), rel=1e-5)
        few = jax.jacrev(lambda z: simulate(z)[:, ::40].ravel())(x)
        assert few.shape == (6, 1)


@pytest.mark.parametrize("mode", MODES)
def test_torch_with_several_runs_in_a_loss(cell: Passive, mode: str) -> None:  # noqa: F811
    torch = pytest.importorskip("torch")
    from gradmod.torch import simulate

    with make(cell, mode) as simulation:
        x = torch.tensor(simulation.x, requires_grad=True)
        first, second = two_stimuli(cell, lambda z: simulate(simulation, z), x)
        weights = torch.tensor(WEIGHTS)
        ((weights * first**2).sum() + (weights.flip(0) * first * second).sum()).backward()
        assert x.grad.numpy() == pytest.approx(expected(cell, simulation), rel=1e-6)


# --- what x does ------------------------------------------------------------------------------------------------------


def test_parameters_that_overlap(cell: Passive) -> None:  # noqa: F811
    soma, synapse = cell["soma"], h.ExpSyn(cell["soma"](0.5))
    netcon = h.NetCon(None, synapse)
    cases: list[tuple[dict[str, gradmod.Parameter], str]] = [
        ({"all": gradmod.Range("g_pas", cell.with_pas), "one": gradmod.PerSegment("g_pas", soma)}, r"g_pas of soma"),
        ({"all": gradmod.Range("Ra", cell.all), "one": gradmod.Range("Ra", soma)}, "Ra of soma"),
        ({"all": gradmod.Global("celsius"), "one": gradmod.Global("celsius")}, "celsius of NEURON"),
        (
            {"all": gradmod.Stimulus(cell.clamps[0], "amp"), "one": gradmod.Stimulus(cell.clamps[0], "amp")},
            r"amp of IClamp\[\d+\]",
        ),
        ({"all": gradmod.PerNetCon([netcon]), "one": gradmod.NetConWeight(netcon)}, r"weight\[0\] of NetCon"),
    ]
    for chosen, what in cases:
        with pytest.raises(gradmod.Error, match=f"all and one both set {what}"):
            gradmod.Simulation(chosen, looks(cell), 8.0, quiet=True)


@pytest.mark.parametrize("mode", MODES)
def test_parameters_that_something_else_sets(cell: Passive, mode: str) -> None:  # noqa: F811
    chosen = {"amp": gradmod.Stimulus(cell.clamps[0], "amp"), "g": gradmod.Range("g_pas", cell["twig"])}
    sets: list[Callable[[], object]] = []

    def simulate() -> None:
        for action in sets:
            action()
        run()

    for seg in cell["twig"]:
        seg.pas.g = 2e-4
    with gradmod.Simulation(chosen, looks(cell), 8.0, simulate=simulate, mode=mode, quiet=True) as simulation:
        x = np.array([0.2, 2e-4])
        traces = simulation(x)
        assert simulation.vjp(x, WEIGHTS)[0] != 0
        # From a constant, and for a while in the middle of the run with that constant before and after it.
        for levels, times in (([0.1, 0.1], [0, 5]), ([0.2, 0.2, 0.9, 0.2, 0.2], [0, 3, 4, 5, 8])):
            played, clock = h.Vector(levels), h.Vector(times)
            played.play(cell.clamps[0]._ref_amp, clock, True)
            with pytest.raises(gradmod.Refused, match=r"amp: amp of IClamp\[\d+\] was .*Vector.play"):
                simulation.vjp(x * [1.0, 1 + 1e-3 * len(levels)], WEIGHTS)
            played.play_remove()
        played, clock = h.Vector([2e-4, 2e-4, 9e-4, 2e-4, 2e-4]), h.Vector([0, 3, 4, 5, 8])
        played.play(cell["twig"](0.5)._ref_g_pas, clock, True)
        with pytest.raises(gradmod.Refused, match=r"g_pas.*twig"):
            simulation.vjp(x * [1.1, 1.0], WEIGHTS)
        played.play_remove()
        sets.append(lambda: setattr(cell["twig"](0.1).pas, "g", 1e-3))
        with pytest.raises(gradmod.Refused, match=r"g: g_pas of twig\(0.1\) was 0.001 at the start"):
            simulation(x)
        sets.clear()
        assert np.array_equal(simulation(x), traces)


# --- losses -----------------------------------------------------------------------------------------------------------


def test_a_loss_reads_each_run_with_its_own_time_step(cell: Passive) -> None:  # noqa: F811
    times = np.array([0.25, 3.0, 7.9])
    target = np.full((2, 3), -60.0)
    loss = gradmod.SquaredError(target, times, 0.1)
    chosen: dict[str, Any] = {"record": looks(cell), "duration": 8.0, "quiet": True}
    for mode in MODES:
        for dt in (0.1, 0.05):
            h.dt = dt
            function = gradmod.value_and_grad(loss, {"g": profile(cell)}, mode=mode, **chosen)
            x = function.simulation.x
            h.dt = 0.05  # for both: the run is made now
            value, gradient = function(x)
            simulation = function.simulation
            read = [np.interp(times, simulation.t, row) for row in simulation(x)]
            assert value == pytest.approx(np.mean((np.array(read) + 60) ** 2), rel=1e-12)
            assert gradient == pytest.approx(differences(lambda z: function(z)[0], x), rel=1e-5)  # noqa: B023
            if mode == "forward":
                residuals = gradmod.Residuals(target, times, 0.1, simulation)
                assert residuals(x) == pytest.approx(np.ravel(read) + 60, rel=1e-12)
                assert residuals.jac(x).shape == (6, 1)
            wrapped = gradmod.objective.ValueAndGrad(lambda traces: loss(traces), simulation)
            with pytest.raises(gradmod.Error, match=r"a time step of 0\.1 ms, the last run had 0\.05 ms"):
                wrapped(x)
            function.close()
    assert gradmod.SquaredError(target, times).at(np.arange(81) * 0.1)(np.full((2, 81), -60.0))[0] == 0
    with pytest.raises(gradmod.Error, match="dt is not known"):
        gradmod.SquaredError(target, times)(np.zeros((2, 81)))
    with pytest.raises(gradmod.Error, match=r"3 times, the target has shape \(2, 81\): .*np\.interp"):
        gradmod.SquaredError(np.zeros((2, 81)), times, 0.1)


def test_a_target_in_volts(cell: Passive) -> None:  # noqa: F811
    chosen: dict[str, Any] = {"record": looks(cell), "duration": 1.0, "quiet": True}
    loss = gradmod.SquaredError(np.full((2, 3), -0.065), [0.0, 0.5, 0.9])
    function = gradmod.value_and_grad(loss, {"g": profile(cell)}, **chosen)
    with pytest.warns(UserWarning, match=r"between -0\.065 and -0\.065: is it in volts"):
        function(function.simulation.x)
    function.close()


def test_per_segment_is_for_reverse_mode(cell: Passive) -> None:  # noqa: F811
    each = {"each": gradmod.PerSegment("g_pas", cell["trunk"])}
    with pytest.raises(gradmod.Error, match="each: PerSegment is for reverse mode"):
        gradmod.attach(**each)
    with pytest.raises(gradmod.Error, match="each: PerSegment is for reverse mode"):
        gradmod.Simulation(each, looks(cell), 8.0, mode="forward", quiet=True)
