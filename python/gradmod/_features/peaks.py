"""Spikes: where they peak, when, and how often; and what lies between two of them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from .extraction import Extraction, feature, needs
from .linear import Floats, Indices, Linear


def peak_points(of: Extraction) -> Indices:
    """[spike] The highest point from a rise above the threshold to the fall below it."""
    return of.indices("peaks", _peaks)


def _peaks(of: Extraction) -> Sequence[int]:
    v, threshold = of.trace.v, of.settings.threshold
    ups = np.flatnonzero((v[1:] > threshold) & (v[:-1] < threshold)) + 1
    downs = np.flatnonzero((v[1:] < threshold) & (v[:-1] > threshold)) + 1
    if len(ups):
        downs = downs[np.searchsorted(downs, ups[0]) :]
    spans = zip(ups.tolist(), downs.tolist(), strict=False)
    points: list[int] = [up + int(np.argmax(v[up : down + 1])) for up, down in spans]
    if of.settings.strict_stiminterval:
        start, end = of.settings.stim_start, of.settings.stim_end
        points = [point for point in points if start <= of.trace.t[point] <= end]
    return points


def needed_peaks(of: Extraction, count: int = 1) -> Indices:
    """``peak_points``, if there are so many.

    Raises:
        MissingFeature: There are not.
    """
    points = peak_points(of)
    needs(count, points, "spikes" if count > 1 else "spike")
    return points


@feature("peak_indices", "", is_count=True)
def peak_indices(of: Extraction) -> list[Linear]:
    """The points of the grid at which spikes peak."""
    return [Linear(float(point)) for point in needed_peaks(of)]


@feature("spike_count", "", is_count=True)
def spike_count(of: Extraction) -> list[Linear]:
    """How many spikes there are."""
    return [Linear(float(len(peak_points(of))))]


@feature("Spikecount", "", is_count=True)
def older_spike_count(of: Extraction) -> list[Linear]:
    """What eFEL called ``spike_count``."""
    return of.get(spike_count)


@feature("spike_count_stimint", "", is_count=True)
def spike_count_stimint(of: Extraction) -> list[Linear]:
    """How many of them peak while the stimulus is on."""
    times = of.trace.t[peak_points(of)]
    return [Linear(float(np.sum((of.settings.stim_start <= times) & (times <= of.settings.stim_end))))]


@feature("soft_spike_count", "")
def soft_spike_count(of: Extraction) -> list[Linear]:
    """A count that changes smoothly: by how much 1/(1 + exp((threshold - v)/soft_width)) rises in all.

    A spike that goes far above the threshold counts as 1, one that hardly reaches it as a half. eFEL has none such.
    """
    v = of.trace.v
    above = 1.0 / (1.0 + np.exp(np.clip((of.settings.threshold - v) / of.settings.soft_width, -500.0, 500.0)))
    rises: Floats = np.maximum(np.diff(above), 0.0)
    slopes = above * (1.0 - above) / of.settings.soft_width
    points = np.flatnonzero(rises > 0.0)
    at = np.concatenate([points + 1, points])
    return [Linear(float(np.sum(rises)), at, np.concatenate([slopes[points + 1], -slopes[points]]))]


@feature("missed_peak_voltage", "mV")
def missed_peak_voltage(of: Extraction) -> list[Linear]:
    """The highest maximum below the threshold while the stimulus is on, or its end. Not in eFEL.

    It is what comes nearest to a spike; a voltage that has no maximum rises, or falls, until the stimulus ends.
    """
    begin, end = of.during
    v = of.trace.v[begin:end]
    is_maximum = (v[1:-1] > v[:-2]) & (v[1:-1] >= v[2:]) & (v[1:-1] <= of.settings.threshold)
    maxima = begin + 1 + np.flatnonzero(is_maximum)
    if not len(maxima) and len(v) and v[-1] <= of.settings.threshold:
        maxima = np.array([end - 1])
    needs(1, maxima, "maximum below the threshold")
    return of.at(maxima[[int(np.argmax(of.trace.v[maxima]))]])


@feature("peak_voltage", "mV")
def peak_voltage(of: Extraction) -> list[Linear]:
    """[spike] The highest value; between points, that of the parabola through it and its neighbours."""
    points = needed_peaks(of)
    return [of.trace.vertex_value(int(point)) for point in points] if of.settings.interpolated else of.at(points)


@feature("AP_height", "mV")
def ap_height(of: Extraction) -> list[Linear]:
    """What eFEL also calls ``peak_voltage``."""
    return of.get(peak_voltage)


@feature("peak_time", "ms", is_time=True)
def peak_time(of: Extraction) -> list[Linear]:
    """[spike] When it peaks: between points, the vertex of the parabola through the highest and its neighbours."""
    points = needed_peaks(of)
    return [of.trace.vertex(int(point)) for point in points] if of.settings.interpolated else of.times(points)


@feature("time_to_first_spike", "ms", is_time=True)
def time_to_first_spike(of: Extraction) -> list[Linear]:
    """From the stimulus to the first peak."""
    return [of.get(peak_time)[0] - of.settings.stim_start]


@feature("time_to_second_spike", "ms", is_time=True)
def time_to_second_spike(of: Extraction) -> list[Linear]:
    """From the stimulus to the second peak."""
    needed_peaks(of, 2)
    return [of.get(peak_time)[1] - of.settings.stim_start]


@feature("time_to_last_spike", "ms", is_time=True)
def time_to_last_spike(of: Extraction) -> list[Linear]:
    """From the stimulus to the last peak."""
    return [of.get(peak_time)[-1] - of.settings.stim_start]


@feature("inv_time_to_first_spike", "Hz", is_time=True)
def inv_time_to_first_spike(of: Extraction) -> list[Linear]:
    """1000 ms over the time to the first spike."""
    return [of.get(time_to_first_spike)[0].inverse() * 1000.0]


@feature("all_ISI_values", "ms", is_time=True)
def all_isi_values(of: Extraction) -> list[Linear]:
    """[interval] From peak to peak."""
    needed_peaks(of, 2)
    times = of.get(peak_time)
    return [later - earlier for earlier, later in pairwise(times)]


@feature("ISI_values", "ms", is_time=True)
def isi_values(of: Extraction) -> list[Linear]:
    """[interval] The same without the first, unless ``ignore_first_isi`` is off."""
    found = of.get(all_isi_values)
    return found[1:] if of.settings.ignore_first_isi else found


@feature("doublet_ISI", "ms", is_time=True)
def doublet_isi(of: Extraction) -> list[Linear]:
    """The first interval."""
    return of.get(all_isi_values)[:1]


@feature("inv_ISI_values", "Hz", is_time=True)
def inv_isi_values(of: Extraction) -> list[Linear]:
    """[interval] 1000 ms over each."""
    return [interval.inverse() * 1000.0 for interval in of.get(all_isi_values)]


@feature("mean_frequency", "Hz", is_time=True)
def mean_frequency(of: Extraction) -> list[Linear]:
    """Spikes while the stimulus is on, over the time to the last of them."""
    settings, times = of.settings, of.get(peak_time)
    inside = of.trace.t[peak_points(of)]
    chosen = np.flatnonzero((settings.stim_start <= inside) & (inside <= settings.stim_end))
    if not len(chosen):
        return [Linear(0.0)]
    lasted = times[int(chosen[-1])] - settings.stim_start
    return [lasted.inverse() * (1000.0 * len(chosen))]


def _inverse_interval(name: str, index: int) -> None:
    @feature(f"inv_{name}_ISI", "Hz", is_time=True)
    def _(of: Extraction) -> list[Linear]:
        """1000 ms over one interval: which one, the name says."""
        needed_peaks(of, max(index + 2, 2))
        return [of.get(inv_isi_values)[index]]


for _index, _name in enumerate(("first", "second", "third", "fourth", "fifth")):
    _inverse_interval(_name, _index)
_inverse_interval("last", -1)
