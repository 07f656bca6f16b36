"""What all tests need: the command, a clean NEURON before and after each test, a small passive cell."""

from __future__ import annotations

import gc
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import gradmod
import numpy as np
import pytest
from neuron import h

h.load_file("stdrun.hoc")


def pytest_configure() -> None:
    """Without the command no test means anything: say so at once."""
    try:
        gradmod.find_binary()
    except gradmod.Error as error:
        raise pytest.UsageError(str(error)) from error


@pytest.fixture(autouse=True)
def clean_neuron() -> Iterator[None]:
    """NEURON's settings at their defaults before, and no section left after a test."""
    h.dt, h.steps_per_ms, h.celsius, h.secondorder = 0.025, 40, 6.3, 0
    h.CVode().active(0)
    yield
    for cell in _cells:
        cell.keep.clear()
    _cells.clear()
    gc.collect()
    # What the traceback of a failed test keeps must not get events when its sections are gone: NEURON would crash.
    for netcon in h.List("NetCon"):
        netcon.setpost(None)
    for sec in list(h.allsec()):
        h.delete_section(sec=sec)
    # After a model with extracellular NEURON would keep the sparse solver.
    h.CVode().use_mxb(0)
    # An error that breaks psolve off would end this process 20 s later.
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


@dataclass
class Passive:
    """A cell with everything that makes axial coupling hard, passive channels and two current clamps.

    3-D points and plain sections, tapers, a child in the middle of its parent, one connected by its 1 end, one at the 0
    end of the root, rallbranch 2, a section without mechanisms, clamps in a segment and at an end without area.
    """

    sections: dict[str, Any]
    clamps: list[Any]
    shift: dict[str, float] = field(default_factory=lambda: {"all": 0.0, "twig": 0.0})
    keep: list[Any] = field(default_factory=list)

    @property
    def all(self) -> list[Any]:
        return list(self.sections.values())

    @property
    def with_pas(self) -> list[Any]:
        return [sec for name, sec in self.sections.items() if name != "bare"]

    def __getitem__(self, name: str) -> Any:
        return self.sections[name]


def build_passive() -> Passive:
    names = ("soma", "trunk", "twig", "back", "bare")
    soma, trunk, twig, back, bare = made = [h.Section(name=name) for name in names]
    trunk.connect(soma(1))
    twig.connect(trunk(0.3))
    back.connect(trunk(1), 1)
    bare.connect(soma(0))
    for x, diameter in ((0, 20), (15, 18), (20, 10)):
        h.pt3dadd(x, 0, 0, diameter, sec=soma)
    for i in range(12):
        h.pt3dadd(20 + i * 9.3, i * i * 0.37, 0, 4 - 0.2 * i, sec=trunk)
    for sec, length, diameter, nseg in ((twig, 150, 1.2, 5), (back, 77, 1, 3), (bare, 40, 2, 2)):
        sec.L, sec.diam, sec.nseg = length, diameter, nseg
    trunk.nseg = 7
    back.rallbranch = 2
    for sec in made:
        sec.Ra, sec.cm = 110, 1.1
    twig.Ra = 150
    twig(0.5).diam = 1.6
    for sec in made[:-1]:
        sec.insert("pas")
        for seg in sec:
            seg.pas.g, seg.pas.e = 1e-4, -70
    clamps = [h.IClamp(twig(0.9)), h.IClamp(bare(1))]
    for clamp, delay, duration, amplitude in zip(clamps, (1, 2), (4, 100), (0.2, 0.05), strict=True):
        clamp.delay, clamp.dur, clamp.amp = delay, duration, amplitude
    cell = Passive(dict(zip(names, made, strict=True)), clamps)
    _cells.append(cell)
    cell.keep.append(h.FInitializeHandler(0, lambda: _shift_initial(cell)))
    return cell


def _shift_initial(cell: Passive) -> None:
    for sec in cell.all:
        for x in (0, *(seg.x for seg in sec), 1):
            sec(x).v = V_INIT + cell.shift["all"]
    for seg in cell["twig"]:
        seg.v += cell.shift["twig"]


V_INIT = -66.0
_cells: list[Passive] = []


@pytest.fixture
def passive() -> Passive:
    """A new :class:`Passive` cell."""
    return build_passive()


def run(tstop: float = 8.0, dt: float = 0.1) -> None:
    """Initialise and run with a fixed step."""
    h.dt, h.steps_per_ms = dt, 1 / dt
    h.finitialize(V_INIT)
    h.continuerun(tstop)


def central(simulate: Callable[[], Any], change: Callable[[float], None], step: float) -> Any:
    """Central difference; ``change(x)`` sets the parameter to its value plus x, ``change(0.0)`` sets it back."""
    try:
        change(step)
        above = np.array(simulate())
        change(-step)
        below = np.array(simulate())
    finally:
        change(0.0)
    return (above - below) / (2 * step)


def adder(objects: list[Any], name: str, weight: Callable[[Any], float] = lambda _: 1.0) -> Callable[[float], None]:
    """A ``change`` for :func:`central`: adds weight times x to an attribute of each of these objects."""
    values = [getattr(thing, name) for thing in objects]
    weights = [weight(thing) for thing in objects]

    def change(x: float) -> None:
        for thing, value, factor in zip(objects, values, weights, strict=True):
            setattr(thing, name, value + factor * x)

    return change


def segments(sections: list[Any]) -> list[Any]:
    """All segments of some sections."""
    return [seg for sec in sections for seg in sec]
