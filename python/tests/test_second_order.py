"""``secondorder`` 1 and 2: NEURON solves for half of the rise of the voltage, and METHODs go half a step.

Forward mode against differences, reverse mode against forward mode, of what NEURON treats in ways of its own there.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gradmod
import numpy as np
import pytest
from conftest import Passive, central, run
from gradmod import Range
from models import comparing, twig
from models.pair import Pair
from neuron import __version__, h
from test_constructs import CASES as CONSTRUCTS
from test_passive import changes, directions, places
from test_pointers import within_one_cell
from test_reverse import compare

IS_OLD = __version__.startswith("8.")
#: What it does with states, by METHOD, and with the currents that pools see.
BOTH = ["pool by derivimplicit", "gates by two METHODs, CONDUCTANCE of no ion"]
KINDS = [
    *BOTH,
    "Goldman-Hodgkin-Katz, pool, Nernst",
    "two that write concentrations",
    "kinetic",
]
#: What takes minutes and is much like these: make test-thorough.
MORE = [
    "euler",
    "CONDUCTANCE",
    "kinetic, nonlinear, in volumes",
    "pool that is a step late, and set anew by BREAKPOINT",
    "derivimplicit, coupled; arguments assigned to",
    "states in a PROCEDURE, IF and ELSE",
    "current that is not linear in v",
    "linear",
    "C code that NMODL could say",
]


@pytest.fixture(params=[1, 2])
def order(request: pytest.FixtureRequest) -> Iterator[int]:
    h.secondorder = request.param
    yield request.param
    h.secondorder = 0


@pytest.fixture
def second() -> Iterator[None]:
    h.secondorder = 2
    yield
    h.secondorder = 0


@pytest.mark.parametrize(
    ("kind", "at"),
    [
        *((kind, 2) for kind in KINDS),
        *(pytest.param(kind, 2, marks=pytest.mark.thorough) for kind in MORE),
        *(pytest.param(kind, 1, marks=pytest.mark.thorough) for kind in (*BOTH, "kinetic, nonlinear, in volumes")),
    ],
)
def test_constructs_against_differences(kind: str, at: int, second: None) -> None:
    h.secondorder = at
    mechanisms, dt = CONSTRUCTS[kind]
    cell = twig.Twig(mechanisms)
    asked = cell.directions()

    def simulate() -> dict[str, np.ndarray]:
        return cell.run(dt, 6.0)

    found = comparing.gradients(asked, cell.watched, simulate)
    assert h.secondorder == at
    assert comparing.wrong(found, asked, simulate) == {}
    wanted = {name: parameter for name, (parameter, _, _) in asked.items()}
    both = compare(wanted, cell.watched, simulate, 6.0)
    assert {name: values for name, values in both.items() if not abs(values[0] - values[1]) <= 1e-9 * values[2]} == {}


def test_two_spiking_cells_both_ways(order: int) -> None:
    pair = Pair()
    looks = [*within_one_cell(pair), (pair.at(0, "soma", 0.5), "v"), (pair.at(1, "dendrite", 0.9), "v")]
    # Without membrane there, nothing damps what the start has left.
    ends = [(pair.at(0, "twig", 1), "v"), (pair.at(1, "soma", 0), "v")]
    pair.watch(*ends)
    asked = pair.directions()
    found = comparing.gradients(asked, [*looks, *ends], pair.run)
    assert comparing.wrong(found, asked, pair.run) == {}
    wanted = {name: parameter for name, (parameter, _, _) in asked.items()}
    for seen in (looks, ends):
        both = compare(wanted, seen, pair.run, 5.0)
        assert all(abs(mine - theirs) <= 1e-9 * size for mine, theirs, size in both.values())


def test_passive_cells_agree_with_finite_differences(passive: Passive, order: int) -> None:
    grad = gradmod.attach(quiet=True, **directions(passive))
    here = places(passive)
    records = [grad.record(seg) for seg in here]
    voltages = [h.Vector().record(seg._ref_v) for seg in here]

    def simulate() -> list[Any]:
        run(dt=0.1)
        return [np.array(v) for v in voltages]

    simulate()
    assert h.secondorder == order
    mine = {name: np.array([rec[name] for rec in records]) for name in grad.directions}
    for name, (change, step) in changes(passive).items():
        theirs = central(simulate, change, step)
        assert np.abs(mine[name] - theirs).max() < 1e-8 * np.abs(theirs).max(), name


# NEURON 8 forgets POINTERs where there are several threads, which is refused.
@pytest.mark.skipif(IS_OLD, reason="several threads need NEURON 9")
def test_threads_change_nothing(second: None) -> None:
    pair = Pair()
    asked = {name: parameter for name, (parameter, _, _) in pair.directions().items()}
    look = pair.at(1, "dendrite", 0.9)
    found = []
    for threads in (1, 2):
        h.ParallelContext().nthread(threads)
        try:
            grad = gradmod.attach(quiet=True, **asked)
            record = grad.record(look)
            pair.run()
            found.append([np.array(record[name]) for name in asked])
            grad.detach()
            with gradmod.Reverse(quiet=True, **asked) as reverse:
                trace = reverse.record(look)
                reverse.run(5.0, simulate=pair.run)
                found[-1].append(np.array([float(x) for x in reverse.gradient({trace: np.ones(201)}).values()]))
        finally:
            h.ParallelContext().nthread(1)
    assert all(np.array_equal(one, two) for one, two in zip(*found, strict=True))


def test_a_run_in_several_windows(second: None) -> None:
    pair, found = Pair(), []
    asked = {name: parameter for name, (parameter, _, _) in pair.directions().items()}
    for memory in (512.0, 0.02):
        with gradmod.Reverse(memory=memory, quiet=True, **asked) as reverse:
            trace = reverse.record(pair.at(1, "soma", 0.5))
            h.dt = 0.025
            reverse.run(5.0, simulate=pair.run)
            assert (reverse.last.windows.count > 1) == (memory < 1)
            found.append(reverse.gradient({trace: np.linspace(1, 2, 201)}))
    assert found[0] == found[1]


@pytest.mark.parametrize("way", ["forward", "reverse"])
def test_another_order_than_at_first_is_refused(passive: Passive, order: int, way: str) -> None:
    said = f"h.secondorder is {3 - order}, and was {order} when the gradients were attached: attach again"
    if way == "forward":
        grad = gradmod.attach(quiet=True, cm=Range("cm", passive.all))
        record = grad.record(passive["soma"](0.5))
        h.secondorder = 3 - order
        run()
        with pytest.raises(gradmod.Refused, match=said):
            record["cm"]
        h.secondorder = order
        run()
        assert np.any(record["cm"])
        return
    with gradmod.Reverse(quiet=True, cm=Range("cm", passive.all)) as reverse:
        reverse.record(passive["soma"](0.5))
        h.secondorder = 3 - order
        with pytest.raises(gradmod.Refused, match=said):
            reverse.run(1.0)


@pytest.mark.parametrize("way", ["forward", "reverse"])
def test_another_order_during_a_run_is_refused(passive: Passive, order: int, way: str) -> None:
    def simulate() -> None:
        h.dt = 0.1
        h.finitialize(-65)
        for step in range(20):
            h.secondorder = 0 if step == 7 else order
            h.fadvance()

    if way == "forward":
        grad = gradmod.attach(quiet=True, cm=Range("cm", passive.all))
        record = grad.record(passive["soma"](0.5))
        simulate()
        with pytest.raises(gradmod.Refused, match="NEURON solved other equations"):
            record["cm"]
        return
    h.dt = 0.1
    with gradmod.Reverse(quiet=True, cm=Range("cm", passive.all)) as reverse:
        trace = reverse.record(passive["soma"](0.5))
        reverse.run(2.0, simulate=simulate)
        with pytest.raises(gradmod.Refused, match="no exact gradient of this run"):
            reverse.gradient({trace: np.ones(21)})


def test_what_does_not_support_it_says_so(passive: Passive, order: int) -> None:
    with pytest.raises(gradmod.Refused, match=rf"secondorder is {order}, and .* not differentiated with spike_times"):
        gradmod.attach(quiet=True, spike_times=True, cm=Range("cm", passive.all))


def test_runge_is_refused(order: int) -> None:
    cell = twig.Twig(("krunge",))
    with pytest.raises(gradmod.Refused, match=rf"METHOD runge is not differentiated with secondorder {order}"):
        gradmod.attach(quiet=True, cm=Range("cm", cell.all))
