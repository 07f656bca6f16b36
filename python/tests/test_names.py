"""What is said of a wrong name, place or setting; the model is not touched, nothing is compiled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gradmod
import pytest
from conftest import Passive
from gradmod import Error, Global, InitialVoltage, Range, Refused, Stimulus
from neuron import h

WRONG: dict[str, tuple[Callable[[Passive], Any], type[Exception], str]] = {
    "misspelt": (lambda c: Range("g_pass", c.all), Error, "did you mean g_pas"),
    "no suffix": (lambda c: Range("g", c.all), Error, "did you mean g_pas"),
    "not there": (lambda c: Range("gnabar_hh", c.all), Error, "no mechanism in these sections has it"),
    "a global": (lambda c: Range("celsius", c.all), Error, r"Global\('celsius'\)"),
    "a current": (lambda c: Range("i_pas", c.all), Error, "it is no parameter"),
    "length": (lambda c: Range("L", c.all), Refused, "geometry"),
    "diameter": (lambda c: Range("diam", c.all), Refused, "geometry"),
    "pieces": (lambda c: Range("nseg", c.all), Refused, "nothing to differentiate"),
    "the solution": (lambda c: Range("v", c.all), Refused, "InitialVoltage"),
    "Ra of a segment": (lambda c: Range("Ra", c["soma"](0.5)), Error, "whole section"),
    "an end": (lambda c: Range("cm", c["soma"](1)), Error, "end without membrane"),
    "no place": (lambda c: Range("cm", "soma"), Error, "no place"),
    "no places": (lambda c: Range("cm", []), Error, "at least one"),
    "a range": (lambda c: Global("g_pas"), Error, r"Range\('g_pas'"),
    "misspelt global": (lambda c: Global("celsus"), Error, "did you mean celsius"),
    "time step": (lambda c: Global("dt"), Refused, "at its dt"),
    "a time": (lambda c: Stimulus(c.clamps[0], "delay"), Refused, "whole steps"),
    "a duration": (lambda c: Stimulus(c.clamps[0], "dur"), Refused, "whole steps"),
    "misspelt stimulus": (lambda c: Stimulus(c.clamps[0], "Amp"), Error, "did you mean amp"),
    "no stimulus": (lambda c: Stimulus(c["soma"], "amp"), Error, "must be a point process"),
    "an artificial cell": (
        lambda c: Stimulus(c.keep.append(h.NetStim()) or c.keep[-1], "start"),
        Refused,
        r"NetStim\[\d+\] is an artificial cell",
    ),
    "no direction": (lambda c: 3, Error, "is no direction"),
    "infinite weight": (lambda c: InitialVoltage(weight=lambda seg: float("nan")), Error, "the weight at"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_directions(passive: Passive, case: str) -> None:
    make, kind, text = WRONG[case]
    with pytest.raises(kind, match=text):
        gradmod.attach(x=make(passive))
    untouched(passive)


def test_no_directions(passive: Passive) -> None:
    with pytest.raises(Error, match="no direction given"):
        gradmod.attach()


def test_a_place_outside_the_scope(passive: Passive) -> None:
    other = h.Section(name="other")
    with pytest.raises(Error, match="other is not in the sections"):
        gradmod.attach(passive["soma"], x=Range("cm", other))


def test_settings_are_refused(passive: Passive) -> None:
    direction = Range("cm", passive.all)
    h.secondorder = 2
    with pytest.raises(Refused, match="secondorder"):
        gradmod.attach(x=direction, spike_times=True)
    h.secondorder = 0
    h.CVode().active(1)
    with pytest.raises(Refused, match="variable step"):
        gradmod.attach(x=direction)
    h.CVode().active(0)
    untouched(passive)


def test_places_may_be_anything_iterable(passive: Passive) -> None:
    some = h.SectionList()
    some.append(sec=passive["soma"])
    some.append(sec=passive["twig"])
    assert Range("cm", some).where == [passive["soma"], passive["twig"]]
    assert len(Range("cm", h.allsec()).where) == 5
    assert Range("cm", [some, [passive["soma"], passive["twig"](0.5)]]).where == [
        passive["soma"], passive["twig"], passive["twig"](0.5)
    ]  # fmt: skip


def untouched(passive: Passive) -> None:
    assert [sec.name() for sec in h.allsec()] == list(passive.sections)
    assert [m.name() for m in passive["soma"](0.5)] == ["pas"]
