"""pyPESTO: its optimisers and samplers on a problem, one run for all that it asks of a point."""

from __future__ import annotations

import copy
import logging
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

import gradmod
import numpy as np
import pytest
from gradmod.fit import Parallel, Problem, Scale, least_squares, likelihood_profiles, pypesto_problem
from models.product import START, TRUTH, Leaky
from neuron import h

if sys.version_info >= (3, 11):
    from pypesto import optimize, sample
    from pypesto.engine import MultiProcessEngine, MultiThreadEngine

pytestmark = pytest.mark.skipif(sys.version_info < (3, 11), reason="pyPESTO needs Python 3.11")

NAMES = ("g", "cm", "e")
AT = [1.7e-4, 1.2, -66.0]


@pytest.fixture
def made() -> Iterator[Problem]:
    with Leaky().problem(0.3, names=NAMES) as problem:
        yield problem


def test_all_of_one_run(made: Problem) -> None:
    seen = pypesto_problem(made)
    u = made.inner(AT)
    expected = made.evaluate(u)
    before = made.evaluations
    cost, gradient, hessian = seen.objective(u, sensi_orders=(0, 1, 2))
    residuals, jacobian = seen.objective(u, sensi_orders=(0, 1), mode="mode_res")
    assert made.evaluations == before + 1
    assert cost == expected.cost
    for mine, theirs in (
        (gradient, expected.gradient),
        (hessian, expected.fisher),
        (residuals, expected.values),
        (jacobian, expected.jacobian),
    ):
        assert np.array_equal(mine, theirs)
    # Copies are of the one model, and know what was asked of it.
    assert copy.deepcopy(seen).objective(u) == cost
    assert made.evaluations == before + 1
    seen.fix_parameters(1, u[1])
    assert np.array_equal(seen.objective.get_grad(u[[0, 2]]), gradient[[0, 2]])
    assert made.evaluations == before + 1


def test_a_change_of_the_model_counts_in_the_next_fit() -> None:
    cell = Leaky()
    with cell.problem(0.3, names=NAMES) as made:
        seen, optimiser = pypesto_problem(made), optimize.ScipyOptimizer("ls_trf")
        u = made.inner(AT)
        first = optimiser.minimize(seen, u)
        cell.clamp.amp *= 2
        second = optimiser.minimize(seen, u)
    assert second.fval0 > 2 * first.fval0


def test_names_bounds_and_scales(made: Problem) -> None:
    seen = pypesto_problem(made)
    assert seen.x_names == list(NAMES)
    assert seen.x_scales == ["log", "log", "lin"]
    low, high = made.bounds
    assert np.array_equal(seen.lb, low) and np.array_equal(seen.ub, high)
    with Leaky().problem(0.3, names=("g", "e"), scale=Scale.LOGIT) as logit:
        boxed = pypesto_problem(logit)
        assert boxed.x_scales == ["lin", "lin"]
        low, high = logit.outer(boxed.lb), logit.outer(boxed.ub)
        bounded = logit.bounded[0]
        width = bounded.high - bounded.low
        assert 0 < low[0] - bounded.low < 1.0001e-6 * width and 0 < bounded.high - high[0] < 1.0001e-6 * width
        starts = np.array([logit.outer(u) for u in boxed.startpoint_method(n_starts=50, problem=boxed)])
        parts = (starts[:, 0] - bounded.low) / width
        assert 0.05 - 1e-9 < parts.min() < 0.3 and 0.7 < parts.max() < 0.95 + 1e-9


@pytest.mark.parametrize("name", ["ls_trf", "L-BFGS-B", "trust-constr", "fides"])
def test_optimisers(made: Problem, name: str) -> None:
    """Three starts, of which the best one is where least squares are."""
    expected = least_squares(made, {one: START[one] for one in NAMES}, progress=False)
    optimiser: Any = (
        optimize.FidesOptimizer(verbose=logging.WARNING) if name == "fides" else optimize.ScipyOptimizer(name)
    )
    seen = pypesto_problem(made)
    np.random.seed(3)  # pyPESTO draws its starts by it
    found = optimize.minimize(problem=seen, optimizer=optimiser, n_starts=3, progress_bar=False)
    costs = found.optimize_result.fval
    assert len(costs) == 3
    assert costs[0] == pytest.approx(expected.cost, rel=1e-4)
    best = made.outer(found.optimize_result.x[0])
    assert best == pytest.approx(list(expected.x.values()), rel=1e-2)


def test_reverse_mode_has_gradients() -> None:
    with Leaky().problem(0.3, names=NAMES, mode="reverse") as made:
        seen = pypesto_problem(made)
        assert seen.objective.has_grad and seen.objective.has_res
        assert not seen.objective.has_hess and not seen.objective.has_sres
        found = optimize.ScipyOptimizer("L-BFGS-B").minimize(seen, made.inner(AT))
        assert made.outer(found.x) == pytest.approx([TRUTH[name] for name in NAMES], rel=0.1)


def test_a_sampler(made: Problem) -> None:
    """A few steps: it runs, and stays about where the fit is."""
    expected = least_squares(made, {one: START[one] for one in NAMES}, progress=False)
    assert expected.certainty is not None
    u = made.begin(expected.x)
    seen = pypesto_problem(made)
    np.random.seed(1)
    found = sample.sample(problem=seen, n_samples=400, sampler=sample.AdaptiveMetropolisSampler(), x0=u)
    drawn = found.sample_result.trace_x[0][100:]
    assert len(np.unique(drawn[:, 0])) > 20
    off = (drawn.mean(axis=0) - u) / expected.certainty.errors
    assert np.all(np.abs(off) < 1.0), off


def test_tempering(made: Problem) -> None:
    seen = pypesto_problem(made)
    np.random.seed(1)
    sampler = sample.AdaptiveParallelTemperingSampler(internal_sampler=sample.AdaptiveMetropolisSampler(), n_chains=2)
    u = made.inner([TRUTH[name] for name in NAMES])
    found = sample.sample(problem=seen, n_samples=30, sampler=sampler, x0=[u, u])
    assert found.sample_result.trace_x.shape == (2, 31, 3)
    assert np.all(np.isfinite(found.sample_result.trace_neglogpost))


def test_engines(made: Problem) -> None:
    """Threads take turns at the one model; other processes would need models of their own."""
    seen = pypesto_problem(made)
    options: dict[str, Any] = {"optimizer": optimize.ScipyOptimizer("ls_trf"), "n_starts": 2, "progress_bar": False}
    with pytest.raises(gradmod.Error, match="a model does not go to other processes"):
        optimize.minimize(problem=seen, engine=MultiProcessEngine(2), **options)
    found = optimize.minimize(problem=seen, engine=MultiThreadEngine(2), **options)
    assert found.optimize_result.fval == pytest.approx([found.optimize_result.fval[0]] * 2, rel=1e-4)


def test_without_pypesto(made: Problem, monkeypatch: pytest.MonkeyPatch) -> None:
    found = least_squares(made, dict(zip(NAMES, AT, strict=True)), progress=False)
    monkeypatch.setitem(sys.modules, "pypesto", None)
    with pytest.raises(gradmod.Error, match="an objective for pyPESTO needs pypesto: pip install pypesto"):
        pypesto_problem(made)
    with pytest.raises(gradmod.Error, match="a likelihood profile needs pypesto: pip install pypesto"):
        likelihood_profiles(made, found)


def test_sweeps_in_other_processes() -> None:
    """Of a problem whose sweeps run in processes of their own, the objective is the same."""
    with ProcessPoolExecutor(1, get_context("spawn")) as executor, Parallel(problem, executor=executor) as apart:
        seen = pypesto_problem(apart)
        cost, hessian = seen.objective(apart.inner(apart.x), sensi_orders=(0, 2))
    with Leaky().problem(0.3, names=NAMES) as made:
        here = made.evaluate(made.inner(made.x))
    assert cost == pytest.approx(here.cost, rel=1e-9)
    assert hessian == pytest.approx(here.fisher, rel=1e-9)


def problem() -> Problem:
    """In a worker."""
    h.load_file("stdrun.hoc")
    return Leaky().problem(0.3, names=NAMES)
