"""Two small branched cells with hh, tied together by POINTERs to each other's voltage."""

from __future__ import annotations

import weakref
from collections.abc import Iterable
from typing import Any

import gradmod
from neuron import h

from . import everything, library

CELSIUS = 10.0


class Pair:
    """Each cell has a soma, a dendrite of three segments and a twig; a step of current goes into the first soma."""

    def __init__(self) -> None:
        library.load_fixtures()
        self.cells = [self._cell(name, size) for name, size in (("a", 1.0), ("b", 1.3))]
        self.all = [section for cell in self.cells for section in cell.values()]
        self.stimulus = h.IClamp(self.cells[0]["soma"](0.5))
        self.stimulus.delay, self.stimulus.dur, self.stimulus.amp = 0.5, 4.0, 0.5
        self.processes: list[Any] = []
        self.celsius = CELSIUS
        self.v_init = -66.3
        #: What the first soma starts with, above v_init.
        self.v_first = 0.0
        me = weakref.ref(self)
        self._handler = h.FInitializeHandler(0, lambda: _start(me))
        self.vectors: dict[str, Any] = {}
        for cell in self.cells:
            self.watch((cell["soma"](0.5), "v"), (cell["dendrite"](0.9), "v"))

    @staticmethod
    def _cell(name: str, size: float) -> dict[str, Any]:
        cell = {part: h.Section(name=f"{name}_{part}") for part in ("soma", "dendrite", "twig")}
        for part, length, diameter in (("soma", 15, 15), ("dendrite", 150, 2), ("twig", 80, 1.1)):
            cell[part].L, cell[part].diam, cell[part].Ra = size * length, diameter, 120
            cell[part].insert("hh")
        cell["dendrite"].nseg = 3
        cell["dendrite"].connect(cell["soma"](1))
        cell["twig"].connect(cell["dendrite"](0.5))
        return cell

    def at(self, cell: int, part: str, x: float) -> Any:
        """A segment."""
        return self.cells[cell][part](x)

    def watch(self, *looks: tuple[Any, str]) -> None:
        """Record a variable of a segment or point process in the runs to come."""
        for place, name in looks:
            self.vectors[f"{place}.{name}"] = h.Vector().record(getattr(place, f"_ref_{name}"))

    def tie(self, kind: str, here: Any, there: Any, pointer: str, **values: float) -> Any:
        """A point process at a segment that sees the voltage at another one."""
        process = getattr(h, kind)(here)
        for name, value in values.items():
            setattr(process, name, value)
        h.setpointer(there._ref_v, pointer, process)
        self.processes.append(process)
        return process

    def run(self, dt: float = 0.025, t_stop: float = 5.0) -> dict[str, Any]:
        """Traces of all that is watched."""
        if hasattr(h, "usetable_hh"):  # NEURON 9
            h.usetable_hh = 0
        h.celsius, h.dt = self.celsius, dt
        parallel = h.ParallelContext()
        parallel.set_maxstep(10)
        h.finitialize(self.v_init)
        parallel.psolve(t_stop)
        return {name: vector.as_numpy().copy() for name, vector in self.vectors.items()}

    def directions(self, sections: Iterable[Any] | None = None) -> everything.Everything:
        """What acts on all of the cells or on some sections, and all parameters of the point processes."""
        where = self.all if sections is None else list(sections)
        found: everything.Everything = {
            name: everything.range_of(name, name, where) for name in ("gnabar_hh", "gl_hh", "cm", "Ra")
        }
        found["amp"] = (gradmod.Stimulus(self.stimulus, "amp"), everything.shift([self.stimulus], "amp"), 0.5)
        if sections is None:
            found["celsius"] = (gradmod.Global("celsius"), everything.shift([self], "celsius"), CELSIUS)
            found["v_init"] = (gradmod.InitialVoltage(), everything.shift([self], "v_init"), abs(self.v_init))
            first = gradmod.InitialVoltage(self.at(0, "soma", 0.5))
            found["v_first"] = (first, everything.shift([self], "v_first"), abs(self.v_init))
        for process in self.processes:
            of, name = h.MechanismStandard(process.hname().split("[")[0], 1), h.ref("")
            for index in range(int(of.count())):
                of.name(name, index)
                parameter = gradmod.Stimulus(process, name[0])
                size = abs(getattr(process, name[0])) or 1.0
                label = f"{name[0]}_{self.processes.index(process)}"
                found[label] = (parameter, everything.shift([process], name[0]), size)
        return found


def _start(me: weakref.ref[Pair]) -> None:
    """Without keeping the cells alive."""
    pair = me()
    if pair is not None:
        pair.at(0, "soma", 0.5).v += pair.v_first
