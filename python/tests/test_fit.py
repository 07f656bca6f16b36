"""Fits: residuals and their Jacobian beside differences, parameters found again, what the data tell."""

from __future__ import annotations

import sys
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import gradmod
import numpy as np
import pytest
from gradmod.features import Features
from gradmod.fit import (
    FeatureTarget,
    Free,
    Nudge,
    Problem,
    Scale,
    Sweep,
    TraceTarget,
    from_starts,
    least_squares,
    nudged,
    random_starts,
)
from models.fitted import AMPS, DURATION, TRUTH, Cell
from neuron import h


@pytest.fixture
def cell() -> Cell:
    made = Cell()
    made.set(**TRUTH)
    return made


@pytest.mark.parametrize("scale", list(Scale))
def test_the_jacobian_of_the_residuals(cell: Cell, scale: Scale) -> None:
    sweeps = [cell.sweep(amp) for amp in AMPS]
    with Problem(cell.free(scale), sweeps, keep=cell) as problem:
        u = problem.inner([0.118, 0.037, 1.03])
        mine = problem.jacobian(u)
        for k in range(3):
            best = np.inf
            for step in (1e-3, 1e-4, 1e-5, 1e-6):
                by = step * max(abs(problem.outer(u)[k]), 1e-3) if scale is Scale.LINEAR else step
                shifted = [problem.residuals(u + sign * by * np.eye(3)[k]) for sign in (1, -1)]
                theirs = (shifted[0] - shifted[1]) / (2 * by)
                best = min(best, float(np.abs(mine[:, k] - theirs).max() / np.abs(theirs).max()))
            assert best < 1e-6, (scale, k, best)
        assert len(set(problem.evaluate(u).names)) == len(mine)


def test_spikes_are_found_again(cell: Cell) -> None:
    sweeps = [cell.sweep(amp) for amp in AMPS]
    found = []
    with Problem(cell.free(), sweeps, keep=cell) as problem:
        result = least_squares(
            problem, {"gna": 0.19, "gk": 0.027, "cm": 0.75}, runs=60, callback=lambda *now: found.append(now)
        )
    assert result.cost < 1e-6
    assert result.evaluations <= 60
    assert all(abs(result.x[name] / truth - 1) < 1e-3 for name, truth in TRUTH.items())
    assert cell.soma.gnabar_hh == result.x["gna"]
    assert found == result.history
    assert min(step[1] for step in found) == result.cost
    text = str(result)
    assert "gna = 0.12" in text
    assert "0.3 nA: peak_time[0]" in text or "0.12 nA" in text


def test_a_trace_as_a_target(cell: Cell) -> None:
    t, v = cell.trace(0.12)
    target = TraceTarget(v[::7], t[::7], 0.5)
    sweep = Sweep("trace", cell.soma(0.5), DURATION, [target], before=partial(cell.amp, 0.12))
    with Problem(cell.free(), [sweep], keep=cell) as problem:
        result = least_squares(problem, {"gna": 0.125, "gk": 0.035, "cm": 1.02})
    assert all(abs(result.x[name] / truth - 1) < 1e-4 for name, truth in TRUTH.items())


def test_missing_spikes_count_and_come_back(cell: Cell) -> None:
    sweep = cell.sweep(0.3)
    with Problem(cell.free(), [sweep], keep=cell) as problem:
        weak = problem.evaluate(problem.inner([0.05, 0.036, 1.0]))
        rows = dict(zip(weak.names, weak.values, strict=True))
        slopes = dict(zip(weak.names, weak.jacobian, strict=True))
        assert rows["0.3 nA: peak_time[1]"] == 10.0
        assert not np.any(slopes["0.3 nA: peak_time[1]"])
        assert rows["0.3 nA: soft_spike_count"] < 0
        assert slopes["0.3 nA: soft_spike_count"][0] > 0
        assert least_squares(problem, {"gna": 0.08, "gk": 0.03, "cm": 1.0}, runs=80).cost < 1e-6


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda c: Free(gradmod.Range("cm", c.soma), 1.0, 0.5), "the bounds 1.0 and 0.5 are not two numbers"),
        (lambda c: Free(gradmod.Range("cm", c.soma), 0.0, 0.5), "on a logarithmic scale it must be above 0"),
        (lambda c: Problem(c.free(), []), "there are no sweeps"),
        (lambda c: Problem(c.free(), [Sweep("a", c.soma(0.5), 5, [])]), "the sweep a has no target"),
        (lambda c: TraceTarget([1, 2], [1, 2, 3], 1), r"there are 3 times, the target has shape \(2,\)"),
        (lambda c: TraceTarget([1, 2], [1, 2], [1, 0]), "an uncertainty of a trace is not above 0"),
        (
            lambda c: FeatureTarget(Features(["voltage_base"], stim_start=1, stim_end=2), {"peak_time": 3}, 1),
            "peak_time is not among the features: voltage_base",
        ),
        (
            lambda c: FeatureTarget(Features(["peak_time"], stim_start=1, stim_end=2), {"peak_time": []}, 1),
            "the target of peak_time is",
        ),
        (
            lambda c: FeatureTarget(Features(["peak_time"], stim_start=1, stim_end=2), {"peak_time": 3}, {}),
            "there is no uncertainty of peak_time, in ms",
        ),
        (
            lambda c: FeatureTarget(Features(["peak_time"], stim_start=1, stim_end=2), {"peak_time": 3}, -1.0),
            "the uncertainty of peak_time is -1.0",
        ),
    ],
)
def test_misuse(cell: Cell, make: Any, said: str) -> None:
    with pytest.raises(gradmod.Error, match=said):
        make(cell)


def test_out_of_bounds(cell: Cell) -> None:
    with Problem(cell.free(), [cell.sweep(0.12)], keep=cell) as problem:
        with pytest.raises(gradmod.Error, match=r"gna is 0\.9, out of its bounds from 0\.03 to 0\.5"):
            least_squares(problem, {"gna": 0.9, "gk": 0.03, "cm": 1.0})
        with pytest.raises(gradmod.Error, match=r"x has shape \(2,\), there are 3 parameters"):
            problem.inner([1.0, 2.0])


def first_of_the_page(cell: Cell) -> tuple[list[str], dict[str, Any]]:
    """The blocks of the page, and what there is when the first has run."""
    page = (Path(__file__).parents[2] / "docs" / "fit.md").read_text(encoding="utf-8")
    blocks = [block.split("```")[0] for block in page.split("```python\n")[1:]]
    cell.clamp.delay, cell.clamp.dur = 10.0, 50.0
    data = {}
    for amp in (0.2, 0.3):
        cell.amp(amp)
        t, v = h.Vector().record(h._ref_t), h.Vector().record(cell.soma(0.5)._ref_v)
        h.finitialize(-65)
        h.ParallelContext().set_maxstep(10)
        h.ParallelContext().psolve(70)
        data[amp] = np.array(t), np.array(v)
    names: dict[str, Any] = {"gradmod": gradmod, "soma": cell.soma, "clamp": cell.clamp, "data": data}
    exec(blocks[0], names)
    return blocks, names


def test_the_code_of_the_page_runs(cell: Cell, capsys: pytest.CaptureFixture[str]) -> None:
    blocks, names = first_of_the_page(cell)
    assert "gna = 0.12" in capsys.readouterr().out
    assert names["result"].cost < 1e-6
    if sys.version_info < (3, 11):
        return  # there is no pyPESTO
    np.random.seed(1)  # pyPESTO draws its starts by it
    profiles, seen = (next(block for block in blocks if word in block) for word in ("profiles", "pypesto_problem"))
    exec(profiles, names)
    assert "95 % intervals of likelihood profiles" in capsys.readouterr().out
    assert names["profiles"].untold() == []
    exec(seen, names)
    assert names["chain"].shape == (21, 2)


def test_the_profile_of_the_page(cell: Cell) -> None:
    blocks, names = first_of_the_page(cell)
    cell.dend.insert("hh")
    names |= {"h": h, "dend": cell.dend}
    exec(next(block for block in blocks if "Profile(" in block), names)
    with Problem(names["parameters"], names["sweeps"], keep=cell) as problem:
        assert problem.names == ["top", "reach"]
        assert problem.x.tolist() == [0.12, 150.0]
        names["problem"] = problem
        exec(next(block for block in blocks if "hessian_vector" in block).replace("0.12, 0.036", "0.12, 150"), names)
    assert names["found"].error < 1e-3 * np.linalg.norm(names["found"].product)


def _make() -> Problem:
    """In a worker."""
    h.load_file("stdrun.hoc")
    made = Cell()
    made.set(**TRUTH)
    sweep = made.sweep(0.3)
    return Problem(made.free(), [sweep], keep=made)


def _fails() -> Problem:
    raise ValueError("nothing to build")


@pytest.mark.parametrize("kind", ["loky", "spawn"])
def test_many_starts(kind: str) -> None:
    free = Cell().free()
    starts = random_starts({name: Free(one.parameter, 0.6 * t, 1.6 * t) for (name, one), t in
                            zip(free.items(), TRUTH.values(), strict=True)}, 5, seed=2)  # fmt: skip
    bad = {"gna": 9.0, "gk": 0.03, "cm": 1.0}
    if kind == "loky":
        found = from_starts(_make, [*starts, bad], jobs=2, progress=False, runs=40)
    else:
        with ProcessPoolExecutor(2, get_context("spawn")) as executor:
            found = from_starts(_make, [*starts, bad], executor=executor, runs=40)
    assert len(found.fits) == 6
    assert found.fits[5] is None
    assert found.errors == {5: "Error: gna is 9, out of its bounds from 0.03 to 0.5"}
    assert found.best.cost < 1e-6
    assert [fit.cost for fit in found.ranked] == sorted(fit.cost for fit in found.ranked)
    assert "5 of 6 starts came to an end" in str(found)


def test_starts_that_all_fail() -> None:
    with ProcessPoolExecutor(1, get_context("spawn")) as executor:
        found = from_starts(_fails, [TRUTH, TRUTH], executor=executor, progress=False)
    with pytest.raises(gradmod.Error, match="no fit came to an end: ValueError: nothing to build"):
        _ = found.best
    with pytest.raises(gradmod.Error, match="there are no starts"):
        from_starts(_fails, [])


def test_starts_lie_between_the_bounds() -> None:
    soma = h.Section(name="soma")
    free = {scale.value: Free(gradmod.Range("cm", soma), 0.1, 10.0, scale) for scale in Scale}
    found = random_starts(free, 400, seed=1)
    assert found == random_starts(free, 400, seed=1)
    for name, middle in (("linear", 5.05), ("log", 1.0), ("logit", 5.05)):
        values = np.array([start[name] for start in found])
        assert values.min() >= 0.1 and values.max() <= 10.0
        # Half of them are below the middle of the scale, but for chance.
        assert abs(np.mean(values < middle) - 0.5) < 0.08


def test_a_clamp_leads_the_fit(cell: Cell) -> None:
    """From a start from which least squares alone stays without the spikes."""
    t, v = cell.trace(0.3)
    sweep = Sweep("step", cell.soma(0.5), DURATION, [TraceTarget(v[::8], t[::8], 1.0)], before=partial(cell.amp, 0.3))
    far = {"gna": 0.045, "gk": 0.1, "cm": 2.2}
    with Nudge(cell.soma(0.5), t, v) as nudge, Problem(cell.free(), [sweep], keep=cell) as problem:
        alone = least_squares(problem, far, runs=80)
        assert alone.cost > 1e3
        led = nudged(problem, nudge, [0.2, 0.05, 0.01, 0.002], far, runs=20)
        assert nudge.gain == 0.0
        assert all(abs(led.x[name] / truth - 1) < 1e-3 for name, truth in TRUTH.items())
        assert led.evaluations <= 100
        assert led.cost < 1e-3
        with pytest.raises(gradmod.Error, match=r"the gains \[0\.1, 0\.1\] must be above 0 and fall"):
            nudged(problem, nudge, [0.1, 0.1])
    assert np.array_equal(cell.trace(0.3)[1].shape, v.shape)
    assert not list(h.List("SEClamp"))


@pytest.mark.parametrize(
    ("t", "v", "said"),
    [
        ([0, 1], [0, 1, 2], "rows of equal length"),
        ([0, 0], [1, 2], "the times do not rise"),
        ([0, 1], [1, np.nan], "a value is not finite"),
    ],
)
def test_a_clamp_needs_a_trace(cell: Cell, t: list[float], v: list[float], said: str) -> None:
    with pytest.raises(gradmod.Error, match=said):
        Nudge(cell.soma(0.5), t, v)
    with Nudge(cell.soma(0.5), [0, 1], [0, 1]) as nudge, pytest.raises(gradmod.Error, match="must not be below 0"):
        nudge.gain = -1.0


def test_a_change_of_the_model_counts_at_the_same_parameters(cell: Cell) -> None:
    with Problem(cell.free(), [cell.sweep(0.3)], keep=cell) as problem:
        u = problem.inner([0.12, 0.036, 1.0])
        before = problem.residuals(u)
        cell.dend.g_pas = 2e-3
        assert not np.array_equal(problem.residuals(u), before)
