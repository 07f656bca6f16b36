"""Features of one trace, each made once."""

from __future__ import annotations

from collections.abc import Callable, Sequence, Sized
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from .linear import Indices, Linear
from .sampled import Sampled
from .settings import Settings


class MissingFeature(Exception):
    """The trace does not have a feature: why."""


class Extraction:
    """A trace, and what has been found in it.

    Attributes:
        trace: The points.
        settings: What is asked.
    """

    def __init__(self, trace: Sampled, settings: Settings) -> None:
        self.trace = trace
        self.settings = settings
        self._found: dict[str, list[Linear]] = {}
        self._indices: dict[str, Indices] = {}

    def get(self, definition: Definition) -> list[Linear]:
        """The values of a feature.

        Raises:
            MissingFeature: There are none.
        """
        if definition.name not in self._found:
            self._found[definition.name] = definition.of(self)
        return self._found[definition.name]

    def indices(self, name: str, find: Callable[[Extraction], Sequence[int]]) -> Indices:
        """Points that several features need; ``find`` is called once."""
        if name not in self._indices:
            self._indices[name] = np.array(find(self), dtype=np.intp)
        return self._indices[name]

    def after(self, time: float) -> int:
        """The first point at a time or after it; the number of points if there is none."""
        return int(np.searchsorted(self.trace.t, time))

    @property
    def during(self) -> tuple[int, int]:
        """The points of the stimulus: the first, and the first after it."""
        return self.after(self.settings.stim_start), self.after(self.settings.stim_end)

    def at(self, points: Indices) -> list[Linear]:
        """The values at points."""
        return [self.trace.at(int(point)) for point in points]

    def times(self, points: Indices) -> list[Linear]:
        """The times of points, as numbers."""
        return [Linear(float(self.trace.t[point])) for point in points]


#: Makes the values of a feature.
Rule: TypeAlias = "Callable[[Extraction], list[Linear]]"


@dataclass(frozen=True)
class Definition:
    """A feature.

    Attributes:
        name: eFEL's.
        unit: Of its values, for a trace in mV.
        of: Its values in a trace.
        is_count: It has no derivative, whatever the settings are.
        is_time: It has one only between the points of the grid.
    """

    name: str
    unit: str
    of: Rule
    is_count: bool = False
    is_time: bool = False


#: All features by name.
DEFINITIONS: dict[str, Definition] = {}


def feature(name: str, unit: str, *, is_count: bool = False, is_time: bool = False) -> Callable[[Rule], Definition]:
    """Make a definition of a rule, and list it."""

    def define(rule: Rule) -> Definition:
        DEFINITIONS[name] = Definition(name, unit, rule, is_count, is_time)
        return DEFINITIONS[name]

    return define


def needs(count: int, numbers: Sized, what: str) -> None:
    """Look whether there are enough.

    Raises:
        MissingFeature: There are not.
    """
    if len(numbers) < count:
        raise MissingFeature(f"it needs {count} {what}, the trace has {len(numbers)}")
