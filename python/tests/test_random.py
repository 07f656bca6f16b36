"""Frozen noise: streams of random numbers (RANDOM) against finite differences of runs with the same numbers."""

from __future__ import annotations

from typing import Any

import gradmod
import neuron
import numpy as np
import pytest
from models import CHANNELS, comparing, everything, load_fixtures, twig
from neuron import h
from test_reverse import compare

pytestmark = pytest.mark.skipif(neuron.__version__.startswith("8."), reason="NEURON 8 has no RANDOM")

# The last reads area and diam: NEURON 9.0 ends where it loads a mechanism with these and a RANDOM.
MECHANISMS = ("kflicker", "shaky", "leaksize")


class Noisy(twig.Twig):
    """The twig with noise in channels, in a clamp, and in synapses that fail."""

    def __init__(self) -> None:
        load_fixtures(CHANNELS.parent / "random")
        super().__init__(MECHANISMS)
        self.clamp = h.NoiseClamp(self.short(0.5))
        self.synapses = [h.FailSyn(segment) for segment in (self.long(0.8), self.soma(0.5))]
        self.source = h.NetStim()
        self.source.start, self.source.interval, self.source.number = 0.7, 0.41, 12
        self.netcons = [h.NetCon(self.source, self.synapses[0]) for _ in range(3)]
        # Two in one step, and one that does nothing.
        for netcon, delay, weight in zip(self.netcons, (0.513, 0.509, 0.6), (0.002, 0.0013, -1), strict=True):
            netcon.delay, netcon.weight[0] = delay, weight
        spikes = h.NetCon(self.soma(0.5)._ref_v, self.synapses[1], sec=self.soma)
        spikes.threshold, spikes.delay, spikes.weight[0] = -60, 0.3, 0.004
        self.synapses[1].fail = 0
        self.netcons.append(spikes)
        for synapse in self.synapses:
            self.vectors[f"{synapse}.g"] = h.Vector().record(synapse._ref_g)

    def streams(self) -> list[Any]:
        segments = [seg for sec in self.all for seg in sec]
        channels = [
            getattr(getattr(seg, mechanism), name)
            for seg in segments
            for mechanism, names in (("kflicker", ("now", "first")), ("shaky", ("xi", "steps")))
            for name in names
        ]
        return [*channels, self.clamp.xi, *(getattr(s, name) for s in self.synapses for name in ("release", "size"))]

    def rewind(self, seed: int = 7) -> None:
        for number, stream in enumerate(self.streams()):
            stream.set_ids(seed, number, 0).set_seq(5)

    def again(self, t_stop: float = 5.0) -> dict[str, Any]:
        self.rewind()
        return self.run(0.025, t_stop)

    def directions(self) -> everything.Everything:
        found = super().directions()
        for owner, label, names in (
            (self.clamp, "clamp", ("mean", "deviation")),
            (self.synapses[0], "near", ("tau", "e", "fail", "spread", "recover", "use")),
            (self.synapses[1], "far", ("tau", "spread")),
        ):
            for name in names:
                parameter = gradmod.Stimulus(owner, name)
                found[f"{name}_{label}"] = (parameter, everything.shift([owner], name), getattr(owner, name))
        for i, netcon in enumerate(self.netcons):
            found[f"weight{i}"] = everything.weight_of(netcon)
        return found


def test_frozen_noise() -> None:
    cell = Noisy()
    directions = cell.directions()
    looks = [*cell.watched, *((synapse, "g") for synapse in cell.synapses)]
    found = comparing.gradients(directions, looks, cell.again)
    idle = {d for d, of in found.items() if not any(np.any(trace) for trace in of.values())}
    assert idle == {"fail_near", "weight2"}
    assert comparing.wrong(found, directions, cell.again) == {}


def test_reverse_mode_draws_the_same_numbers() -> None:
    cell = Noisy()
    plain = cell.again()
    followed = cell.directions()
    directions = {name: wanted for name, (wanted, _, _) in followed.items()}
    found = compare(directions, cell.watched, cell.again, 5.0)
    after = {name: vector.as_numpy().copy() for name, vector in cell.vectors.items()}
    assert all(np.array_equal(plain[name], after[name]) for name in plain)
    wrong = {name: values for name, values in found.items() if not abs(values[0] - values[1]) <= 1e-9 * values[2]}
    assert not wrong
    assert {name for name, values in found.items() if values[1] == 0.0} == {"fail_near", "weight2"}


def test_windows_draw_the_same_numbers() -> None:
    cell = Noisy()
    h.dt = 0.025
    parameters = {"g": gradmod.PerSegment("gbar_kflicker", cell.all), "w": gradmod.PerNetCon(cell.netcons)}

    def gradient(memory: float) -> dict[str, Any]:
        with gradmod.Reverse(memory=memory, **parameters) as reverse:
            trace = reverse.record(cell.soma(0.5))
            reverse.run(5.0, simulate=cell.again)
            return {name: np.array(value) for name, value in reverse.gradient({trace: np.cos(trace.values)}).items()}

    whole, cut = gradient(64), gradient(0.05)
    assert all(np.array_equal(whole[name], cut[name]) for name in whole)


def test_numbers_that_only_the_start_draws() -> None:
    """The recorder keeps what NEURON does not show; no step draws."""
    load_fixtures(CHANNELS.parent / "random")
    cell = twig.Twig(("kdr",))
    thrown = [h.Thrown(segment) for segment in (cell.soma(0.5), cell.long(0.7), cell.short(0.5))]
    for number, one in enumerate(thrown):
        one.g, one.spread = 0.002 * (1 + number), 0.4 + 0.1 * number

    def simulate() -> dict[str, np.ndarray]:
        for number, one in enumerate(thrown):
            one.dice.set_ids(5, number, 2).set_seq(0)
        return cell.run(0.025, 4.0)

    asked: everything.Everything = {
        f"{name}{number}": (gradmod.Stimulus(one, name), everything.shift([one], name), getattr(one, name))
        for number, one in enumerate(thrown)
        for name in ("g", "spread", "tau")
    }
    found = comparing.gradients(asked, cell.watched, simulate)
    assert comparing.wrong(found, asked, simulate) == {}
    both = compare({name: wanted for name, (wanted, _, _) in asked.items()}, cell.watched, simulate, 4.0)
    assert all(theirs != 0.0 for _, theirs, _ in both.values())
    assert {name: values for name, values in both.items() if not abs(values[0] - values[1]) <= 1e-9 * values[2]} == {}


def test_numbers_that_nothing_reads() -> None:
    """The recorder of such a region is of another kind than that of the others here."""
    load_fixtures(CHANNELS.parent / "random")
    cell = twig.Twig(("tossed",))

    def simulate() -> dict[str, np.ndarray]:
        for number, segment in enumerate(segment for section in cell.all for segment in section):
            segment.tossed.coin.set_ids(6, number, 1).set_seq(3)
            segment.tau_tossed = 2.0 + 0.3 * number
        return cell.run(0.025, 4.0)

    with gradmod.Reverse(gnabar=gradmod.Range("gnabar_hh", cell.all)) as reverse:
        trace = reverse.record(cell.soma(0.5))
        reverse.run(4.0, simulate=simulate)
        found = reverse.gradient({trace: np.cos(trace.values)})["gnabar"]

    def loss(change: float) -> float:
        for section in cell.all:
            for segment in section:
                segment.gnabar_hh = 0.12 + change
        return float(np.sum(np.sin(simulate()[f"{cell.soma(0.5)}.v"])))

    assert found == pytest.approx((loss(1e-6) - loss(-1e-6)) / 2e-6, rel=1e-6)


@pytest.mark.parametrize("kind", ["uniform", "ids"])
def test_reverse_mode_refuses_other_numbers(kind: str) -> None:
    cell = Noisy()
    stream = cell.streams()[0]

    def run() -> None:
        cell.rewind()
        act = stream.uniform if kind == "uniform" else lambda: stream.set_ids(1, 2, 3)
        handler = h.FInitializeHandler(2, lambda: h.cvode.event(2.0, act))
        cell.run(0.025, 5.0)
        del handler

    with gradmod.Reverse(gbar=gradmod.Range("gbar_kflicker", cell.all)) as reverse:
        trace = reverse.record(cell.soma(0.5))
        with pytest.raises(gradmod.Refused):
            reverse.run(5.0, simulate=run)
            reverse.gradient({trace: np.ones_like(trace.values)})


def test_reading_leaves_everything_as_it_is() -> None:
    """The run can go on."""
    cell = Noisy()
    grad = gradmod.attach(gbar=gradmod.Range("gbar_kflicker", cell.all))
    record = grad.record(cell.soma(0.5))
    cell.again()
    assert np.any(record["gbar"])
    h.ParallelContext().psolve(6.0)
    after = np.array(record["gbar"])
    cell.again(6.0)
    assert np.array_equal(record["gbar"], after)
    grad.detach()


@pytest.mark.parametrize("weight", [0.002, 0.0013])
def test_which_of_two_events_draws_first_is_not_known(weight: float) -> None:
    cell = Noisy()
    for netcon in cell.netcons[:2]:
        netcon.delay = 0.5
    cell.netcons[1].weight[0] = weight
    grad = gradmod.attach(tau=gradmod.Stimulus(cell.synapses[0], "tau"))
    record = grad.record(cell.soma(0.5))
    cell.again()
    with pytest.raises(gradmod.Refused, match="give their NetCons different delays"):
        record["tau"]
    grad.detach()


def test_a_run_goes_on_with_the_next_numbers() -> None:
    cell = Noisy()
    grad = gradmod.attach(gbar=gradmod.Range("gbar_kflicker", cell.all))
    record = grad.record(cell.soma(0.5))
    cell.again()
    first = np.array(record["gbar"])
    places = [stream.get_seq() for stream in cell.streams()]
    cell.run(0.025, 5.0)
    second = np.array(record["gbar"])
    assert not np.array_equal(first, second)
    for stream, place in zip(cell.streams(), places, strict=True):
        stream.set_seq(place)
    cell.run(0.025, 5.0)
    assert np.array_equal(record["gbar"], second)


def test_ids_without_a_place_are_refused() -> None:
    cell = Noisy()
    deviation = gradmod.Stimulus(cell.clamp, "deviation")
    grad = gradmod.attach(gbar=gradmod.Range("gbar_kflicker", cell.all), deviation=deviation)
    record = grad.record(cell.soma(0.5))
    cell.rewind()
    cell.clamp.xi.set_ids(1, 2, 3)
    cell.run(0.025, 1.0)
    with pytest.raises(gradmod.Error, match=r"xi of NoiseClamp\[0\] were set without set_seq"):
        record["gbar"]
    cell.clamp.xi.set_seq(0)
    cell.run(0.025, 1.0)
    assert np.any(record["gbar"])


@pytest.mark.parametrize("what", ["place", "ids", "fcurrent"])
def test_numbers_that_the_gradients_do_not_know_of(what: str) -> None:
    cell = Noisy()
    grad = gradmod.attach(deviation=gradmod.Stimulus(cell.clamp, "deviation"))
    record = grad.record(cell.soma(0.5))
    # Where nothing else shows it.
    cell.clamp.deviation = 0
    cell.rewind()
    cell.run(0.025, 1.0)
    xi = cell.clamp.xi
    if what == "place":
        xi.set_seq(xi.get_seq() + 9)
    elif what == "ids":
        xi.set_ids(1, 2, 3)
    else:
        h.fcurrent()
    h.ParallelContext().psolve(2.0)
    with pytest.raises(gradmod.Refused, match="other random numbers were drawn"):
        record["deviation"]
