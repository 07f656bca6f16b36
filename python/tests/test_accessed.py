"""What NEURON ties to the section that happens to be accessed when gradients are made: it may go, all else stays."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import gradmod
import numpy as np
from conftest import Passive, run
from neuron import h

T = TypeVar("T")


def beside(make: Callable[[], T]) -> T:
    """What this makes, while a section is accessed that goes right after."""
    other = h.Section(name="other")
    other.push()
    made = make()
    h.pop_section()
    del other
    assert not any(section.name() == "other" for section in h.allsec())
    return made


def test_gradients_of_runs_after_it(passive: Passive) -> None:
    leak = {"g": gradmod.Range("g_pas", passive.with_pas)}
    gradients = gradmod.attach(**leak)
    record = gradients.record(passive["soma"](0.5))
    run()
    goal = record["g"]
    assert np.any(goal)
    gradients.detach()
    gradients = beside(lambda: gradmod.attach(**leak))
    record = gradients.record(passive["soma"](0.5))
    run()
    assert np.array_equal(record["g"], goal)
    assert len(record.t) == len(goal)
    gradients.detach()


def test_a_simulation_after_it(passive: Passive) -> None:
    leak = {"g": gradmod.Range("g_pas", passive.with_pas)}

    def made() -> gradmod.Simulation:
        return gradmod.Simulation(leak, [passive["soma"](0.5)], 8.0, mode="forward", v_init=-66.0, quiet=True)

    with made() as simulation:
        traces, goal = simulation(simulation.x), simulation.jacobian(simulation.x)
    with beside(made) as simulation:
        assert np.array_equal(simulation(simulation.x), traces)
        assert np.array_equal(simulation.jacobian(simulation.x), goal)
    assert np.any(goal)
