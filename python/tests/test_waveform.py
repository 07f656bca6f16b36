"""The samples of played Vectors as parameters, beside differences: as NEURON plays them, irregular times included."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import gradmod
import numpy as np
import pytest
from conftest import segments
from gradmod import Range, Waveform, finite
from models.pair import Pair
from neuron import h

DURATION = 5.0
Floats = np.ndarray


class Driven:
    """Two cells with other values in every segment; what is played drives a clamp of each kind on one of them."""

    def __init__(self, kind: str, how: str) -> None:
        self.pair = Pair()
        self.pair.stimulus.amp = 0.0
        self.pair.tie("Gap", self.pair.at(1, "soma", 0.5), self.pair.at(0, "dendrite", 0.5), "vgap", g=0.004)
        for n, seg in enumerate(segments(self.pair.all)):
            seg.cm, seg.hh.gnabar = 1 + 0.05 * n, 0.12 * (1 - 0.02 * n)
        place = self.pair.at(0, "dendrite", 0.9)
        rng = np.random.default_rng(3)
        if kind == "current":
            self.clamp, self.name = h.IClamp(place), "amp"
            self.clamp.delay, self.clamp.dur = 0.4, 3.9
            levels = rng.normal(0.2, 0.2, 40)
        else:
            self.clamp, self.name = h.SEClamp(place), "amp1"
            self.clamp.dur1, self.clamp.rs = 4.1, 15
            levels = rng.normal(-50, 15, 40)
        self.levels = h.Vector(list(levels))
        self.times = h.Vector(list(np.sort(rng.uniform(0.1, 4.0, 40))))
        # Before the first sample there is what the run before has left.
        self.times[0] = 0.0
        if how == "jumps between lines":
            self.times[11], self.times[25] = self.times[10], self.times[24]
        ref = getattr(self.clamp, f"_ref_{self.name}")
        options: dict[str, Any] = {"times": self.times}
        if how == "every":
            self.levels.play(ref, 0.13)
            options = {"every": 0.13}
        elif how == "steps":
            self.levels.play(ref, self.times)
        else:
            self.levels.play(ref, self.times, True)
            options["continuous"] = True
        self.waveform = Waveform(self.levels, self.clamp, self.name, **options)
        self.looks = [self.pair.at(0, "soma", 0.5), self.pair.at(1, "twig", 0.5)]

    def loss(self, traces: Floats) -> tuple[float, Floats]:
        weights = np.random.default_rng(4).normal(0, 1, traces.shape)
        return float(np.sum(weights * traces + 0.01 * traces**2)), weights + 0.02 * traces

    def f(self, **options: Any) -> gradmod.objective.ValueAndGrad:
        parameters = {"g": Range("gkbar_hh", self.pair.all), "samples": self.waveform}
        return gradmod.value_and_grad(
            self.loss, parameters, self.looks, DURATION, simulate=self.run, mode="reverse", quiet=True, **options
        )

    def run(self) -> None:
        self.pair.run(t_stop=DURATION)


@pytest.mark.parametrize("kind", ["current", "voltage"])
@pytest.mark.parametrize("how", ["lines", "jumps between lines", "steps", "every"])
def test_each_sample_against_differences(kind: str, how: str) -> None:
    model = Driven(kind, how)
    voltage = h.Vector().record(model.looks[0]._ref_v)
    model.run()
    before = np.array(voltage)
    f = model.f()
    x = f.simulation.x
    assert f.simulation.sizes == {"g": 1, "samples": 40}
    _, gradient = f(x)
    assert np.array_equal(before, voltage)
    shown = [0, 5, 10, 11, 12, 24, 25, 26, 38, 39]

    def losses() -> dict[str, float]:
        return {"loss": model.loss(f.simulation(point))[0]}

    for k in (0, *(1 + j for j in shown)):
        point = x.copy()
        theirs = finite.differentiate(
            losses, functools.partial(point.__setitem__, k), x[k], scale=abs(x[k]), steps=(1e-2, 1e-3, 1e-4)
        )
        assert abs(gradient[k] - theirs.value["loss"]) < 1e-6 * np.abs(gradient[1:] if k else gradient[:1]).max(), k
    f.close()


def test_windows_and_kept_runs() -> None:
    """In several windows the same; and a run that is kept has the samples that it was made with."""
    model = Driven("current", "lines")
    with model.f().simulation as whole:
        x = whole.x
        traces = whole(x)
        _, slope = model.loss(traces)
        gradient = whole.vjp(x, slope)
    with model.f(memory=0.02).simulation as cut:
        assert np.allclose(cut.vjp(x, slope), gradient, rtol=1e-12, atol=1e-14)
    with model.f().simulation as both:
        kept = both.keep(x)
        other = x * 1.1
        again = both.keep(other)
        assert np.allclose(kept.vjp(slope), gradient, rtol=1e-12, atol=1e-14)
        assert not np.allclose(again.vjp(slope), gradient, rtol=1e-3)
        kept.release()
        again.release()


def steps(model: Driven) -> Waveform:
    model.levels.play_remove()
    model.levels.play(model.clamp._ref_amp, model.times)
    return model.waveform


def others(model: Driven) -> Waveform:
    model.levels.play_remove()
    model.levels = h.Vector([0.1] * 40)
    model.levels.play(model.clamp._ref_amp, model.times, True)
    return model.waveform


def later(model: Driven) -> Waveform:
    return Waveform(model.levels, model.clamp, "amp", times=model.times.c().add(0.3), continuous=True)


def nothing(model: Driven) -> Waveform:
    model.levels.play_remove()
    return model.waveform


@pytest.mark.parametrize("prepared", [steps, others, later, nothing])
def test_what_was_not_played_as_said_is_refused(prepared: Callable[[Driven], Waveform]) -> None:
    model = Driven("current", "lines")
    with gradmod.Reverse({"samples": prepared(model)}, quiet=True) as back:
        trace = back.record(model.looks[0])
        back.run(DURATION, simulate=model.run)
        with pytest.raises(gradmod.Refused, match="is not played as was said"):
            back.gradient({trace: np.ones(len(trace.values))})


def test_misuse_is_told() -> None:
    model = Driven("current", "lines")
    levels, times, clamp = model.levels, model.times, model.clamp
    for options, match in (
        ({}, "give times, a Vector, or every"),
        ({"times": times, "every": 1.0}, "give times, a Vector, or every"),
        ({"every": 1.0, "continuous": True}, "with a Vector of times only"),
        ({"every": 0.0}, "every is 0.0 ms"),
        ({"times": h.Vector([1.0])}, "there are 40 samples and 1 times"),
    ):
        with pytest.raises(gradmod.Error, match=match):
            Waveform(levels, clamp, "amp", **options)
    with pytest.raises(gradmod.Error, match="Waveform is for reverse mode"):
        gradmod.attach(samples=model.waveform)
    with pytest.raises(gradmod.Error, match=r"as an input it is Played\(levels\)"):
        gradmod.Simulation(
            {"g": Range("gkbar_hh", model.pair.all)}, [model.looks[0]], 1.0, inputs={"samples": model.waveform}
        )
    synapse = h.ExpSyn(model.looks[0])
    levels.play(synapse._ref_e, times, True)
    with pytest.raises(gradmod.Refused, match=r"play it into an IClamp, an SEClamp or another point process"):
        gradmod.Reverse({"samples": Waveform(levels, synapse, "e", times=times, continuous=True)}, quiet=True)
