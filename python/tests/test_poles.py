"""Curves that are 0 where something in them is infinite: their slope is 0 too, if the curve begins flat."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import gradmod
import numpy as np
import pytest
from conftest import central
from gradmod import Range
from models.library import load_fixtures
from neuron import h

FOLDER = Path(__file__).resolve().parents[2] / "fixtures" / "poles"
DT, T_STOP = 0.05, 3.0
#: Kinds of curves with any power of c, and with one above 1.
OF_N, OF_MORE = (0, 4, 5, 6, 7), (1, 2, 3)


class Cells:
    """Two branched cells with other values in every segment, c = 0 in every other one."""

    def __init__(self, kind: int, n: float) -> None:
        load_fixtures(FOLDER)
        self.cells = [self._branched(f"c{i}") for i in range(2)]
        self.segments = [seg for cell in self.cells for sec in cell for seg in sec]
        for i, seg in enumerate(self.segments):
            seg.hillpole.kind, seg.hillpole.n, seg.hillpole.k = kind, n, 2 + 0.1 * i
            seg.hillpole.c = 0.0 if i % 2 == 0 else 1 + 0.3 * i
        self.place = self.cells[0][0](0.5)

    @staticmethod
    def _branched(name: str) -> list[Any]:
        soma, dend, twig = made = [h.Section(name=f"{name}_{part}") for part in ("soma", "dend", "twig")]
        dend.connect(soma(1))
        twig.connect(dend(0.5))
        dend.nseg, twig.nseg = 3, 2
        for sec in made:
            sec.L, sec.diam = 40, 5
            sec.insert("hillpole")
        return made

    def run(self) -> None:
        h.dt = DT
        h.finitialize(-65)
        context = h.ParallelContext()
        context.set_maxstep(10)
        context.psolve(T_STOP)

    def last(self) -> float:
        self.run()
        return float(self.place.v)

    def gradient(self, mode: str, *names: str) -> dict[str, float]:
        directions = {name: Range(f"{name}_hillpole", self.cells[0]) for name in names}
        if mode == "forward":
            grad = gradmod.attach(directions)
            recording = grad.record(self.place)
            self.run()
            try:
                return {name: float(recording[name][-1]) for name in recording}
            finally:
                grad.detach()
        with gradmod.Reverse(directions, quiet=True) as reverse:
            trace = reverse.record(self.place)
            h.dt = DT
            reverse.run(T_STOP, simulate=self.run)
            loss = np.zeros(len(trace.values))
            loss[-1] = 1.0
            return dict(reverse.gradient({trace: loss}))

    def differences(self, name: str) -> float:
        """Where c is 0, what its slope adds is 0, and it is left alone: there is no curve below."""
        mine = [seg for sec in self.cells[0] for seg in sec if name != "c" or seg.hillpole.c != 0]
        before = [getattr(seg.hillpole, name) for seg in mine]

        def change(x: float) -> None:
            for seg, value in zip(mine, before, strict=True):
                setattr(seg.hillpole, name, value + x)

        return float(central(self.last, change, 1e-8 if name == "g" else 1e-5))


@pytest.mark.parametrize("mode", ["forward", "reverse"])
@pytest.mark.parametrize("kind", OF_N + OF_MORE)
def test_flat_at_zero(kind: int, mode: str) -> None:
    cells = Cells(kind, 2.5)
    found = cells.gradient(mode, "c", "k", "n")
    for name in ("c", "k", *(["n"] if kind in OF_N else [])):
        assert found[name] == pytest.approx(cells.differences(name), rel=1e-6), name


def test_flat_is_what_it_is() -> None:
    cells = Cells(0, 2.5)
    cells.place.hillpole.c = 0.0
    at: Callable[[float], float] = lambda c: (setattr(cells.place.hillpole, "c", c), cells.last())[1]  # noqa: E731
    assert abs(at(1e-6) - at(0.0)) / 1e-6 < 1e-6


@pytest.mark.parametrize("mode", ["forward", "reverse"])
@pytest.mark.parametrize(("kind", "n"), [*((kind, n) for kind in OF_N for n in (1.0, 0.5)), (8, 2.5)])
def test_steep_at_zero_is_refused(kind: int, n: float, mode: str) -> None:
    """1/k, or infinite: 0 would be wrong."""
    cells = Cells(kind, n)
    with pytest.raises(gradmod.Refused, match="it is infinite or not a number"):
        cells.gradient(mode, "c")


def test_where_it_does_not_change_its_slope_does_not_matter() -> None:
    cells = Cells(0, 1.0)
    assert cells.gradient("forward", "g")["g"] == pytest.approx(cells.differences("g"), rel=1e-6)
