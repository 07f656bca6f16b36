"""A myelinated axon as pyfibers ships it, stimulated from outside: `python benches/mrg.py` (pip install pyfibers).

The MRG fibre of its package (10 um, 21 nodes), its mechanism and its own loop of `ScaledStim`, which sets
e_extracellular of each section before each step. The derivative of a voltage by every parameter that gradmod offers in
it, in reverse and forward mode beside central differences of the same runs; and that of the threshold amplitude, which
follows from the derivatives at one amplitude close to it. Names of parameters take these only.
"""

from __future__ import annotations

import argparse
import functools
import shutil
import subprocess
import sysconfig
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradmod
import numpy as np
import pyfibers
from gradmod import finite
from neuron import h

Floats = np.ndarray
STEP, DURATION, V_REST = 0.005, 2.0, -80.0
#: Of the pulse, in ms; the amplitude is scaled.
PULSE = 0.1, 0.2


def load() -> None:
    """Compile the package's mechanism of a node, and make it known to NEURON."""
    folder = Path(tempfile.mkdtemp())
    shutil.copy(Path(pyfibers.__file__).parent / "MOD" / "AXNODE_myel.mod", folder)
    nrnivmodl = Path(sysconfig.get_path("scripts")) / "nrnivmodl"
    subprocess.run([str(nrnivmodl)], cwd=folder, check=True, capture_output=True)
    h.nrn_load_dll(str(next(folder.glob("*/libnrnmech.*"))))


class AtRest(pyfibers.ScaledStim):
    """The package's stimulation, from the resting potential on.

    Its own begins with steps of 10 ms before t = 0, and gradients are those of one time step.
    """

    @staticmethod
    def _steady_state(fiber: Any) -> None:
        h.t = 0.0


@dataclass
class Parameter:
    """What gradmod is asked for, and what changes it in NEURON."""

    direction: Any
    shift: Callable[[float], None]
    size: float


class Fibre:
    """The fibre, a point source 1 mm beside its middle, and a rectangular pulse."""

    def __init__(self, nodes: int = 21) -> None:
        """Build it."""
        self.fiber = pyfibers.build_fiber(
            pyfibers.FiberModel.MRG_INTERPOLATION, diameter=10.0, n_nodes=nodes, temperature=37.0
        )
        middle = float(self.fiber.longitudinal_coordinates.mean())
        self.fiber.potentials = self.fiber.point_source_potentials(0.0, 1000.0, middle, 1.0, 0.3)
        begin, length = PULSE
        waveform = lambda t: float(begin <= t < begin + length)  # noqa: E731
        self.stimulation = AtRest(waveform=waveform, dt=STEP, tstop=DURATION)
        self.sections = list(self.fiber.sections)
        self.nodes = [sec for sec in self.sections if sec.has_membrane("axnode_myel")]
        # Nodes have none: there xg short-circuits the first layer, and has no derivative.
        self.myelin = [sec for sec in self.sections if sec(0.5).xg[0] < 1e6]
        self.look = self.nodes[-4](0.5)
        self.voltage = h.Vector().record(self.look._ref_v)
        self.amplitude = -1.0
        h.dt, h.celsius = STEP, 37.0

    def run(self) -> None:
        """The package's own run; end excitation and the like are not looked at."""
        self.stimulation.run_sim(self.amplitude, self.fiber, fail_on_end_excitation=None)

    def threshold(self, close: float = 1e-9) -> float:
        """The amplitude in mA from which on a spike comes to the place that is looked at, relatively so close."""
        low, high = 0.0, -0.02
        while not self._fires(high):
            low, high = high, 1.2 * high
        while low - high > close * abs(high):
            middle = (low + high) / 2
            low, high = (low, middle) if self._fires(middle) else (middle, high)
        return high

    def _fires(self, amplitude: float) -> bool:
        self.amplitude = amplitude
        self.run()
        return bool(self.voltage.max() > -20)

    def parameters(self, wanted: list[str]) -> dict[str, Parameter]:
        """All ranges and GLOBALs, each in all places where it is."""
        names = [("cm", self.sections), ("Ra", self.sections)]
        names += [(f"{name}[0]", self.myelin) for name in ("xc", "xg", "xraxial")]
        names += [(name, self.myelin) for name in ("g_pas", "e_pas")]
        names += [
            (f"{name}_axnode_myel", self.nodes) for name in ("gnabar", "gnapbar", "gkbar", "gl", "ena", "ek", "el")
        ]
        found = {name: self._range(name, where) for name, where in names}
        standard, text = h.MechanismStandard("axnode_myel", -1), h.ref("")
        for index in range(int(standard.count())):
            standard.name(text, index)
            name = str(text[0])
            value = float(getattr(h, name))
            if name.startswith("usetable") or value == 0.0:
                continue
            found[name] = Parameter(gradmod.Global(name), functools.partial(_shift_global, name, value), abs(value))
        return {name: one for name, one in found.items() if not wanted or name in wanted}

    def _range(self, name: str, where: list[Any]) -> Parameter:
        """A factor common to all places."""
        plain, _, element = name.partition("[")
        owners = where if plain == "Ra" else [seg for sec in where for seg in sec]
        values = [float(getattr(one, plain)[0] if element else getattr(one, plain)) for one in owners]

        def shift(by: float) -> None:
            for owner, value in zip(owners, values, strict=True):
                if element:
                    getattr(owner, plain)[0] = value * (1 + by)
                else:
                    setattr(owner, plain, value * (1 + by))

        return Parameter(gradmod.Range(name, where, weight="present"), shift, 1.0)


def _shift_global(name: str, value: float, by: float) -> None:
    setattr(h, name, value + by)


@contextmanager
def clock(what: str) -> Iterator[None]:
    """Say how long it took."""
    begin = time.perf_counter()
    yield
    print(f"{what}: {time.perf_counter() - begin:.2f} s", flush=True)


def gradients(fibre: Fibre, asked: dict[str, Any], at: int) -> tuple[dict[str, float], float]:
    """In reverse mode, of the voltage in sample ``at``; and that by the amplitude of the pulse."""
    count = round(DURATION / STEP)
    waveform = h.Vector([fibre.amplitude * fibre.stimulation.waveform[0](k * STEP) for k in range(count)])
    place = dict(zip(fibre.sections, np.atleast_2d(fibre.fiber.potentials)[0], strict=True))
    field = gradmod.FieldWaveform(waveform, fibre.sections, lambda seg: place[seg.sec], every=STEP)
    with gradmod.Reverse({**asked, "waveform": field}, quiet=True) as reverse:
        trace = reverse.record(fibre.look)
        reverse.run(DURATION, simulate=fibre.run)
        look = np.zeros(len(trace.values))
        look[at] = 1.0
        found = reverse.gradient({trace: look})
    by_amplitude = float(np.asarray(found["waveform"]) @ np.array(waveform)) / fibre.amplitude
    return {name: float(found[name]) for name in asked}, by_amplitude


def differences(run: Callable[[], dict[str, Any]], one: Parameter) -> finite.Difference:
    """A sweep of steps, and fits over wide ranges for what hardly matters."""
    found = finite.differentiate(run, one.shift, 0.0, scale=one.size, steps=(1e-3, 1e-4, 1e-5, 1e-6))
    if found.uncertainty("v") <= 1e-7:
        return found
    fits = (finite.fit(run, one.shift, 0.0, width=width * one.size, pairs=12) for width in (0.1, 0.03, 0.01))
    return finite.best(found, *fits)


def main() -> None:
    """Print the tables."""
    options = argparse.ArgumentParser(description=__doc__.split(":")[0])
    options.add_argument("names", nargs="*", help="the parameters, all by default")
    wanted = options.parse_args().names
    load()
    fibre = Fibre()
    threshold = fibre.threshold()
    print(f"threshold {threshold:.9f} mA")
    fibre.amplitude = 1.02 * threshold
    with clock("a plain run"):
        fibre.run()
    before = np.array(fibre.voltage)
    at = int(np.argmax(before > -20))
    parameters = fibre.parameters(wanted)
    asked = {name: one.direction for name, one in parameters.items()}
    with clock(f"reverse mode, {len(asked)} parameters and the waveform"):
        back, by_amplitude = gradients(fibre, asked, at)
    with clock("forward mode"):
        grad = gradmod.attach(asked, quiet=True)
        record = grad.record(fibre.look)
        fibre.run()
        assert np.array_equal(before, np.array(fibre.voltage))
        forward = {name: np.array(record[name]) for name in asked}
        grad.detach()
    fibre.run()
    assert np.array_equal(before, np.array(fibre.voltage))

    def run() -> dict[str, Any]:
        fibre.run()
        voltage = np.array(fibre.voltage)
        return {"trace": voltage, "v": float(voltage[at])}

    def amplitude(value: float) -> None:
        fibre.amplitude = value

    theirs = finite.differentiate(run, amplitude, fibre.amplitude)
    print(f"{'amplitude':24} {by_amplitude:16.9e} {float(theirs.value['v']):16.9e}")
    worst = 0.0
    for name, one in parameters.items():
        theirs = differences(run, one)
        other = float(theirs.value["v"])
        deviation = abs(back[name] - other) / abs(other)
        along = finite.compare({"trace": forward[name], "v": forward[name][at]}, theirs).deviation
        between = abs(forward[name][at] - back[name]) / abs(back[name])
        worst = max(worst, deviation, along)
        print(
            f"{name:24} {back[name]:16.9e} {other:16.9e} reverse {deviation:.0e}, forward along the run {along:.0e}, "
            f"between them {between:.0e} (differences good to {theirs.uncertainty('v'):.0e})",
            flush=True,
        )
    print(f"worst deviation {worst:.1e}")
    thresholds(
        fibre,
        threshold,
        {name: one for name, one in parameters.items() if name in ("cm", "Ra", "xraxial[0]", "gnabar_axnode_myel")},
    )


def thresholds(fibre: Fibre, threshold: float, parameters: dict[str, Parameter]) -> None:
    """That of the threshold: -(dv/dp)/(dv/damplitude) just above it, beside thresholds found again."""
    fibre.amplitude = (1 + 1e-6) * threshold
    fibre.run()
    at = int(np.argmax(np.array(fibre.voltage) > -20))
    back, by_amplitude = gradients(fibre, {name: one.direction for name, one in parameters.items()}, at)
    for name, one in parameters.items():
        found: list[float] = []
        for by in (1e-4 * one.size, -1e-4 * one.size):
            one.shift(by)
            found.append(fibre.threshold())
            one.shift(0.0)
        theirs = (found[0] - found[1]) / (2e-4 * one.size)
        print(f"threshold by {name:18} {-back[name] / by_amplitude:14.7e} mA, found again {theirs:14.7e}")


if __name__ == "__main__":
    main()
