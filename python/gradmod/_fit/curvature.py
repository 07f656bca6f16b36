"""Second derivatives of the cost, from exact gradients."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from .._model.cells import Floats
from .._problem.fittable import Fittable
from ..errors import Error

#: Steps on the scales of the parameters, of which neighbours are compared.
_STEPS = (1e-2, 3e-3, 1e-3, 3e-4, 1e-4, 3e-5)


@dataclass(frozen=True)
class HessianVector:
    """The Hessian matrix of the cost times a vector.

    Attributes:
        product: [parameter]
        error: By how much the two best differences disagree, as the length of a vector.
    """

    product: Floats
    error: float


def hessian_vector(problem: Fittable, u: ArrayLike, vector: ArrayLike) -> HessianVector:
    """The Hessian matrix of the cost at some parameters, times a vector: differences of exact gradients.

    Central differences of two gradients are taken for several steps, twelve evaluations in all; of neighbours, the two
    that agree best give the product, without the error that is in the square of the step (Richardson).
    :attr:`Evaluated.fisher` is the part of it that Gauss and Newton take, exact and for nothing.

    Args:
        problem: In either mode.
        u: [parameter] as the optimiser sees them (``problem.inner(x)``).
        vector: [parameter] on these scales.

    Raises:
        Error: A shape does not fit, the vector is 0, or a step leaves the bounds.
    """
    at, along = np.asarray(u, dtype=np.float64), np.asarray(vector, dtype=np.float64)
    if at.shape != (len(problem.names),) or along.shape != at.shape:
        raise Error(f"u has shape {at.shape}, the vector {along.shape}; there are {len(problem.names)} parameters")
    length = float(np.linalg.norm(along))
    if not (np.isfinite(length) and length > 0.0):
        raise Error("the vector must have a length above 0")
    low, high = problem.bounds
    unit = along / length
    reach = _STEPS[0] * unit
    if np.any(at + np.abs(reach) > high) or np.any(at - np.abs(reach) < low):
        raise Error("a parameter is so near its bounds that steps for a difference would leave them: widen the bounds")
    found = [
        (problem.evaluate(at + step * unit).gradient - problem.evaluate(at - step * unit).gradient) / (2 * step)
        for step in _STEPS
    ]
    best: tuple[float, Floats] | None = None
    for i in range(len(_STEPS) - 1):
        ratio = (_STEPS[i] / _STEPS[i + 1]) ** 2
        product = (ratio * found[i + 1] - found[i]) / (ratio - 1.0)
        error = float(np.linalg.norm(product - found[i + 1]))
        if best is None or error < best[0]:
            best = error, product
    assert best is not None
    return HessianVector(length * best[1], length * best[0])
