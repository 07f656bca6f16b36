"""A run that has no gradient is the user's own all the same: what is refused speaks when a gradient is read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gradmod
import numpy as np
import pytest
from conftest import Passive, run
from gradmod import Range, Stimulus
from neuron import h


def attach(cell: Passive) -> gradmod.Gradients:
    return gradmod.attach(g=Range("g_pas", cell.with_pas), amp=Stimulus(cell.clamps[0], "amp"))


def variable_step(on: bool) -> Callable[[Passive], object]:
    return lambda cell: h.CVode().active(int(on))


def second_order(order: int) -> Callable[[Passive], object]:
    return lambda cell: setattr(h, "secondorder", order)


def segments(count: int) -> Callable[[Passive], object]:
    return lambda cell: setattr(cell["twig"], "nseg", count)


def clamp_gone(cell: Passive) -> None:
    cell.clamps.pop()


def cut(cell: Passive) -> None:
    h.disconnect(sec=cell["twig"])


def more_channels(cell: Passive) -> None:
    cell["bare"].insert("hh")


def section_gone(cell: Passive) -> None:
    h.delete_section(sec=cell.sections.pop("bare"))
    cell.clamps.pop()


CASES: dict[str, tuple[Callable[[Passive], object], Callable[[Passive], object] | None, str]] = {
    "variable step": (variable_step(True), variable_step(False), r"turn it off with h\.CVode"),
    "second order": (second_order(2), second_order(0), "secondorder is 2, and was 0 when the gradients were attached"),
    "nseg": (segments(9), segments(5), "nseg changed; call detach"),
    "a point process is gone": (clamp_gone, None, "added, moved or removed; call detach"),
    "a section is gone": (section_gone, None, "were deleted; call detach"),
    "disconnected": (cut, None, "connections or nseg changed; call detach"),
    "a mechanism more": (more_channels, None, "the mechanisms of bare changed; call detach"),
}


def traces(cell: Passive) -> list[Any]:
    t = h.Vector().record(h._ref_t)
    v = [h.Vector().record(cell[name](0.3)._ref_v) for name in ("trunk", "twig")]
    run()
    return [np.array(t), *map(np.array, v)]


@pytest.mark.parametrize("case", CASES)
def test_the_run_is_the_users_own(passive: Passive, case: str) -> None:
    change, back, text = CASES[case]
    grad = attach(passive)
    recording = grad.record(passive["trunk"](0.5))
    traces(passive)
    before = {name: recording[name] for name in recording}
    change(passive)
    got = traces(passive)
    reads: list[Callable[[], object]] = [
        lambda: recording["g"],
        lambda: recording.t,
        grad.check,
        lambda: grad.record(passive["trunk"](0.5))["g"],
        lambda: np.isnan(grad.at("g", passive["trunk"](0.5)).value) and recording["g"],
    ]
    for read in reads:
        with pytest.raises(gradmod.Error, match=text) as caught:
            read()
        assert isinstance(caught.value, gradmod.Refused) == (case in ("variable step", "second order"))
    if back is None:
        grad.detach()
        assert all(np.array_equal(a, b) for a, b in zip(got, traces(passive), strict=True))
        return
    back(passive)
    assert traces(passive)
    assert all(np.array_equal(recording[name], before[name]) for name in recording)
    grad.detach()
    change(passive)
    assert all(np.array_equal(a, b) for a, b in zip(got, traces(passive), strict=True))


def test_whatever_fails_in_finitialize_is_an_error_of_ours(passive: Passive) -> None:
    """A weight that divides by zero, and a trace for those who look at the gradient itself."""
    alone = traces(passive)
    divisor = [1.0]
    grad = gradmod.attach(g=Range("g_pas", passive.with_pas, weight=lambda seg: 1.0 / divisor[0]))
    place = passive["trunk"](0.5)
    recording, present = grad.record(place), grad.at("g", place)
    divisor[0] = 0.0
    got = traces(passive)
    assert all(np.array_equal(a, b) for a, b in zip(got, alone, strict=True))
    with pytest.raises(gradmod.Error, match="there are no gradients of this run: ZeroDivisionError") as caught:
        recording["g"]
    assert isinstance(caught.value.__cause__, gradmod.Error)
    assert np.isnan(present.value)
    divisor[0] = 2.0
    run()
    assert np.all(np.isfinite(recording["g"]))
    assert recording["g"].any()


def test_a_finitialize_that_a_script_breaks_off(passive: Passive) -> None:
    grad = attach(passive)
    recording = grad.record(passive["trunk"](0.5))
    run()
    assert recording["g"].any()
    failing = h.FInitializeHandler(3, lambda: 1 / 0)
    with pytest.raises(RuntimeError):
        run()
    with pytest.raises(gradmod.Error, match="did not come to its end"):
        recording["g"]
    del failing
    run()
    assert recording["g"].any()


def test_a_run_that_begins_before_its_start_is_refused(passive: Passive) -> None:
    """Steps of 10 ms from t = -200 on, as packages reach a steady state: neither dt nor t is then what counts steps."""

    def simulate() -> None:
        h.finitialize(-65)
        h.t, h.dt = -200, 10
        while h.t < 0:
            h.fadvance()
        h.t, h.dt = 0, 0.025
        h.fcurrent()
        for _ in range(40):
            h.fadvance()

    for _ in range(3):
        h.dt = 0.025
        with gradmod.Reverse(g=Range("g_pas", list(passive.sections.values())), quiet=True) as reverse:
            reverse.record(passive.sections["soma"](0.5))
            with pytest.raises(gradmod.Refused, match=r"(dt|t) (changed|was set) during the run"):
                reverse.run(1.0, simulate=simulate)
