"""What a loss reads of a record: samples of it, values between its points, times of crossings."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .._model.cells import Floats
from ..errors import Error
from .recorder import MOMENT

#: Points that a value between them is made of: a cubic.
_NEAR = 4
#: Bisections of the time of a crossing: to rounding.
_BISECTIONS = 60
#: Part of an interval over which a slope is taken.
_STEP = 1e-4


@dataclass(frozen=True)
class Reading:
    """Numbers made of one variable along a record.

    Attributes:
        values: [sample]
        points, weights: [sample, near] each value's derivative is the sum of weights times those at the points.
    """

    values: Floats
    points: NDArray[np.int64]
    weights: Floats

    def derivative(self, along: Floats) -> Floats:
        """[..., sample] from [point, ...] the derivatives of the variable."""
        return np.einsum("sn,sn...->...s", self.weights, along[self.points])

    def transposed(self, adjoint: Floats, points: int) -> Floats:
        """[point] the derivative of a loss, from [sample] that by the values."""
        found = np.zeros(points)
        np.add.at(found, self.points, self.weights * adjoint[:, None])
        return found


def samples(values: Floats) -> Reading:
    """The points themselves."""
    count = len(values)
    return Reading(values, np.arange(count)[:, None], np.ones((count, 1)))


def between(times: Floats, values: Floats, asked: Floats) -> Reading:
    """Values at some times, by the cubic through the four nearest points that no event separates.

    Args:
        times, values: [point] of the record.
        asked: [sample] ms.

    Raises:
        Error: One is not within the run.
    """
    if np.any(asked < times[0] - MOMENT) or np.any(asked > times[-1] + MOMENT):
        raise Error(f"the run is from {times[0]:g} to {times[-1]:g} ms: there is no value outside of it")
    near = _Near.of(times, asked)
    weights = near.weights(asked)
    return Reading(np.sum(weights * values[near.points], axis=1), near.points, weights)


def crossings(times: Floats, values: Floats, threshold: float) -> Reading:
    """The times at which a variable rises through a threshold, on the same cubic.

    The derivative of such a time is that of the variable, negative and divided by its slope.
    """
    before = np.flatnonzero((values[:-1] < threshold) & (values[1:] >= threshold))
    left, right = times[before].copy(), times[before + 1].copy()
    near = _Near.of(times, 0.5 * (left + right))

    def value(at: Floats) -> Floats:
        return np.sum(near.weights(at) * values[near.points], axis=1)

    for _ in range(_BISECTIONS):
        middle = 0.5 * (left + right)
        is_below = value(middle) < threshold
        left, right = np.where(is_below, middle, left), np.where(is_below, right, middle)
    found = 0.5 * (left + right)
    step = _STEP * (times[before + 1] - times[before])
    slope = (value(found + step) - value(found - step)) / (2 * step)
    return Reading(found, near.points, -near.weights(found) / slope[:, None])


@dataclass(frozen=True)
class _Near:
    """Points around times, each of one stretch without events.

    Attributes:
        points: [sample, near]
        times: [sample, near] of the points.
        is_used: [sample, near] a short stretch has fewer.
    """

    points: NDArray[np.int64]
    times: Floats
    is_used: NDArray[np.bool_]

    @classmethod
    def of(cls, times: Floats, asked: Floats) -> _Near:
        """The nearest points of each."""
        last_of_all = len(times) - 1
        is_event = np.diff(times) < MOMENT
        stretch = np.concatenate([[0], np.cumsum(is_event)])
        last = np.clip(np.searchsorted(times, asked, side="right"), 1, last_of_all)
        # At an event either side has the value; no interval is there.
        while np.any(inside := is_event[last - 1] & (last < last_of_all)):
            last = last + inside
        first = last - 1
        for _ in range(_NEAR - 2):
            lower, upper = np.maximum(first - 1, 0), np.minimum(last + 1, last_of_all)
            has_lower = (first > 0) & (stretch[lower] == stretch[first])
            has_upper = (last < last_of_all) & (stretch[upper] == stretch[last])
            is_lower = has_lower & (~has_upper | (asked - times[lower] <= times[upper] - asked))
            first, last = first - is_lower, last + (has_upper & ~is_lower)
        points = first[:, None] + np.arange(_NEAR)
        is_used = points <= last[:, None]
        points = np.where(is_used, points, first[:, None])
        return cls(points, times[points], is_used)

    def weights(self, at: Floats) -> Floats:
        """[sample, near] of the polynomial through the points of each, at a time of each."""
        found = np.where(self.is_used, 1.0, 0.0)
        for a in range(_NEAR):
            for b in range(_NEAR):
                if a != b:
                    both = self.is_used[:, a] & self.is_used[:, b]
                    apart = np.where(both, self.times[:, a] - self.times[:, b], 1.0)
                    found[:, a] *= np.where(both, (at - self.times[:, b]) / apart, 1.0)
        return found
