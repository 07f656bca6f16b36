"""A soma with two twigs, small enough to try one mechanism in it after another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gradmod
from neuron import h

from . import everything, library

CELSIUS = 10.0


class Twig:
    """Three sections, four segments, hh and the given mechanisms everywhere, a step of current."""

    def __init__(self, mechanisms: Sequence[str], v_init: float = -66.3) -> None:
        library.load_fixtures()
        self.mechanisms = tuple(mechanisms)
        self.v_init = v_init
        self.soma, self.long, self.short = (h.Section(name=name, cell=None) for name in ("soma", "long", "short"))
        for section, length, diameter in ((self.soma, 15, 15), (self.long, 120, 2), (self.short, 80, 1.2)):
            section.L, section.diam = length, diameter
        self.long.nseg = 2
        self.long.connect(self.soma(1))
        self.short.connect(self.soma(0.5))
        self.all = [self.soma, self.long, self.short]
        for section in self.all:
            for mechanism in ("hh", *self.mechanisms):
                section.insert(mechanism)
        self.stimulus = h.IClamp(self.soma(0.5))
        self.stimulus.delay, self.stimulus.dur, self.stimulus.amp = 1.0, 4.0, 0.6
        self.watched = self._watched()
        self.vectors = {f"{seg}.{n}": h.Vector().record(getattr(seg, f"_ref_{n}")) for seg, n in self.watched}

    def run(self, dt: float, t_stop: float) -> dict[str, Any]:
        """Traces of the voltage and of the mechanisms' states."""
        if hasattr(h, "usetable_hh"):  # NEURON 9
            h.usetable_hh = 0
        h.celsius, h.dt = getattr(self, "celsius", CELSIUS), dt
        parallel = h.ParallelContext()
        parallel.set_maxstep(10)
        h.finitialize(self.v_init)
        parallel.psolve(t_stop)
        return {name: vector.as_numpy().copy() for name, vector in self.vectors.items()}

    def _watched(self) -> list[tuple[Any, str]]:
        middle = self.soma(0.5)
        watched = [(middle, "v"), (self.long(0.75), "v")]
        name = h.ref("")
        for mechanism in self.mechanisms:
            standard = h.MechanismStandard(mechanism, 3)
            for index in range(int(standard.count())):
                standard.name(name, index)
                if isinstance(getattr(middle, name[0]), float):
                    watched.append((middle, name[0]))
        if hasattr(middle, "cai"):
            watched.append((middle, "cai"))
        return watched

    def directions(self) -> everything.Everything:
        """All PARAMETERs of the mechanisms, and what the cell has besides."""
        found = everything.of_mechanisms(self.all, self.mechanisms)
        self.celsius = CELSIUS
        found["cm"] = everything.range_of("cm", "cm", self.all)
        found["celsius"] = (gradmod.Global("celsius"), everything.shift([self], "celsius"), CELSIUS)
        found["v_init"] = (gradmod.InitialVoltage(), everything.shift([self], "v_init"), abs(self.v_init))
        if hasattr(self.soma(0.5), "cai"):
            found["cai0"] = (gradmod.Global("cai0_ca_ion"), everything.shift([h], "cai0_ca_ion"), h.cai0_ca_ion)
        return found
