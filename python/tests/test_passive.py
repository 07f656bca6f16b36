"""Passive cells: whatever is wrong here is wrong in the solver or the wiring."""

from __future__ import annotations

from typing import Any

import gradmod
import numpy as np
import pytest
from conftest import Passive, adder, build_passive, central, run, segments
from gradmod import InitialVoltage, Range, Stimulus
from neuron import h


def directions(cell: Passive) -> dict[str, Any]:
    return {
        "Ra": Range("Ra", cell.all),
        "Ra_some": Range("Ra", [cell["twig"], cell["back"]], weight=2.0),
        "cm": Range("cm", cell.all),
        "cm_one": Range("cm", cell["trunk"](0.3)),
        "log_g": Range("g_pas", cell.all, weight=lambda seg: seg.g_pas),
        "g_trunk": Range("g_pas", cell["trunk"]),
        "e": Range("e_pas", cell.all),
        "v": InitialVoltage(),
        "v_twig": InitialVoltage(cell["twig"]),
        "amp": Stimulus(cell.clamps[0], "amp"),
        "amp_end": Stimulus(cell.clamps[1], "amp"),
    }


def changes(cell: Passive) -> dict[str, tuple[Any, float]]:
    some = [cell["twig"], cell["back"]]
    active = segments(cell.with_pas)
    return {
        "Ra": (adder(cell.all, "Ra"), 1e-2),
        "Ra_some": (adder(some, "Ra", lambda _: 2.0), 1e-2),
        "cm": (adder(segments(cell.all), "cm"), 1e-4),
        "cm_one": (adder([cell["trunk"](0.3)], "cm"), 1e-3),
        "log_g": (adder(active, "g_pas", lambda seg: seg.g_pas), 1e-4),
        "g_trunk": (adder(list(cell["trunk"]), "g_pas"), 1e-8),
        "e": (adder(active, "e_pas"), 1e-2),
        "v": (lambda x: cell.shift.__setitem__("all", x), 1e-2),
        "v_twig": (lambda x: cell.shift.__setitem__("twig", x), 1e-2),
        "amp": (adder(cell.clamps[:1], "amp"), 1e-3),
        "amp_end": (adder(cell.clamps[1:], "amp"), 1e-3),
    }


def places(cell: Passive) -> list[Any]:
    return [
        cell["soma"](0.5), cell["trunk"](0.5), cell["twig"](0.9), cell["back"](0.1), cell["bare"](0.9),
        cell["soma"](0), cell["bare"](1), cell["twig"](1), cell["back"](0),
    ]  # fmt: skip


@pytest.mark.parametrize("dt", [0.1, 0.025])
def test_agrees_with_finite_differences(passive: Passive, dt: float) -> None:
    grad = gradmod.attach(**directions(passive))
    here = places(passive)
    records = [grad.record(seg) for seg in here]
    voltages = [h.Vector().record(seg._ref_v) for seg in here]

    def simulate() -> list[Any]:
        run(dt=dt)
        return [np.array(v) for v in voltages]

    simulate()
    mine = {name: np.array([rec[name] for rec in records]) for name in grad.directions}
    for name, (change, step) in changes(passive).items():
        theirs = central(simulate, change, step)
        assert mine[name].shape == theirs.shape
        largest = np.abs(theirs).max()
        assert np.abs(mine[name] - theirs).max() < 1e-8 * largest, name
        assert np.abs(mine[name] - theirs)[:, -1].max() < 1e-7 * np.abs(theirs[:, -1]).max(), name
        assert np.abs(mine[name] - theirs)[:, :3].max() < 1e-8 * largest, name


def test_the_voltage_is_not_touched(passive: Passive) -> None:
    voltages = [h.Vector().record(seg._ref_v) for seg in places(passive)]
    run(dt=0.025)
    before = [np.array(v) for v in voltages]
    grad = gradmod.attach(**directions(passive))
    run(dt=0.025)
    assert all(np.array_equal(a, v) for a, v in zip(before, voltages, strict=True))
    grad.detach()
    run(dt=0.025)
    assert all(np.array_equal(a, v) for a, v in zip(before, voltages, strict=True))
    assert [sec.name() for sec in h.allsec()] == list(passive.sections)
    assert [m.name() for m in passive["soma"](0.5)] == ["pas"]
    assert [m.name() for m in passive["bare"](0.5)] == []


def test_reading_in_the_middle_changes_nothing(passive: Passive) -> None:
    grad = gradmod.attach(**directions(passive))
    rec = grad.record(passive["soma"](0.5))
    run(4.0)
    middle = rec.jacobian()
    h.continuerun(8.0)
    read = rec.jacobian()
    run(8.0)
    assert np.array_equal(read, rec.jacobian())
    assert np.allclose(middle, read[: len(middle)], rtol=1e-9, atol=1e-12)


def test_runs_do_not_depend_on_those_before(passive: Passive) -> None:
    grad = gradmod.attach(**directions(passive))
    rec = grad.record(passive["twig"](0.5))
    run(dt=0.1)
    first = rec.jacobian()
    run(dt=0.025)
    assert len(rec.t) == 321
    passive["soma"].Ra, passive["trunk"](0.5).cm, passive["trunk"](0.5).diam = 200, 3, 9
    run(dt=0.1)
    changed = rec.jacobian()
    assert not np.allclose(first, changed, rtol=1e-3)
    grad.detach()
    again = gradmod.attach(**directions(passive))
    rec = again.record(passive["twig"](0.5))
    run(dt=0.1)
    assert np.array_equal(changed, rec.jacobian())


def test_parameters_may_change_before_reading(passive: Passive) -> None:
    grad = gradmod.attach(**directions(passive))
    rec = grad.record(passive["twig"](0.5))
    run()
    expected = rec.jacobian()
    run()
    for seg in segments(passive.with_pas):
        seg.pas.g, seg.pas.e = 1, 2
    passive.clamps[0].amp = 9
    assert np.array_equal(expected, rec.jacobian())
    # Once read, they are read. Before, these could have changed during the run; nothing else would tell.
    passive["twig"].cm = 2
    assert np.array_equal(expected, rec.jacobian())
    passive["twig"].cm = 1.1
    run()
    passive["twig"].cm = 2
    with pytest.raises(gradmod.Refused, match=r"the cm of twig\(0.1\) changed since finitialize"):
        rec.jacobian()


def test_gradients_are_range_variables(passive: Passive) -> None:
    grad = gradmod.attach(**directions(passive))
    seg = passive["trunk"](0.5)
    rec, present, end = grad.record(seg), grad.at("amp", seg), grad.at("amp", passive["twig"](1))
    vector = h.Vector().record(present.ref)
    run()
    assert present.value == rec["amp"][-1] != 0
    assert np.array_equal(vector, rec["amp"])
    assert end.value != 0
    h.fadvance()
    assert present.value != vector[-2]


def test_no_step_and_one_step(passive: Passive) -> None:
    grad = gradmod.attach(**directions(passive))
    rec = grad.record(passive["twig"](0.5))
    h.dt = 0.1
    h.finitialize(-66)
    assert rec["v"].tolist() == [1.0] and rec["Ra"].tolist() == [0.0]
    h.fadvance()
    one = rec.jacobian()
    run()
    assert np.allclose(one, rec.jacobian()[:2], rtol=1e-9, atol=1e-15)


def test_psolve_and_fadvance_are_runs_like_any(passive: Passive) -> None:
    grad = gradmod.attach(**directions(passive))
    rec = grad.record(passive["twig"](0.5))
    run(3.0)
    expected = rec.jacobian()
    context = h.ParallelContext()
    context.set_maxstep(10)
    h.finitialize(-66)
    context.psolve(3.0)
    assert np.array_equal(rec.jacobian(), expected)
    h.finitialize(-66)
    for _ in range(30):
        h.fadvance()
    assert np.array_equal(rec.jacobian(), expected)


def test_sections_made_after_attach_do_no_harm(passive: Passive) -> None:
    grad = gradmod.attach(**directions(passive))
    rec = grad.record(passive["twig"](0.5))
    run()
    expected = rec.jacobian()
    others = [h.Section(name=f"other{i}") for i in range(50)]
    for other in others:
        other.insert("hh")
    run()
    assert np.array_equal(rec.jacobian(), expected)
    others.clear()
    run()
    assert np.array_equal(rec.jacobian(), expected)


def test_several_cells_and_several_gradients() -> None:
    """Directions on one cell leave the other at 0; gradients with different mechanisms live side by side."""
    one, two = build_passive(), build_passive()
    first = gradmod.attach(g=Range("g_pas", one.all), v=InitialVoltage(one.all))
    second = gradmod.attach(v=InitialVoltage(), e=Range("e_pas", one["soma"]), g=Range("g_pas", two.all))
    assert len(list(h.allsec())) == 5 * 2
    a = first.record(one["twig"](0.5))
    b, c = second.record(one["twig"](0.5)), second.record(two["twig"](0.5))
    run()
    assert np.allclose(a["v"], b["v"], rtol=1e-12)
    assert not b["g"].any() and not c["e"].any() and b["e"].any()
    assert np.allclose(a["g"], c["g"], rtol=1e-9)
    with pytest.raises(gradmod.Error, match="no direction acts on the cell"):
        first.record(two["twig"](0.5))
    with pytest.raises(gradmod.Error, match="its gradient is 0 there"):
        second.at("g", one["twig"](0.5))
    third = gradmod.attach(g=Range("g_pas", one.all), v=InitialVoltage())
    with pytest.raises(gradmod.Error, match="new ones were attached in their place"):
        first.record(one["twig"](0.5))
    third.detach()
    run()
    assert np.allclose(b["v"], c["v"], rtol=1e-12)
