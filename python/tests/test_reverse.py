"""Reverse mode against the reference numbers, forward mode and differences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gradmod
import numpy as np
import pytest
from conftest import Passive, run
from gradmod._build import flags
from models import branched, everything, library, package, reference, twig
from neuron import h
from test_constructs import CASES

BASE = ("pas", "naf", "kdr", "ih", "cah", "capool", "sk")
EXTRA = ("cal_ghk", "kir", "leakc", "nap", "keul", "khand", "kmq10", "nacarry", "ktab", "state0")


@pytest.mark.parametrize("build", [reference.single, reference.branched])
def test_reference_models(build: Any) -> None:
    model = build()
    goal = reference.target(model)
    plain = reference.trace(model)
    names = list(reference.PARAMETERS)
    totals = {name: gradmod.Range(name, model.all) for name in names}
    each = {f"{name}_each": gradmod.PerSegment(name, model.all) for name in names}
    with gradmod.Reverse(**totals, **each) as reverse:
        trace = reverse.record(model.soma(0.5))
        reverse.run(reference.T_STOP, simulate=reference.run)
        assert np.array_equal(trace.values, plain)
        loss = reference.loss(trace.values, goal)
        gradient = reverse.gradient({trace: 2 * (trace.values - goal) / len(goal)})
    assert loss == pytest.approx(model.expected.loss, rel=1e-9)
    for name, expected in model.expected.gradient.items():
        assert gradient[name] == pytest.approx(expected, rel=1e-7)
        assert np.sum(gradient[f"{name}_each"]) == pytest.approx(expected, rel=1e-7)
        assert len(gradient[f"{name}_each"]) == sum(sec.nseg for sec in model.all)


def compare(directions: dict[str, Any], looks: list[tuple[Any, str]], simulate: Any, duration: float) -> dict[str, Any]:
    """(reverse, forward, scale) of the gradient of a loss with random weights; the scale is the largest addend's."""
    forward = gradmod.attach(**directions)
    records = {look: forward.record(*look) for look in looks}
    simulate()
    random = np.random.default_rng(1)
    weights = {look: random.normal(size=len(next(iter(records.values())).t)) for look in looks}
    products = {
        name: np.array([weights[look] * record[name] for look, record in records.items()]) for name in directions
    }
    forward.detach()
    with gradmod.Reverse(**directions) as reverse:
        traces = {look: reverse.record(*look) for look in looks}
        reverse.run(duration, simulate=simulate)
        gradient = reverse.gradient({traces[look]: weights[look] for look in looks})
        return {name: (gradient[name], p.sum(), np.abs(p).sum()) for name, p in products.items()}


@pytest.mark.parametrize(
    ("extra", "dt", "tables"), [((), 0.025, False), ((), 0.1, False), ((), 0.05, True), (EXTRA, 0.05, False)]
)
def test_forward_and_reverse_agree(
    monkeypatch: pytest.MonkeyPatch, extra: Sequence[str], dt: float, tables: bool
) -> None:
    cell = branched.reference(extra)
    branched.use_tables(tables)
    monkeypatch.setattr(branched, "V_INIT", -70.3)
    directions = {name: wanted for name, (wanted, _, _) in everything.of(cell, (*BASE, *extra)).items()}
    trunk = cell.sections["trunk"]
    looks = [
        (cell.soma(0.5), "v"),
        (cell.soma(0.5), "m_naf"),
        (trunk(0.5), "cai"),
        (trunk(1), "v"),
        (cell.sections["tuft_left"](0.9), "v"),
    ]
    found = compare(directions, looks, lambda: branched.run(dt, 6.0), 6.0)
    wrong = {name: values for name, values in found.items() if not abs(values[0] - values[1]) <= 1e-9 * values[2]}
    assert not wrong
    assert sum(abs(values[1]) > 1e-6 * values[2] for values in found.values()) > 0.8 * len(found)


@pytest.mark.parametrize("tables", [False, True])
def test_optimised_as_for_users(monkeypatch: pytest.MonkeyPatch, tables: bool) -> None:
    """Several places at once: the tests' own options of the compiler take one after the other."""
    monkeypatch.setenv(flags.VARIABLE, "-march=native")
    cell = branched.reference()
    branched.use_tables(tables)
    chosen = ("gbar_naf", "gbar_cah", "vshift_naf", "g_pas", "cm", "eca")
    every = everything.of(cell, BASE)
    directions = {name: every[name][0] for name in chosen if name in every}
    assert len(directions) > 3
    looks = [(cell.soma(0.5), "v"), (cell.sections["trunk"](0.5), "cai"), (cell.sections["tuft_left"](0.9), "v")]
    found = compare(directions, looks, lambda: branched.run(0.05, 6.0), 6.0)
    assert not {name: values for name, values in found.items() if not abs(values[0] - values[1]) <= 1e-9 * values[2]}


def test_channels_of_a_package() -> None:
    cell = package.cell()
    chosen = everything.of(cell, ("pas", *package.MECHANISMS))
    directions = {name: wanted for name, (wanted, _, _) in chosen.items() if name not in package.IDLE}
    looks = [(cell.soma(0.5), "v"), (cell.sections["tuft_left"](0.9), "v"), (cell.sections["trunk"](0.5), "cai")]
    found = compare(directions, looks, lambda: branched.run(0.025, 9.0), 9.0)
    wrong = {name: values for name, values in found.items() if not abs(values[0] - values[1]) <= 1e-9 * values[2]}
    assert not wrong


# capool's INITIAL sets cai: nothing depends on the concentration before it.
SET_BY_INITIAL = (
    "Goldman-Hodgkin-Katz, pool, Nernst",
    "pool before the channel that reads it",
    "pool by derivimplicit",
    "pool that sets the reversal potential",
    "pool that is a step late, and set anew by BREAKPOINT",
    "C code that NMODL could say",
    "gates by two METHODs, CONDUCTANCE of no ion",
)


def test_a_function_table_that_was_filled_anew() -> None:
    cell = twig.Twig(("kfilled",))
    with gradmod.Reverse(gbar=gradmod.Range("gbar_kfilled", cell.all)) as reverse:
        trace = reverse.record(cell.soma(0.5))
        reverse.run(2.0, simulate=lambda: cell.run(0.05, 2.0))
        others = h.Vector([0.2, 0.9]), h.Vector([-80.0, 20.0])
        h.table_inf_kfilled(*others)
        try:
            with pytest.raises(gradmod.Refused, match="n_kfilled"):
                reverse.gradient({trace: np.ones_like(trace.values)})
        finally:
            library.fill_tables()


@pytest.mark.parametrize(
    "case",
    # Every third each time, forward mode has the others (test_constructs.py); all of them: make test-thorough.
    [pytest.param(case, marks=pytest.mark.thorough if number % 3 else ()) for number, case in enumerate(CASES)],
)
def test_every_construct(case: str) -> None:
    mechanisms, dt = CASES[case]
    idle = {"cai0"} if case in SET_BY_INITIAL else {"onset_kleft"} if "kleft" in mechanisms else set()
    cell = twig.Twig(mechanisms)
    directions = {name: wanted for name, (wanted, _, _) in cell.directions().items()}
    found = compare(directions, cell.watched, lambda: cell.run(dt, 6.0), 6.0)
    wrong = {name: values for name, values in found.items() if not abs(values[0] - values[1]) <= 1e-9 * values[2]}
    assert not wrong
    assert {name for name, values in found.items() if values[1] == 0.0} == idle


def test_a_table_over_range_variables() -> None:
    """As in test_constructs."""
    cell = twig.Twig(("kshift",))
    directions = {name: wanted for name, (wanted, _, _) in cell.directions().items()}
    shifted = {name: directions.pop(name) for name in ("shift_kshift", "speed_kshift")}
    found = compare(directions, cell.watched, lambda: cell.run(0.025, 6.0), 6.0)
    assert {"gbar_kshift", "slope_kshift"} <= set(found)
    wrong = {name: values for name, values in found.items() if not abs(values[0] - values[1]) <= 1e-9 * values[2]}
    assert not wrong
    with pytest.raises(gradmod.Refused, match=r"no gradient in shift_kshift: the TABLE of rates"):
        gradmod.Reverse(shift=shifted["shift_kshift"])
    with gradmod.Reverse(cm=directions["cm"]) as reverse:
        cell.short(0.5).kshift.shift = 3
        with pytest.raises(gradmod.Refused, match=r"shift_kshift is 2.0 in .* and 3.0 in .*usetable_kshift = 0"):
            reverse.run(6.0)
        h.usetable_kshift = 0
        h.dt = 0.025
        reverse.run(6.0, simulate=lambda: cell.run(0.025, 6.0))
        h.usetable_kshift = 1


def test_axial_coupling(passive: Passive) -> None:
    """Tapers, ends without area, rallbranch, a clamp at an end."""
    directions = {
        "Ra": gradmod.Range("Ra", passive.all),
        "Ra_twig": gradmod.Range("Ra", passive["twig"]),
        "cm": gradmod.Range("cm", passive.all, weight=lambda seg: 1 + seg.x),
        "g_pas": gradmod.Range("g_pas", passive.with_pas),
        "g_back": gradmod.Range("g_pas", passive["back"]),
        "amp": gradmod.Stimulus(passive.clamps[0], "amp"),
        "amp_end": gradmod.Stimulus(passive.clamps[1], "amp"),
        "v": gradmod.InitialVoltage(),
        "v_twig": gradmod.InitialVoltage(passive["twig"]),
    }
    places = (("soma", 0.5), ("back", 0.1), ("bare", 1), ("soma", 0))
    looks = [(passive[name](x), "v") for name, x in places]
    found = compare(directions, looks, run, 8.0)
    for name, (mine, theirs, scale) in found.items():
        assert mine == pytest.approx(theirs, abs=1e-11 * scale), name


def test_per_segment_against_differences(passive: Passive) -> None:
    parameters = {"g": gradmod.PerSegment("g_pas", passive.with_pas), "Ra": gradmod.PerSegment("Ra", passive.all)}
    with gradmod.Reverse(**parameters) as reverse:
        trace = reverse.record(passive["soma"](0.5))
        h.dt = 0.1
        reverse.run(8, simulate=run)
        weights = np.cos(np.arange(len(trace.values)))
        gradient = reverse.gradient({trace: weights})
        voltage = h.Vector().record(passive["soma"](0.5)._ref_v)
        segments = [seg for sec in passive.with_pas for seg in sec]

        def change(owner: Any, name: str, step: float) -> float:
            value, sums = getattr(owner, name), []
            for x in (value + step, value - step):
                setattr(owner, name, x)
                run()
                sums.append(float(weights @ voltage.as_numpy()))
            setattr(owner, name, value)
            return (sums[0] - sums[1]) / (2 * step)

        for i in (0, 3, len(segments) - 1):
            assert gradient["g"][i] == pytest.approx(change(segments[i], "g_pas", 1e-8), rel=1e-5)
        for i, sec in enumerate(passive.all):
            assert gradient["Ra"][i] == pytest.approx(change(sec, "Ra", 1e-3), rel=1e-5)


def test_a_fixed_parameter_that_changes_is_refused(passive: Passive) -> None:
    def simulate() -> None:
        run(4.0)
        passive["twig"](0.5).pas.g *= 2
        h.continuerun(8.0)

    with gradmod.Reverse(g=gradmod.Range("g_pas", passive.with_pas)) as reverse:
        with pytest.raises(gradmod.Refused, match=r"g_pas at .*twig"):
            reverse.run(8, simulate=simulate)
        with pytest.raises(gradmod.Error, match="call run"):
            reverse.gradient({})
