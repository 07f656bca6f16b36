"""The branched cell of the demo, with hh or with the channels of a package; currents into the soma."""

from __future__ import annotations

from typing import Any

import numpy as np
import package
from neuron import h
from numpy.typing import NDArray

T_STOP = 40.0


class Cell:
    """A soma with three dendrites, one of them forked; 26 segments."""

    def __init__(self, channels: str) -> None:
        """Build it.

        Args:
            channels: "hh", or "package" for those of :mod:`package`.
        """
        self.channels = channels
        self.soma = h.Section(name="soma")
        self.soma.L = self.soma.diam = 22
        self.dendrites: list[Any] = []
        for number, (parent, length, diameter) in enumerate(
            ((-1, 180, 2.4), (-1, 140, 2), (-1, 220, 3), (2, 120, 1.4), (2, 90, 1.2))
        ):
            section = h.Section(name=f"dend{number}")
            section.L, section.diam, section.nseg = length, diameter, 5
            section.connect(self.soma(1) if parent < 0 else self.dendrites[parent](1), 0)
            self.dendrites.append(section)
        for section in self.all:
            section.Ra, section.cm = 120, 1
            if channels == "hh":
                self._insert_hh(section)
            else:
                self._insert_package(section)
        self.down = self._clamp(2, 12, -0.15)
        self.clamp = self._clamp(16, 22, 0.6)
        self.voltage = h.Vector().record(self.soma(0.5)._ref_v)

    def _insert_hh(self, section: Any) -> None:
        section.insert("hh")
        for segment in section:
            segment.hh.gnabar = 0.12 if section is self.soma else 0.06

    def _insert_package(self, section: Any) -> None:
        section.insert("pas")
        section.g_pas, section.e_pas = 4e-5, -75
        section.insert(package.POOL)
        for channel, (name, conductance) in package.CHANNELS.items():
            section.insert(channel)
            for segment in section:
                here = conductance if section is self.soma else 0.25 * conductance
                setattr(segment, f"{name}_{channel}", here)
        section.ena, section.ek = 50, -90

    def _clamp(self, delay: float, duration: float, amplitude: float) -> Any:
        clamp = h.IClamp(self.soma(0.5))
        clamp.delay, clamp.dur, clamp.amp = delay, duration, amplitude
        return clamp

    @property
    def all(self) -> list[Any]:
        return [self.soma, *self.dendrites]

    @property
    def segments(self) -> list[Any]:
        return [segment for section in self.all for segment in section]

    @property
    def conductances(self) -> tuple[str, str, str]:
        """The names of a sodium, a potassium and the leak conductance."""
        if self.channels == "hh":
            return "gnabar_hh", "gkbar_hh", "gl_hh"
        return "gNaTgbar_NaTg", "gSKv3_1bar_SKv3_1", "g_pas"

    def run(self) -> NDArray[np.float64]:
        """One run; V at the soma in mV."""
        h.celsius, h.dt = 6.3 if self.channels == "hh" else 34, 0.025
        context = h.ParallelContext()
        context.set_maxstep(10)
        h.finitialize(-65 if self.channels == "hh" else -75)
        context.psolve(T_STOP)
        return self.voltage.as_numpy().copy()
