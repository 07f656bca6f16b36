"""A problem, as pyPESTO's optimisers, profiles and samplers take it."""

from __future__ import annotations

from typing import Any

from .._problem.fittable import Fittable
from .._problem.libraries import library
from .._problem.scales import Scale
from .box import box, box_of_starts
from .evaluations import Evaluations


def pypesto_problem(problem: Fittable) -> Any:
    """A ``pypesto.Problem`` of a problem: for pyPESTO's optimisers, profiles and samplers.

    Its objective is half the sum of the squared residuals, which is the negative logarithm of the likelihood of normal
    errors with the given uncertainties, but for a constant; weights and robust losses make it another. Objective,
    gradient, Hessian matrix, residuals and their Jacobian are of one run per point. The Hessian matrix is Gauss and
    Newton's, ``J^T J``, which is the Fisher matrix; in reverse mode there are neither it nor the Jacobian.

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
    pypesto = library("pypesto", "an objective for pyPESTO")
    bounded = problem.bounded
    low, high = box(bounded)
    start_low, start_high = box_of_starts(bounded)
    return pypesto.Problem(
        objective(problem, Evaluations(problem)), low, high, lb_init=start_low, ub_init=start_high,
        x_names=problem.names, x_scales=["log" if one.scale is Scale.LOG else "lin" for one in bounded],
    )  # fmt: skip


def objective(problem: Fittable, evaluations: Evaluations, *, is_kept: bool = False) -> Any:
    """A ``pypesto.Objective``.

    Args:
        problem: What is evaluated.
        evaluations: Of it.
        is_kept: What was evaluated is kept from fit to fit: nobody changes the model between them.
    """
    pypesto = library("pypesto", "an objective for pyPESTO")

    class Objective(pypesto.Objective):
        def initialize(self) -> None:
            """Called by pyPESTO before each fit."""
            if not is_kept:
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
