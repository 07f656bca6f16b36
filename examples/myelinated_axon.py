"""A myelinated axon of two cables, and the point electrode beside it that stimulates it.

Between nodes of Ranvier there is a membrane below the myelin too: ``extracellular`` is the thin space between the two
and the myelin itself. Sizes are about those of a fibre of 10 um.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import compiled
import numpy as np
from neuron import h

MECHANISMS = Path(__file__).parent / "axon_mechanisms"
V_INIT = -80.0
#: Ohm cm: of axoplasm and the space below the myelin.
AXOPLASM = 70.0
#: Of a node and of what lies between two: length, diameter, width of the space around it, all in um; segments.
NODE, INTERNODE = (1.0, 3.3, 0.002, 1), (1149.0, 6.9, 0.004, 12)
#: Of a myelin of 120 lamellae, two membranes each: S/cm2, uF/cm2, per membrane.
LAMELLAE, MYELIN_G, MYELIN_C = 120, 1e-3, 0.1


class Axon:
    """Nodes and internodes along a line, the first node in the middle of it, an electrode ``beside`` it.

    Attributes:
        nodes: Of Ranvier.
        sections: All.
        middle, last: The node at the electrode, and one near the end.
    """

    def __init__(self, count: int = 21, beside: float = 1000.0, resistivity: float = 300.0) -> None:
        """Build it.

        Args:
            count: Of nodes, an odd number.
            beside: How far off the electrode is, in um.
            resistivity: Around it, in Ohm cm.
        """
        compiled.load(MECHANISMS, Path(__file__).parent / "out" / "axon")
        self.nodes = [_section(f"node{i}", NODE) for i in range(count)]
        self.sections = [self.nodes[0]]
        for number, node in enumerate(self.nodes[1:]):
            between = _section(f"internode{number}", INTERNODE)
            between.connect(self.sections[-1](1))
            node.connect(between(1))
            self.sections += [between, node]
        self.middle, self.last = self.nodes[count // 2], self.nodes[-3]
        self.beside, self.resistivity = beside, resistivity
        self._at = {sec: at for sec, at in zip(self.sections, self._begins(), strict=True)}

    def _begins(self) -> list[float]:
        lengths = np.array([sec.L for sec in self.sections])
        begins = np.cumsum(lengths) - lengths
        return list(begins - lengths.sum() / 2)

    def place(self, seg: Any) -> float:
        """Where a segment is along the axon, in um from the electrode."""
        return float(self._at[seg.sec] + seg.x * seg.sec.L)

    def potential(self, seg: Any) -> float:
        """In mV for each mA of the electrode, in a medium without end."""
        distance = math.hypot(self.beside, self.place(seg))
        # Ohm cm / um = 1e4 Ohm, and mA times Ohm is mV.
        return 1e4 * self.resistivity / (4 * math.pi * distance)


def _section(name: str, form: tuple[float, float, float, int]) -> Any:
    length, diameter, space, count = form
    sec = h.Section(name=name)
    sec.L, sec.diam, sec.nseg, sec.Ra = length, diameter, count, AXOPLASM
    sec.insert("extracellular")
    around = math.pi * ((diameter / 2 + space) ** 2 - (diameter / 2) ** 2)
    is_node = form == NODE
    if is_node:
        sec.insert("ranvier")
        sec.cm = 2.5
    else:
        sec.insert("pas")
        sec.cm = 2.0
    for seg in sec:
        # Ohm cm over um2 is 1e8 Ohm/cm, so 100 MOhm/cm.
        seg.xraxial[0] = 100 * AXOPLASM / around
        # At a node there is no myelin, and outside of it the ground.
        seg.xg[0], seg.xc[0] = (1e10, 0.0) if is_node else (MYELIN_G / (2 * LAMELLAE), MYELIN_C / (2 * LAMELLAE))
        seg.xg[1], seg.xc[1] = 1e10, 0.0
        if not is_node:
            seg.pas.g, seg.pas.e = 1e-4, V_INIT
    return sec
