"""Two branched cells with ``extracellular`` in some of their sections, other values in every segment."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import Any

import gradmod
import numpy as np
from neuron import h

from . import everything

V_INIT = -66.3
#: Parts of a cell: length, diameter, nseg, what it is connected to, its mechanism.
PARTS: dict[str, tuple[float, float, int, tuple[str, float] | None, str]] = {
    "soma": (20, 18, 1, None, "hh"),
    "dendrite": (150, 2, 3, ("soma", 1), "hh"),
    "twig": (80, 1.1, 2, ("dendrite", 0.5), "pas"),
    "tip": (60, 0.9, 1, ("dendrite", 1), "pas"),
    "axon": (200, 1.5, 3, ("soma", 0), "hh"),
}
#: Where extracellular is: next to sections without it, in parents and in children.
WHERE = (("soma", "dendrite", "axon"), ("twig", "axon"))


class Surrounded:
    """A clamp, a voltage clamp and a synapse act on them; e_extracellular is played at one place.

    Args:
        layers: NEURON's ``nlayer_extracellular``.
        where: For each cell, the parts with ``extracellular``.
        myelin: Conductances and capacitances as around axons with myelin, in place of leaky ones.
    """

    def __init__(
        self, layers: int = 2, where: Iterable[Iterable[str]] = WHERE, *, myelin: bool = False, played: bool = True
    ) -> None:
        h.nlayer_extracellular(layers)
        self.layers = layers
        self.cells = [self._cell(name, size) for name, size in (("a", 1.0), ("b", 1.3))]
        self.all = [section for cell in self.cells for section in cell.values()]
        self.outside = [cell[part] for cell, parts in zip(self.cells, where, strict=True) for part in parts]
        numbers = itertools.count()
        for section in self.outside:
            section.insert("extracellular")
            for seg in section:
                self._surround(seg, next(numbers), myelin=myelin)
        self.v_init = V_INIT
        self._stimulate()
        if played:
            self._play()
        self.vectors: dict[str, Any] = {}
        self.looks: list[tuple[Any, str]] = []

    @staticmethod
    def _cell(name: str, size: float) -> dict[str, Any]:
        cell: dict[str, Any] = {}
        for part, (length, diameter, count, above, mechanism) in PARTS.items():
            section = cell[part] = h.Section(name=f"{name}_{part}")
            section.L, section.diam, section.Ra, section.nseg = size * length, diameter, 120, count
            section.insert(mechanism)
            if above is not None:
                section.connect(cell[above[0]](above[1]))
            for seg in section:
                seg.cm = 1 + 0.1 * seg.x
        return cell

    def _surround(self, seg: Any, number: int, *, myelin: bool) -> None:
        for layer in range(self.layers):
            other = 1 + 0.13 * number + 0.4 * layer
            seg.xraxial[layer] = 400 * other if myelin else 60 * other
            seg.xg[layer] = 1e-3 * other if myelin else 0.02 * other
            seg.xc[layer] = 0.05 * other if myelin else 0.3 * other
        seg.e_extracellular = 2 * np.sin(number)

    def _stimulate(self) -> None:
        a, b = self.cells
        self.clamp = h.IClamp(a["soma"](0.5))
        self.clamp.delay, self.clamp.dur, self.clamp.amp = 0.3, 2.0, 0.6
        self.electrode = h.SEClamp(a["dendrite"](0.9))
        self.electrode.dur1, self.electrode.amp1, self.electrode.rs = 2.0, -50.0, 8.0
        self.other = h.IClamp(b["axon"](0.5))
        self.other.delay, self.other.dur, self.other.amp = 0.5, 3.0, 0.4
        self.synapse = h.ExpSyn(a["dendrite"](0.5))
        self.synapse.tau, self.synapse.e = 1.5, -5
        self.source = h.NetStim()
        self.source.start, self.source.number, self.source.interval = 0.6, 3, 0.9
        self.netcon = h.NetCon(self.source, self.synapse, 0, 0.1, 0.003)

    def _play(self) -> None:
        times = np.linspace(0, 5, 11)
        self.wave = h.Vector(5 * np.sin(times)), h.Vector(times)
        self.wave[0].play(self.cells[1]["axon"](0.5)._ref_e_extracellular, self.wave[1], True)

    def watch(self, looks: Iterable[tuple[Any, str]]) -> None:
        """Record variables in the runs to come."""
        for seg, name in looks:
            self.looks.append((seg, name))
            self.vectors[f"{seg}.{name}"] = h.Vector().record(_ref(seg, name), sec=seg.sec)

    def everywhere(self) -> list[tuple[Any, str]]:
        """Places and variables of all kinds."""
        a, b = self.cells
        looks = [(a["soma"](0.5), "v"), (a["dendrite"](0.9), "v"), (a["axon"](1), "v"), (a["tip"](0.5), "v")]
        looks += [(b["axon"](0.9), "v"), (b["twig"](0), "v"), (b["twig"](0.9), "v"), (b["soma"](0.5), "v")]
        for layer in range(self.layers):
            looks += [(a["dendrite"](0.5), f"vext[{layer}]"), (a["axon"](1), f"vext[{layer}]")]
            looks += [(b["axon"](0.1), f"vext[{layer}]"), (a["soma"](0), f"vext[{layer}]")]
        return [*looks, (a["soma"](0.5), "i_membrane"), (b["axon"](0.5), "i_membrane"), (a["soma"](0.5), "m_hh")]

    def run(self, dt: float = 0.025, t_stop: float = 4.0) -> dict[str, np.ndarray]:
        """Traces of all that is watched."""
        if hasattr(h, "usetable_hh"):  # NEURON 9
            h.usetable_hh = 0
        h.dt = dt
        parallel = h.ParallelContext()
        parallel.set_maxstep(10)
        h.finitialize(self.v_init)
        parallel.psolve(t_stop)
        return {name: vector.as_numpy().copy() for name, vector in self.vectors.items()}

    def directions(self) -> everything.Everything:
        """What acts on the cells, on some of their sections, on what is around them, and on what drives them."""
        found: everything.Everything = {
            name: everything.range_of(name, name, self.all)
            for name in ("gnabar_hh", "gkbar_hh", "gl_hh", "el_hh", "cm", "Ra", "g_pas")
        }
        for name in ("cm", "Ra"):
            found[f"{name}_outside"] = everything.range_of(name, name, self.outside)
        found["e"] = self._of_segments("e_extracellular", [seg for sec in self._still() for seg in sec])
        for layer in range(self.layers):
            for name in ("xg", "xc", "xraxial"):
                every = [seg for sec in self.outside for seg in sec]
                found[f"{name}_{layer}"] = self._of_segments(f"{name}[{layer}]", every)
            found[f"xraxial_{layer}_one"] = self._of_segments(f"xraxial[{layer}]", [self.outside[1](0.5)])
        for process, names in ((self.clamp, ["amp"]), (self.electrode, ["amp1", "rs"]), (self.synapse, ["tau", "e"])):
            for name in names:
                label = f"{name}_{process.hname()}"
                size = abs(getattr(process, name))
                found[label] = (gradmod.Stimulus(process, name), everything.shift([process], name), size)
        found["other"] = (gradmod.Stimulus(self.other, "amp"), everything.shift([self.other], "amp"), 0.4)
        weight = everything.shift([_Weight(self.netcon)], "value")
        found["weight"] = (gradmod.NetConWeight(self.netcon), weight, 0.003)
        found["v_init"] = (gradmod.InitialVoltage(), everything.shift([self], "v_init"), abs(self.v_init))
        return found

    def _still(self) -> list[Any]:
        """The sections where e_extracellular is not played."""
        return self.outside[:-1]

    @staticmethod
    def _of_segments(name: str, segments: list[Any]) -> Any:
        """A direction with other weights at each place."""
        weights = {(seg.sec, seg.x): 1 + 0.2 * i for i, seg in enumerate(segments)}
        plain, _, element = name.partition("[")
        index = int(element[:-1]) if element else None
        values = [_read(seg, plain, index) for seg in segments]

        def shift(by: float) -> None:
            for seg, value in zip(segments, values, strict=True):
                changed = value + by * weights[seg.sec, seg.x]
                if index is None:
                    setattr(seg, plain, changed)
                else:
                    getattr(seg, plain)[index] = changed

        size = max(map(abs, values))
        return gradmod.Range(name, segments, lambda seg: weights[seg.sec, seg.x]), shift, size


class _Weight:
    """The weight of a NetCon as an attribute."""

    def __init__(self, netcon: Any) -> None:
        self._netcon = netcon

    @property
    def value(self) -> float:
        return float(self._netcon.weight[0])

    @value.setter
    def value(self, value: float) -> None:
        self._netcon.weight[0] = value


def _read(seg: Any, name: str, index: int | None) -> float:
    value = getattr(seg, name)
    return float(value if index is None else value[index])


def _ref(seg: Any, name: str) -> Any:
    """A reference to a variable; of layers beyond the first, which Python does not see, HOC has one."""
    if not name.startswith("vext["):
        return getattr(seg, f"_ref_{name}")
    seg.sec.push()
    pointer = h.Pointer(f"{name}({seg.x!r})")
    h.pop_section()
    return pointer._ref_val
