"""Cells of squid axon driven by noise: a compartment each, and what is measured and changed in them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import compiled
import gradmod
from neuron import h

MECHANISMS = Path(__file__).parent / "homeostasis_mechanisms"
#: What regulates itself, by its name in NEURON: mS/cm2, mS/cm2, uA/cm2.
TUNED = {"gna": "gna_squid", "gk": "gk_squid", "gain": "gain_drive"}
#: Of the gain: without any a cell is silent, and has no gradient.
BOUNDS = {"gain": (0.03, 0.6)}


def load(out: Path) -> None:
    """Compile the mechanisms once, and make them known to NEURON."""
    compiled.load(MECHANISMS, out / "squid")


def cells(count: int, name: str) -> list[Any]:
    """Sections of radius 1 and length 10 um."""
    sections = []
    for number in range(count):
        section = h.Section(name=f"{name}{number}")
        section.L, section.diam, section.cm = 10, 2, 1
        section.insert("squid")
        section.insert("drive")
        sections.append(section)
    return sections


def freeze(sections: list[Any], seeds: list[int]) -> None:
    """Give each cell the noise of its seed, from the beginning."""
    for section, seed in zip(sections, seeds, strict=True):
        section(0.5).drive.xi.set_ids(seed, 7, 1).set_seq(0)


def directions(sections: list[Any]) -> dict[str, gradmod.Range]:
    """The parameters that are changed."""
    return {name: gradmod.Range(variable, sections) for name, variable in TUNED.items()}


class Counter:
    """Upward crossings of -10 mV."""

    def __init__(self, section: Any) -> None:
        self._count = h.APCount(section(0.5))
        self._count.thresh = -10
        self._before = 0

    def new(self) -> int:
        """How many there were since this was last asked."""
        before, self._before = self._before, int(self._count.n)
        return self._before - before
