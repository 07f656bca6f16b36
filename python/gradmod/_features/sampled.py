"""A trace on the time grid that features are taken on, which is eFEL's: straight lines between the samples."""

from __future__ import annotations

import numpy as np

from ..errors import Error
from .linear import Floats, Indices, Linear


class Sampled:
    """The points of the grid.

    Attributes:
        t: [point] in ms.
        v: [point] in the trace's unit.
    """

    def __init__(self, t: Floats, v: Floats, step: float) -> None:
        """Interpolate.

        Args:
            t: [sample] times in ms, rising.
            v: [sample] the trace.
            step: Of the grid, in ms.

        Raises:
            Error: The samples are no trace.
        """
        if t.ndim != 1 or t.shape != v.shape or len(t) < 3:
            raise Error(f"times have shape {t.shape}, values {v.shape}: they must be rows of equal length, 3 at least")
        if not np.all(np.diff(t) > 0.0):
            raise Error("the times do not rise from sample to sample")
        if not np.all(np.isfinite(v)):
            raise Error("the trace is not finite everywhere")
        if not step > 0.0:
            raise Error(f"interp_step is {step}: it is the step of the grid in ms")
        count = int(np.ceil((t[-1] - t[0]) / step))
        # One addition after the other, as eFEL: its rounding decides on which side of a sample a point is.
        grid = np.add.accumulate(np.concatenate([[t[0]], np.full(count, step)]))
        if grid[count - 1] >= t[-1]:
            grid = grid[:count]
        above = np.searchsorted(t, grid)
        # What is beyond the last sample has its value; there is one such point at most.
        is_beyond = above >= len(t)
        below = np.where(is_beyond, len(t) - 1, np.maximum(above - 1, 0))
        above = np.where(is_beyond, len(t) - 1, below + 1)
        if np.any(is_beyond):
            last = int(np.argmax(is_beyond)) + 1
            grid, below, above = grid[:last], below[:last], above[:last]
        width = np.where(above > below, t[above] - t[below], 1.0)
        part = np.where(above > below, (grid - t[below]) / width, 0.0)
        self.t: Floats = grid
        self.v: Floats = v[below] + (v[above] - v[below]) / width * np.where(above > below, grid - t[below], 0.0)
        self.samples = len(t)
        self._below, self._above, self._part = below, above, part
        self._times, self._step = t, step

    def __len__(self) -> int:
        return len(self.v)

    @property
    def slope(self) -> Floats:
        """[point] dv/dt by central differences, one-sided at the ends."""
        v, t = self.v, self.t
        rise = np.concatenate([[v[1] - v[0]], (v[2:] - v[:-2]) / 2, [v[-1] - v[-2]]])
        return rise / np.concatenate([[t[1] - t[0]], (t[2:] - t[:-2]) / 2, [t[-1] - t[-2]]])

    def at(self, point: int) -> Linear:
        """The value at a point."""
        return Linear(float(self.v[point]), np.array([point]), np.ones(1))

    def mean(self, begin: int, end: int) -> Linear:
        """The mean of the points from ``begin`` to before ``end``, of one at least."""
        at = np.arange(begin, end)
        return Linear(float(np.mean(self.v[begin:end])), at, np.full(len(at), 1.0 / len(at)))

    def deviation(self, begin: int, end: int) -> Linear:
        """The standard deviation of these points (of all of them: divided by their number)."""
        v, at = self.v[begin:end], np.arange(begin, end)
        size = float(np.std(v))
        slopes = np.zeros(len(v)) if size == 0.0 else (v - np.mean(v)) / (size * len(v))
        return Linear(size, at, slopes)

    def slope_at(self, point: int) -> Linear:
        """``slope``, at a point that is not the first or last one."""
        return (self.at(point + 1) - self.at(point - 1)) / float(self.t[point + 1] - self.t[point - 1])

    def part_below(self, below: Linear, above: Linear, level: Linear | float) -> Linear:
        """Which part of the way from one value to another is below a level."""
        return (-below + level) / (above - below)

    def time(self, point: int, part: Linear) -> Linear:
        """A time between a point and the next one."""
        return part * float(self.t[point + 1] - self.t[point]) + float(self.t[point])

    def crossing(self, point: int, level: Linear | float) -> Linear:
        """When the straight line from the point before to this one is at a level."""
        return self.time(point - 1, self.part_below(self.at(point - 1), self.at(point), level))

    def value_at(self, time: Linear) -> Linear:
        """The value at a time between the first and the last point, on the straight line between two points."""
        point = min(max(int(np.searchsorted(self.t, time.value, side="right")) - 1, 0), len(self) - 2)
        before, after = self.at(point), self.at(point + 1)
        part = (time - float(self.t[point])) / float(self.t[point + 1] - self.t[point])
        return before + (after - before) * part

    def vertex(self, point: int) -> Linear:
        """When the parabola through a point and its neighbours is highest or lowest."""
        before, here, after = (self.at(point + by) for by in (-1, 0, 1))
        bend = before - here * 2.0 + after
        if bend.value == 0.0:
            return Linear(float(self.t[point]))
        shift = (before - after) / (bend * 2.0)
        return shift * float(self.t[point + 1] - self.t[point]) + float(self.t[point])

    def to_samples(self, number: Linear) -> Floats:
        """[sample] the derivative of a number by the samples of the trace."""
        found = np.zeros(self.samples)
        at: Indices = number.at
        np.add.at(found, self._below[at], (1.0 - self._part[at]) * number.slopes)
        np.add.at(found, self._above[at], self._part[at] * number.slopes)
        return found
