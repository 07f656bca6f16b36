"""Two networks that everyone begins with: what the gradients of all their weights cost, by reverse mode.

The ring of NEURON's tutorial: five cells of soma and dendrite, a synapse each. A network as in netpyne's tutorial: 20
cells that drive 20 others at random, each with a noisy stimulus, an Exp2Syn for every NetCon. Both are so small that
what a step costs whatever the model is counts most. Prints one line per network, as JSON with `--json`.
"""

from __future__ import annotations

import argparse
import random
from dataclasses import dataclass, field
from typing import Any

import cost
import gradmod
from neuron import h

AIM = 3.0


@dataclass
class Network:
    """Sections, what sends, what receives."""

    name: str
    somas: list[Any] = field(default_factory=list)
    netcons: list[Any] = field(default_factory=list)
    keep: list[Any] = field(default_factory=list)

    def connect(self, source: Any, synapse: Any, weight: float, delay: float) -> None:
        """From a soma, or from a NetStim."""
        is_soma = source in self.somas
        netcon = h.NetCon(source(0.5)._ref_v, synapse, sec=source) if is_soma else h.NetCon(source, synapse)
        netcon.weight[0], netcon.delay = weight, delay
        self.netcons.append(netcon)


def ring(cells: int = 5) -> Network:
    """Ball-and-stick cells, each of which excites the next; one stimulus begins."""
    made = Network("NEURON's ring tutorial")
    synapses = []
    for i in range(cells):
        soma, dendrite = h.Section(name=f"soma{i}"), h.Section(name=f"dend{i}")
        dendrite.connect(soma(1))
        soma.L = soma.diam = 12.6157
        dendrite.L, dendrite.diam = 200, 1
        soma.insert("hh")
        dendrite.insert("pas")
        dendrite.g_pas, dendrite.e_pas = 0.001, -65
        for section in (soma, dendrite):
            section.Ra, section.cm = 100, 1
        synapse = h.ExpSyn(dendrite(0.5))
        synapse.tau = 2
        made.somas.append(soma)
        made.keep += [dendrite, synapse]
        synapses.append(synapse)
    start = h.NetStim()
    start.number, start.start = 1, 9
    made.keep.append(start)
    made.connect(start, synapses[0], 0.04, 1)
    for i, soma in enumerate(made.somas):
        made.connect(soma, synapses[(i + 1) % cells], 0.01, 5)
    return made


def layers(cells: int = 20) -> Network:
    """Two populations of one-segment cells; half of all pairs are connected."""
    made = Network("netpyne's tutorial network")
    chance = random.Random(1)

    def synapse(soma: Any) -> Any:
        found = h.Exp2Syn(soma(0.5))
        found.tau1, found.tau2, found.e = 0.1, 5, 0
        made.keep.append(found)
        return found

    for i in range(2 * cells):
        soma = h.Section(name=f"cell{i}")
        soma.L = soma.diam = 18.8
        soma.Ra = 123
        soma.insert("hh")
        soma.gl_hh, soma.el_hh = 0.003, -70
        made.somas.append(soma)
        stimulus = h.NetStim()
        stimulus.interval, stimulus.number, stimulus.start, stimulus.noise = 100, 1e9, 1, 0.5
        stimulus.noiseFromRandom123(i, 0, 0)
        made.keep.append(stimulus)
        made.connect(stimulus, synapse(soma), 0.01, 5)
    for before in made.somas[:cells]:
        for after in made.somas[cells:]:
            if chance.random() < 0.5:
                made.connect(before, synapse(after), 0.01, 5)
    return made


def main() -> None:
    """Measure and print."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument("--t-stop", type=float, default=200.0)
    arguments.add_argument("--json", action="store_true")
    given = arguments.parse_args()
    h.celsius = 6.3
    for build in (ring, layers):
        network = build()
        weights = {f"w{i}": gradmod.NetConWeight(netcon) for i, netcon in enumerate(network.netcons)}

        def run() -> float:
            return cost.psolve(given.t_stop)

        places = [soma(0.5) for soma in network.somas]
        row = cost.reverse(weights, places, run, given.t_stop, given.rounds)
        cost.show({"model": network.name} | row | {"aim": AIM}, as_json=given.json)
        network.netcons.clear()
        network.keep.clear()
        for section in h.allsec():
            h.delete_section(sec=section)


if __name__ == "__main__":
    main()
