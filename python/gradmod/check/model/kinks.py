"""Where a current jumps or bends in v, found by looking at the current.

NEURON takes the slope of a current from two points, at v and at v + 0.001 mV. Within 0.001 mV below such a place the
slope crosses it: that is part of the run, and so of its gradient. No run comes there by chance.
"""

from __future__ import annotations

import numpy as np

from ... import _neuron as nrn
from ..._model.cells import Floats
from .cell import Model
from .drive import PLAIN
from .values import BEGINNINGS

#: The voltages that are looked at, mV.
_FROM, _TO, _GRID = -120.0, 60.0, 0.5
#: Of a step that shows the current, ms: short, so that neither states nor voltage move.
_STEP = 1e-5
#: The width at which a place is known, mV: a power of two below the grid.
_HALVINGS = 14
#: Over so many halvings a bend's second difference falls by half each, a smooth one's by a quarter: between both.
_WATCHED = 4
_FALLS = 2.0 ** (-1.5 * _WATCHED)
#: What the second difference of dv/dt must exceed, mV/ms, and the part of the largest one: the rest is rounding.
_ROUNDING, _RELATIVE = 2e-8, 1e-9
#: What a STATE is where it starts at 0, so that currents flow.
_OPEN = 0.3
#: How many candidates of a segment are looked at.
_LOOKS = 8


class Kinks:
    """Looks for them."""

    def __init__(self, model: Model) -> None:
        """Set the model up and open its channels: the STATEs are the same at all voltages."""
        self._model = model
        model.set_up(PLAIN)
        for process in model.instances.processes:
            for name in BEGINNINGS:
                if nrn.is_number(process, name):
                    setattr(process, name, 0.0)
        self._start(-40.0)
        self._states: list[tuple[object, str, float]] = []
        for name in model.instances.states():
            for owner in model.instances.owners(name):
                value = float(getattr(owner, name))
                self._states.append((owner, name, value if value != 0.0 else _OPEN))

    def found(self) -> list[tuple[float, int]]:
        """(mV, number of the segment): those of the first instance, then those of others; the strongest first."""
        grid = np.arange(_FROM, _TO + _GRID / 2, _GRID, dtype=np.float64)
        currents = np.array([self._speed(float(v)) for v in grid])
        found: list[tuple[float, int]] = []
        for where in self._places():
            for place in self._of_place(grid, currents[:, where], where):
                if all(abs(place - other) > _GRID for other, _ in found):
                    found.append((place, where))
        return found

    def _places(self) -> list[int]:
        """Numbers of the segments in which the mechanism stands."""
        segments = self._model.segments
        stands = [nrn.segment_of(process) for process in self._model.instances.processes] or segments
        return list(dict.fromkeys(segments.index(seg) for seg in stands))

    def _of_place(self, grid: Floats, currents: Floats, where: int) -> list[float]:
        bends = np.abs(currents[:-2] - 2 * currents[1:-1] + currents[2:])
        bends = np.where(np.isfinite(bends), bends, 0.0)
        least = max(_ROUNDING, _RELATIVE * float(np.max(bends, initial=0.0)))
        peaks = [k for k in range(len(bends)) if bends[k] > least and bends[k] >= np.max(bends[max(k - 1, 0) : k + 2])]
        strongest = sorted(peaks, key=lambda k: -bends[k])[:_LOOKS]
        sharp = [self._sharp(float(grid[k]), float(grid[k + 2]), where) for k in strongest]
        return [place for place in sharp if place is not None]

    def _sharp(self, low: float, high: float, where: int) -> float | None:
        """The place of a kink between two voltages; None if the current is smooth there."""

        def current(v: float) -> float:
            return float(self._speed(v)[where])

        left, middle, right = current(low), current((low + high) / 2), current(high)
        seen: list[float] = []
        for _ in range(_HALVINGS):
            quarter = (high - low) / 4
            one, three = current(low + quarter), current(high - quarter)
            parts = [(left, one, middle), (one, middle, three), (middle, three, right)]
            bends = [abs(a - 2 * b + c) for a, b, c in parts]
            best = int(np.argmax(bends))
            seen.append(bends[best])
            left, middle, right = parts[best]
            low = low + best * quarter
            high = low + 2 * quarter
        is_sharp = seen[-1] > max(_ROUNDING, _FALLS * seen[-1 - _WATCHED])
        return (low + high) / 2 if is_sharp else None

    def _start(self, v: float) -> None:
        self._model.forget()
        nrn.run(_STEP, 0.0, v, PLAIN.celsius)

    def _speed(self, v: float) -> Floats:
        """[segment] dv/dt at a voltage, mV/ms; NaN if NEURON ends with an error."""
        try:
            self._start(v)
            for owner, name, value in self._states:
                setattr(owner, name, value)
            nrn.advance()
        except RuntimeError:
            return np.full(len(self._model.segments), np.nan)
        return np.array([(seg.v - v) / _STEP for seg in self._model.segments])
