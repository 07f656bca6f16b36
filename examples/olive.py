"""A cell of the inferior olive: soma, axon and 62 dendritic branches of a morphology of our own, or of an SWC file."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import compiled
import gradmod
import numpy as np
from neuron import h
from numpy.typing import NDArray

Floats = NDArray[np.float64]

MECHANISMS = Path(__file__).parent / "inferior_olive_mechanisms"
DT, DURATION, V_INIT = 0.025, 1000.0, -60.0  # ms, ms, mV
SAMPLED = 1.0  # ms

#: By the paper's names: the range variable, the region, and its values at the start and in the target, S/cm2.
PARAMETERS: dict[str, tuple[str, str, float, float]] = {
    "g_CaL": ("g_olcal", "soma", 0.0015, 0.0003),
    "g_h": ("g_olh", "dendrites", 0.0025, 0.0025),
    "g_K_Ca": ("gk_olcah", "dendrites", 0.030, 0.025),
    "g_ld": ("g_pas", "dendrites", 1.3e-6, 1.3e-6),
    "g_la": ("g_pas", "axon", 1.3e-6, 1.3e-6),
    "g_ls": ("g_pas", "soma", 1.3e-6, 1.3e-6),
    "g_Na_s": ("g_olna", "soma", 0.003, 0.003),
    "g_Kdr_s": ("g_olkdr", "soma", 0.003, 0.004),
    "g_K_s": ("g_olk", "soma", 0.0015, 0.002),
    "g_CaH": ("g_olcah", "dendrites", 0.009, 0.016),
    "g_Na_a": ("g_olna", "axon", 0.020, 0.025),
    "g_K_a": ("g_olk", "axon", 0.020, 0.025),
}
#: The target in units of the start.
TARGET = np.array([target / start for _, _, start, target in PARAMETERS.values()])

_CHANNELS = {
    "soma": ("olcal", "olna", "olkdr", "olk", "pas"),
    "dendrites": ("olcah", "olh", "pas"),
    "axon": ("olna", "olk", "pas"),
}

# Two trees of 31 branches, forked five times: 1,318 um and 3,496 um2 in all.
_ORDERS, _LENGTH, _AREA = 5, 1318.0, 3496.0


@dataclass
class Cell:
    """The sections of each region; one segment each."""

    soma: list[Any]
    dendrites: list[Any]
    axon: list[Any]
    keep: Any = None

    @property
    def all(self) -> list[Any]:
        return [*self.soma, *self.dendrites, *self.axon]

    @property
    def place(self) -> Any:
        """Where the voltage is compared."""
        return self.soma[0](0.5)

    def directions(self) -> dict[str, gradmod.Range]:
        """The parameters in units of the start: each a factor on its whole region."""
        return {
            name: gradmod.Range(variable, getattr(self, region), weight=start)
            for name, (variable, region, start, _) in PARAMETERS.items()
        }

    def set(self, x: Floats) -> None:
        """Set the parameters, in units of the start."""
        for factor, (variable, region, start, _) in zip(x, PARAMETERS.values(), strict=True):
            for section in getattr(self, region):
                setattr(section, variable, start * factor)


def load(out: Path) -> None:
    """Compile the mechanisms once, and make them known to NEURON."""
    compiled.load(MECHANISMS, out / "inferior_olive_mechanisms")


def build(swc: Path | None = None) -> Cell:
    """The cell with its channels, parameters as at the start."""
    cell = _own() if swc is None else _read(swc)
    for region, channels in _CHANNELS.items():
        for section in getattr(cell, region):
            section.Ra, section.cm, section.nseg = 100, 1, 1
            for channel in channels:
                section.insert(channel)
            section.e_pas = 10
    for section in cell.axon:
        section.half_olna, section.slowness_olna = -60, 1.5
    cell.set(np.ones(len(PARAMETERS)))
    return cell


def _own() -> Cell:
    soma = h.Section(name="soma")
    soma.L = soma.diam = math.sqrt(1472 / math.pi)
    dendrites: list[Any] = []
    orders: list[int] = []
    for side in (0, 1):
        generation = [soma]
        for order in range(_ORDERS):
            children = [h.Section(name=f"dend{len(dendrites) + i}") for i in range(2**order)]
            for i, child in enumerate(children):
                parent = generation[i // 2]
                child.connect(parent(1) if order else soma(side), 0)
            dendrites += children
            orders += [order] * len(children)
            generation = children
    # Branches of unequal length; a child is thinner than its parent.
    lengths = np.array([1 + 0.6 * math.sin(2.4 * i) for i in range(len(dendrites))])
    lengths *= _LENGTH / lengths.sum()
    diameters = 0.75 ** np.array(orders, dtype=float)
    diameters *= _AREA / (math.pi * lengths @ diameters)
    for section, length, diameter in zip(dendrites, lengths, diameters, strict=True):
        section.L, section.diam = length, diameter
    return Cell([soma], dendrites, [_axon(soma)])


def _axon(soma: Any) -> Any:
    """78 um2."""
    axon = h.Section(name="axon")
    axon.L, axon.diam = 20, 78 / (20 * math.pi)
    axon.connect(soma(0), 0)
    return axon


class _Owner:
    """Import3d makes sections of a Python object."""


def _read(swc: Path) -> Cell:
    h.load_file("import3d.hoc")
    reader = h.Import3d_SWC_read()
    reader.quiet = 1
    reader.input(str(swc))
    owner = _Owner()
    h.Import3d_GUI(reader, 0).instantiate(owner)
    regions = {name: list(getattr(owner, name, [])) for name in ("soma", "dend", "apic", "axon")}
    missing = [name for name in ("soma", "dend") if not regions[name]]
    if missing:
        raise SystemExit(f"{swc}: no {' and no '.join(missing)}")
    if not regions["axon"]:  # or one of a single point, which Import3d leaves out
        regions["axon"] = [_axon(regions["soma"][0])]
    return Cell(regions["soma"], regions["dend"] + regions["apic"], regions["axon"], owner)


def solve(duration: float = DURATION) -> None:
    h.dt = DT
    context = h.ParallelContext()
    context.set_maxstep(10)
    h.finitialize(V_INIT)
    context.psolve(round(duration / DT) * DT)


class HalfSquaredError:
    """Half the mean of (V - target)^2 at every ms: a loss as ``gradmod.value_and_grad`` takes it."""

    def __init__(self, target: Floats) -> None:
        """Of the trace to be reached, [sample], at every time step."""
        self._every = round(SAMPLED / DT)
        times = np.arange(0, len(target), self._every) * DT
        self._mean = gradmod.SquaredError(target[:: self._every], times, DT)

    def __call__(self, traces: Floats) -> tuple[float, Floats]:
        """The loss of [place, sample], mV2, and its derivative."""
        value, derivative = self._mean(traces)
        return value / 2, derivative / 2

    def value(self, trace: Floats) -> float:
        """The loss of [sample] alone."""
        return float(np.mean((trace[:: self._every] - self._mean.target[0]) ** 2)) / 2
