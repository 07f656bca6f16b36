"""Likelihood profiles: beside standard errors, the truth behind noisy data, and what data do not tell."""

from __future__ import annotations

import sys
import warnings
from dataclasses import replace
from typing import Any

import gradmod
import numpy as np
import pytest
from gradmod.fit import (
    Fit,
    Interval,
    LikelihoodProfiles,
    Problem,
    Scale,
    TraceTarget,
    least_squares,
    likelihood_profiles,
)
from models.product import BOUNDS, START, TRUTH, Leaky, free
from scipy.stats import t as student

pytestmark = pytest.mark.skipif(sys.version_info < (3, 11), reason="pyPESTO needs Python 3.11")

TOLD = ("g", "cm", "e")
#: Of the normal distribution, 95 %.
Z = 1.959964


def fitted(problem: Problem, **options: Any) -> Fit:
    start = {name: START[name] for name in problem.names}
    return least_squares(problem, start, progress=False, **options)


def profiled(problem: Problem, found: Fit, *arguments: Any, **options: Any) -> LikelihoodProfiles:
    return likelihood_profiles(problem, found, *arguments, progress=False, **options)


@pytest.mark.parametrize("scale", list(Scale))
def test_within_small_noise_they_are_standard_errors(scale: Scale) -> None:
    with Leaky().problem(0.02, names=TOLD, scale=scale) as problem:
        found = fitted(problem)
        u = problem.begin(found.x)
        profiles = profiled(problem, found)
        assert np.array_equal(problem.x, list(found.x.values()))
        assert profiles.evaluations < 45 * 3
        assert profiles.better is None and profiles.untold() == []
        for level, quantile in ((0.95, Z), (0.6827, 1.0)):
            for k, (name, interval) in enumerate(profiles.intervals(level).items()):
                bounded, error = problem.bounded[k], profiles.profiles[name].error
                off = [(bounded.inner(end) - u[k]) / error for end in (interval.low, interval.high)]
                assert off == pytest.approx([-quantile, quantile], rel=5e-3)
                assert interval.is_told and found.x[name] in interval
    profile = profiles.profiles["g"]
    assert np.all(np.diff(profile.values) > 0) and np.array_equal(profile.x[:, 0], profile.values)
    assert np.min(profile.costs) == pytest.approx(found.cost, abs=1e-6)
    # The others are at their best: the higher e, the more leak there must be.
    assert found.certainty is not None
    follows = np.polyfit(profile.u[:, 0], profile.u[:, 2], 1)[0]
    said = found.certainty.correlations[0, 2] * found.certainty.errors[2] / found.certainty.errors[0]
    assert follows == pytest.approx(said, rel=0.02)
    assert "95 % intervals of likelihood profiles" in str(profiles) and "not told" not in str(profiles)


def test_intervals_cover_the_truth() -> None:
    """95 % of them: of 50, fewer than 43 have a probability of .4 %."""
    covered = 0
    with Leaky().problem(1.5, names=TOLD) as problem:
        (target,) = problem.sweeps[0].targets
        assert isinstance(target, TraceTarget)
        truth = target.target - np.random.default_rng(0).normal(0.0, 1.5, len(target.target))
        for seed in range(50):
            target.target = truth + np.random.default_rng(seed).normal(0.0, 1.5, len(truth))
            covered += TRUTH["g"] in profiled(problem, fitted(problem), ["g"]).intervals()["g"]
    assert 43 <= covered <= 50


def test_a_product_is_not_told() -> None:
    """Its factors are free between their bounds, as far as those of the other let them; the rest is told."""
    with Leaky().problem(0.3) as problem:
        found = fitted(problem)
        profiles = profiled(problem, found)
    product = found.x["g"] * found.x["factor"]
    assert profiles.untold() == ["g", "factor"]
    g, factor = (profiles.intervals()[name] for name in ("g", "factor"))
    assert (factor.low, factor.high) == BOUNDS["factor"]
    assert g.lower.is_bound and g.low == BOUNDS["g"][0]
    # The largest g there is belongs to the least factor.
    assert g.upper.others == ("factor",) and not g.upper.is_bound
    assert g.high == pytest.approx(product / BOUNDS["factor"][0], rel=0.05)
    walked = profiles.profiles["factor"].x
    assert walked[:, 0] * walked[:, 1] == pytest.approx(product, rel=0.01)
    text = str(profiles)
    assert "not told by the data: g, factor" in text
    assert "0.05 (its bound) to 20 (its bound)" in text and "(factor at a bound)" in text


def test_told_at_one_side() -> None:
    """So much noise that the ball may leak as much as it likes: the data tell how much at least."""
    with Leaky().problem(16.0, names=("g",)) as problem:
        profiles = profiled(problem, fitted(problem))
        (interval,) = profiles.intervals().values()
        assert interval.upper.is_bound and not interval.lower.is_bound
        assert BOUNDS["g"][0] < interval.low < TRUTH["g"]
        assert profiles.untold() == ["g"]
        # With less confidence it is told.
        assert profiles.untold(0.5) == []


def test_one_parameter() -> None:
    with Leaky().problem(0.3, names=("cm",)) as problem:
        found = fitted(problem)
        (interval,) = profiled(problem, found).intervals().values()
        assert found.certainty is not None
        (error,) = found.certainty.errors
        ends = (np.log([interval.low, interval.high]) - np.log(found.x["cm"])) / error
        assert ends == pytest.approx([-Z, Z], rel=0.05)


def test_the_size_of_uncertainties_may_be_unknown() -> None:
    """Ten times too small ones: scaled, intervals are those of the right ones, but for what the residuals tell."""
    cell = Leaky()
    found: dict[bool, Interval] = {}
    costs: dict[bool, float] = {}
    for scaled, said in ((False, 0.3), (True, 0.03)):
        with cell.problem(0.3, names=TOLD) as made:
            (target,) = made.sweeps[0].targets
            assert isinstance(target, TraceTarget)
            sweep = replace(made.sweeps[0], targets=[TraceTarget(target.target, target.times, said)])
        with Problem(free(cell.soma, TOLD), [sweep]) as problem:
            fit = fitted(problem, scaled=scaled)
            costs[scaled] = fit.cost
            found[scaled] = profiled(problem, fit, ["e"], scaled=scaled).intervals()["e"]
    assert costs[True] == pytest.approx(100 * costs[False], rel=1e-6)
    freedom = len(target.times) - len(TOLD)
    # Of F with one and so many degrees of freedom the quantile is a little larger than of chi-squared.
    expected = np.sqrt(2 * costs[False] / freedom) * student.ppf(0.975, freedom) / Z
    widths = {scaled: interval.high - interval.low for scaled, interval in found.items()}
    assert widths[True] / widths[False] == pytest.approx(expected, rel=0.01)


def test_a_better_fit_is_told() -> None:
    with Leaky().problem(0.3, names=TOLD) as problem:
        short = fitted(problem, runs=3)
        assert short.cost > fitted(problem).cost + 0.1
        profiles = profiled(problem, short, ["g"])
        assert profiles.better is not None
        assert "fit again from" in str(profiles)
        assert least_squares(problem, profiles.better, progress=False).cost < short.cost - 0.1


def test_a_picture() -> None:
    with Leaky().problem(0.3) as problem, warnings.catch_warnings():
        warnings.simplefilter("error")
        figure = profiled(problem, fitted(problem)).plot(0.9)
    assert [axes.get_xlabel() for axes in figure.axes] == list(TRUTH)


def test_misuse() -> None:
    cell = Leaky()
    with cell.problem(0.3, names=TOLD) as problem:
        found = fitted(problem)
        with pytest.raises(gradmod.Error, match=r"the level is 1: it must be between 0 and 1, such as 0\.95"):
            profiled(problem, found, level=1.0)
        with pytest.raises(gradmod.Error, match="there is no parameter gk; there are g, cm, e"):
            profiled(problem, found, ["gk"])
        profiles = profiled(problem, found, ["e"], level=0.5)
        assert list(profiles.profiles) == ["e"]
        with pytest.raises(gradmod.Error, match=r"at most 0\.5, that of the profiles"):
            profiles.intervals(0.9)
        cell.clamp.amp *= 2
        with pytest.raises(gradmod.Error, match="the fit is of another problem, or the model was changed"):
            profiled(problem, found)
    with (
        cell.problem(0.3, names=TOLD, mode="reverse") as problem,
        pytest.raises(gradmod.Error, match="made by least squares, in forward mode"),
    ):
        profiled(problem, found)
