"""A ring of cells that talk by events: the cost of gradients over that of the plain run.

20 cells of an hh soma and a passive dendrite, ten ExpSyn each, three of which hear the cell before and the others a
NetStim of their own. Forward mode: K conductances; reverse mode: the weights of all synapses. Processor time of
``psolve`` (and of the way back), over that of the plain run just before it. Prints one line per case, as JSON with
`--json`.
"""

from __future__ import annotations

import argparse
from typing import Any

import cost
import gradmod
from neuron import h

#: What a run may cost, in plain runs: forward mode with ten gradients, reverse mode.
AIM = {"forward": 3.0, "reverse": 2.0}
T_STOP = 100.0


class Ring:
    """The cells, their synapses and NetCons."""

    def __init__(self, cells: int, synapses: int) -> None:
        self.somas = [h.Section(name=f"soma{i}") for i in range(cells)]
        self.dendrites = [h.Section(name=f"dend{i}") for i in range(cells)]
        self.synapses: list[Any] = []
        self.netcons: list[Any] = []
        self.stimuli: list[Any] = []
        for i, (soma, dendrite) in enumerate(zip(self.somas, self.dendrites, strict=True)):
            soma.L = soma.diam = 12.0 + 0.1 * i
            soma.insert("hh")
            dendrite.L, dendrite.diam, dendrite.nseg = 200.0 + i, 1.0, 9
            dendrite.insert("pas")
            dendrite.g_pas = 1e-4 * (1 + 0.02 * i)
            dendrite.connect(soma(1))
            for k in range(synapses):
                self._add_synapse(i, dendrite((k + 0.5) / synapses), k)

    def _add_synapse(self, cell: int, place: Any, k: int) -> None:
        synapse = h.ExpSyn(place)
        synapse.tau = 1.5 + 0.1 * k
        if k < 3:
            before = self.somas[cell - 1]
            netcon = h.NetCon(before(0.5)._ref_v, synapse, sec=before)
        else:
            stimulus = h.NetStim()
            stimulus.interval, stimulus.number, stimulus.start = 8.0 + k, 1000, 1.3 * k + 0.4 * cell
            self.stimuli.append(stimulus)
            netcon = h.NetCon(stimulus, synapse)
        netcon.weight[0], netcon.delay = 4e-4 * (1 + 0.05 * k), 1.0 + 0.2 * k
        self.synapses.append(synapse)
        self.netcons.append(netcon)


def directions(ring: Ring, count: int) -> dict[str, gradmod.Parameter]:
    """Conductances of all cells, then of each."""
    places = [ring.somas, *([soma] for soma in ring.somas)]
    names = ("gnabar_hh", "gkbar_hh", "gl_hh")
    found = {f"{name}_{i}": gradmod.Range(name, where) for i, where in enumerate(places) for name in names}
    return dict(list(found.items())[:count])


def main() -> None:
    """Measure and print."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--cells", type=int, default=20)
    arguments.add_argument("--synapses", type=int, default=10, help="of each cell")
    arguments.add_argument("--directions", type=int, nargs="*", default=[1, 10])
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--json", action="store_true")
    given = arguments.parse_args()
    ring = Ring(given.cells, given.synapses)
    h.celsius = 6.3
    weights = {f"w{i}": gradmod.NetConWeight(netcon) for i, netcon in enumerate(ring.netcons)}

    def run() -> float:
        return cost.psolve(T_STOP)

    for count in given.directions:
        row = cost.forward(directions(ring, count), run, given.rounds)
        cost.show(row | {"aim": AIM["forward"]}, as_json=given.json)
    row = cost.reverse(weights, [soma(0.5) for soma in ring.somas], run, T_STOP, given.rounds)
    cost.show(row | {"aim": AIM["reverse"]}, as_json=given.json)


if __name__ == "__main__":
    main()
