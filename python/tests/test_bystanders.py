"""Cells without membrane and mechanisms that only watch: nothing is made for them, and they stop nothing."""

from __future__ import annotations

from typing import Any

import gradmod
import numpy as np
import pytest
from models import CHANNELS, comparing, everything, load_fixtures, twig
from neuron import h
from test_reverse import compare


class Watched(twig.Twig):
    """The twig with synapses that get events from all kinds of senders."""

    def __init__(self) -> None:
        load_fixtures(CHANNELS.parent / "bystanders")
        super().__init__(())
        self.long.insert("jitter")
        self.counter = h.Crossings(self.soma(0.5))
        self.grow = h.GrowStim()
        self.clock = h.NetStim()
        self.clock.start, self.clock.interval, self.clock.number = 0.9, 1.1, 3
        self.relay = h.IntFire1()
        self.spikes = h.NetCon(self.soma(0.5)._ref_v, self.relay, sec=self.soma)
        self.spikes.threshold, self.spikes.delay, self.spikes.weight[0] = -20, 0.2, 2
        self.synapses = [h.ExpSyn(seg) for seg in (self.long(0.8), self.short(0.5), self.long(0.2), self.soma(0.5))]
        senders = (self.grow, self.clock, self.relay, self.counter)
        self.netcons = [h.NetCon(sender, synapse) for sender, synapse in zip(senders, self.synapses, strict=True)]
        for netcon, synapse in zip(self.netcons, self.synapses, strict=True):
            netcon.delay, netcon.weight[0], synapse.tau = 0.313, 0.003, 1.5

    def directions(self) -> everything.Everything:
        found = {"gnabar_hh": everything.range_of("gnabar_hh", "gnabar_hh", self.all)}
        for i, (synapse, netcon) in enumerate(zip(self.synapses, self.netcons, strict=True)):
            found[f"tau{i}"] = (gradmod.Stimulus(synapse, "tau"), everything.shift([synapse], "tau"), synapse.tau)
            found[f"weight{i}"] = everything.weight_of(netcon)
        return found


def test_events_of_cells_without_membrane() -> None:
    cell = Watched()
    directions = cell.directions()

    def run() -> dict[str, Any]:
        return cell.run(0.025, 5.0)

    run()
    assert cell.counter.n > 0
    with_events = gradmod.attach(tau=directions["tau0"][0])
    assert "the times of events count as fixed" in repr(with_events)
    with_events.detach()
    found = comparing.gradients(directions, cell.watched, run)
    assert all(any(np.any(trace) for trace in of.values()) for of in found.values())
    assert comparing.wrong(found, directions, run) == {}


class Summed(twig.Twig):
    """The twig with a sum over all neighbours' currents, as a dipole is one."""

    def __init__(self) -> None:
        load_fixtures(CHANNELS.parent / "bystanders")
        super().__init__(())
        self.stand = h.Section(name="stand", cell=None)
        self.sums = [h.DipoleSum(self.soma(0.5)), h.DipoleSum(self.stand(0.5))]
        self.long.insert("dipole")
        for seg, holder in zip(self.long, self.sums, strict=True):
            seg.dipole._ref_other = self.soma(0.5)._ref_v
            seg.dipole._ref_sum = holder._ref_total


@pytest.mark.parametrize("mode", [gradmod.attach, gradmod.Reverse])
def test_sums_that_nothing_reads(mode: Any) -> None:
    cell = Summed()
    directions = {name: everything.range_of(name, name, cell.all) for name in ("gnabar_hh", "cm")}

    def run() -> dict[str, Any]:
        return cell.run(0.025, 4.0)

    plain = run()
    assert cell.sums[1].total != 0
    if mode is gradmod.attach:
        found = comparing.gradients(directions, cell.watched, run)
        assert comparing.wrong(found, directions, run) == {}
    else:
        wanted = {name: direction for name, (direction, _, _) in directions.items()}
        for reverse, forward, scale in compare(wanted, [(cell.soma(0.5), "v")], run, 4.0).values():
            assert abs(reverse - forward) <= 1e-9 * scale
    for name, trace in run().items():
        np.testing.assert_array_equal(trace, plain[name])


@pytest.mark.parametrize("mode", [gradmod.attach, gradmod.Reverse])
@pytest.mark.parametrize(
    ("wire", "message"),
    [
        (lambda cell: cell.stimulus._ref_amp, "of a mechanism that acts on a membrane"),
        (lambda cell: cell.short(0.5).hh._ref_gl, "of a mechanism that acts on a membrane"),
        (lambda cell: cell.short(0.5)._ref_v, "sees a voltage"),
        (lambda cell: h._ref_celsius, "what depends on that is not known"),
    ],
)
def test_sums_that_a_voltage_may_depend_on(mode: Any, wire: Any, message: str) -> None:
    cell = Summed()
    cell.long(0.25).dipole._ref_sum = wire(cell)
    with pytest.raises(gradmod.Refused, match=f"POINTER sum of dipole at .* {message}"):
        mode(g=gradmod.Range("gnabar_hh", cell.all))


@pytest.mark.parametrize("name", ["size_jitter", "level"])
def test_no_gradient_in_what_only_watches(name: str) -> None:
    cell = Watched()
    wanted = gradmod.Range(name, cell.long) if "_" in name else gradmod.Stimulus(cell.counter, name)
    with pytest.raises(gradmod.Error, match=r"has no influence: .* acts on no membrane"):
        gradmod.attach(wanted=wanted)
    cell.netcons.clear()
    cell.synapses.clear()
    with pytest.raises(gradmod.Error, match=r"has no influence: .* acts on no membrane"):
        gradmod.Reverse(wanted=wanted)


def test_reverse_beside_what_only_watches() -> None:
    cell = Watched()
    cell.netcons.clear()
    cell.synapses.clear()
    found = compare(
        {"g": gradmod.Range("gnabar_hh", cell.all)}, [(cell.soma(0.5), "v")], lambda: cell.run(0.025, 3.0), 3.0
    )
    reverse, forward, scale = found["g"]
    assert abs(reverse - forward) <= 1e-9 * scale
