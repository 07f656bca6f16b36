"""A problem, as pyPESTO's optimisers, profiles and samplers take it."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._model.cells import Floats
from .._problem.fittable import Fittable
from .._problem.free import Bounded
from .._problem.libraries import library
from .._problem.scales import Scale
from .evaluations import Evaluations

#: Where a logistic scale ends: the parameter is nearer to its bound than a millionth of the way between them.
_END = float(np.log(1e6))
#: Where starts on a logistic scale end: 5 % of the way between the bounds are left at either side.
_START = float(np.log(19.0))


def pypesto_problem(problem: Fittable) -> Any:
    """A ``pypesto.Problem`` of a problem: for pyPESTO's optimisers, profiles and samplers.

    Its objective is half the sum of the squared residuals, which is the negative logarithm of the likelihood of normal
    errors with the given uncertainties, but for a constant. Objective, gradient, Hessian matrix, residuals and their
    Jacobian are of one run per point. The Hessian matrix is Gauss and Newton's, ``J^T J``, which is the Fisher matrix;
    in reverse mode there are neither it nor the Jacobian.

    pyPESTO sees the numbers that all optimisers see (``problem.inner(x)``; ``problem.outer(u)`` gives parameters in
    their units), and transforms nothing: its ``x_scales``, which are for labels and priors, are "log" (natural) for
    ``Scale.LOG``, and "lin" otherwise. A sampler without priors takes all values of *these* numbers to be equally
    likely. A number on ``Scale.LOGIT`` has no bounds, without which starts, profiles and flat priors mean nothing: it
    ends where the parameter is nearer to its bound than a millionth of the way between the bounds, and starts are drawn
    from the middle nine tenths of that way.

    pyPESTO copies what it is given; all copies run the one model. The model has the parameters of the last run, not the
    best ones. Only engines within this process work, and threads take turns.

    Args:
        problem: In forward mode for least squares, Fisher matrices and profiles; in reverse mode for gradients only.
            Do not close it before pyPESTO is through.

    Raises:
        Error: pyPESTO is not installed.
    """
    pypesto = library("pypesto", "pyPESTO's methods")
    low, high = box(problem)
    scales = [bounded.scale for bounded in problem.bounded]
    start_low, start_high = (
        [sign * _START if scale is Scale.LOGIT else float(end) for scale, end in zip(scales, ends, strict=True)]
        for sign, ends in ((-1.0, low), (1.0, high))
    )
    return pypesto.Problem(
        objective(problem, Evaluations(problem)), low, high, lb_init=start_low, ub_init=start_high,
        x_names=problem.names, x_scales=["log" if scale is Scale.LOG else "lin" for scale in scales],
    )  # fmt: skip


def objective(problem: Fittable, evaluations: Evaluations) -> Any:
    """A ``pypesto.Objective``.

    Args:
        problem: What is evaluated.
        evaluations: Of it.
    """
    pypesto = library("pypesto", "pyPESTO's methods")

    class Objective(pypesto.Objective):
        def initialize(self) -> None:
            """Called by pyPESTO before each fit."""
            evaluations.forget()

    has_jacobian = problem.has_jacobian
    return Objective(
        fun=evaluations.cost,
        grad=evaluations.gradient,
        hess=evaluations.fisher if has_jacobian else None,
        res=evaluations.residuals,
        sres=evaluations.jacobian if has_jacobian else None,
        x_names=problem.names,
    )


def box(problem: Fittable) -> tuple[Floats, Floats]:
    """[parameter] bounds on the scales of the parameters, all of them finite."""
    low, high = zip(*(_box(bounded) for bounded in problem.bounded), strict=True)
    return np.array(low), np.array(high)


def _box(bounded: Bounded) -> tuple[float, float]:
    return (-_END, _END) if bounded.scale is Scale.LOGIT else bounded.bounds
