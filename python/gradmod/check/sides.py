"""Whether a parameter sits on a kink or a jump of the simulation: there no central difference means anything.

A central difference never looks at the middle. ``IF (x != 0)`` at x = 0, or x at a limit, gives differences that agree
with each other at every step size, while the gradient is that of the branch taken. The middle tells: of a smooth f,
(f(+h) + f(-h))/2 - f(0) falls as h^2; at a kink only as h, at a jump not at all. And where it falls more slowly below
the step that was chosen than above, f has structure that is finer than that step.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np

from .._model.cells import Floats

Traces = Mapping[str, Floats]

#: Gaps below this part of the trace's largest value are rounding.
_ROUNDING = 1e-13


class Sides:
    """Watches the runs of a sweep."""

    def __init__(self, middle: Traces) -> None:
        """Start with the traces of the run in the middle."""
        self._middle = middle
        self._offset = 0.0
        self._waiting: dict[float, Traces] = {}
        self._gaps: dict[str, list[tuple[float, float]]] = {name: [] for name in middle}

    def moved(self, shift: Callable[[float], None]) -> Callable[[float], None]:
        """Wrap a shift, so that the side of each run is known."""

        def watched(by: float) -> None:
            self._offset = by
            shift(by)

        return watched

    def ran(self, run: Callable[[], dict[str, Floats]]) -> Callable[[], dict[str, Floats]]:
        """Wrap a run, so that its traces are compared with those of the other side."""

        def watched() -> dict[str, Floats]:
            traces = run()
            other = self._waiting.pop(-self._offset, None)
            if other is None:
                self._waiting[self._offset] = traces
            else:
                self._compare(abs(self._offset), traces, other)
            return traces

        return watched

    def _compare(self, width: float, one: Traces, other: Traces) -> None:
        for name, middle in self._middle.items():
            gap = float(np.max(np.abs((one[name] + other[name]) / 2 - middle), initial=0.0))
            self._gaps[name].append((width, gap if math.isfinite(gap) else math.inf))

    def error(self, name: str, step: float) -> float:
        """How far apart the slopes on the two sides may be from that in the middle, in the unit of the slope.

        Args:
            name: The trace.
            step: The one that was chosen for its difference.
        """
        gaps = sorted(self._gaps[name])
        if len(gaps) < 2:
            return 0.0
        rounding = _ROUNDING * float(np.max(np.abs(self._middle[name]), initial=0.0))
        finer = max((gap / width for width, gap in gaps if width < step and gap > rounding), default=0.0)
        here = min(gap / width for width, gap in gaps if width >= min(step, gaps[-1][0]))
        if finer > 2 * here:
            return finer
        # What is left at the smallest step is rounding, as this simulation amplifies it; the slope that was chosen
        # has that of its own step, or of the next smaller one if it is extrapolated.
        next_smaller = max((width for width, _ in gaps if width < step), default=gaps[0][0])
        noise = gaps[0][1] / next_smaller
        # gap = kink h + curvature h^2: what is left of gap/h at h = 0, by the step that was chosen and the next one.
        wide = min((gap for gap in gaps if gap[0] >= min(step, gaps[-1][0])), key=lambda gap: gap[0])
        narrow = max((gap for gap in gaps if gap[0] < wide[0]), default=wide, key=lambda gap: gap[0])
        if narrow is wide:
            return noise
        kink = abs(narrow[1] / narrow[0] * wide[0] - wide[1] / wide[0] * narrow[0]) / (wide[0] - narrow[0])
        return max(noise, kink)
