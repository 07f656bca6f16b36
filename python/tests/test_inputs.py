"""Inputs of a run: numbers that it is given besides its parameters, and that belong to what it is."""

from __future__ import annotations

import operator
from typing import Any

import gradmod
import numpy as np
import pytest
from conftest import V_INIT
from models.driven import FIRST, SECOND, WEIGHTS, Driven, differences, loss, slopes
from neuron import h

MODES = ("forward", "reverse")
#: MiB: everything fits; windows, of which nothing is kept; room for the last run and one more.
KINDS = [("forward", 64), ("reverse", 64), ("reverse", 0.015), ("reverse", 0.04)]


@pytest.fixture
def model() -> Driven:
    return Driven()


@pytest.mark.parametrize("mode", MODES)
def test_inputs_do_what_is_done_by_hand(model: Driven, mode: str) -> None:
    with model.simulation(mode) as simulation:
        x = simulation.x
        found = [simulation(x, given) for given in (FIRST, SECOND, FIRST)]
        assert all(np.array_equal(simulation.inputs[name], value) for name, value in FIRST.items())
        assert simulation.inputs["amp"].shape == () and simulation.input_shapes["levels"] == (17,)
        simulation.inputs = SECOND
        assert model.source.start == SECOND["start"]
    recorded = [h.Vector().record(place._ref_v) for place in model.looks()]
    for traces, given in zip(found, (FIRST, SECOND, FIRST), strict=True):
        model.set(given)
        model.run()
        assert np.array_equal(traces, np.array([vector.as_numpy() for vector in recorded]))
    assert not np.allclose(found[0], found[1])


@pytest.mark.parametrize(("mode", "memory"), KINDS)
def test_equal_parameters_and_other_inputs(model: Driven, mode: str, memory: float) -> None:
    """Each run has its own gradient, also where it must be made again, with its inputs."""
    inputs = [FIRST, SECOND, FIRST | {"levels": SECOND["levels"]}, SECOND | {"start": 1.0}]
    with model.simulation(mode) as simulation:
        x = simulation.x
        goal = differences(lambda z: loss(*(simulation(z, given) for given in inputs)), x)
        simulation.x = x
    with model.simulation(mode, memory) as simulation:
        kept = [simulation.keep(x, given) for given in inputs]
        simulation.x, simulation.inputs = 1.1 * x, FIRST | {"amp": 0.7}
        before, present = model.runs, simulation.inputs
        parts = [run.vjp(slope) for run, slope in zip(kept, slopes(*(run.traces for run in kept)), strict=True)]
        assert (model.runs > before) == (memory < 1)
        assert simulation.x == pytest.approx(1.1 * x, rel=1e-15)
        assert all(np.array_equal(simulation.inputs[name], value) for name, value in present.items())
        assert all(np.array_equal(kept[1].inputs[name], value) for name, value in SECOND.items())
    assert sum(parts) == pytest.approx(goal, rel=1e-6)


@pytest.mark.parametrize(("mode", "memory"), KINDS)
def test_a_run_is_known_by_its_inputs(model: Driven, mode: str, memory: float) -> None:
    with model.simulation(mode, memory) as simulation:
        x = simulation.x
        goals = [simulation.keep(x, given).vjp(WEIGHTS) for given in (FIRST, SECOND)]
        simulation(x, FIRST)
        simulation(x, SECOND)
        for given, goal in zip((FIRST, SECOND, FIRST), (*goals, goals[0]), strict=True):
            assert np.array_equal(simulation.vjp(x, WEIGHTS, given), goal)
        if mode == "forward":
            for given, goal in zip((FIRST, SECOND), goals, strict=True):
                jacobian = simulation.jacobian(x, given)
                assert np.einsum("ps,psk->k", WEIGHTS, jacobian) == pytest.approx(goal, rel=1e-12)
        # What is no input, and changes, is still seen.
        simulation(x, FIRST)
        model.clamp.dur = 3.0
        simulation(x, FIRST)
        with pytest.raises(gradmod.Error, match="two runs with the same parameters had other traces"):
            simulation.vjp(x, WEIGHTS, FIRST)


def test_a_run_that_cannot_be_made_again_is_refused(model: Driven) -> None:
    with model.simulation("reverse", 0.015) as simulation:
        kept = simulation.keep(simulation.x, FIRST)
        simulation(simulation.x, SECOND)
        model.clamp.dur = 3.0
        with pytest.raises(gradmod.Refused, match=r"came out different.*make that an input"):
            kept.vjp(WEIGHTS)


@pytest.mark.parametrize("mode", MODES)
def test_what_changes_coefficients_of_the_gradient(model: Driven, mode: str) -> None:
    """Inputs with which the equations become others, not only what drives them; a coefficient beside a parameter."""
    one, other = model.cells
    for cell in model.cells:
        cell["soma"].insert("hh")
    cable = gradmod.Profile(
        "g_pas", other["back"], lambda seg, base, length: base * np.exp(-seg.x / length), base=2e-4, length=0.5
    )
    inputs = {
        "length": cable["length"],
        "celsius": gradmod.Global("celsius"),
        "cm": gradmod.Range("cm", one["twig"]),
        "Ra": gradmod.PerSegment("Ra", [one["trunk"], other["trunk"]]),
        "delay": gradmod.NetConDelay(model.netcons[0]),
        "gl": gradmod.Range("gl_hh", [cell["soma"] for cell in model.cells], weight="present"),
    }
    chosen: dict[str, gradmod.Parameter] = {"base": cable["base"], "gna": gradmod.Range("gnabar_hh", one["soma"])}
    given = [
        {"length": 0.5, "celsius": 6.3, "cm": 1.1, "Ra": [110.0, 80.0], "delay": 0.3, "gl": 1.0},
        {"length": 0.9, "celsius": 12.0, "cm": 1.6, "Ra": [60.0, 150.0], "delay": 2.1, "gl": 3.0},
    ]
    with gradmod.Simulation(
        chosen, model.looks(), 8.0, inputs=inputs, simulate=model.run, mode=mode, quiet=True
    ) as simulation:
        x = simulation.x
        goal = differences(lambda z: loss(*(simulation(z, values) for values in given)), x)
        kept = [simulation.keep(x, values) for values in given]
        parts = [run.vjp(slope) for run, slope in zip(kept, slopes(*(run.traces for run in kept)), strict=True)]
    assert sum(parts) == pytest.approx(goal, rel=1e-6)
    assert all(part.all() for part in parts)


def test_objectives(model: Driven) -> None:
    times = np.array([1.0, 4.05, 7.9])
    squared = gradmod.SquaredError(np.full((3, 3), -60.0), times)
    with model.simulation("forward") as simulation:
        x = simulation.x
        residuals = gradmod.Residuals(squared.target, times, None, simulation)
        function = gradmod.objective.ValueAndGrad(squared, simulation)
        for given in (FIRST, SECOND):
            value, gradient = function(x, given)
            rows = residuals(x, given)
            assert value == pytest.approx(np.mean(rows**2), rel=1e-12)
            assert gradient == pytest.approx(2 * rows @ residuals.jac(x, given) / 9, rel=1e-10)
            assert gradient == pytest.approx(differences(lambda z: function(z, given)[0], x), rel=1e-6)  # noqa: B023
    given = gradmod.value_and_grad(
        squared, {"g": gradmod.Range("g_pas", model.with_pas, weight="present")}, model.looks(), 8.0,
        inputs={"amp": gradmod.Stimulus(model.cells[0].clamps[0], "amp")}, v_init=V_INIT, quiet=True,
    )  # fmt: skip
    assert given([1.0], {"amp": 0.1})[0] != given([1.0], {"amp": 0.3})[0]
    given.close()


# --- what is refused --------------------------------------------------------------------------------------------------


def test_values_that_are_none(model: Driven) -> None:
    cases: list[tuple[Any, str]] = [
        (None, r"amp, delay, .*: an input needs a value in each run; `simulation\.inputs`"),
        ({name: value for name, value in FIRST.items() if name != "levels"}, "^levels: an input needs a value"),
        (FIRST | {"amq": 1.0}, "there is no input 'amq'; there are amp, delay"),
        (FIRST | {"amp": [0.1]}, r"the input amp has shape \(1,\), it must have \(\)"),
        (FIRST | {"levels": np.zeros(16)}, r"the input levels has shape \(16,\), it must have \(17,\)"),
        (FIRST | {"start": np.nan}, "the input start is not finite"),
    ]
    with model.simulation("reverse") as simulation:
        x = simulation.x
        simulation(x, FIRST)
        for given, what in cases:
            for call in (simulation, simulation.keep, lambda x, given: simulation.vjp(x, WEIGHTS, given)):
                with pytest.raises(gradmod.Error, match=what):
                    call(x, given)
        assert simulation.inputs["amp"] == FIRST["amp"]
        model.times.append(6.0)
        with pytest.raises(gradmod.Error, match=r"events: Vector\[\d+\] has 4 numbers, it had 3"):
            simulation(x, FIRST)
    with model.simulation("reverse", inputs=None) as simulation:
        assert simulation.inputs == {}
        simulation(simulation.x)
        with pytest.raises(gradmod.Error, match=r"no input 'amp'; there are none: Simulation\(\.\.\., inputs="):
            simulation(simulation.x, {"amp": 0.1})


def test_what_can_be_no_input(model: Driven) -> None:
    clamp, soma = model.cells[0].clamps[0], model.cells[0]["soma"]
    amp = gradmod.Stimulus(clamp, "amp")
    cases: list[tuple[Any, str]] = [
        ({"one": amp, "two": amp}, r"one and two both set amp of IClamp\[\d+\]: .* belong to one input"),
        ({"cap": gradmod.Range("g_pas", soma)}, "g and cap both set g_pas of soma"),
        ({"a": gradmod.Played(model.levels), "b": gradmod.Played(model.levels)}, "a and b both set samples of Vector"),
        ({"tau": gradmod.Played(model.levels)}, "tau is the name of a parameter and of an input"),
        ({"amp": gradmod.Stimulus(clamp, "amd")}, "amp: .*IClamp has no parameter amd; did you mean amp"),
        ({"v": gradmod.InitialVoltage()}, "the initial voltage is set by whoever calls finitialize"),
        ({"amp": clamp}, "amp: .* is no direction"),
        ([amp], "parameters are given by name"),
    ]
    for inputs, what in cases:
        with pytest.raises(gradmod.Error, match=what):
            model.simulation("reverse", inputs=inputs)
    for thing, what in (([1.0], "must be a Vector"), (h.NetStim(), "must be a Vector"), (h.Vector(), "is empty")):
        with pytest.raises(gradmod.Error, match=what):
            gradmod.Played(thing)
    with pytest.raises(gradmod.Error, match="is no direction"):
        gradmod.attach(levels=gradmod.Played(model.levels))


@pytest.mark.parametrize("mode", MODES)
def test_inputs_that_something_else_sets(model: Driven, mode: str) -> None:
    """A run that is not the one with these inputs is refused, as with parameters."""
    actions: list[Any] = []

    def simulate() -> None:
        for action in actions:
            action()
        model.run()

    clamp = model.cells[0].clamps[0]
    with model.simulation(mode, simulate=simulate) as simulation:
        x = simulation.x
        traces = simulation(x, FIRST)
        played, clock = h.Vector([0.2, 0.2, 0.9, 0.2, 0.2]), h.Vector([0, 3, 4, 5, 8])
        played.play(clamp._ref_amp, clock, True)
        with pytest.raises(gradmod.Refused, match=r"amp: amp of IClamp\[\d+\] was .* depend on this input"):
            simulation(x, FIRST)
        played.play_remove()
        for action, what in (
            (lambda: model.levels.mul(2.0), r"levels: Vector\[\d+\] did not have the numbers at the start"),
            (lambda: setattr(model.source, "start", 3.0), r"start: start of NetStim\[\d+\] was 3 at the start"),
            (
                lambda: operator.setitem(model.netcons[0].weight, 0, 0.5),
                r"weights: value of NetCon\[\d+\] was 0.5 at the",
            ),
        ):
            actions.append(action)
            with pytest.raises(gradmod.Refused, match=what):
                simulation(x, FIRST)
            actions.clear()
        both = gradmod.Stimulus(model.clamp, "amp")
        assert np.array_equal(simulation(x, FIRST), traces)
    inputs = {"levels": gradmod.Played(model.levels), "amp": both}
    with (
        model.simulation(mode, inputs=inputs) as simulation,
        pytest.raises(gradmod.Refused, match=r"amp: amp of IClamp\[\d+\] was"),
    ):
        simulation(simulation.x, {"levels": FIRST["levels"], "amp": 0.3})
