"""Walks along one parameter, all others fitted anew at each step, by pyPESTO's profiling."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._model.cells import Floats
from .._problem.fittable import Fittable
from .._problem.libraries import library
from .box import box
from .evaluations import Evaluations
from .problem import objective

#: Steps, in standard errors: the shortest, the usual and the longest one.
_STEPS = 0.4, 0.8, 1.0
#: No step of a parameter is longer than this part of the way between its bounds.
_LONGEST = 0.1
#: A step may lower the likelihood by this part: fewer than pyPESTO's, for costs are interpolated as parabolas here.
_DROP = 0.4
#: The shortest step is half of the usual one, the longest not twice: pyPESTO tries no more than one other.
_FACTOR = 2.0
#: Fits along a profile end when the cost, in which an interval is 2 wide, changes by less than this.
_ENOUGH = 1e-3
#: They end at steps shorter than this part of the way walked, too, or at slopes of the cost below that, both in
#: standard errors: either is a thousandth of a change of the cost, or less.
_SHORT, _FLAT = 1e-3, 1e-2
#: How often all sweeps may be run to fit the others at one step.
_RUNS = 50


@dataclass(frozen=True)
class Walk:
    """What was found along one parameter.

    Attributes:
        u: [point, parameter] on the scales of the parameters; the one that was walked along rises.
        costs: [point] the lowest that there are with it.
    """

    u: Floats
    costs: Floats


def walks(
    problem: Fittable, best: Floats, cost: float, errors: Floats, along: Sequence[int], limit: float, unit: float,
    *, progress: bool,
) -> list[Walk]:  # fmt: skip
    """Walk both ways from the best parameters, up to a cost or a bound.

    Args:
        problem: In forward mode.
        best: [parameter] where the walks begin, on the scales of the parameters.
        cost: There.
        errors: [parameter] standard errors on these scales; infinite where the data tell nothing.
        along: Numbers of the parameters.
        limit: By how much the cost rises until the end of a walk, in units of ``unit**2``.
        unit: What residuals are divided by.
        progress: Show pyPESTO's bar.
    """
    pypesto, optimize, profile = (library(f"pypesto{part}", "a profile") for part in ("", ".optimize", ".profile"))
    low, high = box(problem.bounded)
    # pyPESTO has one length of step for all parameters: in standard errors it fits all.
    size = np.minimum(errors, _LONGEST * (high - low) / _STEPS[-1])
    evaluations = Evaluations(problem, best, size, unit)
    within = pypesto.Problem(objective(problem, evaluations, is_kept=True), (low - best) / size, (high - best) / size)
    found = pypesto.Result(within)
    zero = np.zeros(len(best))
    found.optimize_result.append(
        pypesto.OptimizerResult(id="0", x=zero, fval=cost / unit**2, grad=evaluations.gradient(zero), exitflag=1)
    )
    shortest, usual, longest = _STEPS
    profile.parameter_profile(
        within,
        found,
        optimize.ScipyOptimizer(
            "ls_trf",
            tol=_ENOUGH / (cost / unit**2 + 1.0),
            options={"tr_solver": "exact", "xtol": _SHORT, "gtol": _FLAT, "maxfun": _RUNS},
        ),
        profile_index=list(along),
        profile_options=profile.ProfileOptions(
            min_step_size_absolute=shortest,
            default_step_size_absolute=usual,
            max_step_size_absolute=longest,
            default_step_size_relative=0.0,
            step_size_factor=_FACTOR,
            delta_ratio_max=_DROP,
            ratio_min=float(np.exp(-limit)),
            step_size_precheck_mode="off",
        ),
        progress_bar=progress,
    )
    return [_walk(found.profile_result.get_profiler_result(number), number, best, size, unit) for number in along]


def _walk(path: Any, number: int, best: Floats, size: Floats, unit: float) -> Walk:
    # The start of both ways is there twice.
    _, kept = np.unique(path.x_path[number], return_index=True)
    return Walk(best + size * path.x_path.T[kept], path.fval_path[kept] * unit**2)
