"""Vectors of NEURON: made, recorded, played and read."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from .interpreter import Ref, Section, Vector, h


def values(vector: Vector) -> NDArray[np.float64]:
    """A copy of what a Vector holds."""
    return np.array(vector.as_numpy()) if vector.size() else np.empty(0)


def record(reference: Ref, sec: Section | None = None) -> Vector:
    """A new Vector that records a variable at every step."""
    return h.Vector().record(reference) if sec is None else h.Vector().record(reference, sec=sec)


def record_time(sec: Section | None, interval: float | None = None) -> Vector:
    """A new Vector that records t, at every step or every so many ms.

    Args:
        sec: NEURON records t no more when this section goes; without it, when that goes which is accessed now.
    """
    arguments = () if interval is None else (interval,)
    return h.Vector().record(h._ref_t, *arguments, **({} if sec is None else {"sec": sec}))


def record_every(reference: Ref, interval: float) -> Vector:
    """A new Vector that records a variable every so many ms."""
    return h.Vector().record(reference, interval)


def stop_recording(vector: Vector) -> None:
    """Stop a Vector from recording or being played."""
    vector.play_remove()


def fill(vector: Vector, numbers: NDArray[np.float64]) -> None:
    """Replace what a Vector holds."""
    vector.resize(len(numbers))
    if len(numbers):
        vector.as_numpy()[:] = numbers


def vector(numbers: Iterable[float]) -> Vector:
    """A new Vector with these numbers."""
    return h.Vector(list(numbers))


def play(levels: Vector, reference: Ref, times: Vector) -> Vector:
    """Play (times, levels) into a variable, with straight lines between; lives as long as what is returned."""
    played = levels.c()
    played.play(reference, times, True)
    return played
