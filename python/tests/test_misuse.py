"""What people do by mistake, or in a notebook: a sentence that helps, never a wrong number."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gradmod
import neuron
import numpy as np
import pytest
from conftest import Passive, adder, central, run
from gradmod import InitialVoltage, Range, Stimulus
from neuron import h


def trace(cell: Passive) -> Any:
    """A recording of the potential, for differences."""
    return h.Vector().record(cell["trunk"](0.3)._ref_v)


ASKED: dict[str, tuple[Callable[[Passive], object], str]] = {
    "a list of parameters": (lambda c: gradmod.attach([Range("g_pas", c["soma"])]), "needs a name: name="),
    "a parameter without a name": (lambda c: gradmod.attach(Range("g_pas", c["soma"])), "needs a name: name="),
    "a name for a parameter": (lambda c: gradmod.attach(g="g_pas"), "'g_pas' is no direction: use Range"),
    "a name that is no text": (lambda c: gradmod.attach({1: Range("g_pas", c["soma"])}), "1 is no name of a parameter"),
    "named twice": (
        lambda c: gradmod.attach({"g": Range("g_pas", c["soma"])}, g=Range("g_pas", c["soma"])),
        "the direction g is named twice",
    ),
    "an option's name": (
        lambda c: gradmod.attach(quiet=Range("g_pas", c["soma"])),
        r"quiet is an option; .* mapping: \{'quiet': Range",
    ),
    "an option's name, reverse": (
        lambda c: gradmod.Reverse(memory=Range("g_pas", c["soma"])),
        r"memory is an option; .* mapping: \{'memory': Range",
    ),
    "sections twice": (
        lambda c: gradmod.attach(c["soma"], sections=c["soma"], g=Range("g_pas", c["soma"])),
        "sections were given twice",
    ),
    "a list for a dict": (
        lambda c: gradmod.Simulation([Range("g_pas", c["soma"])], record=[c["soma"](0.5)], duration=1),
        r"by name, as \{'gNa': Range",
    ),
    "a section for a place": (
        lambda c: gradmod.Simulation({"g": Range("g_pas", c["soma"])}, record=c["soma"], duration=1),
        r"soma is a section: say where, e.g. soma\(0.5\)",
    ),
    "a text for places": (
        lambda c: gradmod.Simulation({"g": Range("g_pas", c["soma"])}, record="soma", duration=1),
        r"give a list of segments such as \[soma\(0.5\)\]",
    ),
    "a weight that is none": (lambda c: Range("g_pas", c["soma"], weight="now"), "the weight 'now' is no number"),
    "no present values": (lambda c: InitialVoltage(weight="present"), "InitialVoltage has no present values"),
    "nothing to change": (
        lambda c: gradmod.Simulation({"g": Range("g_pas", c["soma"], 0.0)}, record=[c["soma"](0.5)], duration=1),
        "g: all weights are 0",
    ),
}


@pytest.mark.parametrize("case", ASKED)
def test_what_is_asked_in_the_wrong_way(passive: Passive, case: str) -> None:
    ask, text = ASKED[case]
    with pytest.raises(gradmod.Error, match=text):
        ask(passive)


def test_names_of_options_and_one_place(passive: Passive) -> None:
    place = passive["trunk"](0.3)
    names = {"quiet": Range("g_pas", passive.with_pas), "sections": Stimulus(passive.clamps[0], "amp")}
    grad = gradmod.attach(names, quiet=True)
    recording = grad.record(place)
    run()
    expected = [recording[name] for name in names]
    assert all(np.any(values) for values in expected)
    grad.detach()
    with gradmod.Simulation(names, record=place, duration=8.0, v_init=-66.0, mode="forward", quiet=True) as simulation:
        assert np.array_equal(simulation.jacobian(simulation.x)[0], np.transpose(expected))


def uneven(cell: Passive) -> list[Any]:
    """Another conductance in every segment, none in one."""
    segments = [seg for sec in cell.with_pas for seg in sec]
    for i, seg in enumerate(segments):
        seg.g_pas = 0.0 if i == 2 else 2e-5 * (1 + i)
    return segments


def test_present_values_are_a_profile(passive: Passive) -> None:
    segments, v = uneven(passive), trace(passive)
    before = [seg.g_pas for seg in segments]
    with pytest.raises(gradmod.Error, match="weight='present'"):
        gradmod.Simulation({"g": Range("g_pas", passive.with_pas)}, [passive["soma"](0.5)], 8.0, quiet=True)
    change = adder(segments, "g_pas", weight=lambda seg: seg.g_pas)
    theirs = central(lambda: (run(), np.array(v))[1], change, 1e-4)
    scaled = {"g": Range("g_pas", passive.with_pas, weight="present")}
    grad = gradmod.attach(scaled)
    recording = grad.record(passive["trunk"](0.3))
    run()
    assert np.abs(recording["g"] - theirs).max() <= 1e-6 * np.abs(theirs).max()
    grad.detach()
    place = passive["trunk"](0.3)
    for mode in ("forward", "reverse"):
        with gradmod.Simulation(scaled, [place], 8.0, v_init=-66.0, mode=mode, quiet=True) as simulation:
            assert simulation.x == [1.0]
            traces = simulation(simulation.x)
            gradient = simulation.vjp(simulation.x, np.ones_like(traces))
            assert abs(gradient[0] / theirs.sum() - 1) <= 1e-6, mode
            simulation([1.5])
            assert np.allclose([seg.g_pas for seg in segments], np.multiply(before, 1.5), rtol=1e-14, atol=0)
            simulation([1.0])
    assert [seg.g_pas for seg in segments] == before


def test_attached_again_replaces_the_old(passive: Passive, capsys: pytest.CaptureFixture[str]) -> None:
    asked = {"g": Range("g_pas", passive.with_pas)}
    old = gradmod.attach(asked)
    kept = old.record(passive["trunk"](0.3))
    run()
    first = kept["g"]
    other = gradmod.attach(v=InitialVoltage())  # of another name, and of other mechanisms: both stay
    looks = other.record(passive["trunk"](0.3))
    capsys.readouterr()
    new = gradmod.attach(asked)
    assert "detached the old gradients in g at soma: new ones take their place" in capsys.readouterr().err
    reads: list[Callable[[], object]] = [
        lambda: kept["g"],
        lambda: old.record(passive["trunk"](0.3)),
        lambda: old.at("g", passive["trunk"](0.3)),
        old.check,
    ]
    for read in reads:
        with pytest.raises(gradmod.Error, match="were detached: new ones were attached in their place"):
            read()
    recording = new.record(passive["trunk"](0.3))
    run()
    assert np.array_equal(recording["g"], first)
    assert looks["v"].any()
    changed = gradmod.attach({"g": Range("g_pas", passive["soma"])}, quiet=True)
    assert capsys.readouterr().err == ""
    with pytest.raises(gradmod.Error, match="were detached"):
        recording["g"]
    for one in (changed, other):
        one.detach()


def test_what_is_played_is_no_direction(passive: Passive) -> None:
    """Differences are 0: the run sets it."""
    clamp = passive.clamps[1]
    grad = gradmod.attach(amp=Stimulus(clamp, "amp"), g=Range("g_pas", passive.with_pas))
    recording = grad.record(passive["bare"](0.5))
    v = h.Vector().record(passive["bare"](0.5)._ref_v)
    run()
    plain, before = np.array(v), recording["amp"]
    levels, times = h.Vector([0.02, 0.09, 0.02]), h.Vector([0, 4, 8])
    levels.play(clamp._ref_amp, times, True)
    theirs = central(lambda: (run(), np.array(v))[1], adder([clamp], "amp"), 1e-3)
    assert not theirs.any()
    for _ in range(2):  # and when it has the value that is played, at the beginning
        run()
        with pytest.raises(gradmod.Refused, match=r"amp: amp of .* the run sets it"):
            recording["amp"]
    levels.play_remove()
    clamp.amp = 0.05
    run()
    assert np.array_equal(np.array(v), plain)
    assert np.array_equal(recording["amp"], before)
    levels.play(passive["trunk"](0.3)._ref_g_pas, times, True)
    run()
    with pytest.raises(gradmod.Refused, match=r"g: g_pas of trunk.* when the run begins: the run sets it"):
        recording["g"]
    levels.play_remove()
    grad.detach()


def test_sections_of_one_name() -> None:
    """Two cells from one piece of code: what has the same name is not the same place."""
    cells = [h.Section(name="soma") for _ in range(2)]
    for cell, conductance in zip(cells, (1e-4, 3e-4), strict=True):
        cell.insert("pas")
        cell(0.5).pas.g = conductance
    grad = gradmod.attach(g=Range("g_pas", cells, weight="present"))
    recording = grad.record(cells[1](0.5))
    run()
    assert recording["g"].any()
    grad.detach()


@pytest.mark.skipif(not neuron.__version__.startswith("8."), reason="NEURON 9 has no legacy units")
def test_legacy_units_are_refused(passive: Passive) -> None:
    grad = gradmod.attach(g=Range("g_pas", passive.with_pas))
    recording = grad.record(passive["soma"](0.5))
    h.nrnunit_use_legacy(1)
    try:
        run()
        with pytest.raises(gradmod.Refused, match=r"use h\.nrnunit_use_legacy\(0\)"):
            recording["g"]
        for ask in (gradmod.attach, gradmod.Reverse):
            with pytest.raises(gradmod.Refused, match=r"use h\.nrnunit_use_legacy\(0\)"):
                ask(g=Range("g_pas", passive["soma"]))
    finally:
        h.nrnunit_use_legacy(0)
    run()
    assert recording["g"].any()
    grad.detach()
