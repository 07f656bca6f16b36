"""A feature as BluePyOpt scores it: all of its values beside one mean."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace

import numpy as np

from .._model.cells import Floats
from ..errors import Error
from ..features import Features
from .graded_count import GradedCount
from .targets import Rows

#: Features that are the number of all spikes.
_OF_ALL = ("spike_count", "Spikecount")
#: Features that are a number of spikes.
_COUNTS = (*_OF_ALL, "spike_count_stimint")
#: Traces with up to so many spikes are tried to find out what a feature needs.
_TRIED = 6
#: Their stimulus and step in ms, and how far below and above the threshold they go in mV.
_BEGIN, _END, _STEP, _BELOW, _ABOVE = 100.0, 1100.0, 0.1, 50.0, 40.0


class MeanTarget:
    """A feature beside one mean, whatever number of values it has.

    eFEL's ``get_distance``, by which BluePyOpt scores, is the mean of ``|value - mean|/deviation`` over all values. It
    has a kink at each value that is right. The residuals here are the difference of the means and the standard
    deviation of the values, both over ``deviation``: the sum of their squares is the mean square of
    ``(value - mean)/deviation``, never less than the square of the score, and the same for a single value.

    A feature that the trace does not have counts ``absent``. If it needs spikes, it counts that part of ``absent`` that
    is missing of them while the stimulus is on: all of it where the cell is far from its first spike, the less the
    nearer the next one is.

    The number of spikes itself changes by leaps. Where it is wrong, a part that does not is added: how near the next
    spike is that should come or go, in time while the cell fires, else in voltage.
    """

    def __init__(
        self,
        features: Features,
        mean: float,
        deviation: float,
        *,
        name: str = "",
        absent: float = 250.0,
        weight: float = 1.0,
        spikes: float | None = None,
    ) -> None:
        """Name the feature.

        Args:
            features: One feature, with the stimulus of the run and its settings.
            mean: What it should be, in its unit.
            deviation: What a difference is measured by, in its unit.
            name: What residuals are called; by default as the feature.
            absent: What it counts if the trace does not have it, in deviations.
            weight: What its residuals are multiplied by.
            spikes: How many there are if a feature that is a frequency is ``mean``. While their number is wrong by one
                at least, it stands for the feature: a frequency of few spikes rises if the last of them comes earlier.

        Raises:
            Error: There are several features, or the numbers are none.
        """
        if len(features.names) != 1:
            raise Error(f"a MeanTarget is about one feature, not about {', '.join(features.names) or 'none'}")
        self._feature = features.names[0]
        self.name = name or self._feature
        if not (np.isfinite(mean) and np.isfinite(deviation) and deviation > 0.0):
            raise Error(f"{self.name}: the mean is {mean}, the deviation {deviation}, which must be above 0")
        if not (np.isfinite(weight) and weight >= 0.0):
            raise Error(f"{self.name}: the weight is {weight}: it must not be below 0")
        if not np.isfinite(absent):
            raise Error(f"{self.name}: absent is {absent}, which is no number")
        if spikes is not None and not spikes > 0.0:
            raise Error(f"{self.name}: there should be {spikes} spikes: give a number above 0")
        self.mean, self.deviation, self.weight = float(mean), float(deviation), float(weight)
        self._absent = self.weight * float(absent)
        is_count = self._feature in _COUNTS
        self._needs = Needs(None, False) if is_count else needs(features)
        self._spikes, self._unit = (self.mean, 1.0) if is_count else (spikes, self.mean / (spikes or 1.0))
        #: By how much the number of spikes may be wrong before it stands for the feature.
        self._slack = 0.0 if is_count else 1.0
        self._count = GradedCount(features, while_on=self._feature not in _OF_ALL)
        self._features = features

    def rows(self, t: Floats, v: Floats) -> Rows:
        """One residual for the mean, and one for the spread of several values."""
        scale, nothing = self.weight / self.deviation, np.zeros(len(v))
        counted = self._count.of(t, v)
        number = self._count.number(counted)
        own, derivatives = np.empty(0), np.empty((0, len(v)))
        if self._spikes is not None and abs(number - self._spikes) >= self._slack:
            graded = self._count.towards(counted, float(t[-1]), self._spikes)
            value, slope = (graded.value - self._spikes) * self._unit * scale, graded.slopes * self._unit * scale
        else:
            found = self._features.of(t, v)
            if self._feature in found and len(found[self._feature]):
                own, derivatives = found[self._feature], found.slopes(self._feature)
                value, slope = (float(np.mean(own)) - self.mean) * scale, np.mean(derivatives, axis=0) * scale
            elif self._needs.spikes:
                wanted = max(float(self._needs.spikes), number + 1.0)
                graded = self._count.towards(counted, float(t[-1]), wanted)
                value, slope = self._absent * (1.0 - graded.value / wanted), graded.slopes * (-self._absent / wanted)
            else:
                value, slope = self._absent, nothing
        names, values, slopes = [self.name], [value], [slope]
        if self._needs.several:
            spread = float(np.std(own)) if len(own) else 0.0
            names.append(f"{self.name}: spread")
            values.append(spread * scale)
            is_flat = spread == 0.0
            slopes.append(nothing if is_flat else (own - np.mean(own)) @ derivatives * (scale / (len(own) * spread)))
        return Rows(names, np.array(values), np.stack(slopes))


@dataclass(frozen=True)
class Needs:
    """What a feature needs of a trace.

    Attributes:
        spikes: The fewest with which a trace has it; None if no trace that was tried has it.
        several: It may have several values.
    """

    spikes: int | None
    several: bool


def needs(features: Features) -> Needs:
    """Find out, by traces with 0, 1, 2, ... spikes."""
    (name,) = features.names
    settings = replace(features.settings, stim_start=_BEGIN, stim_end=_END, interp_step=_STEP)
    asked = Features([name], **asdict(settings))
    t: Floats = np.arange(0.0, _END + _BEGIN, _STEP)
    fewest: int | None = None
    several = False
    for count in range(_TRIED + 1):
        found = asked.of(t, _train(t, count, settings.threshold))
        if name in found and len(found[name]):
            fewest = count if fewest is None else fewest
            several = several or len(found[name]) > 1
    return Needs(fewest, several)


def _train(t: Floats, count: int, threshold: float) -> Floats:
    """[sample] spikes of straight lines, one after the other while the stimulus is on."""
    shape_t, shape_v = np.array([-1.0, 0.0, 2.0, 8.0]), np.array([-_BELOW, _ABOVE, -_BELOW - 5.0, -_BELOW])
    v: Floats = np.full(len(t), threshold - _BELOW)
    for number in range(count):
        # Intervals get longer, so that they have a deviation.
        peak = _BEGIN + 20.0 + 100.0 * number + 5.0 * number**2
        near = (t >= peak - 1.0) & (t <= peak + 8.0)
        v[near] = threshold + np.interp(t[near] - peak, shape_t, shape_v)
    return v
