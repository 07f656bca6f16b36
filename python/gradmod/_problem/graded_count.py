"""The number of spikes with a derivative: how near the next one is that should come or go."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .._model.cells import Floats
from ..features import Features, Found

#: What is looked at.
_COUNTED = (
    "spike_count",
    "spike_count_stimint",
    "peak_time",
    "peak_voltage",
    "missed_peak_voltage",
    "depolarization_block",
)
#: A maximum that is so far below the threshold, or above it, is as far from being a spike, or from being none, as can
#: be; in mV.
_REACH = 100.0
#: A voltage at which spikes begin is this part of a spike: about 30 mV below the threshold.
_AT_ONSET = 0.7


@dataclass(frozen=True)
class Graded:
    """A number of spikes.

    Attributes:
        value: Whole spikes, and a part of one.
        slopes: [sample] its derivatives by the samples of the trace.
    """

    value: float
    slopes: Floats


class GradedCount:
    """The number of spikes, towards one that is wanted.

    It is the number of spikes where that is right to a half. Else a part of a spike is added or subtracted, so that it
    changes with the trace, and comes to the number that is wanted without a leap:

    - while the cell fires, the number of spikes is a matter of time: the part is how much of the next interval has gone
      when the stimulus ends (the run, if there are spikes after it), if that is as long as the last one;
    - where it does not fire, or has stopped, it is a matter of voltage: the part is how near the highest maximum below
      the threshold is to it, or the lowest spike, over 100 mV;
    - where it has stopped because the voltage stays above where spikes begin (a depolarisation block), the voltage has
      to fall: the part is the less, the further it stays above.
    """

    def __init__(self, features: Features, *, while_on: bool = False) -> None:
        """Of the stimulus and with the threshold of these features; ``while_on``: of spikes while it is on."""
        self._settings = features.settings
        self._count = "spike_count_stimint" if while_on else "spike_count"
        self._features = features.with_names(_COUNTED)

    def number(self, found: Found) -> float:
        """How many spikes there are."""
        return float(found[self._count][0])

    def of(self, t: Floats, v: Floats) -> Found:
        """What is looked at."""
        return self._features.of(t, v)

    def towards(self, found: Found, t_end: float, wanted: float) -> Graded:
        """The number of spikes, and the part of one by which it comes nearer.

        Args:
            found: Of :meth:`of`.
            t_end: When the run ends, in ms.
            wanted: How many there should be.
        """
        number = self.number(found)
        if abs(number - wanted) < 0.5:
            return Graded(number, np.zeros(found.samples))
        is_short = number < wanted
        part = self._of_time(found, number, t_end) or self._of_voltage(found, is_short)
        # Too many spikes: the one that should go first counts as much as there is of the next interval after it.
        return Graded(number + part.value - (0.0 if is_short else 1.0), part.slopes)

    def _of_time(self, found: Found, number: float, t_end: float) -> Graded | None:
        """How much of the next interval has gone at the end; None where the cell does not fire, or has stopped."""
        times, end = found["peak_time"] if "peak_time" in found else np.empty(0), self._settings.stim_end
        if self._count == "spike_count_stimint":
            (chosen,) = np.nonzero((times >= self._settings.stim_start) & (times <= end))
        else:
            chosen = np.arange(len(times))
            end = end if not len(times) or times[-1] <= end else t_end
        if number < 2.0 or len(chosen) != number:
            return None
        before, last = times[chosen[-2]], times[chosen[-1]]
        part = float((end - last) / (last - before))
        if part > 1.0:
            return None
        slopes = found.slopes("peak_time")
        by_last, by_before = -(1.0 + part) / (last - before), part / (last - before)
        return Graded(part, slopes[chosen[-1]] * by_last + slopes[chosen[-2]] * by_before)

    def _of_voltage(self, found: Found, is_short: bool) -> Graded:
        """What part of a spike is there of one that should come; or how much of one the lowest spike is."""
        if is_short and "depolarization_block" in found:
            depth = float(found["depolarization_block"][0])
            part = _AT_ONSET - depth / _REACH
            return Graded(part, found.slopes("depolarization_block")[0] / -_REACH)
        name = "missed_peak_voltage" if is_short else "peak_voltage"
        if name not in found:
            return Graded(0.0, np.zeros(found.samples))
        values, slopes = found[name], found.slopes(name)
        which = int(np.argmin(values))
        part = (float(values[which]) - self._settings.threshold) / _REACH + (1.0 if is_short else 0.0)
        if not 0.0 <= part <= 1.0:
            return Graded(min(max(part, 0.0), 1.0), np.zeros(found.samples))
        return Graded(part, slopes[which] / _REACH)
