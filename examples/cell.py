"""The branched cell of the demo: hh everywhere, a current into the soma."""

from __future__ import annotations

from typing import Any

import numpy as np
from neuron import h
from numpy.typing import NDArray

T_STOP = 20.0


class Cell:
    """A soma with three dendrites, one of them forked; 26 segments."""

    def __init__(self) -> None:
        self.soma = h.Section(name="soma")
        self.soma.L = self.soma.diam = 22
        self.dendrites: list[Any] = []
        for number, (parent, length, diameter) in enumerate(((-1, 180, 2.4), (-1, 140, 2), (-1, 220, 3), (2, 120, 1.4), (2, 90, 1.2))):
            section = h.Section(name=f"dend{number}")
            section.L, section.diam, section.nseg = length, diameter, 5
            section.connect(self.soma(1) if parent < 0 else self.dendrites[parent](1), 0)
            self.dendrites.append(section)
        for section in self.all:
            section.Ra, section.cm = 120, 1
            section.insert("hh")
            for segment in section:
                segment.hh.gnabar = 0.12 if section is self.soma else 0.06
        self.clamp = h.IClamp(self.soma(0.5))
        self.clamp.delay, self.clamp.dur, self.clamp.amp = 2, 16, 0.6
        self.voltage = h.Vector().record(self.soma(0.5)._ref_v)

    @property
    def all(self) -> list[Any]:
        return [self.soma, *self.dendrites]

    def run(self) -> NDArray[np.float64]:
        """One run; V at the soma in mV."""
        h.celsius, h.dt = 6.3, 0.025
        context = h.ParallelContext()
        context.set_maxstep(10)
        h.finitialize(-65)
        context.psolve(T_STOP)
        return self.voltage.as_numpy().copy()
