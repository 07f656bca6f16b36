"""After-hyperpolarisation: the minima between spikes, and after the last one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from .extraction import Extraction, MissingFeature, feature, needs
from .linear import Floats, Indices, Linear
from .peaks import needed_peaks, peak_points, peak_time, peak_voltage
from .subthreshold import voltage_base


def trough_points(of: Extraction) -> Indices:
    """[minimum] The first minimum after each spike; after the last one, not at the end of the trace."""
    return of.indices("troughs", _troughs)


def _troughs(of: Extraction) -> Sequence[int]:
    end = of.after(of.settings.stim_end) if of.settings.strict_stiminterval else len(of.trace)
    ends = [*map(int, peak_points(of)), end]
    found = [_first_minimum(of.trace.v, a, b) for a, b in pairwise(ends)]
    return [point for point in found if point != end - 1]


def _first_minimum(v: Floats, begin: int, end: int) -> int:
    """The first point after which no two points are lower before one is; else the lowest."""
    if begin >= end:
        return end
    lowest, higher = begin, 0
    for point in range(begin + 1, end):
        if v[point] < v[lowest]:
            lowest, higher = point, 0
        else:
            higher += 1
            if higher == 2:
                break
    return lowest


def _needed(of: Extraction) -> Indices:
    needed_peaks(of)
    points = trough_points(of)
    needs(1, points, "minimum after a spike")
    return points


@feature("min_AHP_indices", "", is_count=True)
def min_ahp_indices(of: Extraction) -> list[Linear]:
    """The points of the grid at these minima."""
    return [Linear(float(point)) for point in _needed(of)]


@feature("min_AHP_values", "mV")
def min_ahp_values(of: Extraction) -> list[Linear]:
    """[minimum] The lowest value."""
    return of.at(_needed(of))


@feature("AHP_depth_abs", "mV")
def ahp_depth_abs(of: Extraction) -> list[Linear]:
    """What eFEL also calls ``min_AHP_values``."""
    return of.get(min_ahp_values)


@feature("AHP_depth", "mV")
def ahp_depth(of: Extraction) -> list[Linear]:
    """[minimum] Its height above the resting voltage."""
    base = of.get(voltage_base)[0]
    return [value - base for value in of.get(min_ahp_values)]


@feature("AHP_depth_from_peak", "mV")
def ahp_depth_from_peak(of: Extraction) -> list[Linear]:
    """[minimum] How far it is below the spike before it."""
    return [peak - low for peak, low in zip(of.get(peak_voltage), of.get(min_ahp_values), strict=False)]


@feature("AHP_time_from_peak", "ms", is_time=True)
def ahp_time_from_peak(of: Extraction) -> list[Linear]:
    """[minimum] From the spike to it; between points both are the vertices of parabolas."""
    points = _needed(of)
    lows = of.times(points)
    if of.settings.interpolated:
        if any(point + 1 >= len(of.trace) for point in points):
            raise MissingFeature("a minimum is at the end of the trace")
        lows = [of.trace.vertex(int(point)) for point in points]
    return [low - peak for low, peak in zip(lows, of.get(peak_time), strict=False)]


@dataclass(frozen=True)
class _SlowMinimum:
    """The lowest point of an interval, from ``sahp_start`` after the spike that begins it."""

    value: Linear
    time: Linear


def _slow_minima(of: Extraction) -> list[_SlowMinimum]:
    peaks, times = needed_peaks(of, 3), of.get(peak_time)
    return [
        _slow_minimum(of, int(peak), int(following), time + of.settings.sahp_start)
        for peak, following, time in zip(peaks[1:], peaks[2:], times[1:], strict=False)
    ]


def _slow_minimum(of: Extraction, peak: int, following: int, begin: Linear) -> _SlowMinimum:
    trace = of.trace
    first = peak + int(np.searchsorted(trace.t[peak:following], float(trace.t[peak]) + of.settings.sahp_start))
    # An interval that is shorter has its end.
    lowest = first + int(np.argmin(trace.v[first:following])) if first < following else following
    if not of.settings.interpolated:
        return _SlowMinimum(trace.at(lowest), Linear(float(trace.t[lowest])))
    if first == following:
        return _SlowMinimum(trace.at(lowest), trace.vertex(lowest))
    if lowest == first:
        # The voltage rises already: what is sought moves with the spike.
        return _SlowMinimum(trace.value_at(begin), begin)
    return _SlowMinimum(trace.at(lowest), trace.vertex(lowest))


@feature("AHP_depth_abs_slow", "mV")
def ahp_depth_abs_slow(of: Extraction) -> list[Linear]:
    """[interval but the first] The lowest value from ``sahp_start`` after the spike to the next peak."""
    return [low.value for low in _slow_minima(of)]


@feature("AHP_depth_slow", "mV")
def ahp_depth_slow(of: Extraction) -> list[Linear]:
    """[interval but the first] Its height above the resting voltage."""
    base = of.get(voltage_base)[0]
    return [low.value - base for low in _slow_minima(of)]


@feature("AHP_slow_time", "", is_time=True)
def ahp_slow_time(of: Extraction) -> list[Linear]:
    """[interval but the first] Which part of the interval has gone by then."""
    intervals = pairwise(of.get(peak_time)[1:])
    return [(low.time - begin) / (end - begin) for low, (begin, end) in zip(_slow_minima(of), intervals, strict=True)]


@feature("min_voltage_between_spikes", "mV")
def min_voltage_between_spikes(of: Extraction) -> list[Linear]:
    """[interval] The lowest value from one peak to the next."""
    peaks = needed_peaks(of, 2)
    lows = [a + int(np.argmin(of.trace.v[a:b])) for a, b in pairwise(map(int, peaks))]
    if not lows:
        raise MissingFeature("there is no interval")
    return of.at(np.array(lows))
