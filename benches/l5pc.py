"""A layer 5 pyramidal cell: its maximal conductances by region, exact and at what cost.

    .venv/bin/python benches/l5pc.py            200 ms of spikes and synaptic input; some minutes
    .venv/bin/python benches/l5pc.py --quick    40 ms
    .venv/bin/python benches/l5pc.py --costs    no differences; --json: one line for each mode

The channels are those of the L5PC example of bluepyemodel, downloaded when this runs (see coverage.py); the morphology
and the values are this file's own. All gradients of voltages and of the calcium are compared with finite differences,
and reverse mode's of one loss with forward mode's.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import gradmod
import numpy as np
from coverage import ROOT, unpacked
from gradmod import finite
from gradmod._build.library import library
from gradmod.check.judge import MARGIN
from neuron import h

DT, CELSIUS, V_INIT = 0.025, 34.0, -78.0
#: What the modes may cost, in plain runs.
AIM = {"forward": 3.5, "reverse": 2.0}
#: Density of each channel by region, S/cm2.
CONDUCTANCES = {
    "axon": {
        "gNaTgbar_NaTg": 3.0, "gNap_Et2bar_Nap_Et2": 0.001, "gK_Pstbar_K_Pst": 0.1, "gK_Tstbar_K_Tst": 0.05,
        "gSKv3_1bar_SKv3_1": 0.6, "gCa_HVAbar_Ca_HVA2": 0.0003, "gCa_LVAstbar_Ca_LVAst": 0.003,
        "gSK_E2bar_SK_E2": 0.008,
    },
    "soma": {
        "gNaTgbar_NaTg": 0.8, "gK_Pstbar_K_Pst": 0.005, "gK_Tstbar_K_Tst": 0.02, "gSKv3_1bar_SKv3_1": 0.25,
        "gCa_HVAbar_Ca_HVA2": 0.0004, "gCa_LVAstbar_Ca_LVAst": 0.002, "gSK_E2bar_SK_E2": 0.02, "gIhbar_Ih": 8e-5,
    },
    "apical": {
        "gNaTgbar_NaTg": 0.02, "gSKv3_1bar_SKv3_1": 0.004, "gCa_HVAbar_Ca_HVA2": 1e-5, "gCa_LVAstbar_Ca_LVAst": 1e-4,
        "gSK_E2bar_SK_E2": 0.0005, "gIhbar_Ih": 8e-5,
    },
    "basal": {"gIhbar_Ih": 8e-5},
}  # fmt: skip


#: How many times as many segments the sections have as their lengths ask for.
FINER = 2


@dataclass
class Cell:
    """Sections by region, and all that acts on them."""

    regions: dict[str, list[Any]]
    keep: list[Any] = field(default_factory=list[Any])

    @property
    def all(self) -> list[Any]:
        return [section for sections in self.regions.values() for section in sections]

    @property
    def segments(self) -> int:
        return sum(section.nseg for section in self.all)


def section(name: str, parent: Any, length: float, diameters: tuple[float, float], nseg: int) -> Any:
    made = h.Section(name=name)
    made.nseg = FINER * nseg
    made.L = length
    for seg in made:
        seg.diam = diameters[0] + (diameters[1] - diameters[0]) * seg.x
    if parent is not None:
        made.connect(parent)
    return made


def morphology() -> Cell:
    """A soma, a thick apical trunk with obliques and a tuft, basal dendrites, a short axon."""
    soma = section("soma", None, 24.0, (19.0, 19.0), 1)
    axon = [section("axon_0", soma(0.5), 30.0, (2.0, 1.5), 5)]
    axon.append(section("axon_1", axon[0](1), 30.0, (1.5, 1.0), 5))
    trunk = [section("trunk_0", soma(1), 260.0, (4.0, 3.2), 27)]
    trunk.append(section("trunk_1", trunk[0](1), 280.0, (3.2, 2.2), 27))
    apical = list(trunk)
    for i in range(8):
        apical.append(section(f"oblique_{i}", trunk[i % 2](0.3 + 0.1 * (i // 2)), 110.0 + 7 * i, (1.1, 0.7), 9))
    for i in range(2):
        stem = section(f"tuft_{i}", trunk[1](1), 120.0 + 20 * i, (1.6, 1.1), 11)
        apical.append(stem)
        apical += [section(f"tuft_{i}_{j}", stem(1), 150.0 + 15 * j, (1.0, 0.6), 11) for j in range(3)]
    basal = []
    for i in range(5):
        stem = section(f"basal_{i}", soma(0), 40.0, (1.6, 1.3), 3)
        basal.append(stem)
        basal += [section(f"basal_{i}_{j}", stem(1), 130.0 + 11 * i, (1.1, 0.7), 9) for j in range(2)]
    return Cell({"axon": axon, "soma": [soma], "apical": apical, "basal": basal})


def build() -> Cell:
    cell = morphology()
    for name, sections in cell.regions.items():
        for one in sections:
            one.Ra, one.cm = 100.0, 1.0 if name in ("soma", "axon") else 2.0
            one.insert("pas")
            for seg in one:
                seg.pas.g, seg.pas.e = 4e-5, -80.0
            for conductance, value in CONDUCTANCES[name].items():
                mechanism = conductance.split("bar_")[1]
                one.insert(mechanism)
                for seg in one:
                    setattr(seg, conductance, value)
            if name != "basal":
                one.insert("CaDynamics_DC0")
                one.ena, one.ek = 50.0, -90.0
                for seg in one:
                    seg.CaDynamics_DC0.gamma, seg.CaDynamics_DC0.decay = 0.01, 200.0
    _drive(cell)
    return cell


def _drive(cell: Cell) -> None:
    """A step of current and synapses all over the dendrites, at times of their own."""
    clamp = h.IClamp(cell.regions["soma"][0](0.5))
    clamp.delay, clamp.dur, clamp.amp = 20.0, 1e9, 0.3
    cell.keep.append(clamp)
    dendrites = cell.regions["apical"] + cell.regions["basal"]
    random = np.random.default_rng(5)
    for i in range(40):
        synapse = h.Exp2Syn(dendrites[i % len(dendrites)](random.uniform(0.1, 0.9)))
        synapse.tau1, synapse.tau2, synapse.e = 0.4, 4.0, 0.0
        source = h.NetStim()
        source.start, source.interval, source.number, source.noise = random.uniform(5, 60), 37.0 + i % 7, 1e9, 0
        connection = h.NetCon(source, synapse, 0, 1.0, 6e-4)
        cell.keep += [synapse, source, connection]


def parameters(cell: Cell) -> dict[str, gradmod.Parameter]:
    """Every maximal conductance of every region."""
    return {
        f"{conductance.split('bar_')[1]}_{region}": gradmod.Range(conductance, cell.regions[region])
        for region, values in CONDUCTANCES.items()
        for conductance in values
    }


def shift(cell: Cell, region: str, conductance: str) -> Callable[[float], None]:
    """Sets the difference of a conductance from its value."""
    value = CONDUCTANCES[region][conductance]

    def by(amount: float) -> None:
        for one in cell.regions[region]:
            for seg in one:
                setattr(seg, conductance, value + amount)

    return by


def main() -> int:
    """Measure and print; 1 if a gradient is off by more than 1e-6 and than its differences may be."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--quick", action="store_true")
    arguments.add_argument("--costs", action="store_true")
    arguments.add_argument("--json", action="store_true")
    given = arguments.parse_args()
    say = (lambda _: None) if given.json else (lambda text: print(text, flush=True))
    duration = 40.0 if given.quick else 200.0
    found = unpacked("bluepyemodel", ROOT / ".coverage")
    h.nrn_load_dll(str(library([path for name, path in found if "L5PC" in name and "StochKv3" not in name])))
    cell = build()
    soma, tuft = cell.regions["soma"][0](0.5), next(s for s in cell.all if "tuft_0" in s.name())(0.5)
    traces = {
        "soma": h.Vector().record(soma._ref_v),
        "tuft": h.Vector().record(tuft._ref_v),
        "calcium": h.Vector().record(soma._ref_cai),
    }
    seconds: list[float] = []

    def run() -> dict[str, np.ndarray]:
        h.dt, h.celsius = DT, CELSIUS
        context = h.ParallelContext()
        context.set_maxstep(10)
        h.finitialize(V_INIT)
        begin = time.perf_counter()
        context.psolve(duration)
        seconds.append(time.perf_counter() - begin)
        return {name: vector.as_numpy().copy() for name, vector in traces.items()}

    def median_of_three() -> float:
        seconds.clear()
        for _ in range(3):
            run()
        return statistics.median(seconds)

    voltage = run()["soma"]
    spikes = int(np.sum((voltage[1:] > 0) & (voltage[:-1] <= 0)))
    plain = median_of_three()
    wanted = parameters(cell)
    say(
        f"{cell.segments} segments, {len(wanted)} conductances, {duration:g} ms, {spikes} spikes; one run {plain:.2f} s"
    )
    gradients = gradmod.attach(**wanted)
    records = {"soma": gradients.record(soma), "tuft": gradients.record(tuft), "calcium": gradients.record(soma, "cai")}
    attached = run()
    assert np.array_equal(attached["soma"], voltage), "the voltage is not what it was"
    mine = {d: {name: np.array(record[d]) for name, record in records.items()} for d in wanted}
    forward = median_of_three() / plain
    say(f"forward mode: {forward:.2f} plain runs")
    gradients.detach()
    with gradmod.Reverse(quiet=True, **wanted) as reverse:
        trace = reverse.record(soma)
        spent: list[tuple[float, float]] = []
        for _ in range(3):
            begin = time.perf_counter()
            reverse.run(duration, simulate=lambda: (run(), None)[1])
            middle = time.perf_counter()
            weights = np.cos(np.arange(len(trace.values)) * 0.01)
            back = reverse.gradient({trace: weights})
            spent.append((middle - begin, time.perf_counter() - middle))
        there, and_back = (statistics.median(part) / plain for part in zip(*spent, strict=True))
    agree = max(
        abs(float(back[d]) - float(weights @ mine[d]["soma"])) / float(np.abs(weights) @ np.abs(mine[d]["soma"]))
        for d in wanted
    )
    say(
        f"reverse mode: {there + and_back:.2f} plain runs (run {there:.2f}, back {and_back:.2f}), with finitialize; "
        f"off forward mode by {agree:.0e}"
    )
    if given.json:
        for mode, ratio in (("forward", forward), ("reverse", there + and_back)):
            row = {
                "segments": cell.segments,
                "mode": mode,
                "K": len(wanted),
                "ratio": round(ratio, 2),
                "aim": AIM[mode],
            }
            print(json.dumps(row), flush=True)
    if given.costs:
        return 0
    worst, is_off = 0.0, False
    for region, values in CONDUCTANCES.items():
        for conductance, value in values.items():
            name = f"{conductance.split('bar_')[1]}_{region}"
            by = shift(cell, region, conductance)
            difference = finite.differentiate(run, by, 0.0, scale=value, steps=(1e-3, 1e-4, 1e-5, 1e-6))
            by(0.0)
            comparison = finite.compare(mine[name], difference)
            good_to = max(map(difference.uncertainty, difference.value))
            worst = max(worst, comparison.deviation)
            is_off |= not comparison.deviation <= max(1e-6, MARGIN * good_to)
            print(f"  {name:24} {comparison.deviation:.1e} (differences good to {good_to:.0e})", flush=True)
    print(f"worst deviation {worst:.1e}")
    return int(is_off)


if __name__ == "__main__":
    sys.exit(main())
