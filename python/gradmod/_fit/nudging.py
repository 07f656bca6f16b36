"""Fits to a voltage that is led along: clamps pull the model towards the data, and let go of it step by step.

A run that has lost the data (a spike too few) tells little of what is wrong. With a clamp whose gain is high the model
stays near the data, and its parameters are fitted to what the clamp must add; then the gain is lowered. The source of
the idea is synchronisation of chaotic systems (Abarbanel, Creveling, Farsian, Kostuk, 2009).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from .. import _neuron as nrn
from .._problem.problem import Problem
from ..errors import Error
from .least_squares import least_squares
from .result import Fit


class Nudge:
    """A clamp at one place: the current ``gain (data - v)``, in nA for a gain in uS.

    It must be made before the :class:`Problem`, and be closed after it.
    """

    def __init__(self, segment: nrn.Segment, t: ArrayLike, v: ArrayLike) -> None:
        """Put it there, with a gain of 0.

        Args:
            segment: Where the data are from.
            t: [sample] times of the data in ms; between samples, data are straight lines.
            v: [sample] in mV.

        Raises:
            Error: The data are no trace.
        """
        times, values = np.asarray(t, dtype=np.float64), np.asarray(v, dtype=np.float64)
        if times.ndim != 1 or times.shape != values.shape or len(times) < 2:
            raise Error(f"times have shape {times.shape}, values {values.shape}: they must be rows of equal length")
        if not (np.all(np.diff(times) > 0.0) and np.all(np.isfinite(values))):
            raise Error("the times do not rise from sample to sample, or a value is not finite")
        self._clamp: Any = nrn.h.SEClamp(segment)
        self._vectors = nrn.h.Vector(values), nrn.h.Vector(times)
        self._vectors[0].play(self._clamp._ref_amp1, self._vectors[1], 1)
        self.gain = 0.0

    @property
    def gain(self) -> float:
        """In uS."""
        return 1.0 / float(self._clamp.rs) if self._clamp.dur1 > 0.0 else 0.0

    @gain.setter
    def gain(self, value: float) -> None:
        if not (np.isfinite(value) and value >= 0.0):
            raise Error(f"the gain is {value} uS: it must not be below 0")
        self._clamp.dur1 = 1e9 if value else 0.0
        self._clamp.rs = 1.0 / value if value else 1.0

    def close(self) -> None:
        """Take it away."""
        self._vectors[0].play_remove()
        self._clamp = None

    def __enter__(self) -> Nudge:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


def nudged(
    problem: Problem,
    nudges: Nudge | Sequence[Nudge],
    gains: Sequence[float],
    start: Mapping[str, float] | None = None,
    *,
    runs: int = 20,
    **options: Any,
) -> Fit:
    """Fit with each gain in turn, from where the one before ended, and at last without clamps.

    Args:
        problem: What to fit; made after the nudges.
        nudges: The clamps; all have the same gain.
        gains: In uS, falling; the first should be some ten times the input conductance of the cell.
        start: As for :func:`least_squares`.
        runs: How often all sweeps may be run with each gain.
        options: Of :func:`least_squares`.

    Returns:
        The fit without clamps; its evaluations count all, its history begins where the clamps are gone.

    Raises:
        Error: The gains do not fall.
    """
    clamps = [nudges] if isinstance(nudges, Nudge) else list(nudges)
    if not gains or any(after >= before for before, after in pairwise(gains)) or min(gains) <= 0.0:
        raise Error(f"the gains {list(gains)} must be above 0 and fall")
    if "checkpoint" in options:
        raise Error("a fit that is led has no checkpoint: it is several fits")
    first = problem.evaluations
    at = start
    try:
        for gain in gains:
            _set(clamps, gain)
            at = least_squares(problem, at, runs=runs, **options).x
    finally:
        _set(clamps, 0.0)
    before = problem.evaluations - first
    fit = least_squares(problem, at, runs=runs, **options)
    history = [(number + before, cost, x) for number, cost, x in fit.history]
    return replace(fit, evaluations=before + fit.evaluations, history=history)


def _set(clamps: Sequence[Nudge], gain: float) -> None:
    for clamp in clamps:
        clamp.gain = gain
