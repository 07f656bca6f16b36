"""Ten HH cells in a ring with short cuts, random inputs to each; on one MPI rank or several, in one thread or several.

As a program, under mpiexec: prints what :func:`run` returns, of all ranks, as JSON on rank 0; with the argument
``spike_times``, the times of spikes have gradients.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import gradmod
import numpy as np
from neuron import h

CELLS, DT, T_STOP = 10, 0.025, 40.0
SHARED = ("na", "leak")
ALL = (*SHARED, "weight", "e")


@dataclass
class Network:
    """The cells of this rank, by gid: soma, dendrite, synapse."""

    cells: dict[int, tuple[Any, Any, Any]]
    keep: list[Any] = field(default_factory=list[Any])


def build() -> Network:
    """The part of the network that belongs to this rank."""
    context = h.ParallelContext()
    context.gid_clear()
    rank, ranks = int(context.id()), int(context.nhost())
    made = Network({gid: _cell(gid) for gid in range(rank, CELLS, ranks)})
    for gid, (soma, _, _) in made.cells.items():
        context.set_gid2node(gid, rank)
        context.cell(gid, h.NetCon(soma(0.5)._ref_v, None, sec=soma))
    for gid, (_, _, synapse) in made.cells.items():
        for distance, weight, delay in ((1, 0.012, 1.5), (3, 0.004, 2.7)):
            wire = context.gid_connect((gid - distance) % CELLS, synapse)
            wire.weight[0], wire.delay = weight, delay
            made.keep.append(wire)
        source = h.NetStim()
        source.interval, source.number, source.start, source.noise = 11.0, 1e9, 1.0 + gid, 1.0
        source.noiseFromRandom123(gid, 7, 1)
        wire = h.NetCon(source, synapse, 0, 0.5, 0.02)
        made.keep += [source, wire]
    return made


def _cell(gid: int) -> tuple[Any, Any, Any]:
    soma, dendrite = h.Section(name=f"soma_{gid}"), h.Section(name=f"dendrite_{gid}")
    soma.L = soma.diam = 18 + 0.3 * gid
    dendrite.L, dendrite.diam, dendrite.nseg = 140, 1.5, 3
    dendrite.connect(soma(1))
    soma.insert("hh")
    dendrite.insert("pas")
    synapse = h.ExpSyn(dendrite(0.5))
    synapse.tau = 2.5
    return soma, dendrite, synapse


def attached(network: Network, *, spike_times: bool = False) -> tuple[gradmod.Gradients, dict[int, Any]]:
    """Shared parameters of all cells, two of the cell with gid 0; and what records the voltage's gradients, by gid."""
    somata, dendrites, synapses = zip(*network.cells.values(), strict=True)
    own: dict[str, Any] = {"weight": gradmod.NetConWeight(network.keep[0]), "e": gradmod.Stimulus(synapses[0], "e")}
    if spike_times and 0 not in network.cells:
        own = dict.fromkeys(own, gradmod.Elsewhere())
    gradients = gradmod.attach(
        quiet=True,
        spike_times=spike_times,
        na=gradmod.Range("gnabar_hh", somata),
        leak=gradmod.Range("g_pas", dendrites),
        **own,
    )
    return gradients, {gid: gradients.record(soma(0.5)) for gid, (soma, _, _) in network.cells.items()}


def run(recorded: dict[int, Any], names: Sequence[str] = SHARED) -> dict[int, list[str]]:
    """A hash of all numbers of some gradients, by gid, and the largest, for people."""
    context = h.ParallelContext()
    context.set_maxstep(10)
    h.dt, h.celsius = DT, 20.0
    if hasattr(h, "usetable_hh"):  # NEURON 9
        h.usetable_hh = 0
    h.finitialize(-65)
    context.psolve(T_STOP)
    found: dict[int, list[str]] = {}
    for gid, record in recorded.items():
        arrays = [np.ascontiguousarray(record[name], dtype=float) for name in names]
        assert all(len(array) == round(T_STOP / DT) + 1 for array in arrays)
        assert all(np.ptp(array) > 0 for array in arrays[: len(SHARED)])
        digests = [hashlib.sha256(array.tobytes()).hexdigest() for array in arrays]
        found[gid] = [*digests, *(repr(float(np.abs(array).max())) for array in arrays)]
    return found


def check_agreement(network: Network) -> None:
    """What is wrong on one rank is an error on all."""
    rank = int(h.ParallelContext().id())
    soma = next(iter(network.cells.values()))[0]
    for directions, expected in (
        ({f"na{rank}": gradmod.Range("gnabar_hh", soma)}, "all MPI ranks must name the same directions"),
        ({"na": gradmod.Range("gnabar_hh" if rank else "gx_hh", soma)}, "na: Range('gx_hh'): no mechanism"),
        ({"w": gradmod.NetConWeight(network.keep[0], 7 if rank == 1 else 0)}, "7): NetCon[0] has 1 weights"),
    ):
        try:
            gradmod.attach(quiet=True, spike_times=True, **directions)
        except gradmod.Error as error:
            assert expected in str(error), error
        else:
            raise AssertionError(expected)
    assert not any("gm_" in name for section in h.allsec() for name in section.psection()["density_mechs"])


def main() -> None:
    h.nrnmpi_init()
    context = h.ParallelContext()
    network = build()
    spike_times = "spike_times" in sys.argv
    if spike_times and context.nhost() > 1:
        check_agreement(network)
    _gradients, recorded = attached(network, spike_times=spike_times)
    every = context.py_gather(run(recorded, ALL if spike_times else SHARED), 0)
    if int(context.id()) == 0:
        print(json.dumps({gid: found for one in every for gid, found in one.items()}))
    context.barrier()
    context.done()
    h.quit()


if __name__ == "__main__":
    main()
