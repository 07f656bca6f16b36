"""Where a spike begins: where the slope of the voltage last was below a threshold before its peak."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .extraction import Extraction, MissingFeature, feature, needs
from .linear import Indices, Linear
from .peaks import needed_peaks, peak_points
from .troughs import trough_points


def begin_points(of: Extraction) -> Indices:
    """[spike] The first point from which the slope stays above the threshold for ``derivative_window`` points.

    Raises:
        MissingFeature: There are more spikes than minima between them.
    """
    needed_peaks(of)
    return of.indices("begins", _begins)


def _begins(of: Extraction) -> Sequence[int]:
    start = of.after(of.settings.stim_start)
    minima = [start - 2 if start > 1 else max(start - 1, 0), *(p for p in trough_points(of) if p > start)]
    peaks = [int(p) for p in peak_points(of) if p > start]
    if len(minima) < len(peaks):
        raise MissingFeature("there are more spikes than minima between them")
    found: list[int] = []
    slope = of.trace.slope
    for peak, lowest in zip(peaks, minima, strict=False):
        begin = _begin(slope, int(lowest), peak, of)
        if begin is not None:
            found.append(begin)
    return found


def _begin(slope: np.ndarray, lowest: int, peak: int, of: Extraction) -> int | None:
    """Looked for backwards, from the peak to the minimum before it."""
    width, threshold = of.settings.derivative_window, of.settings.derivative_threshold
    last = peak
    while True:
        low = np.flatnonzero(slope[lowest:last] <= threshold)
        begin = lowest + int(low[-1]) + 1 if len(low) else lowest
        begin = min(begin, len(slope) - width)
        if begin == lowest:
            return None
        if np.all(slope[begin : begin + width] >= threshold):
            return begin
        last = begin - 1


def _needed(of: Extraction) -> Indices:
    points = begin_points(of)
    needs(1, points, "spike that begins after the stimulus")
    return points


def begin_part(of: Extraction, point: int) -> Linear | None:
    """Which part of the way from the point before to this one the slope is below the threshold; None if not there."""
    trace, threshold = of.trace, of.settings.derivative_threshold
    slope = trace.slope
    if not 2 <= point < len(trace) - 1 or not slope[point - 1] <= threshold < slope[point]:
        return None
    return trace.part_below(trace.slope_at(point - 1), trace.slope_at(point), threshold)


def begin_voltages(of: Extraction, points: Indices) -> list[Linear]:
    """The voltages where spikes begin."""
    found: list[Linear] = []
    for point in map(int, points):
        part = begin_part(of, point) if of.settings.interpolated else None
        before, here = of.trace.at(point - 1), of.trace.at(point)
        found.append(here if part is None else before + (here - before) * part)
    return found


@feature("AP_begin_indices", "", is_count=True)
def ap_begin_indices(of: Extraction) -> list[Linear]:
    """The points of the grid at which spikes begin."""
    return [Linear(float(point)) for point in _needed(of)]


@feature("AP_begin_time", "ms", is_time=True)
def ap_begin_time(of: Extraction) -> list[Linear]:
    """[spike] When it begins: between points, where the straight line between two slopes is at the threshold."""
    points = _needed(of)
    found = of.times(points)
    if of.settings.interpolated:
        for number, point in enumerate(map(int, points)):
            part = begin_part(of, point)
            if part is None:
                raise MissingFeature("the slope does not cross its threshold where a spike begins")
            found[number] = of.trace.time(point - 1, part)
    return found


@feature("AP_begin_voltage", "mV")
def ap_begin_voltage(of: Extraction) -> list[Linear]:
    """[spike] The voltage then: the threshold of the spike."""
    return begin_voltages(of, _needed(of))


@feature("AP1_begin_voltage", "mV")
def ap1_begin_voltage(of: Extraction) -> list[Linear]:
    """That of the first spike."""
    return of.get(ap_begin_voltage)[:1]


@feature("AP2_begin_voltage", "mV")
def ap2_begin_voltage(of: Extraction) -> list[Linear]:
    """That of the second spike."""
    found = of.get(ap_begin_voltage)
    needs(2, found, "spikes")
    return found[1:2]
