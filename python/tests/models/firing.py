"""A small cell that a point process makes fire: by watching the potential, and by setting it."""

from __future__ import annotations

from typing import Any

import gradmod
from neuron import h

from . import everything, library

V_INIT = -65.0
#: Currents that let each kind fire, nA.
CURRENT = {"ResetQuad": 0.33, "HoldSpike": 0.24, "AdaptWatch": 0.9, "ExpReset": 0.4}
#: The states that are compared.
STATES = {"ResetQuad": ("w",), "HoldSpike": (), "AdaptWatch": ("r", "s"), "ExpReset": ("w", "g")}


class Firing:
    """A soma with a channel, a synapse, a clamp and the point process in one segment; two dendrites."""

    def __init__(self, kind: str, x: float = 0.5) -> None:
        library.load_fixtures()
        self.kind, self.v_init = kind, V_INIT
        self.soma, self.dend, self.twig = (h.Section(name=name, cell=None) for name in ("soma", "dend", "twig"))
        for section, length, diameter in ((self.soma, 20, 20), (self.dend, 150, 2), (self.twig, 90, 1)):
            section.L, section.diam = length, diameter
        self.dend.nseg = 3
        self.dend.connect(self.soma(1))
        self.twig.connect(self.soma(0.5))
        self.all = [self.soma, self.dend, self.twig]
        for section in self.all:
            section.insert("pas")
            section.g_pas, section.e_pas = 1e-4, -65
        channel = "hh" if kind == "AdaptWatch" else "ih"
        self.soma.insert(channel)
        if channel == "hh" and hasattr(h, "usetable_hh"):
            h.usetable_hh = 0
        self.process = getattr(h, kind)(self.soma(x))
        self.synapse = h.ExpSyn(self.soma(0.5))
        self.synapse.tau = 1.3
        self.clamp = h.IClamp(self.soma(0.5))
        self.clamp.delay, self.clamp.dur, self.clamp.amp = 0.5, 1e3, CURRENT[kind]
        self.source = h.NetStim()
        self.source.start, self.source.interval, self.source.number = 2.2, 4.63, 4
        self.netcons = [h.NetCon(self.source, self.synapse), h.NetCon(self.source, self.process)]
        for netcon, delay, weight in zip(self.netcons, (0.3, 1.21), (0.002, 0.3), strict=True):
            netcon.delay, netcon.weight[0] = delay, weight
        if kind == "ExpReset":
            self.netcons[1].weight[0] = 0.001
        self.watched: list[tuple[Any, str]] = [(self.soma(0.5), "v"), (self.dend(0.9), "v"), (self.twig(1), "v")]
        self.watched += [(self.process, name) for name in STATES[kind]]
        self.watched.append((self.soma(0.5), "m_hh" if channel == "hh" else "l_ih"))
        self.vectors = {f"{at}.{name}": h.Vector().record(getattr(at, f"_ref_{name}")) for at, name in self.watched}
        self.spikes = h.Vector()
        self.told = h.NetCon(self.process, None)
        self.told.record(self.spikes)

    def run(self, dt: float, t_stop: float) -> dict[str, Any]:
        """Traces of the potential and of states."""
        h.celsius, h.dt = 10.0, dt
        parallel = h.ParallelContext()
        parallel.set_maxstep(10)
        h.finitialize(self.v_init)
        parallel.psolve(t_stop)
        return {name: vector.as_numpy().copy() for name, vector in self.vectors.items()}

    def directions(self) -> everything.Everything:
        """The parameters of the point process, and some of all else."""
        found: everything.Everything = {}
        standard, name = h.MechanismStandard(self.kind, 1), h.ref("")
        for index in range(int(standard.count())):
            standard.name(name, index)
            wanted = gradmod.Stimulus(self.process, name[0])
            found[name[0]] = wanted, everything.shift([self.process], name[0]), abs(getattr(self.process, name[0]))
        for attribute in ("cm", "Ra", "g_pas", "e_pas"):
            found[attribute] = everything.range_of(attribute, attribute, self.all)
        channel = "gnabar_hh" if self.kind == "AdaptWatch" else "gbar_ih"
        found[channel] = everything.range_of(channel, channel, [self.soma])
        found["amp"] = gradmod.Stimulus(self.clamp, "amp"), everything.shift([self.clamp], "amp"), 0.3
        found["tau"] = gradmod.Stimulus(self.synapse, "tau"), everything.shift([self.synapse], "tau"), 1.3
        found["v_init"] = gradmod.InitialVoltage(), everything.shift([self], "v_init"), 65.0
        for number, netcon in enumerate(self.netcons):
            found[f"weight{number}"] = everything.weight_of(netcon)
        return found
