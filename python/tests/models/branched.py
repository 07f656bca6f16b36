"""A branched cell with 3-D points, and sets of channels to put on it.

Everything that can go wrong with axial coupling is there: tapers, sections of different `nseg` (odd and
even), several children on one end, a child in the middle of its parent, and children at the 0 end of the soma.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from neuron import h

from .library import load_fixtures

# name: (parent, where on the parent, nseg, points (x, y, z, diam) in um). The first point of a child is its own.
_SHAPE: dict[str, tuple[str | None, float, int, list[tuple[float, float, float, float]]]] = {
    "soma": (None, 0, 1, [(0, -10, 0, 12), (0, -4, 0, 19), (0, 4, 0, 20), (0, 10, 0, 9)]),
    "trunk": ("soma", 1, 7, [(0, 10, 0, 4.2), (2, 60, 1, 3.6), (-3, 130, 4, 3.0), (1, 220, 2, 2.4)]),
    "tuft_left": ("trunk", 1, 5, [(1, 220, 2, 1.8), (-40, 270, 10, 1.2), (-60, 340, 12, 0.7)]),
    "tuft_right": ("trunk", 1, 4, [(1, 220, 2, 1.5), (35, 265, -8, 1.1), (70, 330, -20, 0.9)]),
    "oblique": ("trunk", 0.5, 3, [(0, 115, 3, 1.4), (45, 135, 6, 1.1), (95, 140, 20, 0.6)]),
    "basal_left": ("soma", 0, 5, [(0, -10, 0, 2.6), (-30, -40, 5, 1.9), (-80, -75, 9, 1.1)]),
    "basal_right": ("soma", 0, 4, [(0, -10, 0, 2.2), (40, -35, -6, 1.6), (90, -60, -15, 1.0)]),
    "basal_twig": ("basal_left", 1, 3, [(-80, -75, 9, 1.0), (-120, -80, 14, 0.8), (-150, -110, 12, 0.5)]),
}


@dataclass
class Cell:
    """A built cell. `sections` keeps NEURON's sections alive, in the order in which they were made."""

    sections: dict[str, Any]
    stimuli: list[Any] = field(default_factory=list)

    @property
    def soma(self) -> Any:
        return self.sections["soma"]

    @property
    def all(self) -> list[Any]:
        return list(self.sections.values())

    @property
    def dendrites(self) -> list[Any]:
        return self.all[1:]

    def segments(self) -> list[Any]:
        return [segment for section in self.all for segment in section]

    def clamp(self, amp: float = 0.8, delay: float = 2.0, dur: float = 26.0, where: Any = None) -> Any:
        """A current clamp; `amp` in nA, times in ms; at the middle of the soma unless told."""
        stimulus = h.IClamp(self.soma(0.5) if where is None else where)
        stimulus.amp, stimulus.delay, stimulus.dur = amp, delay, dur
        self.stimuli.append(stimulus)
        return stimulus


def build() -> Cell:
    """The bare cell: 8 sections, 32 segments, no mechanisms."""
    sections: dict[str, Any] = {}
    for name, (parent, where, nseg, points) in _SHAPE.items():
        section = h.Section(name=name)
        sections[name] = section
        for point in points:
            h.pt3dadd(*point, sec=section)
        if parent is not None:
            section.connect(sections[parent](where), 0)
        section.nseg = nseg
        section.Ra = 110
        section.cm = 1.0 if name == "soma" else 1.4
    return Cell(sections)


def distribute(cell: Cell, extra: Sequence[str] = ()) -> None:
    """Put on Na, K, Ih, high-threshold Ca with Nernst, a Ca pool, SK and pas, as profiles along the dendrites.

    Args:
        extra: further channels of `fixtures/channels`, inserted everywhere with their default parameters.
    """
    load_fixtures()
    h.distance(0, cell.soma(0.5))
    for section in cell.all:
        for mechanism in ("pas", "naf", "kdr", "ih"):
            section.insert(mechanism)
        section.e_pas = -70
        section.ena, section.ek = 55, -88
    for name in ("soma", "trunk", "oblique", "basal_left"):
        for mechanism in ("cah", "capool", "sk"):
            cell.sections[name].insert(mechanism)
    for section in cell.all:
        for mechanism in extra:
            section.insert(mechanism)
    for segment in cell.segments():
        away = h.distance(segment)
        somatic = segment.sec is cell.soma or segment.sec == cell.soma
        segment.pas.g = 4e-5 if somatic else 6e-5
        segment.naf.gbar = 0.12 if somatic else 0.012 + 0.02 * math.exp(-away / 60)
        segment.kdr.gbar = 0.035 if somatic else 0.006 + 0.008 * math.exp(-away / 80)
        segment.ih.gbar = 4e-5 * (1 + away / 120)
        if hasattr(segment, "capool"):
            segment.cah.gbar = 6e-4 if somatic else 2.5e-4
            segment.sk.gbar = 8e-4 if somatic else 3e-4
            segment.capool.depth = 0.25 if somatic else 0.15


def reference(extra: Sequence[str] = ()) -> Cell:
    """The cell that most tests use: built, with channels, and a current that makes it fire within 30 ms."""
    cell = build()
    distribute(cell, extra)
    cell.clamp()
    return cell


# The run that goes with `reference`.
DT = 0.025
T_STOP = 30.0
#: With tables on, differences over all of T_STOP (6 spikes) are only good to 1e-5 .. 1e-4: v crosses grid points of the
#: table within any step. Over this time (2 spikes, Ca and SK at work) they are good to a few 1e-7.
T_STOP_TABLES = 9.0
V_INIT = -70.0
CELSIUS = 31.0


def run(dt: float = DT, tstop: float = T_STOP, v_init: float | None = None) -> None:
    """Initialise and run to `tstop` ms with a fixed step of `dt` ms, from `v_init` (V_INIT) mV."""
    h.celsius = CELSIUS
    h.dt = dt
    h.secondorder = 0
    h.finitialize(V_INIT if v_init is None else v_init)
    steps = round(tstop / dt)
    context = h.ParallelContext()
    context.set_maxstep(10)
    context.psolve(steps * dt)


def use_tables(on: bool) -> None:
    """Switch the tables of every mechanism of the test models on or off."""
    for mechanism in ("hh", "naf", "ktab"):
        if hasattr(h, f"usetable_{mechanism}"):
            setattr(h, f"usetable_{mechanism}", int(on))
