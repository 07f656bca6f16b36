"""The models do what the tests that use them assume."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from gradmod import finite
from models import branched, reference
from neuron import h

EXTRA = ["cal_ghk", "kir", "leakc", "nap", "keul", "khand", "kmq10", "nacarry", "ktab", "state0", "mathlib"]


def spikes(cell: branched.Cell, tstop: float = branched.T_STOP) -> int:
    recorded = h.Vector().record(cell.soma(0.5)._ref_v)
    branched.run(tstop=tstop)
    v = recorded.as_numpy()
    return int(np.sum((v[:-1] < 0) & (v[1:] >= 0)))


def test_shape_of_the_branched_cell() -> None:
    cell = branched.build()
    assert len(cell.segments()) == 32
    assert {section.nseg for section in cell.all} == {1, 3, 4, 5, 7}
    assert {(s.parentseg().sec.name(), s.parentseg().x) for s in cell.dendrites} == {
        ("soma", 1.0),
        ("trunk", 1.0),
        ("trunk", 0.5),
        ("soma", 0.0),
        ("basal_left", 1.0),
    }
    trunk = cell.sections["trunk"]
    assert trunk(0.1).diam > trunk(0.5).diam > trunk(0.9).diam


def test_reference_cell_fires_and_uses_all_of_its_channels() -> None:
    cell = branched.reference()
    soma = cell.soma(0.5)
    eca, cai, z = (h.Vector().record(ref) for ref in (soma._ref_eca, soma._ref_cai, soma.sk._ref_z))
    assert spikes(cell) == 6
    assert np.ptp(eca.as_numpy()) > 10
    assert cai.as_numpy().max() > 1e-3
    assert z.as_numpy().max() > 0.9
    assert spikes(cell, branched.T_STOP_TABLES) == 2


def test_all_fixture_channels_together_still_fire() -> None:
    assert spikes(branched.reference(EXTRA)) == 2


@pytest.mark.parametrize("make", [reference.single, reference.branched])
def test_reference_losses_and_their_gradients(make: Callable[[], reference.Model]) -> None:
    model = make()
    goal = reference.target(model)
    assert len(goal) == 4001

    def run() -> dict[str, float]:
        return {"loss": reference.loss(reference.trace(model), goal)}

    assert run()["loss"] == pytest.approx(model.expected.loss, rel=1e-11)
    for name, value in reference.PARAMETERS.items():
        difference = finite.differentiate(run, lambda x, name=name: model.set(name, x), at=value)
        assert float(difference.value["loss"]) == pytest.approx(model.expected.gradient[name], rel=3e-8)
        assert difference.uncertainty("loss") < 1e-6


@pytest.mark.parametrize("tables", [True, False])
def test_differences_of_the_branched_cell_are_good_to_1e6(tables: bool) -> None:
    cell = branched.reference()
    soma = cell.soma(0.5)
    traces = {"v": h.Vector().record(soma._ref_v), "tuft": h.Vector().record(cell.sections["tuft_left"](0.9)._ref_v)}

    def run() -> dict[str, np.ndarray]:
        branched.run(tstop=branched.T_STOP_TABLES if tables else branched.T_STOP)
        return {name: vector.as_numpy() for name, vector in traces.items()}

    def sk(factor: float) -> None:
        for section in ("soma", "trunk"):
            for segment in cell.sections[section]:
                segment.sk.gbar = base[section] * (1 + factor)

    base = {section: cell.sections[section](0.5).sk.gbar for section in ("soma", "trunk")}
    branched.use_tables(tables)
    try:
        difference = finite.differentiate(run, sk, at=0.0, scale=1.0, steps=tuple(np.geomspace(1e-3, 1e-8, 11)))
    finally:
        branched.use_tables(True)
    assert max(difference.uncertainty(name) for name in traces) < 1e-6
