"""Profiles of the likelihood, and the intervals that they tell."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .._model.cells import Floats
from .._problem.free import Bounded
from .box import at_bounds


@dataclass(frozen=True)
class End:
    """An end of an interval.

    Attributes:
        value: In the unit of the parameter.
        is_bound: It is a bound of the parameter, up to which the data exclude nothing.
        others: Other parameters that came to a bound on the way there: with wider bounds the end may be further out.
    """

    value: float
    is_bound: bool
    others: tuple[str, ...]

    def __str__(self) -> str:
        why = "its bound" if self.is_bound else f"{', '.join(self.others)} at a bound" if self.others else ""
        return f"{self.value:.6g}{why and f' ({why})'}"


@dataclass(frozen=True)
class Interval:
    """Where a parameter may be.

    Attributes:
        lower, upper: Its ends.
    """

    lower: End
    upper: End

    @property
    def low(self) -> float:
        """In the unit of the parameter."""
        return self.lower.value

    @property
    def high(self) -> float:
        """In the unit of the parameter."""
        return self.upper.value

    @property
    def is_told(self) -> bool:
        """Whether the data tell both ends, not bounds; if not, the parameter is practically not identifiable."""
        return not any(end.is_bound or end.others for end in (self.lower, self.upper))

    def __contains__(self, value: float) -> bool:
        return self.low <= value <= self.high

    def __str__(self) -> str:
        return f"{self.lower} to {self.upper}"


@dataclass(frozen=True)
class LikelihoodProfile:
    """The lowest cost for each value of one parameter, all others fitted anew.

    Attributes:
        name: Of the parameter.
        error: The standard error at the fit, on the scale of the parameter; infinite where the data tell nothing.
        names: Of all parameters.
        bounded: [parameter] bounds and scales.
        best: [parameter] the fit, on these scales.
        u: [point, parameter] on these scales; the parameter rises.
        costs: [point] half the sums of the squared residuals.
    """

    name: str
    error: float
    names: tuple[str, ...]
    bounded: tuple[Bounded, ...]
    best: Floats
    u: Floats
    costs: Floats

    @property
    def number(self) -> int:
        """Of the parameter."""
        return self.names.index(self.name)

    @property
    def x(self) -> Floats:
        """[point, parameter] in their units."""
        return np.array([[one.outer(float(u)) for one, u in zip(self.bounded, us, strict=True)] for us in self.u])

    @property
    def values(self) -> Floats:
        """[point] the parameter, in its unit; they rise."""
        return self.x[:, self.number]

    @property
    def value(self) -> float:
        """That of the fit, in the unit of the parameter."""
        return self.bounded[self.number].outer(float(self.best[self.number]))

    def costs_at(self, u: Floats) -> Floats:
        """[value] how much higher than the lowest one of the profile the cost is, between its points too.

        The root of the rise is a straight line between points: as it is where the parameter has normal errors.

        Args:
            u: [value] of the parameter, on its scale.
        """
        lowest = int(np.argmin(self.costs))
        rises: Floats = np.sqrt(self.costs - self.costs[lowest])
        rises[:lowest] *= -1.0
        walked: Floats = self.u[:, self.number]
        return np.square(np.interp(u, walked, rises))

    def interval(self, rise: float) -> Interval:
        """Where the cost is less than this above the lowest one of the profile: between points, as :meth:`costs_at`."""
        roots = np.sqrt(self.costs - np.min(self.costs))
        is_in = np.flatnonzero(roots <= np.sqrt(rise))
        return Interval(*(self._end(roots, int(is_in[at]), step, rise) for at, step in ((0, -1), (-1, 1))))

    def _end(self, roots: Floats, within: int, step: int, rise: float) -> End:
        own, beyond = self.bounded[self.number], within + step
        if not 0 <= beyond < len(roots):
            return End(own.low if step < 0 else own.high, True, ())
        part = (np.sqrt(rise) - roots[within]) / (roots[beyond] - roots[within])
        u = self.u[within] + part * (self.u[beyond] - self.u[within])
        came = at_bounds(self.bounded, self.u[beyond]) & ~at_bounds(self.bounded, self.best)
        others = tuple(name for name, is_there in zip(self.names, came, strict=True) if is_there and name != self.name)
        return End(own.outer(float(u[self.number])), False, others)
