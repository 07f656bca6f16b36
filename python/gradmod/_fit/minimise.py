"""Quasi-Newton methods, by SciPy: for gradients that are made backwards."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

import numpy as np

from .._model.cells import Floats
from .._problem.fittable import Fittable
from .._problem.libraries import library
from ..errors import Error
from .course import Callback, Course, Stopped
from .result import Fit

#: Those of ``scipy.optimize.minimize`` that take gradients and keep bounds.
Method: TypeAlias = Literal["L-BFGS-B", "TNC", "SLSQP", "trust-constr"]
_METHODS = ("L-BFGS-B", "TNC", "SLSQP", "trust-constr")


def minimise(
    problem: Fittable,
    start: Mapping[str, float] | None = None,
    *,
    method: Method = "L-BFGS-B",
    runs: int = 200,
    callback: Callback | None = None,
    enough: float = 0.0,
    patience: int | None = None,
    progress: bool = True,
    checkpoint: str | os.PathLike[str] | None = None,
    **options: Any,
) -> Fit:
    """Minimise half the sum of the squared residuals by ``scipy.optimize.minimize``, with exact gradients.

    For problems in reverse mode, whose gradients cost the same for any number of parameters. With Jacobians
    :func:`least_squares` needs fewer evaluations.

    Args:
        problem: What to fit; in either mode.
        start, runs, callback, enough, patience, progress, checkpoint: As for :func:`least_squares`.
        method: SciPy's name; one that keeps bounds.
        options: SciPy's options of the method.

    Raises:
        Error: SciPy is not installed, there is no such method, the start is out of bounds, or the checkpoint is of
            another fit.
    """
    if method not in _METHODS:
        raise Error(f"there is no method {method!r} that keeps bounds; there are {', '.join(_METHODS)}")
    optimise = library("scipy.optimize", "a fit")
    with Course(
        problem, start, method, runs,
        callback=callback, enough=enough, patience=patience, progress=progress, checkpoint=checkpoint,
    ) as course:  # fmt: skip
        if course.why:
            return course.end(course.why, is_over=course.saved.is_over)

        def value_and_gradient(u: Floats) -> tuple[float, Floats]:
            evaluated = course.evaluate(u)
            course.remember()
            return evaluated.cost, evaluated.gradient

        try:
            low, high = problem.bounds
            done = optimise.minimize(
                value_and_gradient, np.array(course.saved.best), jac=True, method=method,
                bounds=optimise.Bounds(low, high), options=options,
            )  # fmt: skip
            why, is_over = str(done.message), bool(done.success)
        except Stopped as stopped:
            why, is_over = str(stopped), False
        return course.end(why, is_over=is_over)
