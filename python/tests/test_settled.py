"""Reverse mode remembers once what only INITIAL sets, such as a factor of the temperature: it must not change later."""

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
        with pytest.raises(gradmod.Refused, match=r"tadj_kmq10 at trunk\(0.5\)|at trunk\(0.5\), in the step"):
            reverse.run(T_STOP, simulate=act)
            reverse.gradient({recorded: np.ones(len(recorded.values))})
        reverse.run(T_STOP, simulate=run)
        assert np.all(np.isfinite(reverse.gradient({recorded: np.ones(len(recorded.values))})["g_pas"]))
