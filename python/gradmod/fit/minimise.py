"""Least squares, and what comes of it."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .._model.cells import Floats
from ..errors import Error
from .certainty import Certainty, certainty
from .problem import Problem


@dataclass(frozen=True)
class Fit:
    """What came of a fit.

    Attributes:
        x: By name, in the units of the parameters; the model has these values.
        cost: Half the sum of the squared residuals.
        evaluations: How often all sweeps were run.
        why: Why the optimiser stopped.
        residuals: By name.
        certainty: What the data tell, by the residuals at the end, on the scales of the parameters.
        history: (evaluation, cost, x) of each evaluation that was the best so far.
    """

    x: dict[str, float]
    cost: float
    evaluations: int
    why: str
    residuals: dict[str, float]
    certainty: Certainty
    history: list[tuple[int, float, dict[str, float]]] = field(repr=False)

    def __str__(self) -> str:
        lines = [f"cost {self.cost:.6g} after {self.evaluations} evaluations ({self.why})"]
        lines += [f"  {name} = {value:.6g}" for name, value in self.x.items()]
        worst = sorted(self.residuals.items(), key=lambda item: -abs(item[1]))[:5]
        lines += ["largest residuals, in uncertainties:", *(f"  {name}: {value:+.3g}" for name, value in worst)]
        return "\n".join([*lines, *(f"  {line}" for line in str(self.certainty).splitlines())])


def least_squares(
    problem: Problem,
    start: Mapping[str, float] | None = None,
    *,
    runs: int = 100,
    loss: str = "linear",
    scaled: bool = False,
    callback: Callable[[int, float, dict[str, float]], object] | None = None,
    **options: Any,
) -> Fit:
    """Minimise the sum of the squared residuals by ``scipy.optimize.least_squares``, with exact Jacobians.

    Args:
        problem: What to fit.
        start: By name, in the units of the parameters; the present values by default.
        runs: How often all sweeps may be run.
        loss: SciPy's name of a robust loss.
        scaled: The uncertainties are known up to a factor only: standard errors are scaled by the residuals.
        callback: Called with each evaluation that is the best so far: (evaluation, cost, x).
        options: More of SciPy's.

    Raises:
        Error: SciPy is not installed, or the start is out of bounds.
    """
    try:
        minimise: Any = importlib.import_module("scipy.optimize").least_squares
    except ImportError as error:
        raise Error("a fit needs SciPy: pip install scipy") from error
    x = problem.x if start is None else np.array([start[name] for name in problem.names])
    history: list[tuple[int, float, dict[str, float]]] = []
    first = problem.evaluations

    def residuals(u: Floats) -> Floats:
        values = problem.residuals(u)
        cost = 0.5 * float(values @ values)
        if not history or cost < history[-1][1]:
            history.append((problem.evaluations - first, cost, dict(zip(problem.names, problem.outer(u), strict=True))))
            if callback is not None:
                callback(*history[-1])
        return values

    done: Any = minimise(
        residuals, problem.inner(x), jac=problem.jacobian, bounds=problem.bounds, loss=loss, max_nfev=runs, **options
    )
    evaluated = problem.last(done.x)
    cost = 0.5 * float(evaluated.values @ evaluated.values)
    freedom = max(len(evaluated.values) - len(problem.names), 1)
    return Fit(
        x={name: float(value) for name, value in zip(problem.names, problem.outer(done.x), strict=True)},
        cost=cost,
        evaluations=problem.evaluations - first,
        why=str(done.message),
        residuals={name: float(value) for name, value in zip(evaluated.names, evaluated.values, strict=True)},
        certainty=certainty(problem.names, evaluated.jacobian, 2 * cost / freedom if scaled else 1.0),
        history=history,
    )
