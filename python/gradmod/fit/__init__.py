"""Fits: parameters with bounds and scales, sweeps with targets, least squares, and what the data tell.

    problem = fit.Problem(
        {"gna": fit.Free(gradmod.Range("gnabar_hh", soma), 0.03, 0.3)},
        [fit.Sweep("0.3 nA", soma(0.5), 60.0, [target], before=partial(set_amp, 0.3))],
    )
    result = fit.least_squares(problem, runs=60)
    print(result)

Needs SciPy; fits from many starts need loky or an executor. docs/fit.md has more.
"""

from __future__ import annotations

from .certainty import Certainty
from .minimise import Fit, least_squares
from .nudging import Nudge, nudged
from .problem import Evaluated, Free, Problem, Sweep
from .scales import Scale
from .starts import Fits, from_starts, random_starts
from .targets import FeatureTarget, Rows, Target, TraceTarget

__all__ = [
    "Certainty",
    "Evaluated",
    "FeatureTarget",
    "Fit",
    "Fits",
    "Free",
    "Nudge",
    "Problem",
    "Rows",
    "Scale",
    "Sweep",
    "Target",
    "TraceTarget",
    "from_starts",
    "least_squares",
    "nudged",
    "random_starts",
]
