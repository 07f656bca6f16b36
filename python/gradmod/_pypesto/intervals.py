"""Profiles of the likelihood, and the intervals that they tell."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .._model.cells import Floats
from .._problem.free import Bounded


@dataclass(frozen=True)
class Interval:
    """Where a parameter may be.

    Attributes:
        low, high: In the unit of the parameter.
        reaches_low, reaches_high: There it ends at a bound, up to which the data exclude nothing.
    """

    low: float
    high: float
    reaches_low: bool
    reaches_high: bool

    @property
    def is_told(self) -> bool:
        """Whether the data tell both ends; if not, the parameter is practically not identifiable."""
        return not (self.reaches_low or self.reaches_high)

    def __contains__(self, value: float) -> bool:
        return self.low <= value <= self.high

    def __str__(self) -> str:
        low, high = (
            f"{end:.6g}{' (its bound)' if reaches else ''}"
            for end, reaches in ((self.low, self.reaches_low), (self.high, self.reaches_high))
        )
        return f"{low} to {high}"


@dataclass(frozen=True)
class LikelihoodProfile:
    """The lowest cost for each value of one parameter, all others fitted anew.

    Attributes:
        name: Of the parameter.
        value: That of the fit, in the unit of the parameter.
        error: The standard error at the fit, on the scale of the parameter; infinite where the data tell nothing.
        values: [point] in the unit of the parameter; they rise.
        u: [point] the same, on its scale.
        costs: [point] half the sums of the squared residuals.
        x: [point, parameter] all parameters, in their units.
        bounded: Bounds and scale of the parameter.
    """

    name: str
    value: float
    error: float
    values: Floats
    u: Floats
    costs: Floats
    x: Floats
    bounded: Bounded

    def interval(self, rise: float) -> Interval:
        """Where the cost is less than this above the lowest one of the profile.

        Between points, the root of the rise is a straight line on the scale of the parameter: as it is where the
        parameter has normal errors.
        """
        roots = np.sqrt(self.costs - np.min(self.costs))
        is_in = np.flatnonzero(roots <= np.sqrt(rise))
        first, last = int(is_in[0]), int(is_in[-1])
        reaches_low, reaches_high = first == 0, last == len(roots) - 1
        return Interval(
            self.bounded.low if reaches_low else self._crossing(roots, first, first - 1, rise),
            self.bounded.high if reaches_high else self._crossing(roots, last, last + 1, rise),
            reaches_low,
            reaches_high,
        )

    def _crossing(self, roots: Floats, within: int, beyond: int, rise: float) -> float:
        part = (np.sqrt(rise) - roots[within]) / (roots[beyond] - roots[within])
        return self.bounded.outer(float(self.u[within] + part * (self.u[beyond] - self.u[within])))
