"""Least squares, by SciPy."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from .._model.cells import Floats
from .._problem.fittable import Fittable
from .._problem.libraries import library
from .course import Callback, Course, Stopped
from .result import Fit


def least_squares(
    problem: Fittable,
    start: Mapping[str, float] | None = None,
    *,
    runs: int = 100,
    scaled: bool = False,
    callback: Callback | None = None,
    enough: float = 0.0,
    patience: int | None = None,
    progress: bool = True,
    checkpoint: str | os.PathLike[str] | None = None,
    **options: Any,
) -> Fit:
    """Minimise the sum of the squared residuals by ``scipy.optimize.least_squares``, with exact Jacobians.

    Args:
        problem: What to fit; in forward mode.
        start: By name, in the units of the parameters; the present values by default.
        runs: How often all sweeps may be run.
        scaled: The uncertainties are known up to a factor only: standard errors are scaled by the residuals.
        callback: Called with each evaluation, (evaluation, cost, x); the fit stops if it returns True.
        enough: The fit stops at this cost.
        patience: The fit stops when the cost did not improve in so many evaluations, by a thousandth at least.
        progress: Show a bar, where tqdm is installed.
        checkpoint: A file that is written with each evaluation. If it is there, the fit goes on from the best
            parameters in it, with the runs that are left; a fit that had come to its end is not made again.
        options: More of SciPy's. ``x_scale``, by which steps are measured, is ``problem.widths`` by default.

    Raises:
        Error: SciPy is not installed, the start is out of bounds, the problem is in reverse mode, or the checkpoint is
            of another fit.
    """
    optimise = library("scipy.optimize", "a fit")
    options.setdefault("x_scale", problem.widths)
    with Course(
        problem, start, "least_squares", runs,
        callback=callback, enough=enough, patience=patience, progress=progress, checkpoint=checkpoint,
    ) as course:  # fmt: skip
        if course.why:
            return course.end(course.why, is_over=course.saved.is_over, scaled=scaled)

        def residuals(u: Floats) -> Floats:
            values = course.evaluate(u).values
            course.remember()
            return values

        try:
            done = optimise.least_squares(
                residuals, course.saved.best, jac=problem.jacobian, bounds=problem.bounds, max_nfev=course.left + 1,
                **options,
            )  # fmt: skip
            # Its own limit of evaluations is no end.
            why, is_over = str(done.message), done.status != 0
        except Stopped as stopped:
            why, is_over = str(stopped), False
        return course.end(why, is_over=is_over, scaled=scaled)
