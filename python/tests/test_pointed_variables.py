"""POINTERs that see a variable of a mechanism: forward mode against differences, in both orders of the mechanisms.

NEURON orders the mechanisms of `fixtures/pointed` by their names: those that begin with "a" come before what they see.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gradmod
import numpy as np
import pytest
from models import CHANNELS, comparing, everything, load_fixtures
from models.pair import Pair
from neuron import h

Looks = list[tuple[Any, str]]


class Tied(Pair):
    """The pair of cells, with POINTERs to variables."""

    def __init__(self) -> None:
        load_fixtures(CHANNELS.parent / "pointed")
        super().__init__()
        #: RANGE parameters that are directions too.
        self.names: list[str] = []
        self.netcons: list[Any] = []

    def insert(self, section: Any, *mechanisms: str) -> None:
        for mechanism in mechanisms:
            section.insert(mechanism)
            for i in range(int(h.MechanismStandard(mechanism, 1).count())):
                name = h.ref("")
                h.MechanismStandard(mechanism, 1).name(name, i)
                if name[0] not in self.names:
                    self.names.append(name[0])

    def look(self, kind: str, here: Any, reference: Any, **values: float) -> Any:
        """A point process that sees a variable."""
        process = getattr(h, kind)(here)
        for name, value in values.items():
            setattr(process, name, value)
        h.setpointer(reference, "seen", process)
        self.processes.append(process)
        return process

    def burst(self, here: Any) -> Any:
        """A synapse with events, some between and some on the points of the time grid."""
        burst, clock = h.MBurst(here), h.NetStim()
        clock.start, clock.interval, clock.number = 0, 0.8, 20
        netcon = h.NetCon(clock, burst)
        netcon.delay, netcon.weight[0] = 0.3125, 0.5
        self.netcons += [clock, netcon]
        self.processes.append(burst)
        return burst

    def directions(self, sections: Any = None) -> everything.Everything:
        every = super().directions()
        wanted = {name: every[name] for name in every if name in ("gnabar_hh", "cm", "amp", "v_first") or "_" in name}
        del wanted["gl_hh"], wanted["v_init"]
        for name in self.names:
            mechanism = name.split("_", 1)[1]
            where = [section for section in self.all if section.has_membrane(mechanism)]
            wanted[name] = everything.range_of(name, name, where)
        if self.netcons:
            wanted["weight"] = everything.weight_of(self.netcons[1])
        return wanted


def in_one_segment(tied: Tied) -> Looks:
    """One that comes before and one that comes after what they see, which is in the same emitted mechanism."""
    dendrite = tied.cells[0]["dendrite"]
    tied.insert(dendrite, "mrelease", "agate", "zgate")
    for segment in dendrite:
        h.setpointer(segment._ref_c_mrelease, "seen", segment.agate)
        h.setpointer(segment._ref_c_mrelease, "seen", segment.zgate)
    return [(dendrite(0.5), name) for name in ("n_agate", "n_zgate", "c_mrelease")]


def in_another_cell(tied: Tied) -> Looks:
    twig = tied.cells[0]["twig"]
    tied.insert(twig, "mrelease")
    here, there = tied.at(1, "dendrite", 0.5), twig(0.5)
    first = tied.look("AReceive", here, there._ref_c_mrelease)
    last = tied.look("ZReceive", here, there._ref_c_mrelease)
    sodium = tied.look("AReceive", tied.at(1, "twig", 0.5), tied.at(0, "soma", 0.5)._ref_m_hh)
    back = tied.look("ZReceive", tied.at(0, "soma", 0.5), tied.at(1, "soma", 0.5)._ref_h_hh, g=0.001)
    tied.tie("Gap", tied.at(0, "soma", 0.5), tied.at(1, "soma", 0.5), "vgap", g=0.002)
    return [(process, "r") for process in (first, last, sodium, back)]


def of_concentrations(tied: Tied) -> Looks:
    """What writes a concentration comes before everything else."""
    dendrite, soma = tied.cells[0]["dendrite"], tied.cells[1]["soma"]
    tied.insert(dendrite, "mcal", "mpool", "acasense")
    tied.insert(soma, "acasense")
    for segment in dendrite:
        h.setpointer(dendrite(0.9)._ref_cai, "calcium", segment.acasense)
    h.setpointer(dendrite(0.5)._ref_cai, "calcium", soma(0.5).acasense)
    return [(dendrite(0.5), "o_acasense"), (soma(0.5), "o_acasense"), (dendrite(0.5), "cai")]


def of_events(tied: Tied) -> Looks:
    """A state that events change is seen by currents with that change at once, by states in the next step."""
    burst = tied.burst(tied.at(0, "dendrite", 0.5))
    here = tied.at(1, "dendrite", 0.5)
    first = tied.look("AReceive", here, burst._ref_c)
    last = tied.look("ZReceive", tied.at(0, "twig", 0.5), burst._ref_c)
    tied.insert(tied.cells[1]["soma"], "agate")
    h.setpointer(burst._ref_c, "seen", tied.at(1, "soma", 0.5).agate)
    return [(first, "r"), (last, "r"), (burst, "c"), (tied.at(1, "soma", 0.5), "n_agate")]


def one_after_another(tied: Tied) -> Looks:
    """What is seen itself sees something, but as it was before the step."""
    dendrite = tied.cells[0]["dendrite"]
    tied.insert(dendrite, "mrelease", "agate")
    for segment in dendrite:
        h.setpointer(dendrite(0.9)._ref_c_mrelease, "seen", segment.agate)
    last = tied.look("ZReceive", tied.at(1, "soma", 0.5), dendrite(0.1)._ref_n_agate)
    return [(last, "r"), (dendrite(0.1), "n_agate")]


def of_parameters(tied: Tied) -> Looks:
    """A parameter that is played, and one of a mechanism elsewhere."""
    first = tied.look("AReceive", tied.at(1, "soma", 0.5), tied.at(0, "soma", 0.5)._ref_gkbar_hh)
    last = tied.look("ZReceive", tied.at(0, "twig", 0.5), tied.stimulus._ref_dur)
    times = h.Vector([0, 1, 2, 6])
    values = h.Vector([0.1, 0.5, 0.2, 0.9])
    values.play(tied.stimulus._ref_dur, times, True)
    tied.netcons = []
    tied.keep = [times, values]
    return [(first, "r"), (last, "r")]


TIES: list[Callable[[Tied], Looks]] = [
    in_one_segment,
    in_another_cell,
    of_concentrations,
    of_events,
    one_after_another,
    of_parameters,
]


@pytest.mark.parametrize("tie", TIES)
def test_forward_against_differences(tie: Callable[[Tied], Looks]) -> None:
    tied = Tied()
    looks = tie(tied)
    tied.watch(*looks)
    looks += [(place, "v") for cell in tied.cells for place in (cell["soma"](0.5), cell["dendrite"](0.9))]
    directions = tied.directions()
    found = comparing.gradients(directions, looks, tied.run)
    idle = [d for d, of in found.items() if not any(np.any(trace) for trace in of.values())]
    print("idle", idle)
    wrong = comparing.wrong(found, directions, tied.run)
    assert wrong == {}
