"""The samples of a Vector that is played into the model, each a parameter of its own."""

from __future__ import annotations

from copy import copy

import numpy as np
from numpy.typing import NDArray

from . import _neuron as nrn
from .errors import Error, Refused
from .parameters import Stimulus

Floats = NDArray[np.float64]

#: What a played value may differ from what the samples say, relative to the largest of them.
_ROUNDING = 1e-9


class Waveform(Stimulus):
    """The numbers that ``Vector.play`` plays into a parameter of a point process; in reverse mode only.

        levels.play(clamp._ref_amp, times, True)
        f = gradmod.value_and_grad(
            loss, {"current": gradmod.Waveform(levels, clamp, "amp", times=times, continuous=True)}, ...)

    The gradient is an array, in the order of the samples. It is that of what NEURON plays: currents see the value in
    the middle of a step. With ``continuous`` this lies on the straight line between two samples, and after the last
    sample on that through the last two; without it is that of the newest sample. How the Vector is played is said here
    once more, as NEURON does not tell; a run in which the parameter has other values is refused.
    """

    def __init__(
        self,
        levels: nrn.Vector,
        point_process: nrn.PointProcess,
        name: str,
        *,
        times: nrn.Vector | None = None,
        every: float | None = None,
        continuous: bool = False,
    ) -> None:
        """Name the samples, with the arguments of ``Vector.play``.

        Args:
            levels: The very Vector that is played.
            point_process: What it is played into, e.g. an IClamp or SEClamp.
            name: The parameter, as NEURON spells it, e.g. "amp" or "amp1".
            times: The Vector of their times in ms, where it is played with one.
            every: How far samples are apart in ms, where it is played without.
            continuous: Whether it is played with straight lines between the samples.

        Raises:
            Error: The arguments are not those of a Vector that is played.
        """
        super().__init__(point_process, name)
        self.levels = levels
        self._times = times
        self._samples: tuple[Floats, Floats] | None = None
        self._every = every
        self.is_continuous = continuous
        if (times is None) == (every is None):
            raise Error("Waveform: give times, a Vector, or every, in ms: as the Vector is played")
        if continuous and times is None:
            raise Error("Waveform: NEURON plays straight lines with a Vector of times only")
        if every is not None and not every > 0.0:
            raise Error(f"Waveform: every is {every} ms")
        count = len(nrn.values(levels))
        if not count:
            raise Error("Waveform: the Vector is empty")
        if times is not None and len(nrn.values(times)) != count:
            raise Error(f"Waveform: there are {count} samples and {len(nrn.values(times))} times")

    def __repr__(self) -> str:
        return f"Waveform({nrn.name_of(self.levels)}, {self.process}, {self.name!r})"

    def gradient(self, times: Floats, values: Floats, slopes: Floats) -> Floats:
        """From derivatives by the values in the steps of a run to those by the samples.

        Args:
            times: [step] when currents saw the values, in ms.
            values: [step] the values.
            slopes: [step] the derivatives of the loss by them.

        Returns:
            [sample]

        Raises:
            Refused: The samples, played as was said, do not give these values.
        """
        levels, known = self._present() if self._samples is None else self._samples
        below, above, part, is_played = self._read(times, known)
        said = (1.0 - part) * levels[below] + part * levels[above]
        gap = np.where(is_played, np.abs(values - said), 0.0)
        if np.any(gap > _ROUNDING * np.max(np.abs(levels), initial=1e-30)):
            at = int(np.argmax(gap))
            raise Refused(
                f"{self!r}: {self.name} of {self.process} was {values[at]:g} at {times[at]:g} ms, where its samples "
                f"say {said[at]:g}: the Vector is not played as was said (times, every, continuous), it was changed "
                "during the run, or something else sets the parameter too"
            )
        found = np.zeros(len(levels))
        np.add.at(found, below, np.where(is_played, (1.0 - part) * slopes, 0.0))
        np.add.at(found, above, np.where(is_played, part * slopes, 0.0))
        return found

    def frozen(self) -> Waveform:
        """This waveform with the samples that there are now, for ever."""
        found = copy(self)
        found._samples = self._present()
        return found

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

    def _read(
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
