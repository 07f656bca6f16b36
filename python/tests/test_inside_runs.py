"""What stands in the model stays there while NEURON is in the middle of a run, whatever an event asks for."""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import Any

import gradmod
import numpy as np
import pytest
from conftest import Passive, run
from gradmod import Range, Stimulus
from neuron import h

#: By where NEURON calls the script: what the message says it is in the middle of.
MOMENTS = {
    "event": "a time step",
    "handler 0": "finitialize",
    "handler 1": "finitialize",
    "handler 2": "finitialize",
    "handler 3": "finitialize",
}


def at_moment(moment: str, function: Callable[[], object]) -> tuple[Any, list[bool]]:
    """Call a function once in the runs to come: the handler that does, and whether it did."""
    done: list[bool] = []

    def once() -> None:
        if not done:
            done.append(True)
            function()

    if moment == "event":
        return h.FInitializeHandler(1, lambda: h.CVode().event(2.03, once)), done
    return h.FInitializeHandler(int(moment.split()[1]), once), done


def directions(cell: Passive) -> dict[str, Any]:
    return {"g": Range("g_pas", cell.with_pas), "amp": Stimulus(cell.clamps[0], "amp")}


def recorded(cell: Passive) -> list[np.ndarray]:
    v = [h.Vector().record(cell[name](0.3)._ref_v) for name in ("trunk", "twig")]
    run()
    return [np.array(one) for one in v]


def refused(at: str, call: str, function: Callable[[], object]) -> None:
    with pytest.raises(gradmod.Error, match=f"{call} was called while NEURON is in the middle of {at}"):
        function()


@pytest.mark.parametrize("moment", MOMENTS)
def test_forward(passive: Passive, moment: str) -> None:
    alone = recorded(passive)
    grad = gradmod.attach(directions(passive))
    recording = grad.record(passive["trunk"](0.5))
    recorded(passive)
    expected = recording.jacobian()
    sections = len(list(h.allsec()))

    def ask() -> None:
        refused(MOMENTS[moment], r"detach\(\)", grad.detach)
        refused(MOMENTS[moment], r"attach\(\)", lambda: gradmod.attach(directions(passive)))
        refused(MOMENTS[moment], r"attach\(\)", lambda: gradmod.attach(h=Range("e_pas", passive.with_pas)))

    handler, done = at_moment(moment, ask)
    assert all(np.array_equal(a, b) for a, b in zip(recorded(passive), alone, strict=True))
    assert done
    assert np.array_equal(recording.jacobian(), expected)
    assert len(list(h.allsec())) == sections
    del handler
    grad.detach()
    assert all(np.array_equal(a, b) for a, b in zip(recorded(passive), alone, strict=True))


@pytest.mark.parametrize("moment", MOMENTS)
def test_reverse(passive: Passive, moment: str) -> None:
    with gradmod.Reverse(directions(passive)) as model:
        trace = model.record(passive["trunk"](0.5))
        model.run(8.0, v_init=-66.0)
        alone = trace.values
        expected = model.gradient({trace: np.ones_like(alone)})

        def ask() -> None:
            refused(MOMENTS[moment], r"Reverse\.close\(\)", model.close)
            refused(MOMENTS[moment], r"Reverse\.run\(\)", lambda: model.run(8.0))
            refused(MOMENTS[moment], r"Reverse\(\)", lambda: gradmod.Reverse(directions(passive)))
            refused(MOMENTS[moment], r"attach\(\)", lambda: gradmod.attach(directions(passive)))

        handler, done = at_moment(moment, ask)
        model.run(8.0, v_init=-66.0)
        assert done
        assert np.array_equal(trace.values, alone)
        got = model.gradient({trace: np.ones_like(alone)})
        assert [got[name] for name in got] == [expected[name] for name in expected]
        del handler


@pytest.mark.parametrize("mode", ["forward", "reverse"])
def test_simulation(passive: Passive, mode: Any) -> None:
    with gradmod.Simulation(
        {"g": Range("g_pas", passive.with_pas)}, [passive["trunk"](0.5)], 8.0, mode=mode, quiet=True
    ) as simulation:
        x = simulation.x
        alone = simulation(x)

        def ask() -> None:
            refused("a time step", r"close\(\)", simulation.close)
            refused("a time step", "a simulation", lambda: simulation(x * 1.1))
            refused("a time step", "a simulation", lambda: simulation.keep(x * 1.1))

        handler, done = at_moment("event", ask)
        assert np.array_equal(simulation(x), alone)
        assert done
        assert np.isfinite(simulation.vjp(x, np.ones_like(alone))).all()
        del handler


@pytest.mark.parametrize("way", ["continuerun", "psolve", "fadvance", "cvode"])
def test_every_way_to_run(passive: Passive, way: str) -> None:
    grad = gradmod.attach(directions(passive))
    h.CVode().active(int(way == "cvode"))
    handler, done = at_moment("event", lambda: refused("a time step|a run", r"detach\(\)", grad.detach))
    h.dt = 0.1
    h.finitialize(-66)
    if way == "psolve":
        context = h.ParallelContext()
        context.set_maxstep(10)
        context.psolve(8)
    elif way == "fadvance":
        while h.t < 8:
            h.fadvance()
    else:
        h.continuerun(8)
    assert done
    del handler
    grad.detach()


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("kind", ["forward", "reverse"])
def test_what_is_let_go_of_in_a_run_is_taken_away_after_it(passive: Passive, moment: str, kind: str) -> None:
    alone = recorded(passive)
    sections = {sec.name() for sec in h.allsec()}
    make: Callable[..., Any] = gradmod.attach if kind == "forward" else gradmod.Reverse
    held = [make(directions(passive))]

    def drop() -> None:
        held.clear()
        gc.collect()

    handler, done = at_moment(moment, drop)
    for _ in range(2):
        assert all(np.array_equal(a, b) for a, b in zip(recorded(passive), alone, strict=True))
    assert done
    assert not held
    del handler
    assert {sec.name() for sec in h.allsec()} == sections
    assert not any(name.startswith("gm_") for sec in h.allsec() for name in sec.psection()["density_mechs"])
    gradmod.attach(directions(passive)).detach()


def test_between_the_steps_of_a_loop(passive: Passive) -> None:
    """A script that calls fadvance itself is not inside of NEURON."""
    alone = recorded(passive)
    grad = gradmod.attach(directions(passive))
    v = [h.Vector().record(passive[name](0.3)._ref_v) for name in ("trunk", "twig")]
    h.dt = 0.1
    h.finitialize(-66)
    while h.t < 8 - 1e-9:
        h.fadvance()
        if h.t > 4:
            grad.detach()
    assert all(np.array_equal(np.array(a), b) for a, b in zip(v, alone, strict=True))


def test_a_reverse_that_is_closed_by_its_own_simulate(passive: Passive) -> None:
    model = gradmod.Reverse(directions(passive), quiet=True)
    h.dt = 0.1
    with pytest.raises(gradmod.Error, match="this Reverse was closed"):
        model.run(8.0, simulate=lambda: (run(), model.close()))


def test_an_end_is_recorded_between_runs(passive: Passive) -> None:
    """What keeps the gradients there is put into the model; a segment has it already."""
    grad, said = gradmod.attach(**directions(passive), quiet=True), list[str]()
    name = next(iter(grad.directions))

    def look(x: float) -> None:
        for call in (lambda: grad.record(passive["twig"](x)), lambda: grad.at(name, passive["twig"](x))):
            try:
                call()
                said.append("")
            except gradmod.Error as error:
                said.append(str(error))

    h.dt = 0.1
    h.finitialize(-65)
    h.cvode.event(0.5, lambda: look(1))
    h.cvode.event(0.7, lambda: look(0.5))
    h.continuerun(1)
    assert [("is in the middle of" in text) for text in said] == [True, True, False, False]
