"""A number that depends on the samples of a trace."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]


def _nowhere() -> Indices:
    return np.empty(0, dtype=np.intp)


def _nothing() -> Floats:
    return np.empty(0)


@dataclass(frozen=True, eq=False)
class Linear:
    """A value, and its derivative by samples.

    Attributes:
        value: The number.
        at: [term] numbers of samples; one may occur several times.
        slopes: [term] the derivatives by these.
    """

    value: float
    at: Indices = field(default_factory=_nowhere)
    slopes: Floats = field(default_factory=_nothing)

    def __add__(self, other: Linear | float) -> Linear:
        if isinstance(other, Linear):
            at, slopes = np.concatenate([self.at, other.at]), np.concatenate([self.slopes, other.slopes])
            return Linear(self.value + other.value, at, slopes)
        return Linear(self.value + other, self.at, self.slopes)

    def __neg__(self) -> Linear:
        return Linear(-self.value, self.at, -self.slopes)

    def __sub__(self, other: Linear | float) -> Linear:
        return self + -other

    def __rsub__(self, other: float) -> Linear:
        return -self + other

    def __mul__(self, other: Linear | float) -> Linear:
        if not isinstance(other, Linear):
            return Linear(self.value * other, self.at, self.slopes * other)
        at = np.concatenate([self.at, other.at])
        slopes = np.concatenate([self.slopes * other.value, other.slopes * self.value])
        return Linear(self.value * other.value, at, slopes)

    def __truediv__(self, other: Linear | float) -> Linear:
        if not isinstance(other, Linear):
            return Linear(self.value / other, self.at, self.slopes / other)
        return self * other.inverse()

    def inverse(self) -> Linear:
        """1 over it."""
        return Linear(1.0 / self.value, self.at, -self.slopes / self.value**2)


def mean(numbers: Iterable[Linear]) -> Linear:
    """The mean of some numbers, of one at least."""
    first, *others = numbers
    total = first
    for other in others:
        total = total + other
    return total / (1 + len(others))
