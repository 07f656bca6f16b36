"""POINTERs that see a variable of a mechanism: forward mode against differences, in both orders of the mechanisms."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

import gradmod
import numpy as np
import pytest
from models import comparing
from models.tied import Tied
from neuron import h

Looks = list[tuple[Any, str]]


def in_one_cell(tied: Tied) -> Looks:
    """Two that come before and after what they see in their own segment; a KINETIC scheme after, a pool before a pool.

    And one that sees a state which itself follows another, as that was before the step.
    """
    dendrite = tied.cells[0]["dendrite"]
    tied.insert(dendrite, "mrelease", "agate", "zgate", "mcal", "mpool", "acasense", "zpool")
    for segment in dendrite:
        h.setpointer(segment._ref_c_mrelease, "seen", segment.agate)
        h.setpointer(segment._ref_c_mrelease, "seen", segment.zgate)
        h.setpointer(dendrite(0.9)._ref_cai, "calcium", segment.acasense)
        h.setpointer(dendrite(0.1)._ref_cai, "seen", segment.zpool)
    second = tied.look("ZReceive", tied.at(1, "soma", 0.5), dendrite(0.1)._ref_n_agate)
    states = ("n_agate", "n_zgate", "c_mrelease", "o_acasense", "cai", "xxi")
    return [(second, "r"), *((dendrite(0.5), state) for state in states)]


def between_cells(tied: Tied) -> Looks:
    """There and back; states that events change; a parameter that is played; a voltage besides."""
    twig, here, soma = tied.cells[0]["twig"], tied.at(1, "dendrite", 0.5), tied.at(0, "soma", 0.5)
    tied.insert(twig, "mrelease", "mcal", "mpool")
    tied.insert(tied.cells[1]["soma"], "agate", "acasense")
    burst = tied.burst(tied.at(0, "dendrite", 0.5))
    first = tied.look("AReceive", here, twig(0.5)._ref_c_mrelease)
    last = tied.look("ZReceive", here, twig(0.5)._ref_c_mrelease)
    sodium = tied.look("AReceive", tied.at(1, "twig", 0.5), soma._ref_m_hh)
    back = tied.look("ZReceive", soma, tied.at(1, "soma", 0.5)._ref_h_hh, g=0.001)
    of_events = tied.look("ZReceive", here, burst._ref_c)
    tied.netcon(last, 0.2, 0.3)
    of_late = tied.look("AReceive", tied.at(0, "dendrite", 0.9), last._ref_r)
    tied.look("AReceive", soma, tied.stimulus._ref_dur, k=0.1)
    tied.keep += [h.Vector([0, 1, 2, 6]), h.Vector([0.1, 0.5, 0.2, 0.9])]
    tied.keep[-1].play(tied.stimulus._ref_dur, tied.keep[-2], True)
    h.setpointer(burst._ref_c, "seen", tied.at(1, "soma", 0.5).agate)
    h.setpointer(twig(0.5)._ref_cai, "calcium", tied.at(1, "soma", 0.5).acasense)
    tied.tie("Gap", soma, tied.at(1, "soma", 0.5), "vgap", g=0.002)
    looks = [(process, "r") for process in (first, last, sodium, back, of_events, of_late)]
    return [*looks, (burst, "c"), (tied.at(1, "soma", 0.5), "n_agate"), (tied.at(1, "soma", 0.5), "o_acasense")]


INSIDE = ("gnabar_hh", "v_first", "tau_mrelease", "k_agate", "k_zgate", "gbar_mcal", "rate_acasense")
BETWEEN = (
    "gnabar_hh",
    "amp",
    "tau_mrelease",
    "gbar_mcal",
    "tau_0",
    "share_0",
    "weight0",
    "weight1",
    "weight2",
    "k_1",
    "k_7",
)


@pytest.mark.parametrize(("tie", "names"), [(in_one_cell, INSIDE), (between_cells, BETWEEN)])
def test_forward_against_differences(tie: Callable[[Tied], Looks], names: Collection[str]) -> None:
    tied = Tied()
    looks = tie(tied)
    tied.watch(*looks)
    looks += [(cell["soma"](0.5), "v") for cell in tied.cells]
    directions = {name: tied.directions()[name] for name in names}
    found = comparing.gradients(directions, looks, tied.shortly)
    assert [d for d, of in found.items() if not any(np.any(trace) for trace in of.values())] == []
    assert comparing.wrong(found, directions, tied.shortly) == {}


def test_what_a_cell_without_gradients_has_is_taken_as_given() -> None:
    tied = Tied()
    twig, here = tied.cells[0]["twig"], tied.at(1, "dendrite", 0.5)
    twig.insert("mrelease")
    looks = [(tied.look(kind, here, twig(0.5)._ref_c_mrelease), "r") for kind in ("AReceive", "ZReceive")]
    looks.append((here, "v"))
    tied.watch(*looks)
    every = tied.directions(tied.cells[1].values())
    directions = {name: every[name] for name in ("gnabar_hh", "cm", "Ra")}
    found = comparing.gradients(directions, looks, tied.shortly)
    assert np.any(found["cm"][f"{here}.v"])
    assert comparing.wrong(found, directions, tied.shortly) == {}
    grad = gradmod.attach(**{name: wanted for name, (wanted, _, _) in directions.items()})
    look = grad.record(here)
    tied.shortly()
    h.setpointer(tied.at(0, "soma", 0.5)._ref_m_hh, "seen", tied.processes[0])
    with pytest.raises(gradmod.Refused, match=r"POINTER seen of AReceive\[\d+\] sees something else"):
        look["cm"]


def _attach(tied: Tied, **more: Any) -> gradmod.Gradients:
    return gradmod.attach(g=gradmod.Range("gnabar_hh", tied.all), **more)


def test_what_is_not_followed_is_refused() -> None:
    tied = Tied()
    soma, twig = tied.at(0, "soma", 0.5), tied.at(0, "twig", 0.5)
    for section, mechanism in ((soma.sec, "mearly"), (soma.sec, "mflash"), (twig.sec, "mrelease"), (twig.sec, "zgate")):
        section.insert(mechanism)
    h.setpointer(twig._ref_c_mrelease, "seen", twig.zgate)
    burst, neuron, counter = tied.burst(soma), h.ExpReset(tied.at(1, "twig", 0.5)), h.APCount(soma)
    other = tied.look("ZReceive", soma, twig._ref_c_mrelease)
    last = tied.look("ZReceive", twig, soma._ref_m_hh)
    for reference, what in (
        (burst._ref_scaled, r"scaled of MBurst\[\d+\]: gradmod follows POINTERs to v, to STATEs"),
        (soma._ref_ik, r"ik at a_soma\(0.5\): gradmod follows"),
        (soma._ref_x_mearly, r"x_mearly at a_soma\(0.5\): it is set in BREAKPOINT"),
        (soma._ref_cai, r"cai at a_soma\(0.5\): it is set in BREAKPOINT"),
        (other._ref_r, r"r of ZReceive\[\d+\]: its states are advanced from a variable that is advanced with them"),
        (twig._ref_n_zgate, r"n_zgate at a_twig\(0.5\): which is advanced itself from what POINTER seen of zgate"),
        (soma._ref_gnabar_hh, r"gnabar_hh at a_soma\(0.5\): that is what the direction g changes"),
        (neuron._ref_w, r"w of ExpReset\[\d+\]: events set v there"),
        (counter._ref_n, r"n of APCount\[\d+\]: APCount acts on no membrane"),
    ):
        h.setpointer(reference, "seen", last)
        with pytest.raises(gradmod.Refused, match=rf"POINTER seen of ZReceive\[\d+\] sees {what}"):
            _attach(tied)
    h.setpointer(soma._ref_m_hh, "seen", last)
    for reference, what in (
        (last._ref_r, "INITIAL reads it before it is set"),
        (burst._ref_c, "INITIAL reads it, and events may change it"),
    ):
        h.setpointer(reference, "seen", twig.zgate)
        with pytest.raises(gradmod.Refused, match=rf"POINTER seen of zgate at a_twig\(0.5\) sees .*: {what}"):
            _attach(tied)
    h.setpointer(twig._ref_c_mrelease, "seen", twig.zgate)
    with pytest.raises(
        gradmod.Refused,
        match=r"sees .*; a POINTER that sees another variable is not differentiated with spike_times=True",
    ):
        _attach(tied, spike_times=True)
    twig.sec.insert("zhook")
    h.setpointer(soma._ref_m_hh, "seen", twig.zhook)
    with pytest.raises(gradmod.Refused, match="zhook has BEFORE or AFTER blocks"):
        _attach(tied)
    with pytest.raises(
        gradmod.Refused, match=r"sees .*; a POINTER that sees another variable is not differentiated in reverse mode"
    ):
        gradmod.Reverse(g=gradmod.Range("gnabar_hh", tied.all))
