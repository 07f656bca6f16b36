"""Rhythm: how regular the intervals between spikes are, and how they change."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from .extraction import Extraction, feature, needs
from .linear import Linear, mean
from .peaks import isi_values, peak_points, peak_time


@feature("ISI_CV", "", is_time=True)
def isi_cv(of: Extraction) -> list[Linear]:
    """The coefficient of variation of ``ISI_values``: their standard deviation (that of a sample) over their mean."""
    intervals = of.get(isi_values)
    needs(2, intervals, "intervals")
    values, count = np.array([interval.value for interval in intervals]), len(intervals)
    middle, size = float(np.mean(values)), float(np.std(values, ddof=1))
    slopes = np.full(count, -size / (count * middle**2))
    if size > 0.0:
        slopes += (values - middle) / ((count - 1) * size * middle)
    at = np.concatenate([interval.at for interval in intervals])
    by_point = [interval.slopes * float(slope) for interval, slope in zip(intervals, slopes, strict=True)]
    return [Linear(size / middle, at, np.concatenate(by_point))]


@feature("adaptation_index2", "", is_time=True)
def adaptation_index2(of: Extraction) -> list[Linear]:
    """By how much an interval is longer than the one before, over their sum: the mean, from the second interval on."""
    settings, times, inside = of.settings, of.get(peak_time), of.trace.t[peak_points(of)]
    chosen = np.flatnonzero((settings.stim_start <= inside) & (inside <= settings.stim_end))
    needs(4, chosen, "spikes while the stimulus is on")
    spikes = [times[int(number)] for number in chosen[1:]]
    intervals = [later - earlier for earlier, later in pairwise(spikes)]
    return [mean((later - earlier) / (later + earlier) for earlier, later in pairwise(intervals))]
