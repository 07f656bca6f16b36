"""What optimisers see of a problem: scaled parameters, and residuals with their derivatives."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from .._model.cells import Floats
from ..errors import Error
from .free import Bounded

if TYPE_CHECKING:
    from typing import Self  # not in Python 3.10


@dataclass(frozen=True)
class Seen:
    """A trace of a run.

    Attributes:
        name: "sweep" or "sweep: place" where a sweep has several.
        t: [sample] in ms.
        values: [sample] in the unit of what was recorded.
        unit: With what it is: "v (mV)".
        data: [target] (times in ms, values) that it was to have, where a target is a trace.
    """

    name: str
    t: Floats
    values: Floats
    unit: str = "v (mV)"
    data: tuple[tuple[Floats, Floats], ...] = ()


@dataclass(frozen=True)
class Evaluated:
    """All residuals at some parameters.

    Attributes:
        names: [residual] "sweep: what it is about".
        values: [residual] weighted.
        gradient: [parameter] of the cost, on the scales of the parameters.
        rows: [residual, parameter] the Jacobian of the values, on these scales; None in reverse mode.
        traces: Of the runs.
    """

    names: list[str]
    values: Floats
    gradient: Floats
    rows: Floats | None
    traces: list[Seen]

    @property
    def cost(self) -> float:
        """Half the sum of the squared residuals."""
        return 0.5 * float(self.values @ self.values)

    @property
    def jacobian(self) -> Floats:
        """[residual, parameter] of the values, on the scales of the parameters.

        Raises:
            Error: The gradient was made backwards.
        """
        if self.rows is None:
            raise Error("a Jacobian needs forward mode: Problem(..., mode='forward')")
        return self.rows

    @property
    def fisher(self) -> Floats:
        """[parameter, parameter] the Fisher matrix, which is that of Gauss and Newton: ``J^T J``.

        It is exact for residuals that are weighted by the true uncertainties of normal errors.

        Raises:
            Error: The gradient was made backwards.
        """
        return self.jacobian.T @ self.jacobian

    @staticmethod
    def joined(parts: Sequence[Evaluated]) -> Evaluated:
        """Those of several sweeps."""
        rows = [part.rows for part in parts if part.rows is not None]
        return Evaluated(
            [name for part in parts for name in part.names],
            np.concatenate([part.values for part in parts]),
            np.sum([part.gradient for part in parts], axis=0),
            np.concatenate(rows) if len(rows) == len(parts) else None,
            [trace for part in parts for trace in part.traces],
        )


class Fittable(ABC):
    """Weighted residuals as a function of scaled parameters.

    Attributes:
        names: Of the numbers that are to be found.
        evaluations: How often all sweeps were run.
    """

    def __init__(self, names: Sequence[str], bounded: Sequence[Bounded]) -> None:
        """Of as many numbers as there are bounds."""
        self.names, self._bounded = list(names), list(bounded)
        self.evaluations = 0
        self._last: tuple[Floats, Evaluated] | None = None

    @property
    @abstractmethod
    def x(self) -> Floats:
        """[parameter] the present values in the model."""

    @property
    @abstractmethod
    def has_jacobian(self) -> bool:
        """Whether evaluations have a Jacobian: in forward mode, and not in reverse mode."""

    @abstractmethod
    def _evaluate(self, u: Floats) -> Evaluated:
        """Run all sweeps."""

    @abstractmethod
    def close(self) -> None:
        """Take away what was put into the model; the parameters keep their values."""

    @property
    def bounded(self) -> list[Bounded]:
        """[parameter] bounds and scales."""
        return list(self._bounded)

    def inner(self, x: ArrayLike) -> Floats:
        """[parameter] values as the optimiser sees them.

        Raises:
            Error: One is out of its bounds.
        """
        values = np.asarray(x, dtype=np.float64)
        if values.shape != (len(self.names),):
            raise Error(f"x has shape {values.shape}, there are {len(self.names)} parameters")
        for name, bounded, value in zip(self.names, self._bounded, values, strict=True):
            if not bounded.low <= value <= bounded.high:
                raise Error(f"{name} is {value:g}, out of its bounds from {bounded.low:g} to {bounded.high:g}")
        return np.array([bounded.inner(float(value)) for bounded, value in zip(self._bounded, values, strict=True)])

    def outer(self, u: ArrayLike) -> Floats:
        """[parameter] values in the model."""
        seen = np.asarray(u, dtype=np.float64)
        return np.array([bounded.outer(float(value)) for bounded, value in zip(self._bounded, seen, strict=True)])

    def slopes(self, u: ArrayLike) -> Floats:
        """[parameter] the derivatives of :meth:`outer`."""
        seen = np.asarray(u, dtype=np.float64)
        return np.array([bounded.slope(float(value)) for bounded, value in zip(self._bounded, seen, strict=True)])

    @property
    def bounds(self) -> tuple[Floats, Floats]:
        """Of what the optimiser sees."""
        low, high = zip(*(bounded.bounds for bounded in self._bounded), strict=True)
        return np.array(low), np.array(high)

    @property
    def widths(self) -> Floats:
        """[parameter] how far it is from bound to bound, as the optimiser sees it; 1 where the bounds are nowhere."""
        low, high = self.bounds
        return np.where(np.isfinite(high - low), high - low, 1.0)

    def begin(self, start: Mapping[str, float] | None) -> Floats:
        """[parameter] where a fit starts, as the optimiser sees it; where the model is by default.

        Raises:
            Error: A parameter is missing or unknown, or out of its bounds.
        """
        if start is None:
            return self.inner(self.x)
        for name in start:
            if name not in self.names:
                raise Error(f"the start has {name}, which is no parameter; there are {', '.join(self.names)}")
        for name in self.names:
            if name not in start:
                raise Error(f"the start has no {name}")
        return self.inner([start[name] for name in self.names])

    def evaluate(self, u: ArrayLike) -> Evaluated:
        """Run all sweeps."""
        seen = np.array(u, dtype=np.float64)
        self._last = None
        evaluated = self._evaluate(seen)
        self.evaluations += 1
        self._last = seen, evaluated
        return evaluated

    def residuals(self, u: ArrayLike) -> Floats:
        """[residual] weighted."""
        return self.evaluate(u).values

    def jacobian(self, u: ArrayLike) -> Floats:
        """[residual, parameter] of :meth:`residuals`.

        Raises:
            Error: The problem is in reverse mode.
        """
        return self.last(u).jacobian

    def last(self, u: ArrayLike) -> Evaluated:
        """The last evaluation if it was with these parameters, however the model was changed since; else a new one."""
        if self._last is not None and np.array_equal(self._last[0], np.asarray(u, dtype=np.float64)):
            return self._last[1]
        return self.evaluate(u)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()
