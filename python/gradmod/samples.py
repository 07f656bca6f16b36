"""Samples of a Vector that drives a model: how they are played, and what each of them did."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from . import _neuron as nrn
from .errors import Error
from .parameters import Parameter

Floats = NDArray[np.float64]

#: What a played value may differ from what the samples say, relative to the largest of them.
ROUNDING = 1e-9


@dataclass(frozen=True)
class Reading:
    """What a run that plays the samples reads in its steps.

    Attributes:
        values: [step] the values.
        below, above, part: [step] between which samples each of them lies, and how far from the first one.
        is_played: [step] whether there is a sample yet.
        count: How many samples there are.
    """

    values: Floats
    below: NDArray[np.int64]
    above: NDArray[np.int64]
    part: Floats
    is_played: NDArray[np.bool_]
    count: int

    def gradient(self, slopes: Floats) -> Floats:
        """From [step] derivatives by the values to [sample] derivatives by the samples."""
        found = np.zeros(self.count)
        np.add.at(found, self.below, np.where(self.is_played, (1.0 - self.part) * slopes, 0.0))
        np.add.at(found, self.above, np.where(self.is_played, self.part * slopes, 0.0))
        return found


class Samples(Parameter):
    """The numbers in a Vector that is played, each a parameter; what they are played into, a subclass says."""

    levels: nrn.Vector
    is_continuous: bool
    _times: nrn.Vector | None
    _every: float | None
    _kept: tuple[Floats, Floats] | None

    def _hold(self, levels: nrn.Vector, times: nrn.Vector | None, every: float | None, *, continuous: bool) -> None:
        """Take what ``Vector.play`` is given.

        Raises:
            Error: The arguments are not those of a Vector that is played.
        """
        kind = type(self).__name__
        self.levels, self._times, self._every, self.is_continuous = levels, times, every, continuous
        self._kept = None
        if (times is None) == (every is None):
            raise Error(f"{kind}: give times, a Vector, or every, in ms: as the Vector is played")
        if continuous and times is None:
            raise Error(f"{kind}: NEURON plays straight lines with a Vector of times only")
        if every is not None and not every > 0.0:
            raise Error(f"{kind}: every is {every} ms")
        count = len(nrn.values(levels))
        if not count:
            raise Error(f"{kind}: the Vector is empty")
        if times is not None and len(nrn.values(times)) != count:
            raise Error(f"{kind}: there are {count} samples and {len(nrn.values(times))} times")

    def frozen(self) -> Samples:
        """These samples with the numbers that there are now, for ever."""
        found = copy(self)
        found._kept = self._present()
        return found

    def read(self, times: Floats) -> Reading:
        """What a run that plays them reads at [step] the times in ms when currents are computed."""
        levels, known = self._present() if self._kept is None else self._kept
        below, above, part, is_played = self._find(times, known)
        return Reading((1.0 - part) * levels[below] + part * levels[above], below, above, part, is_played, len(levels))

    @property
    def largest(self) -> float:
        """The largest of them, without its sign."""
        levels, _ = self._present() if self._kept is None else self._kept
        return float(np.max(np.abs(levels), initial=1e-30))

    def _present(self) -> tuple[Floats, Floats]:
        """[sample] levels, and times in ms."""
        levels = nrn.values(self.levels)
        if self._times is None:
            assert self._every is not None
            # As NEURON adds it up.
            known = np.add.accumulate(np.concatenate([[0.0], np.full(max(len(levels) - 1, 0), self._every)]))
        else:
            known = nrn.values(self._times)
        if len(known) != len(levels) or not len(levels):
            raise Error(f"{self!r}: there are {len(levels)} samples and {len(known)} times")
        return levels, known

    def _find(
        self, times: Floats, known: Floats
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], Floats, NDArray[np.bool_]]:
        """[step] between which samples each value lies, how far from the first one, and whether there is one yet."""
        later = np.searchsorted(known, times, side="right")
        if not self.is_continuous or len(known) == 1:
            newest = np.maximum(later - 1, 0)
            return newest, newest, np.zeros(len(times)), (later > 0) | self.is_continuous
        above = np.clip(later, 1, len(known) - 1)
        below = above - 1
        length = known[above] - known[below]
        part = np.where(length > 0.0, (times - known[below]) / np.where(length > 0.0, length, 1.0), 0.5)
        part = np.where(times <= known[0], 0.0, part)
        return below, above, part, np.ones(len(times), dtype=np.bool_)


#: Why values may be others than samples say.
NOT_PLAYED = (
    "the Vector is not played as was said (times, every, continuous), it was changed during the run, or something else "
    "sets the parameter too"
)
