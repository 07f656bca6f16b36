"""``secondorder`` = 1: NEURON solves for half of the voltage's rise. Forward mode supports it, all else refuses it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gradmod
import numpy as np
import pytest
from conftest import Passive, adder, central, run
from gradmod import InitialVoltage, NetConWeight, Range, Stimulus
from neuron import __version__, h
from test_passive import changes, directions, places

IS_OLD = __version__.startswith("8.")


@pytest.fixture
def order() -> Any:
    h.secondorder = 1
    yield
    h.secondorder = 0


class Pair:
    """Two branched cells with spikes, other values in every segment, and synapses of one kind at several places.

    Without tables, whose kinks are in the way of differences.
    """

    def __init__(self) -> None:
        if hasattr(h, "usetable_hh"):
            h.usetable_hh = 0
        self.sections: list[Any] = []
        self.keep: list[Any] = []
        self.synapses: list[Any] = []
        for cell in range(2):
            soma, dend, twig = made = [h.Section(name=f"{name}{cell}") for name in ("soma", "dend", "twig")]
            dend.connect(soma(1))
            twig.connect(dend(0.6))
            soma.L = soma.diam = 14.0 + 3 * cell
            dend.L, dend.diam, dend.nseg = 160.0 + 30 * cell, 1.4, 5
            twig.L, twig.diam, twig.nseg = 110.0, 0.8 + 0.2 * cell, 3
            for sec in made:
                sec.insert("hh")
                sec.Ra = 90.0 + 17 * cell
            for number, seg in enumerate(seg for sec in made for seg in sec):
                seg.cm = 0.9 + 0.03 * number + 0.1 * cell
                seg.hh.gnabar = 0.1 + 0.004 * number
                seg.hh.gkbar = 0.03 + 0.001 * number
                seg.hh.gl = 2e-4 + 1e-5 * number
            self.sections += made
            for place in (soma(0.5), dend(0.3), twig(0.9)):
                synapse = h.ExpSyn(place)
                synapse.tau, synapse.e = 1.1 + 0.3 * len(self.synapses), 0.0
                source = h.NetStim()
                source.start, source.number, source.interval = 1.0 + 0.7 * len(self.synapses), 2, 4.3
                netcon = h.NetCon(source, synapse)
                netcon.weight[0], netcon.delay = 4e-3 + 5e-4 * len(self.synapses), 0.3
                self.synapses.append(synapse)
                self.keep += [source, netcon]

    @property
    def netcons(self) -> list[Any]:
        return self.keep[1::2]

    @property
    def segments(self) -> list[Any]:
        return [seg for sec in self.sections for seg in sec]


def simulate(cell: Pair, voltages: list[Any], shift: list[float]) -> Callable[[], Any]:
    def go() -> Any:
        h.dt, h.celsius, h.v_init = 0.025, 9.0, -66.0 + shift[0]
        h.finitialize(h.v_init)
        for _ in range(480):
            h.fadvance()
        return np.array([np.array(v) for v in voltages])

    return go


def test_passive_cells_agree_with_finite_differences(passive: Passive, order: None) -> None:
    grad = gradmod.attach(quiet=True, **directions(passive))
    here = places(passive)
    records = [grad.record(seg) for seg in here]
    voltages = [h.Vector().record(seg._ref_v) for seg in here]

    def simulate() -> list[Any]:
        run(dt=0.1)
        h.secondorder = 1
        return [np.array(v) for v in voltages]

    simulate()
    assert h.secondorder == 1
    mine = {name: np.array([rec[name] for rec in records]) for name in grad.directions}
    for name, (change, step) in changes(passive).items():
        theirs = central(simulate, change, step)
        assert np.abs(mine[name] - theirs).max() < 1e-8 * np.abs(theirs).max(), name


# NEURON 8 forgets POINTERs where there are several threads, which is refused.
@pytest.mark.parametrize("threads", [1] if IS_OLD else [1, 2])
def test_spiking_cells_agree_with_finite_differences(order: None, threads: int) -> None:
    cell, shift = Pair(), [0.0]
    looked = [cell.sections[0](0.5), cell.sections[1](0.9), cell.sections[3](0.5), cell.sections[5](0.5)]
    plain = [h.Vector().record(seg._ref_v) for seg in looked]
    go = simulate(cell, plain, shift)
    context = h.ParallelContext()
    context.nthread(threads)
    try:
        before = go()
        grad = gradmod.attach(
            quiet=True,
            na=Range("gnabar_hh", cell.sections, weight=lambda seg: seg.hh.gnabar),
            cm=Range("cm", cell.sections),
            ra=Range("Ra", [cell.sections[1], cell.sections[5]]),
            v=InitialVoltage(),
            tau=Stimulus(cell.synapses[1], "tau"),
            w=NetConWeight(cell.netcons[4]),
        )
        records = [grad.record(seg) for seg in looked]
        assert np.array_equal(go(), before)
        mine = {name: np.array([rec[name] for rec in records]) for name in grad.directions}
        gates = [seg.hh for seg in cell.segments]

        def weight(x: float) -> None:
            cell.netcons[4].weight[0] = 4e-3 + 5e-4 * 4 + x

        ways: dict[str, tuple[Callable[[float], None], float]] = {
            "na": (adder(gates, "gnabar", lambda gate: gate.gnabar), 1e-6),
            "cm": (adder(cell.segments, "cm"), 1e-6),
            "ra": (adder([cell.sections[1], cell.sections[5]], "Ra"), 1e-3),
            "v": (lambda x: shift.__setitem__(0, x), 1e-5),
            "tau": (adder([cell.synapses[1]], "tau"), 1e-5),
            "w": (weight, 1e-8),
        }
        assert np.abs(before).max() > 20, "no spike"
        for name, (change, step) in ways.items():
            # The best of a sweep: the step at which truncation and rounding meet is another for each parameter.
            sweep = [central(go, change, step * 10.0**power) for power in (0, 1, 2)]
            assert min(np.abs(mine[name] - theirs).max() / np.abs(theirs).max() for theirs in sweep) < 1e-6, name
        grad.detach()
    finally:
        context.nthread(1)


def test_it_is_not_what_the_first_order_gives() -> None:
    cell = Pair()
    go = simulate(cell, [h.Vector().record(cell.sections[0](0.5)._ref_v)], [0.0])
    grad = gradmod.attach(quiet=True, na=Range("gnabar_hh", cell.sections))
    record = grad.record(cell.sections[0](0.5))
    go()
    first = np.array(record["na"])
    h.secondorder = 1
    try:
        go()
        assert np.abs(np.array(record["na"]) - first).max() > 1e-3 * np.abs(first).max()
    finally:
        h.secondorder = 0


def test_another_order_during_a_run_is_refused(passive: Passive, order: None) -> None:
    grad = gradmod.attach(quiet=True, cm=Range("cm", passive.all))
    record = grad.record(passive["soma"](0.5))
    h.finitialize(-65)
    h.fadvance()
    h.secondorder = 0
    h.fadvance()
    with pytest.raises(gradmod.Refused, match="NEURON solved other equations"):
        record["cm"]


@pytest.mark.parametrize("way", ["reverse", "spike times", "second order"])
def test_what_does_not_support_it_says_so(passive: Passive, order: None, way: str) -> None:
    direction = {"cm": Range("cm", passive.all)}
    if way == "reverse":
        with pytest.raises(gradmod.Refused, match=r"secondorder is 1, and .* not differentiated in reverse mode"):
            gradmod.Reverse(**direction)
    elif way == "spike times":
        with pytest.raises(gradmod.Refused, match=r"secondorder is 1, and .* not differentiated with spike_times"):
            gradmod.attach(quiet=True, spike_times=True, **direction)
    else:
        h.secondorder = 2
        with pytest.raises(gradmod.Refused, match="secondorder is 2; set it to 0 or 1"):
            gradmod.attach(quiet=True, **direction)
