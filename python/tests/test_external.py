"""EXTERNAL: what a mechanism reads of another is a parameter of both."""

from __future__ import annotations

from typing import Any

import gradmod
import numpy as np
import pytest
from models import comparing, everything, twig
from neuron import h
from test_reverse import compare

T_STOP = 8.0


class Screened:
    """One cell with the reader and both owners, one with the reader only."""

    def __init__(self) -> None:
        self.cells = [twig.Twig(("kscreen", "kdr")), twig.Twig(("kscreen",))]
        self.synapse = h.NmdaSyn(self.cells[0].long(0.75))
        self.source = h.NetStim()
        self.source.start, self.source.number, self.source.interval = 0.5, 3, 1.5
        self.netcon = h.NetCon(self.source, self.synapse, 0, 0.1, 2e-3)
        self.vectors = self.cells[0].vectors | self.cells[1].vectors
        self.looks = self.cells[0].watched + self.cells[1].watched
        names = ("mg_NmdaSyn", "vhalf_kdr", "shift_kscreen")
        self.directions: everything.Everything = {
            name: (gradmod.Global(name), everything.shift([h], name), abs(getattr(h, name))) for name in names
        }
        sections = [*self.cells[0].all, *self.cells[1].all]
        self.directions["gbar"] = everything.range_of("gbar_kscreen", "gbar_kscreen", sections)

    def run(self) -> dict[str, np.ndarray[Any, Any]]:
        self.cells[0].run(0.05, T_STOP)
        return {name: vector.as_numpy().copy() for name, vector in self.vectors.items()}


def test_forward() -> None:
    model = Screened()
    found = comparing.gradients(model.directions, model.looks, model.run)
    alone = f"{model.cells[1].soma(0.5)}.v"
    assert np.any(found["mg_NmdaSyn"][alone]) and np.any(found["vhalf_kdr"][alone])
    assert comparing.wrong(found, model.directions, model.run) == {}


def test_reverse() -> None:
    model = Screened()
    wanted = {name: direction for name, (direction, _, _) in model.directions.items()}
    for reverse, forward, size in compare(wanted, model.looks, model.run, T_STOP).values():
        assert reverse == pytest.approx(forward, abs=1e-9 * size)


def test_an_owner_that_stands_nowhere() -> None:
    """The reader alone: NEURON knows the owner's source."""
    cell = twig.Twig(("kscreen",))
    directions = {"mg": (gradmod.Global("mg_NmdaSyn"), everything.shift([h], "mg_NmdaSyn"), h.mg_NmdaSyn)}

    def run() -> dict[str, np.ndarray[Any, Any]]:
        return cell.run(0.05, T_STOP)

    found = comparing.gradients(directions, cell.watched, run)
    assert comparing.wrong(found, directions, run) == {}
