"""Reverse mode remembers once what only INITIAL sets, such as a factor of temperature: it must not change later."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gradmod
import numpy as np
import pytest
from conftest import V_INIT, Passive
from gradmod import finite
from models import everything, library
from models.comparing import differences
from models.everything import Everything
from neuron import h

DT, T_STOP = 0.05, 6.0


@pytest.fixture
def warm(passive: Passive) -> Passive:
    """Channels with a factor of temperature, other values in every segment of a branched cell."""
    library.load_fixtures()
    h.celsius = 31
    for sec in (passive["soma"], passive["trunk"], passive["twig"]):
        sec.insert("kmq10")
        for i, seg in enumerate(sec):
            seg.kmq10.gbar, seg.pas.g = 1e-3 + 2e-4 * i, 1e-4 + 1e-5 * i
    passive.clamps[0].amp = 0.5
    return passive


def run(*acts: tuple[float, Callable[[], Any]]) -> None:
    def send() -> None:
        for time, act in acts:
            h.CVode().event(time, act)

    handler = h.FInitializeHandler(1, send)
    h.dt, h.steps_per_ms = DT, 1 / DT
    h.finitialize(V_INIT)
    h.ParallelContext().set_maxstep(10)
    h.ParallelContext().psolve(T_STOP)
    del handler


def test_its_gradient(warm: Passive) -> None:
    sections = [warm["soma"], warm["trunk"], warm["twig"]]
    places = [seg for sec in sections for seg in sec]
    directions: Everything = {"q10": (gradmod.Global("q10_kmq10"), everything.shift([h], "q10_kmq10"), h.q10_kmq10)}
    for i, seg in enumerate(places):
        for name, attribute, mechanism in (("gbar", "gbar", "kmq10"), ("leak", "g", "pas")):
            owner = getattr(seg, mechanism)
            wanted = gradmod.Range(f"{attribute}_{mechanism}", [seg])
            directions[f"{name}{i}"] = wanted, everything.shift([owner], attribute), getattr(owner, attribute)
    weights = np.sin(np.arange(round(T_STOP / DT) + 1))
    with gradmod.Reverse(**{name: wanted for name, (wanted, _, _) in directions.items()}, quiet=True) as reverse:
        # Neither does it need a recorder that computes.
        assert all(spot.region.gathered for spot in reverse._recorders.spots)
        recorded = reverse.record(warm["soma"](0.5))
        h.dt = DT
        reverse.run(T_STOP, simulate=run)
        gradient = reverse.gradient({recorded: weights})
    trace = h.Vector().record(warm["soma"](0.5)._ref_v)

    def loss() -> dict[str, np.ndarray]:
        run()
        return {"loss": np.array(weights @ np.array(trace))}

    for name, (_, shift, size) in directions.items():
        difference = differences(loss, shift, size)
        assert abs(gradient[name]) > 0
        deviation = finite.compare({"loss": gradient[name]}, difference).deviation
        assert deviation <= 1e-6, (name, deviation)


@pytest.mark.parametrize("when", ["before the first step", "in the middle", "for two steps", "at the end"])
@pytest.mark.parametrize("beside", [False, True], ids=["gathered", "own recorder"])
def test_a_change_is_refused(warm: Passive, when: str, beside: bool) -> None:
    if beside:
        for seg in warm["trunk"]:
            seg.sec.insert("kloop")
    place = warm["trunk"](0.5).kmq10
    parameters = {"q10": gradmod.Global("q10_kmq10"), "g_pas": gradmod.Range("g_pas", warm["soma"])}
    before: list[float] = []

    def change() -> None:
        before.append(place.tadj)
        place.tadj *= 1.01

    def back() -> None:
        place.tadj = before[0]

    def act() -> None:
        if when == "before the first step":
            h.dt = DT
            h.finitialize(V_INIT)
            change()
            h.ParallelContext().set_maxstep(10)
            h.ParallelContext().psolve(T_STOP)
        elif when == "for two steps":
            run((3.0, change), (3.0 + 2 * DT, back))
        else:
            run((3.0 if when == "in the middle" else T_STOP - DT / 2, change))

    with gradmod.Reverse(**parameters, quiet=True) as reverse:
        spot = next(spot for spot in reverse._recorders.spots if spot.segment == warm["trunk"](0.5))
        assert spot.region.gathered != beside
        recorded = reverse.record(warm["soma"](0.5))
        h.dt = DT
        early = "q10: no exact gradient of this run, at trunk"
        later = r"tadj_kmq10 at trunk\(0.5\)|at trunk\(0.5\), in the step"
        with pytest.raises(gradmod.Refused, match=early if when == "before the first step" else later):
            reverse.run(T_STOP, simulate=act)
            reverse.gradient({recorded: np.ones(len(recorded.values))})
        reverse.run(T_STOP, simulate=run)
        assert np.all(np.isfinite(reverse.gradient({recorded: np.ones(len(recorded.values))})["g_pas"]))


class Pair:
    """Two cells of a soma and two branches; synapses whose factors INITIAL computes, two of them in one segment."""

    def __init__(self) -> None:
        library.load_fixtures()
        h.celsius = 27
        self.sections: list[Any] = []
        self.somas: list[Any] = []
        self.synapses: list[Any] = []
        self.netcons: list[Any] = []
        self.sources: list[Any] = []
        for i in range(2):
            soma, near, far = made = [h.Section(name=f"{name}{i}") for name in ("soma", "near", "far")]
            near.connect(soma(1))
            far.connect(soma(0))
            soma.L = soma.diam = 15.0 + i
            near.L, near.diam, near.nseg = 120.0 + 10 * i, 1.3, 3
            far.L, far.diam, far.nseg = 180.0, 0.9 + 0.1 * i, 5
            soma.insert("hh")
            for sec in (near, far):
                sec.insert("pas")
                for k, seg in enumerate(sec):
                    seg.pas.g = 1e-4 * (1 + 0.2 * k + 0.1 * i)
            self.sections += made
            self.somas.append(soma)
            for place in (near(0.5), near(0.5), far(0.7)):
                self._add(h.Exp2Syn(place), ("tau1", "tau2"))
                self._add(h.LeapSyn(place), ("tau_rise", "tau_decay"))

    def _add(self, synapse: Any, names: tuple[str, str]) -> None:
        k = len(self.synapses)
        for name, size in zip(names, (0.3, 2.0), strict=True):
            setattr(synapse, name, size * (1 + 0.1 * k))
        synapse.e = -3.0 * k
        source = h.NetStim()
        source.start, source.interval, source.number, source.noise = 0.3 + 0.2 * k, 1.1 + 0.3 * k, 100, 0
        netcon = h.NetCon(source, synapse)
        netcon.delay, netcon.weight[0] = 0.4, 1e-3 * (1 + 0.2 * k)
        self.synapses.append(synapse)
        self.sources.append(source)
        self.netcons.append(netcon)


def test_synapses_with_factors_of_initial() -> None:
    pair = Pair()
    directions: Everything = {}
    for k, (synapse, netcon) in enumerate(zip(pair.synapses, pair.netcons, strict=True)):
        directions[f"w{k}"] = everything.weight_of(netcon)
        kind = synapse.hname().partition("[")[0]
        for name in ("e", "tau_rise", "tau_decay") if kind == "LeapSyn" else ("e", "tau1", "tau2"):
            wanted = gradmod.Stimulus(synapse, name)
            directions[f"{name}{k}"] = wanted, everything.shift([synapse], name), abs(getattr(synapse, name)) or 1.0
    weights = np.cos(np.arange(round(T_STOP / DT) + 1))
    with gradmod.Reverse(**{name: wanted for name, (wanted, _, _) in directions.items()}, quiet=True) as reverse:
        assert all(spot.region.gathered for spot in reverse._recorders.spots)
        recorded = [reverse.record(soma(0.5)) for soma in pair.somas]
        h.dt = DT
        reverse.run(T_STOP, simulate=run)
        gradient = reverse.gradient({trace: (i + 1) * weights for i, trace in enumerate(recorded)})
    traces = [h.Vector().record(soma(0.5)._ref_v) for soma in pair.somas]

    def loss() -> dict[str, np.ndarray]:
        run()
        return {"loss": np.array(sum((i + 1) * weights @ np.array(trace) for i, trace in enumerate(traces)))}

    for name, (_, shift, size) in directions.items():
        assert abs(gradient[name]) > 0
        deviation = finite.compare({"loss": gradient[name]}, differences(loss, shift, size)).deviation
        assert deviation <= 1e-6, (name, deviation)


def in_windows(parameters: dict[str, gradmod.Parameter], where: Any) -> None:
    """A run that is remembered at once has the gradient of one that is gone through in windows."""

    def gradient(memory: float) -> tuple[float, dict[str, np.ndarray]]:
        with gradmod.Reverse(**parameters, memory=memory, quiet=True) as reverse:
            recorded = reverse.record(where)
            h.dt = DT
            reverse.run(T_STOP, simulate=run)
            found = reverse.gradient({recorded: np.cos(np.arange(len(recorded.values)))})
            needed = 8 * reverse._recorders.frame.stride * len(recorded.values) / 2**20
            return needed / memory, {name: np.array(found[name]) for name in found}

    windows, small = gradient(0.02)
    assert windows > 1.5
    one, whole = gradient(64)
    assert one < 1
    assert all(np.array_equal(small[name], whole[name]) for name in whole)


def test_channels_in_windows(warm: Passive) -> None:
    parameters = {"q10": gradmod.Global("q10_kmq10"), "gbar": gradmod.PerSegment("gbar_kmq10", warm["trunk"])}
    in_windows(parameters, warm["soma"](0.5))


def test_synapses_in_windows() -> None:
    pair = Pair()
    parameters: dict[str, gradmod.Parameter] = {
        f"w{k}": gradmod.NetConWeight(netcon) for k, netcon in enumerate(pair.netcons)
    }
    parameters |= {f"tau{k}": gradmod.Stimulus(synapse, "tau2") for k, synapse in enumerate(pair.synapses[::2])}
    parameters |= {f"slow{k}": gradmod.Stimulus(synapse, "tau_decay") for k, synapse in enumerate(pair.synapses[1::2])}
    in_windows(parameters, pair.somas[0](0.5))
