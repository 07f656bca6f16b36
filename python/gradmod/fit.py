"""Fits: parameters with bounds and scales, sweeps with targets, least squares, and what the data tell.

    problem = fit.Problem(
        {"gna": fit.Free(gradmod.Range("gnabar_hh", soma), 0.03, 0.3)},
        [fit.Sweep("0.3 nA", soma(0.5), 60.0, [target], before=partial(set_amp, 0.3))],
    )
    result = fit.least_squares(problem, runs=60)
    print(result)

Needs SciPy; fits from many starts need loky or an executor, likelihood profiles pyPESTO. docs/fit.md has more.
"""

from __future__ import annotations

from ._fit.certainty import Certainty
from ._fit.curvature import HessianVector, hessian_vector
from ._fit.descend import descend
from ._fit.growing import growing
from ._fit.least_squares import least_squares
from ._fit.minimise import minimise
from ._fit.nudging import Nudge, nudged
from ._fit.parallel import Parallel
from ._fit.result import Fit
from ._fit.starts import Fits, from_starts, random_starts
from ._problem.fittable import Evaluated, Fittable
from ._problem.free import Free
from ._problem.problem import Problem
from ._problem.robust import Robust
from ._problem.scales import Scale
from ._problem.sweep import Sweep
from ._problem.targets import FeatureTarget, Rows, Target, TraceTarget
from ._pypesto.intervals import End, Interval, LikelihoodProfile
from ._pypesto.problem import pypesto_problem
from ._pypesto.profiles import LikelihoodProfiles, likelihood_profiles

__all__ = [
    "Certainty",
    "End",
    "Evaluated",
    "FeatureTarget",
    "Fit",
    "Fits",
    "Fittable",
    "Free",
    "HessianVector",
    "Interval",
    "LikelihoodProfile",
    "LikelihoodProfiles",
    "Nudge",
    "Parallel",
    "Problem",
    "Robust",
    "Rows",
    "Scale",
    "Sweep",
    "Target",
    "TraceTarget",
    "descend",
    "from_starts",
    "growing",
    "hessian_vector",
    "least_squares",
    "likelihood_profiles",
    "minimise",
    "nudged",
    "pypesto_problem",
    "random_starts",
]
