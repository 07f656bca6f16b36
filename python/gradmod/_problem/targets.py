"""What a trace should be like: residuals weighted by uncertainties, with derivatives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike

from .._model.cells import Floats
from ..errors import Error
from ..features import Features, Found, units
from ..objective import Points
from .libraries import library

#: Features: that whose gradient makes spikes come that are missing, and how many there are.
_COUNT, _PEAKS = "soft_spike_count", "spike_count"


#: Times that are a run's last one but for rounding, in ms.
_ROUNDING = 1e-9


@dataclass(frozen=True)
class Rows:
    """Residuals of one target in one run.

    Attributes:
        names: [residual] what each is about.
        values: [residual] without unit: the difference over the uncertainty.
        slopes: [residual, sample] their derivatives by the samples of the trace; an array, or one of ``scipy.sparse``.
    """

    names: list[str]
    values: Floats
    slopes: Any


class Target(Protocol):
    """What residuals are made by, always as many of them.

    It may have more: ``points``, [point] times in ms and values that pictures show; and ``until(time)``, what there is
    of it up to a time in ms (or None), which fits by growing windows need.
    """

    def rows(self, t: Floats, v: Floats) -> Rows:
        """Of a trace: [sample] times in ms, and values."""
        ...


class TraceTarget:
    """A trace at some times: residuals ``(trace - target)/uncertainty``; between samples, traces are straight lines."""

    def __init__(self, target: ArrayLike, times: ArrayLike, uncertainty: ArrayLike, name: str = "trace") -> None:
        """Name the points.

        Args:
            target: [time] in the unit of the trace.
            times: [time] in ms from the start of the run.
            uncertainty: In that unit, one for all or [time].
            name: What residuals are called.

        Raises:
            Error: The shapes do not fit, or an uncertainty is not above 0.
        """
        self._points = Points(times)
        self.target = np.asarray(target, dtype=np.float64)
        if self.target.shape != self._points.times.shape:
            raise Error(f"there are {len(self._points)} times, the target has shape {self.target.shape}")
        if not np.all(np.isfinite(self.target)):
            raise Error("the target is not finite everywhere")
        self._uncertainty = np.broadcast_to(np.asarray(uncertainty, dtype=np.float64), self.target.shape)
        if not np.all(np.isfinite(self._uncertainty)) or not np.all(self._uncertainty > 0.0):
            raise Error("an uncertainty of a trace is not above 0")
        self.name = name

    def rows(self, t: Floats, v: Floats) -> Rows:
        """One residual for each time."""
        points = self._points.at(t)
        values = (points.read(v[None])[0] - self.target) / self._uncertainty
        below, above, part = points.between(len(v))
        rows = np.arange(len(self.times))
        entries = np.concatenate([(1.0 - part) / self._uncertainty, part / self._uncertainty])
        places = np.concatenate([rows, rows]), np.concatenate([below, above])
        slopes = library("scipy.sparse", "a fit").csr_array((entries, places), shape=(len(rows), len(v)))
        return Rows([f"{self.name} at {time:g} ms" for time in self.times], values, slopes)

    @property
    def points(self) -> tuple[Floats, Floats]:
        """[time] in ms, and the target."""
        return self.times, self.target

    @property
    def times(self) -> Floats:
        """[time] in ms."""
        return self._points.times

    def until(self, time: float) -> TraceTarget | None:
        """Its points up to a time in ms; None if there are none."""
        is_kept = self.times <= time + _ROUNDING
        if not np.any(is_kept):
            return None
        return TraceTarget(self.target[is_kept], self.times[is_kept], self._uncertainty[is_kept], self.name)


class FeatureTarget:
    """Features of a trace: one residual for each value, ``(value - target)/uncertainty``.

    A value that the trace does not have (a spike that is missing) counts as ``absent`` uncertainties, and has no
    derivative. Where a feature has several values, one more residual counts spikes: it is 0 where the trace has as many
    as the data, else ``soft_spike_count`` less the data's number, whose derivative makes spikes come and go. Values are
    compared in their order: the first spike with the first.
    """

    def __init__(
        self,
        features: Features,
        target: Mapping[str, ArrayLike],
        uncertainty: float | Mapping[str, float],
        *,
        absent: float = 10.0,
        count_uncertainty: float = 0.2,
    ) -> None:
        """Name the values.

        Args:
            features: Of the stimulus of this run, with the settings of the data's.
            target: {name: the values of a feature in the data}, in its unit.
            uncertainty: Of each feature, {name: in its unit}, or one number for all.
            absent: What a missing value counts.
            count_uncertainty: Of the number of spikes.

        Raises:
            Error: A feature was not asked for, has no derivative or no value, or has no uncertainty.
        """
        self.wanted = {name: np.atleast_1d(np.asarray(values, dtype=np.float64)) for name, values in target.items()}
        for name, values in self.wanted.items():
            if name not in features.names:
                raise Error(f"{name} is not among the features: {', '.join(features.names)}")
            if values.ndim != 1 or not len(values) or not np.all(np.isfinite(values)):
                raise Error(f"the target of {name} is {values}: it must be numbers, one at least")
        self._sizes = {name: _uncertainty(uncertainty, name) for name in self.wanted}
        self._absent = absent
        spikes = [len(values) for values in self.wanted.values() if len(values) > 1]
        self._spikes, self._count_size = (max(spikes) if spikes else None), count_uncertainty
        chosen: list[str] = [name for name in features.names if name in self.wanted]
        self._features = features.with_names([*chosen, *(name for name in (_COUNT, _PEAKS) if name not in chosen)])

    def rows(self, t: Floats, v: Floats) -> Rows:
        """As many residuals as the target has values, and one for the number of spikes."""
        found = self._features.of(t, v)
        names, values, slopes = list[str](), list[float](), list[Floats]()
        for name, wanted in self.wanted.items():
            size = self._sizes[name]
            own = found[name] if name in found else np.empty(0)
            derivatives = found.slopes(name) if name in found else np.empty((0, len(v)))
            for number, target in enumerate(wanted):
                names.append(f"{name}[{number}]" if len(wanted) > 1 else name)
                if number < len(own):
                    values.append((float(own[number]) - float(target)) / size)
                    slopes.append(derivatives[number] / size)
                else:
                    values.append(self._absent)
                    slopes.append(np.zeros(len(v)))
        if self._spikes is not None:
            self._add_count(found, names, values, slopes)
        return Rows(names, np.array(values), np.stack(slopes))

    def _add_count(self, found: Found, names: list[str], values: list[float], slopes: list[Floats]) -> None:
        wanted, is_off = float(self._spikes or 0), float(found[_PEAKS][0]) != (self._spikes or 0)
        names.append(_COUNT)
        values.append((float(found[_COUNT][0]) - wanted) / self._count_size if is_off else 0.0)
        slope = found.slopes(_COUNT)[0]
        slopes.append(slope / self._count_size if is_off else np.zeros(len(slope)))

    @property
    def points(self) -> tuple[Floats, Floats] | None:
        """[spike] times in ms and peaks, if both are wanted."""
        times, peaks = (self.wanted.get(name) for name in ("peak_time", "peak_voltage"))
        return None if times is None or peaks is None or len(times) != len(peaks) else (times, peaks)

    def missing(self, t: Floats, v: Floats) -> dict[str, str]:
        """What a trace does not have, and why."""
        return dict(self._features.of(t, v).missing)


def _uncertainty(given: float | Mapping[str, float], name: str) -> float:
    found = given.get(name) if isinstance(given, Mapping) else given
    if found is None:
        raise Error(f"there is no uncertainty of {name}, in {units().get(name, 'its unit')}")
    if not (np.isfinite(found) and found > 0.0):
        raise Error(f"the uncertainty of {name} is {found}: it must be above 0")
    return float(found)
