"""Fits of long traces by windows that grow from their beginning.

The cost of a long spiking trace has a minimum for each spike that is lost or won: a fit of the first spikes is nearly
one for all, and the next window begins near its minimum.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

from .._problem.problem import Problem
from ..errors import Error
from .least_squares import least_squares
from .result import Fit


def growing(
    problem: Problem,
    horizons: Sequence[float],
    start: Mapping[str, float] | None = None,
    *,
    runs: int = 20,
    **options: Any,
) -> Fit:
    """Fit the first part of all sweeps, then longer ones from where the fit before ended, and at last the whole.

    Args:
        problem: What to fit. Its targets are traces (:class:`TraceTarget`), or others that have ``until``.
        horizons: [window] in ms, rising; runs are no longer than these.
        start: As for :func:`least_squares`.
        runs: How often each window may be run.
        options: Of :func:`least_squares`.

    Returns:
        The fit of the whole; its evaluations count all windows, its history is that of the whole.

    Raises:
        Error: The horizons do not rise, or a target cannot be cut.
    """
    if not horizons or min(horizons) <= 0.0 or any(after <= before for before, after in pairwise(horizons)):
        raise Error(f"the horizons {list(horizons)} must be above 0 ms and rise")
    if "checkpoint" in options:
        raise Error("a fit by growing windows has no checkpoint: it is several fits")
    at, before = start, 0
    try:
        for horizon in horizons:
            problem.horizon = horizon
            fit = least_squares(problem, at, runs=runs, **options)
            at, before = fit.x, before + fit.evaluations
    finally:
        problem.horizon = None
    fit = least_squares(problem, at, runs=runs, **options)
    history = [(number + before, cost, x) for number, cost, x in fit.history]
    return replace(fit, evaluations=before + fit.evaluations, history=history)
