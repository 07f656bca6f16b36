"""Amplitudes and widths of spikes."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from .extraction import Extraction, MissingFeature, feature, needs
from .linear import Indices, Linear, mean
from .onset import begin_points, begin_voltages
from .peaks import needed_peaks, peak_points, peak_voltage
from .subthreshold import voltage_base
from .troughs import trough_points


@feature("AP_amplitude", "mV")
def ap_amplitude(of: Extraction) -> list[Linear]:
    """[spike] Of spikes that peak while the stimulus is on: from where they begin to the peak."""
    times, settings = of.trace.t[needed_peaks(of)], of.settings
    inside = (settings.stim_start <= times) & (times <= settings.stim_end)
    peaks = [peak for peak, is_inside in zip(of.get(peak_voltage), inside, strict=True) if is_inside]
    begins = begin_points(of)
    if len(peaks) > len(begins):
        raise MissingFeature(
            f"{len(peaks)} spikes peak while the stimulus is on, but only {len(begins)} begin after it"
        )
    needs(1, peaks, "spike while the stimulus is on")
    return [peak - begin for peak, begin in zip(peaks, begin_voltages(of, begins), strict=False)]


@feature("AP1_amp", "mV")
def ap1_amp(of: Extraction) -> list[Linear]:
    """Of the first spike."""
    return of.get(ap_amplitude)[:1]


@feature("AP2_amp", "mV")
def ap2_amp(of: Extraction) -> list[Linear]:
    """Of the second spike."""
    found = of.get(ap_amplitude)
    needs(2, found, "spikes while the stimulus is on")
    return found[1:2]


@feature("APlast_amp", "mV")
def aplast_amp(of: Extraction) -> list[Linear]:
    """Of the last spike."""
    return of.get(ap_amplitude)[-1:]


@feature("mean_AP_amplitude", "mV")
def mean_ap_amplitude(of: Extraction) -> list[Linear]:
    """The mean of all."""
    return [mean(of.get(ap_amplitude))]


@feature("AP_amplitude_from_voltagebase", "mV")
def ap_amplitude_from_voltagebase(of: Extraction) -> list[Linear]:
    """[spike] From rest to the peak."""
    base = of.get(voltage_base)[0]
    return [peak - base for peak in of.get(peak_voltage)]


@feature("fast_AHP", "mV")
def fast_ahp(of: Extraction) -> list[Linear]:
    """[spike but the last] From where it begins to the minimum after it."""
    begins = begin_points(of)
    needs(2, begins, "spikes that begin after the stimulus")
    lows = trough_points(of)
    return [begin - of.trace.at(int(low)) for begin, low in zip(begin_voltages(of, begins[:-1]), lows, strict=False)]


def _last_points(of: Extraction) -> Sequence[int]:
    """Where the fall of each spike has become slow."""
    slope, start = of.trace.slope, of.after(of.settings.stim_start)
    ends = [*(int(p) for p in peak_points(of) if p > start), len(of.trace) - 1]
    found: list[int] = []
    for peak, end in pairwise(ends):
        if peak + 1 >= end:
            continue
        steepest = peak + 1 + int(np.argmin(slope[peak + 1 : end]))
        slow = np.flatnonzero(slope[steepest:end] >= of.settings.down_derivative_threshold)
        if len(slow):
            found.append(steepest + int(slow[0]))
    return found


def end_points(of: Extraction) -> Indices:
    """[spike] The first point after the steepest fall at which the slope is above ``down_derivative_threshold``."""
    return of.indices("ends", _last_points)


@feature("AP_duration_half_width", "ms", is_time=True)
def ap_duration_half_width(of: Extraction) -> list[Linear]:
    """[spike] How long it is above the middle between where it begins and its peak."""
    trace, begins = of.trace, begin_points(of)
    # Those after the stimulus, as begins are.
    peaks = peak_points(of)
    count = min(len(begins), len(peaks))
    needs(1, begins, "spike that begins after the stimulus")
    if any(peak < begin for peak, begin in zip(peaks, begins, strict=False)):
        raise MissingFeature("a spike peaks before the stimulus")
    if of.settings.interpolated:
        begin_values = begin_voltages(of, begins)
        found: list[Linear] = []
        for begin, peak, low in zip(map(int, begins), map(int, peaks), begin_values, strict=False):
            half = (trace.at(peak) + low) / 2.0
            found.append(_fall(of, peak, len(trace), half) - _rise(of, begin, peak, half))
        return found
    ends = end_points(of)
    found = list[Linear]()
    for number in range(count):
        begin, peak = int(begins[number]), int(peaks[number])
        if number >= len(ends) or peak >= ends[number]:
            raise MissingFeature("a spike has no end")
        half = (trace.v[peak] + trace.v[begin]) / 2.0
        rise = begin + int(np.argmin(np.abs(trace.v[begin:peak] - half)))
        fall = peak + int(np.argmin(np.abs(trace.v[peak : ends[number]] - half)))
        found.append(Linear(float(trace.t[fall] - trace.t[rise])))
    return found


def _rise(of: Extraction, begin: int, end: int, level: Linear) -> Linear:
    """When the voltage first is at a level from one point on."""
    above = np.flatnonzero(of.trace.v[begin : end + 1] >= level.value)
    if not len(above) or begin + above[0] == 0:
        raise MissingFeature("the voltage does not rise through a level that it must")
    return of.trace.crossing(begin + int(above[0]), level)


def _fall(of: Extraction, begin: int, end: int, level: Linear) -> Linear:
    below = np.flatnonzero(of.trace.v[begin:end] <= level.value)
    if not len(below) or begin + below[0] == 0:
        raise MissingFeature("the voltage does not fall through a level that it must")
    return of.trace.crossing(begin + int(below[0]), level)


@feature("spike_half_width", "ms")
def spike_half_width(of: Extraction) -> list[Linear]:
    """[minimum] How long the spike before it is above the middle between both; between points in eFEL too."""
    peaks, lows = needed_peaks(of), trough_points(of)
    needs(1, lows, "minimum after a spike")
    begins = [of.after(of.settings.stim_start), *map(int, lows)]
    found: list[Linear] = []
    for begin, peak, low in zip(begins, map(int, peaks), map(int, lows), strict=False):
        half = (of.trace.at(peak) + of.trace.at(low)) / 2.0
        found.append(_fall(of, peak, low + 1, half) - _rise(of, begin, peak, half))
    return found


def _one_width(name: str, index: int) -> None:
    @feature(name, "ms")
    def _(of: Extraction) -> list[Linear]:
        """``spike_half_width`` of one spike: which one, the name says."""
        found = of.get(spike_half_width)
        needs(max(index + 1, 1), found, "spikes")
        return [found[index]]


for _name, _index in (("AP1_width", 0), ("AP2_width", 1), ("APlast_width", -1)):
    _one_width(_name, _index)


@feature("AP_width", "ms", is_time=True)
def ap_width(of: Extraction) -> list[Linear]:
    """[minimum] How long the voltage is above the threshold of spikes before it."""
    trace, threshold = of.trace, of.settings.threshold
    needed_peaks(of)
    lows = trough_points(of)
    needs(1, lows, "minimum after a spike")
    begins = [0, *map(int, lows)]
    if of.settings.strict_stiminterval:
        start, stop = of.during
        begins = [start, *(int(low) for low in lows if start < low < stop)]
    found: list[Linear] = []
    for begin, end in pairwise(begins):
        above = np.flatnonzero(trace.v[begin:end] >= threshold)
        rise = begin + int(above[0]) if len(above) else end
        below = np.flatnonzero(trace.v[rise:end] <= threshold)
        fall = rise + int(below[0]) if len(below) else end
        if of.settings.interpolated:
            # At a point it would have no derivative, and not say so.
            if not 0 < rise < fall < end:
                raise MissingFeature("the voltage does not cross the threshold on both sides of a spike")
            found.append(trace.crossing(fall, threshold) - trace.crossing(rise, threshold))
        else:
            found.append(Linear(float(trace.t[fall] - trace.t[rise])))
    return found
