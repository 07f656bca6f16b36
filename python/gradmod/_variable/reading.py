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
    if np.any(asked < times[0]) or np.any(asked > times[-1]):
        raise Error(f"the run is from {times[0]:g} to {times[-1]:g} ms: there is no value outside of it")
    rows = [_near(times, float(t)) for t in asked]
    points = np.array([_padded(near) for near in rows], dtype=np.int64).reshape(-1, _NEAR)
    near = zip(rows, asked, strict=True)
    weights = np.array([_filled(_lagrange(times[some], float(t))) for some, t in near]).reshape(-1, _NEAR)
    return Reading(np.sum(weights * values[points], axis=1), points, weights)


def crossings(times: Floats, values: Floats, threshold: float) -> Reading:
    """The times at which a variable rises through a threshold, on the same cubic.

    The derivative of such a time is that of the variable, negative and divided by its slope.
    """
    found: list[tuple[float, NDArray[np.int64], Floats]] = []
    for point in np.flatnonzero((values[:-1] < threshold) & (values[1:] >= threshold)):
        left, right = float(times[point]), float(times[point + 1])
        near = _near(times, 0.5 * (left + right))
        for _ in range(60):
            middle = 0.5 * (left + right)
            below = float(_lagrange(times[near], middle) @ values[near]) < threshold
            left, right = (middle, right) if below else (left, middle)
        time = 0.5 * (left + right)
        step = 1e-4 * float(times[point + 1] - times[point])
        ahead, behind = (float(_lagrange(times[near], time + by) @ values[near]) for by in (step, -step))
        slope = (ahead - behind) / (2 * step)
        found.append((time, near, -_lagrange(times[near], time) / slope))
    points = np.array([_padded(near) for _, near, _ in found], dtype=np.int64).reshape(-1, _NEAR)
    weights = np.array([_filled(row) for _, _, row in found]).reshape(-1, _NEAR)
    return Reading(np.array([time for time, _, _ in found]), points, weights)


def _near(times: Floats, t: float) -> NDArray[np.int64]:
    """The points around a time, of one stretch without events."""
    right = int(np.clip(np.searchsorted(times, t, side="right"), 1, len(times) - 1))
    # At an event either side has the value; no interval is there.
    while times[right] - times[right - 1] < MOMENT and right + 1 < len(times):
        right += 1
    found = [right - 1, right]
    while len(found) < _NEAR:
        before = found[0] > 0 and times[found[0]] - times[found[0] - 1] >= MOMENT
        after = found[-1] + 1 < len(times) and times[found[-1] + 1] - times[found[-1]] >= MOMENT
        if not before and not after:
            break
        if before and (not after or t - times[found[0] - 1] <= times[found[-1] + 1] - t):
            found.insert(0, found[0] - 1)
        else:
            found.append(found[-1] + 1)
    return np.array(found, dtype=np.int64)


def _lagrange(times: Floats, t: float) -> Floats:
    """[near] the weights of the polynomial through these points."""
    return np.array([float(np.prod([(t - b) / (a - b) for b in times if b != a])) for a in times], dtype=np.float64)


def _padded(points: NDArray[np.int64]) -> list[int]:
    """As many points as any has."""
    return [*map(int, points), *(0 for _ in range(_NEAR - len(points)))]


def _filled(weights: Floats) -> list[float]:
    """As many weights as any has."""
    return [*map(float, weights), *(0.0 for _ in range(_NEAR - len(weights)))]
