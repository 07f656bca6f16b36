"""Where the test channels have kinks in the voltage, and how far a run stays away from them.

A finite difference is that of the gradient only if both its runs lie on the same side of every kink at every time
step, in every segment. So tests choose an initial voltage for which the voltage keeps its distance, and steps that
move it by less.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from neuron import h
from numpy.typing import NDArray

from . import branched

#: mV. Where ih's time constant meets its floor (at the default `taufloor`).
FLOOR = -8.965128
#: How far `taufloor_ih` moves that place, mV/ms.
FLOOR_PER_MS = 0.56
#: mV. The others: the IF of khand, the window of cal_ghk (at branched.CELSIUS).
FIXED = (-60.0, 1.31e-3, -1.31e-3)
#: mV between the grid points of the table of naf; those of ktab are among them.
GRID = 0.5


@dataclass(frozen=True)
class Distance:
    """How far a run stays away from kinks, mV."""

    #: from every kink
    any: float
    #: from the floor, which is wanted larger: `taufloor_ih` moves it and hardly matters
    floor: float

    def step(self, slope: float, direction: str) -> float:
        """The step of a parameter that crosses no kink, when the voltage moves by `slope` mV per unit; inf for 0.

        Never more than 0.02 mV of the voltage, so that the response is nearly linear.
        """
        step = 0.8 * min(self.any, 0.02) / slope if slope > 0 else np.inf
        return min(step, 0.8 * self.floor / (FLOOR_PER_MS + slope)) if direction == "taufloor_ih" else step


class Voltages:
    """The voltage of every segment and of the ends of the sections at every time step."""

    def __init__(self, cell: branched.Cell) -> None:
        places = [place for section in cell.all for place in section.allseg()]
        self._vectors = [h.Vector().record(place._ref_v) for place in places]

    def __call__(self) -> NDArray[np.float64]:
        """[place, sample] of the last run, mV."""
        return np.array([vector.as_numpy() for vector in self._vectors])


def distance(voltages: NDArray[np.float64], tables: bool) -> Distance:
    """The smallest distances of any voltage from kinks."""
    floor, *others = (float(np.min(np.abs(voltages - kink))) for kink in (FLOOR, *FIXED))
    if tables:
        others.append(float(np.min(np.abs(voltages - np.round(voltages / GRID) * GRID))))
    return Distance(min(floor, *others), floor)


def avoiding(cell: branched.Cell, dt: float, t_stop: float, tables: bool, tries: int = 250) -> tuple[float, Distance]:
    """An initial voltage near -70 mV whose run stays away from kinks, and how far."""
    voltages = Voltages(cell)
    found = []
    for start in np.linspace(-70.4, -69.2, tries):
        branched.run(dt, t_stop, float(start))
        found.append((distance(voltages(), tables), float(start)))
    best, start = max(found, key=lambda item: min(item[0].any, item[0].floor / 30))
    return start, best
