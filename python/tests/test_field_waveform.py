"""The samples of a waveform that acts from outside on many segments, beside differences of the untouched run."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import gradmod
import numpy as np
import pytest
from gradmod import FieldWaveform, Range, finite
from models.library import CHANNELS, load_fixtures
from models.surrounded import Surrounded
from neuron import h

DURATION = 4.0
Floats = np.ndarray
COUNT = 40


def profile(seg: Any) -> float:
    """Another number for each segment."""
    return 1.5 * np.sin(1 + 7 * seg.x + len(str(seg)))


class Stimulated:
    """Everything with ``extracellular`` sees one waveform, each segment in its own proportion."""

    def __init__(self, how: str, layers: int = 2) -> None:
        self.model = Surrounded(layers, played=False, myelin=True)
        self.where = [seg for sec in self.model.outside for seg in sec]
        rng = np.random.default_rng(3)
        self.levels = h.Vector(list(rng.normal(0, 8, COUNT)))
        self.how = how
        self.played: list[Any] = []
        if how == "by steps":
            self.options: dict[str, Any] = {"every": 0.1}
        else:
            self.times = h.Vector(list(np.sort(rng.uniform(0, 3.2, COUNT))))
            self.times[0] = 0.0
            self.times[11] = self.times[10]
            self.options = {"times": self.times, "continuous": how == "by lines"}
            for seg in self.where:
                self.played.append(self.levels.c().mul(profile(seg)))
                line = [True] if how == "by lines" else []
                self.played[-1].play(seg._ref_e_extracellular, self.times, *line)
        self.waveform = FieldWaveform(self.levels, self.model.outside, profile, **self.options)
        self.looks = [*self.model.everywhere()[:6], (self.model.cells[0]["soma"](0.5), "i_membrane")]

    def run(self) -> None:
        if self.how != "by steps":
            for seg, vector in zip(self.where, self.played, strict=True):
                vector.copy(self.levels.c().mul(profile(seg)))
            self.model.run(t_stop=DURATION)
            return
        if hasattr(h, "usetable_hh"):
            h.usetable_hh = 0
        h.finitialize(self.model.v_init)
        for step in range(round(DURATION / h.dt)):
            level = self.levels[min(int((step + 0.5) * h.dt / 0.1), COUNT - 1)]
            for seg in self.where:
                seg.e_extracellular = level * profile(seg)
            h.fadvance()

    def loss(self, traces: Floats) -> tuple[float, Floats]:
        weights = np.random.default_rng(4).normal(0, 1, traces.shape)
        return float(np.sum(weights * traces + 0.01 * traces**2)), weights + 0.02 * traces

    def f(self, **options: Any) -> gradmod.objective.ValueAndGrad:
        parameters = {"g": Range("gkbar_hh", self.model.all), "samples": self.waveform}
        return gradmod.value_and_grad(
            self.loss, parameters, self.looks, DURATION, simulate=self.run, mode="reverse", quiet=True, **options
        )


@pytest.mark.parametrize(("how", "layers"), [("by lines", 2), ("by jumps", 1), ("by steps", 2)])
def test_each_sample_against_differences(how: str, layers: int) -> None:
    model = Stimulated(how, layers)
    voltage = h.Vector().record(model.looks[0][0]._ref_v)
    model.run()
    before = np.array(voltage)
    f = model.f()
    x = f.simulation.x
    assert f.simulation.sizes == {"g": 1, "samples": COUNT}
    _, gradient = f(x)
    assert np.array_equal(before, voltage)

    def losses() -> dict[str, float]:
        return {"loss": model.loss(f.simulation(point))[0]}

    for k in (0, *(1 + j for j in (0, 5, 10, 11, 24, 38, 39))):
        point = x.copy()
        theirs = finite.differentiate(
            losses, functools.partial(point.__setitem__, k), x[k], scale=max(abs(x[k]), 0.1), steps=(1e-2, 1e-3, 1e-4)
        )
        assert abs(gradient[k] - theirs.value["loss"]) < 1e-6 * np.abs(gradient[1:] if k else gradient[:1]).max(), k
    with model.f(memory=0.1).simulation as cut:
        _, slope = model.loss(cut(x))
        assert np.allclose(cut.vjp(x, slope), gradient, rtol=1e-11, atol=1e-13)
    f.close()


def test_several_electrodes_are_a_sum() -> None:
    """Two waveforms in the same segments, each with its own profile; the gradient is that of each alone, and of g."""
    model = Stimulated("by steps")
    other = h.Vector(list(np.random.default_rng(5).normal(0, 3, COUNT)))
    axon = model.model.cells[0]["axon"]

    def simulate() -> None:
        h.finitialize(model.model.v_init)
        for step in range(round(DURATION / h.dt)):
            number = min(int((step + 0.5) * h.dt / 0.1), COUNT - 1)
            for seg in model.where:
                seg.e_extracellular = model.levels[number] * profile(seg) + (seg.sec == axon) * 2.5 * other[number]
            h.fadvance()

    both = {"one": model.waveform, "two": FieldWaveform(other, axon, 2.5, every=0.1)}
    with gradmod.Reverse(both, quiet=True) as back:
        trace = back.record(*model.looks[0])
        back.run(DURATION, simulate=simulate)
        found = back.gradient({trace: np.ones(len(trace.values))})
    for vector, gradient in ((model.levels, found["one"]), (other, found["two"])):
        voltage = h.Vector().record(model.looks[0][0]._ref_v)

        def total(voltage: Any = voltage) -> dict[str, float]:
            simulate()
            return {"sum": float(voltage.sum())}

        theirs = finite.differentiate(total, functools.partial(vector.__setitem__, 7), vector[7], scale=3.0)
        assert abs(gradient[7] - theirs.value["sum"]) < 1e-6 * np.abs(gradient).max()


def test_a_pulse_that_ends() -> None:
    """Where the ground is close, vext falls from a large number to nothing, and what is left of it is rounded."""
    model = Stimulated("by steps")
    for seg in model.where:
        seg.xg[1], seg.xc[1] = 1e10, 0.0
    for number in range(COUNT):
        model.levels[number] = 40.0 * (5 <= number < 15)
    with gradmod.Reverse({"samples": model.waveform}, quiet=True) as back:
        trace = back.record(*model.looks[0])
        back.run(DURATION, simulate=model.run)
        found = back.gradient({trace: np.ones(len(trace.values))})["samples"]
    voltage = h.Vector().record(model.looks[0][0]._ref_v)

    def total() -> dict[str, float]:
        model.run()
        return {"sum": float(voltage.sum())}

    theirs = finite.differentiate(total, functools.partial(model.levels.__setitem__, 14), 40.0, scale=3.0)
    assert abs(found[14] - theirs.value["sum"]) < 1e-6 * np.abs(found).max()


@pytest.mark.parametrize("where", ["HandsOut", "handsout"])
def test_a_mechanism_that_sets_it(where: str) -> None:
    """As published models do: e_extracellular is set through a POINTER, from a GLOBAL that is played."""
    load_fixtures(CHANNELS.parent / "played")
    model = Stimulated("by steps")
    keep: list[Any] = []
    for seg in model.where:
        if where == "HandsOut":
            one = h.HandsOut(seg)
            keep.append(one)
        else:
            seg.sec.insert("handsout")
            one = seg.handsout
        one.rx = profile(seg)
        h.setpointer(seg._ref_e_extracellular, "ex", one)
    model.levels.play(getattr(h, f"_ref_is_{where}"), 0.1)
    with gradmod.Reverse({"samples": model.waveform}, quiet=True) as back:
        trace = back.record(*model.looks[0])
        back.run(DURATION, simulate=lambda: model.model.run(t_stop=DURATION))
        found = back.gradient({trace: np.ones(len(trace.values))})["samples"]
    voltage = h.Vector().record(model.looks[0][0]._ref_v)

    def total() -> dict[str, float]:
        model.model.run(t_stop=DURATION)
        return {"sum": float(voltage.sum())}

    theirs = finite.differentiate(total, functools.partial(model.levels.__setitem__, 7), model.levels[7], scale=3.0)
    assert abs(found[7] - theirs.value["sum"]) < 1e-6 * np.abs(found).max()


def steps(model: Stimulated) -> FieldWaveform:
    return FieldWaveform(model.levels, model.model.outside, profile, times=model.times)


def later(model: Stimulated) -> FieldWaveform:
    times = model.times.c().add(0.3)
    return FieldWaveform(model.levels, model.model.outside, profile, times=times, continuous=True)


def elsewhere(model: Stimulated) -> FieldWaveform:
    """One place has e_extracellular of its own."""
    model.played[3].play_remove()
    model.where[3].e_extracellular = 1e-3
    return model.waveform


def louder(model: Stimulated) -> FieldWaveform:
    return FieldWaveform(
        model.levels, model.model.outside, lambda seg: 1.000001 * profile(seg), times=model.times, continuous=True
    )


def nothing(model: Stimulated) -> FieldWaveform:
    for vector in model.played:
        vector.play_remove()
    return model.waveform


@pytest.mark.parametrize("prepared", [steps, later, elsewhere, louder, nothing])
def test_what_was_not_played_as_said_is_refused(prepared: Callable[[Stimulated], FieldWaveform]) -> None:
    model = Stimulated("by lines")
    with gradmod.Reverse({"samples": prepared(model)}, quiet=True) as back:
        trace = back.record(*model.looks[0])
        back.run(DURATION, simulate=model.run)
        with pytest.raises(gradmod.Refused, match=r"samples: e_extracellular at .* is not played as was said"):
            back.gradient({trace: np.ones(len(trace.values))})


def test_misuse_is_told() -> None:
    model = Stimulated("by lines")
    levels, times, outside = model.levels, model.times, model.model.outside
    for weight in (None, "present"):
        with pytest.raises(gradmod.Error, match="give a number, or a function of the segment, as weight"):
            FieldWaveform(levels, outside, weight, times=times)
    with pytest.raises(gradmod.Error, match="FieldWaveform: give times, a Vector, or every"):
        FieldWaveform(levels, outside, 1.0)
    with pytest.raises(gradmod.Error, match="FieldWaveform is for reverse mode"):
        gradmod.attach(samples=model.waveform)
    with pytest.raises(gradmod.Error, match=r"FieldWaveform is a parameter; as an input it is Played\(levels\)"):
        gradmod.Simulation(
            {"g": Range("gkbar_hh", model.model.all)}, model.looks[:1], 1.0, inputs={"samples": model.waveform}
        )
    bare = h.Section(name="bare")
    bare.insert("hh")
    with pytest.raises(gradmod.Error, match="e_extracellular"):
        gradmod.Reverse({"samples": FieldWaveform(levels, bare, 1.0, times=times)}, quiet=True)
