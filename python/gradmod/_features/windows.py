"""Features of any trace between two times: of a voltage, a current, a concentration."""

from __future__ import annotations

from dataclasses import dataclass

from .extraction import Definition, Extraction, MissingFeature
from .linear import Linear


@dataclass(frozen=True)
class Window:
    """From ``start`` to ``end``, in ms; points at both times belong to it."""

    start: float
    end: float

    def points(self, of: Extraction) -> tuple[int, int]:
        """The first one, and the first after it.

        Raises:
            MissingFeature: There are none.
        """
        rounding = of.settings.precision_threshold
        begin, end = of.after(self.start - rounding), of.after(self.end + rounding)
        if not begin < end:
            raise MissingFeature(f"the trace has no samples from {self.start:g} to {self.end:g} ms")
        return begin, end

    def __str__(self) -> str:
        return f"[{self.start:g}, {self.end:g}]"


def mean_in(window: Window) -> Definition:
    """The mean."""

    def rule(of: Extraction) -> list[Linear]:
        return [of.trace.mean(*window.points(of))]

    return Definition(f"mean{window}", "mV", rule)


def deviation_in(window: Window) -> Definition:
    """The standard deviation of the points."""

    def rule(of: Extraction) -> list[Linear]:
        return [of.trace.deviation(*window.points(of))]

    return Definition(f"standard_deviation{window}", "mV", rule)
