"""The waveform of least energy that fires a myelinated axon: `python examples/least_energy.py`.

An electrode 1 mm beside an axon with myelin drives it by a current u(t), 2 us a sample. Of all u within a window,
which has the least integral of u^2 and still sends a spike to the end of the axon? Close to the threshold the spike
comes late, and its time depends on u in one direction only, the normal of the threshold's surface. The waveform that is
parallel to that normal has the least energy. One gradient in reverse mode gives the normal, for all samples at once; u
is mixed with it, scaled to the threshold again by plain runs, and so on: `examples/out/least_energy.png`. Minutes.

`--check` compares the normal with central differences of the same runs instead.
"""

from __future__ import annotations

import argparse
import functools
from pathlib import Path
from typing import Any

import gradmod
import matplotlib as mpl
import numpy as np
from gradmod import finite
from myelinated_axon import V_INIT, Axon
from neuron import h

mpl.use("Agg")
import matplotlib.pyplot as plt

Floats = np.ndarray
OUT = Path(__file__).parent / "out"
#: In ms: the step, which is also how far samples are apart; when windows begin; how long they are; how long a run is.
STEP, BEGIN, WINDOWS, DURATION = 0.002, 0.05, (0.02, 0.05, 0.1, 0.2), 1.5
#: mV at the last node that count as a spike.
SPIKE = -20.0
#: How far above the threshold the normal is taken, and how well thresholds are found, relatively.
ABOVE, CLOSE = 1e-4, 1e-6
#: 1 - cos of the angle between u and the normal that is small enough.
PARALLEL = 1e-4


class Stimulation:
    """The axon, and the current of the electrode in mA, one sample a step."""

    def __init__(self) -> None:
        """Play the current: NEURON sees in the middle of each step one sample."""
        h.load_file("stdrun.hoc")
        self.axon = Axon()
        h.dt, h.celsius = STEP, 37.0
        self.count = round((BEGIN + 1.2 * max(WINDOWS)) / STEP)
        # Two zeros more: after its last sample NEURON goes on along the last line.
        self.times = h.Vector((np.arange(self.count + 2) + 0.5) * STEP)
        self.u = h.Vector(self.count + 2)
        self.segments = [seg for sec in self.axon.sections for seg in sec]
        self._played = [h.Vector(self.count + 2) for _ in self.segments]
        for seg, played in zip(self.segments, self._played, strict=True):
            played.play(seg._ref_e_extracellular, self.times, True)
        h.ParallelContext().set_maxstep(10)
        self.last = h.Vector().record(self.axon.last(0.5)._ref_v)

    def direction(self) -> gradmod.FieldWaveform:
        """All samples as parameters."""
        return gradmod.FieldWaveform(self.u, self.axon.sections, self.axon.potential, times=self.times, continuous=True)

    def set(self, u: Floats) -> None:
        """Let the current be [sample] u."""
        self.u.from_python(np.append(u, (0.0, 0.0)))
        for seg, played in zip(self.segments, self._played, strict=True):
            played.copy(self.u).mul(self.axon.potential(seg))

    def run(self) -> None:
        """Run NEURON."""
        h.finitialize(V_INIT)
        h.ParallelContext().psolve(DURATION)

    def fires(self, u: Floats) -> bool:
        """Whether a spike comes to the end."""
        self.set(u)
        self.run()
        return bool(self.last.max() > SPIKE)

    def threshold(self, u: Floats) -> Floats:
        """[sample] u times the least factor from which on it fires; u itself must not be so large that it blocks."""
        low, high = 0.0, 1.0
        while not self.fires(high * u):
            low, high = high, 1.2 * high
        while high - low > CLOSE * high:
            # What fires already may be far above: not halves at first.
            middle = (low + high) / 2 if low else high / 1.2
            low, high = (low, middle) if self.fires(middle * u) else (middle, high)
        return high * u


def window(stimulation: Stimulation, length: float) -> Floats:
    """[sample] 1 within a window, 0 outside."""
    at = (np.arange(stimulation.count) + 0.5) * STEP
    return ((at > BEGIN) & (at < BEGIN + length)).astype(float)


def energy(u: Floats) -> float:
    """In nJ that u in mA leaves in 1 kOhm."""
    return 1e3 * float(np.sum(u**2) * STEP)


class Normal:
    """Of the threshold's surface: the derivative of the voltage where a spike rises at the last node."""

    def __init__(self, stimulation: Stimulation) -> None:
        """Attach reverse mode."""
        self._stimulation = stimulation
        self.model = gradmod.Reverse(u=stimulation.direction(), quiet=True)
        self._trace = self.model.record(stimulation.axon.last(0.5))

    def __call__(self, u: Floats) -> Floats:
        """[sample] at u, which fires."""
        self._stimulation.set(u)
        self.model.run(DURATION, simulate=self._stimulation.run)
        look = np.zeros(len(self._trace.values))
        look[np.argmax(self._trace.values > SPIKE)] = 1.0
        return self.model.gradient({self._trace: look})["u"][: len(u)]


def least(stimulation: Stimulation, normal: Normal, inside: Floats, u: Floats) -> Floats:
    """[sample] what has the least energy in a window, from a waveform at its threshold on."""
    for number in range(40):
        found = normal((1 + ABOVE) * u) * inside
        found *= np.linalg.norm(u) / np.linalg.norm(found)
        angle = 1 - float(u @ found) / float(u @ u)
        print(f"  {number:2}: {energy(u):.4f} nJ, 1 - cos(u, normal) = {angle:.1e}", flush=True)
        if angle < PARALLEL:
            break
        u = stimulation.threshold((u + found) / 2)
    return u


def check(stimulation: Stimulation, normal: Normal) -> None:
    """Print the normal beside central differences."""
    u = (1 + ABOVE) * stimulation.threshold(-0.01 * window(stimulation, 0.2))
    found = normal(u)
    at = int(np.argmax(stimulation.last.as_numpy() > SPIKE))
    point = u.copy()

    def voltage() -> dict[str, float]:
        stimulation.set(point)
        stimulation.run()
        return {"v": float(stimulation.last[at])}

    for k in range(0, stimulation.count, 10):
        point[:] = u
        difference = finite.differentiate(
            voltage, functools.partial(point.__setitem__, k), u[k], scale=1e-3, steps=(1e-2, 1e-3, 1e-4)
        )
        theirs = float(difference.value["v"])
        print(
            f"{k * STEP:6.3f} ms {found[k]:15.8e} {theirs:15.8e} {abs(found[k] - theirs) / np.abs(found).max():8.1e} "
            f"(differences are good to {difference.uncertainty('v'):.0e})"
        )


def voltages(stimulation: Stimulation, u: Floats) -> tuple[Floats, Floats]:
    """[sample] times, and [node, sample] voltages of every third node, of a plain run."""
    nodes = stimulation.axon.nodes[::3]
    recorded = [h.Vector().record(node(0.5)._ref_v) for node in nodes]
    stimulation.set(u)
    stimulation.run()
    return np.arange(len(recorded[0])) * STEP, np.array([vector.as_numpy() for vector in recorded])


def draw(stimulation: Stimulation, found: dict[float, tuple[Floats, Floats]]) -> Any:
    """Waveforms by their windows, their energies, and the axon just above and just below the threshold."""
    figure = plt.figure(figsize=(12, 7.4), layout="constrained")
    top, bottom = figure.subfigures(2, 1, height_ratios=(1, 1.2))
    grey, blue, orange = "0.4", "#0072b2", "#d55e00"
    # Of microseconds.
    t = 1e3 * ((np.arange(stimulation.count) + 0.5) * STEP - BEGIN)
    waveforms = top.subplots(1, len(found), sharey=True)
    for axes, (length, (rectangle, u)) in zip(waveforms, found.items(), strict=True):
        shown = (t > -150 * length) & (t < 1150 * length)
        axes.axhline(0, color="0.85", lw=0.8)
        axes.step(t[shown], rectangle[shown], where="mid", color=grey, ls="--", lw=1.4, label="rectangular")
        axes.step(t[shown], u[shown], where="mid", color=blue, lw=2, label="least energy")
        saved = 1 - energy(u) / energy(rectangle)
        axes.set(title=f"{1e3 * length:g} us: {saved:.0%} less energy", xlabel="us")
    waveforms[0].set_ylabel("current of the electrode, mA")
    waveforms[-1].legend(loc="lower left", fontsize=8, handlelength=1.5)
    left, *others = bottom.subplots(1, 3, width_ratios=(1.1, 1, 1))
    lengths = [1e3 * length for length in found]
    left.loglog(lengths, [energy(r) for r, _ in found.values()], "s--", color=grey, label="rectangular")
    left.loglog(lengths, [energy(u) for _, u in found.values()], "o-", color=blue, label="least energy")
    left.set(xlabel="length of the window, us", ylabel="energy at the threshold, nJ in 1 kOhm", title="energy")
    left.set_xticks(lengths, [f"{length:g}" for length in lengths])
    left.set_yticks([2, 3, 4, 6, 8], ["2", "3", "4", "6", "8"])
    left.minorticks_off()
    left.legend(loc="upper left")
    length = list(found)[-1]
    for axes, factor, colour in zip(others, (1.001, 0.999), (blue, orange), strict=True):
        times, traces = voltages(stimulation, factor * found[length][1])
        for number, trace in enumerate(traces):
            axes.plot(times, trace + 110 * number, color=colour, lw=1.2)
        fires = "fires" if factor > 1 else "does not fire"
        axes.set(xlabel="ms", title=f"{factor:g} times the last one {fires}", yticks=[], ylim=(-110, 690))
        axes.plot([1.4, 1.4], [-60, 40], color="black", lw=2)
        axes.text(1.37, -10, "100 mV", ha="right", va="center")
    others[0].set_ylabel("v of every third node, along the axon")
    return figure


def main() -> None:
    """Find the waveforms, or check the gradient."""
    options = argparse.ArgumentParser(description=__doc__.split(":")[0])
    options.add_argument("--check", action="store_true", help="the normal beside central differences")
    given = options.parse_args()
    stimulation = Stimulation()
    normal = Normal(stimulation)
    if given.check:
        check(stimulation, normal)
        return
    found: dict[float, tuple[Floats, Floats]] = {}
    for length in WINDOWS:
        print(f"window of {length:g} ms")
        inside = window(stimulation, length)
        rectangle = stimulation.threshold(-0.01 * inside)
        start = rectangle
        for shorter, (_, u) in found.items():
            # What is best in a shorter window, in the middle of this one, is a good start.
            start = np.roll(u, round((length - shorter) / 2 / STEP))
        found[length] = rectangle, least(stimulation, normal, inside, start)
    normal.model.close()
    # Nothing of gradmod is in the model any more.
    for length, (rectangle, u) in found.items():
        for name, one in (("rectangular", rectangle), ("least energy", u)):
            assert stimulation.fires(1.001 * one)
            assert not stimulation.fires(0.999 * one)
            print(f"{length:5g} ms, {name:12}: fires at 1.001, not at 0.999 times; {energy(one):.3f} nJ in 1 kOhm")
        print(f"{length:5g} ms: {1 - energy(u) / energy(rectangle):.1%} saved")
    OUT.mkdir(exist_ok=True)
    draw(stimulation, found).savefig(OUT / "least_energy.png", dpi=130)


if __name__ == "__main__":
    main()
