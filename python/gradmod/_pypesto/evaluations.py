"""The functions that pyPESTO asks for, one by one, of evaluations that make them all at once."""

from __future__ import annotations

from dataclasses import dataclass
from threading import Lock
from typing import NoReturn

import numpy as np
from numpy.typing import ArrayLike

from .._model.cells import Floats
from .._problem.fittable import Fittable
from ..errors import Error

#: How many evaluations are kept: pyPESTO comes back to the start of a fit when the fit is over.
_KEPT = 16


@dataclass(frozen=True)
class _Numbers:
    """What is kept of an evaluation.

    Attributes:
        residuals: [residual]
        gradient: [parameter] of the cost.
        rows: [residual, parameter] the Jacobian; None in reverse mode.
    """

    residuals: Floats
    gradient: Floats
    rows: Floats | None


class Evaluations:
    """The cost of a problem, its residuals, and their derivatives, of one run per point.

    A model cannot be copied, and pyPESTO copies all that it is given: each copy of this is the same.
    """

    def __init__(self, problem: Fittable, centre: ArrayLike = 0.0, size: ArrayLike = 1.0, unit: float = 1.0) -> None:
        """Of ``u = centre + size z``, where z is what is asked for.

        Args:
            problem: What is evaluated.
            centre: [parameter] or one for all, on the scales of the parameters.
            size: [parameter] or one for all, of a step of 1.
            unit: What residuals are divided by.
        """
        self._problem, self._unit = problem, unit
        count = len(problem.names)
        self._centre = np.broadcast_to(np.asarray(centre, dtype=np.float64), count)
        self._size = np.broadcast_to(np.asarray(size, dtype=np.float64), count)
        self._kept: dict[bytes, _Numbers] = {}
        self._lock = Lock()

    def cost(self, z: ArrayLike) -> float:
        """Half the sum of the squared residuals: the negative logarithm of the likelihood, but for a constant."""
        residuals = self._at(z).residuals
        return 0.5 * float(residuals @ residuals)

    def gradient(self, z: ArrayLike) -> Floats:
        """[parameter] of the cost."""
        return self._at(z).gradient

    def fisher(self, z: ArrayLike) -> Floats:
        """[parameter, parameter] ``J^T J``, which is Gauss and Newton's Hessian matrix."""
        rows = self.jacobian(z)
        return rows.T @ rows

    def residuals(self, z: ArrayLike) -> Floats:
        """[residual] weighted."""
        return self._at(z).residuals

    def jacobian(self, z: ArrayLike) -> Floats:
        """[residual, parameter] of the residuals.

        Raises:
            Error: The problem is in reverse mode.
        """
        rows = self._at(z).rows
        if rows is None:
            raise Error("a Jacobian needs forward mode: Problem(..., mode='forward')")
        return rows

    def forget(self) -> None:
        """Run again, whatever was asked before: the model may have been changed."""
        with self._lock:
            self._kept.clear()

    def _at(self, z: ArrayLike) -> _Numbers:
        asked = np.array(z, dtype=np.float64)
        key = (asked + 0.0).tobytes()  # with one zero, not two
        # There is one model: threads that have copies of this take turns.
        with self._lock:
            if key not in self._kept:
                evaluated = self._problem.evaluate(self._centre + self._size * asked)
                while len(self._kept) >= _KEPT:
                    del self._kept[next(iter(self._kept))]
                self._kept[key] = _Numbers(
                    evaluated.values / self._unit,
                    evaluated.gradient * self._size / self._unit**2,
                    None if evaluated.rows is None else evaluated.rows * self._size / self._unit,
                )
            return self._kept[key]

    def __deepcopy__(self, memo: object) -> Evaluations:
        return self

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise Error(
            "a model does not go to other processes: use pyPESTO's SingleCoreEngine, or fit.from_starts for many starts"
        )
