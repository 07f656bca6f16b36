"""A layer 5 pyramidal cell with the channels of Hay et al. (2011), twenty numbers of which are to be found.

Parameters, bounds, the values to be found, the step of current and the statistics are those of Jaxley's example
(docs/examples/00_l5pc_gradient_descent.ipynb of github.com/jaxleyverse/jaxley). The channels are downloaded when this
runs, from a package that ships the same .mod files that Jaxley's channels were rewritten from. The morphology is that
of benches/l5pc.py, or of an SWC file: Jaxley's is tests/swc_files/morph_l5pc_with_axon.swc of its repository.
"""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "benches"))

import gradmod
import numpy as np
from coverage import ROOT, unpacked
from gradmod import fit
from gradmod._build.library import library
from gradmod.features import Features, mean, standard_deviation
from l5pc import morphology
from neuron import h
from numpy.typing import NDArray

Floats = NDArray[np.float64]

DT, DURATION, CELSIUS, V_INIT = 0.025, 100.0, 34.0, -72.0  # ms, ms, degrees, mV
DELAY, STEP = 5.0, 90.0  # ms
#: Of the current: what makes the cell of benches/l5pc.py fire as Jaxley's does, and Jaxley's; nA.
AMPLITUDE_OWN, AMPLITUDE_SWC = 1.1, 1.8
PACKAGE, FOLDER = "MEArec", "L5_TTPC1_cADpyr232_1/mechanisms"
CHANNELS = {
    "apical": ("NaTs2_t", "SKv3_1", "Im", "Ih"),
    "soma": ("NaTs2_t", "SKv3_1", "SK_E2", "CaDynamics_E2", "Ca_HVA", "Ca_LVAst"),
    "basal": ("Ih",),
    "axon": ("NaTa_t", "Nap_Et2", "K_Tst", "CaDynamics_E2", "SK_E2", "Ca_HVA", "K_Pst", "SKv3_1", "Ca_LVAst"),
}

#: By region: (range variable, lowest, highest, what is to be found); S/cm2, and ms for the decay of calcium.
PARAMETERS: dict[str, list[tuple[str, float, float, float]]] = {
    "apical": [
        ("gNaTs2_tbar_NaTs2_t", 0.0, 0.04, 0.026145),
        ("gSKv3_1bar_SKv3_1", 0.0, 0.04, 0.004226),
        ("gImbar_Im", 0.0, 0.001, 0.000143),
    ],
    "soma": [
        ("gNaTs2_tbar_NaTs2_t", 0.0, 1.0, 0.983955),
        ("gSKv3_1bar_SKv3_1", 0.25, 1.0, 0.303472),
        ("gSK_E2bar_SK_E2", 0.0, 0.1, 0.008407),
        ("gamma_CaDynamics_E2", 0.0005, 0.01, 0.000609),
        ("decay_CaDynamics_E2", 20.0, 1000.0, 210.485291),
        ("gCa_HVAbar_Ca_HVA", 0.0, 0.001, 0.000994),
        ("gCa_LVAstbar_Ca_LVAst", 0.0, 0.01, 0.000333),
    ],
    "axon": [
        ("gNaTa_tbar_NaTa_t", 0.0, 4.0, 3.137968),
        ("gNap_Et2bar_Nap_Et2", 0.0, 0.01, 0.006827),
        ("gK_Pstbar_K_Pst", 0.0, 1.0, 0.973538),
        ("gK_Tstbar_K_Tst", 0.0, 0.1, 0.089259),
        ("gSK_E2bar_SK_E2", 0.0, 0.1, 0.007104),
        ("gSKv3_1bar_SKv3_1", 0.0, 2.0, 1.021945),
        ("gCa_HVAbar_Ca_HVA", 0.0, 0.001, 0.00099),
        ("gCa_LVAstbar_Ca_LVAst", 0.0, 0.01, 0.008752),
        ("gamma_CaDynamics_E2", 0.0005, 0.05, 0.00291),
        ("decay_CaDynamics_E2", 20.0, 1000.0, 287.19873),
    ],
}

# Samples 200 to 1999 and 2000 to 3799.
_WINDOWS = ((DELAY, 50.0 - DT), (50.0, DELAY + STEP - DT))
#: By what their differences are divided, in mV.
STATISTICS = {
    asked: size for window in _WINDOWS for asked, size in ((mean(*window), 2.0), (standard_deviation(*window), 1.0))
}


@dataclass
class Cell:
    """Sections by region, and the clamp."""

    regions: dict[str, list[Any]]
    keep: list[Any] = field(default_factory=list[Any])

    @property
    def all(self) -> list[Any]:
        return [section for sections in self.regions.values() for section in sections]

    @property
    def segments(self) -> int:
        return sum(section.nseg for section in self.all)

    @property
    def place(self) -> Any:
        """Where the voltage is looked at."""
        return self.regions["soma"][0](0.5)

    def free(self) -> dict[str, fit.Free]:
        """What is to be found, each by the logit of where it is between its bounds."""
        return {
            f"{name}, {region}": fit.Free(gradmod.Range(name, self.regions[region]), low, high, fit.Scale.LOGIT)
            for region, rows in PARAMETERS.items()
            for name, low, high, _ in rows
        }


def bounds() -> tuple[Floats, Floats]:
    """[parameter] the lowest and the highest values."""
    rows = [row for rows in PARAMETERS.values() for row in rows]
    return np.array([row[1] for row in rows]), np.array([row[2] for row in rows])


def truth() -> Floats:
    """[parameter] what is to be found."""
    return np.array([row[3] for rows in PARAMETERS.values() for row in rows])


def start(seed: int) -> Floats:
    """[parameter] evenly at random between the bounds; seed 0 gives the numbers of Jaxley's example."""
    low, high = bounds()
    return np.random.RandomState(seed).rand(len(low)) * (high - low) + low


def build(swc: Path | None = None) -> Cell:
    """The cell with the values that are to be found."""
    sources = unpacked(PACKAGE, ROOT / ".coverage")
    wanted = {channel for channels in CHANNELS.values() for channel in channels}
    h.nrn_load_dll(str(library([path for name, path in sources if FOLDER in name and path.stem in wanted])))
    h.dt, h.celsius = DT, CELSIUS
    cell = Cell(morphology().regions) if swc is None else _read(swc)
    for region, sections in cell.regions.items():
        for section in sections:
            section.Ra, section.cm = 100.0, 2.0 if region == "apical" else 1.0
        if swc is not None:
            _divide(sections)
        for section in sections:
            _insert(section, region)
    soma = cell.place.sec
    h.distance(0, soma(0.5))
    for section in cell.regions["basal"]:
        for seg in section:
            seg.gIhbar_Ih = (-0.8696 + 2.087 * math.exp(0.0031 * h.distance(seg))) * 8e-5
    clamp = h.IClamp(cell.place)
    clamp.delay, clamp.dur, clamp.amp = DELAY, STEP, AMPLITUDE_OWN if swc is None else AMPLITUDE_SWC
    cell.keep.append(clamp)
    return cell


def _insert(section: Any, region: str) -> None:
    section.insert("pas")
    section.g_pas, section.e_pas = 3e-5, -75.0
    for channel in CHANNELS[region]:
        section.insert(channel)
    for name, _, _, value in PARAMETERS.get(region, []):
        setattr(section, name, value)
    if region != "basal":
        section.ena, section.ek = 50.0, -85.0


def _divide(sections: list[Any]) -> None:
    """Segments of at most a tenth of the length constant at 100 Hz, as Jaxley's example has it."""
    for section in sections:
        constant = 1e5 * math.sqrt(section.diam / (4 * math.pi * 100.0 * section.cm * section.Ra))
        section.nseg = int((section.L / (0.1 * constant) + 0.9) / 2) * 2 + 1


def _read(swc: Path) -> Cell:
    h.load_file("import3d.hoc")
    reader = h.Import3d_SWC_read()
    reader.quiet = 1
    reader.input(str(swc))
    owner = _Owner()
    h.Import3d_GUI(reader, 0).instantiate(owner)
    names = {"apical": "apic", "soma": "soma", "basal": "dend", "axon": "axon"}
    return Cell({region: list(getattr(owner, name, [])) for region, name in names.items()}, [owner])


class _Owner:
    """Import3d makes sections of a Python object."""


def asked() -> Features:
    """The four statistics."""
    return Features(STATISTICS, stim_start=DELAY, stim_end=DELAY + STEP, interp_step=DT)


def simulate() -> None:
    """One run."""
    h.dt, h.celsius = DT, CELSIUS
    context = h.ParallelContext()
    context.set_maxstep(10)
    h.finitialize(V_INIT)
    context.psolve(DURATION)
