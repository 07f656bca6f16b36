"""Trees of nodes, their copies, and the solver for the last sample. No mechanism is compiled here."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from conftest import Passive
from gradmod import Error
from gradmod.cable import Cable, Geometry, fold
from gradmod.cells import Cell, cells_of
from gradmod.finish import solve_tree
from hypothesis import given, settings
from hypothesis import strategies as st
from neuron import h


def cell_of(passive: Passive) -> Cell:
    (cell,) = cells_of(passive.all)
    return cell


def test_the_tree_is_that_of_neuron(passive: Passive) -> None:
    cell = cell_of(passive)
    assert {sec.name() for sec in cell.sections} == set(passive.sections)
    assert len(cell.places) == sum(sec.nseg + 1 for sec in passive.all) + 1
    assert all(above < node for node, above in enumerate(cell.parent))
    # An end that several sections share is one node; a child in the middle hangs on the segment.
    assert cell.node(passive["soma"], 1.0) == cell.node(passive["trunk"], 0.0)
    assert cell.node(passive["twig"], 0.0) == cell.node(passive["trunk"], 0.3)
    assert cell.node(passive["back"], 1.0) == cell.node(passive["trunk"], 1.0)
    # A section connected by its 1 end is numbered from there.
    last = cell.node(passive["back"], 0.99)
    assert cell.parent[last] == cell.node(passive["trunk"], 1.0)
    assert cell.parent[cell.node(passive["back"], 0.0)] == cell.node(passive["back"], 0.1)
    assert cell.rall()[last] == 2


def test_one_node_has_one_voltage(passive: Passive) -> None:
    """The same node number means the same memory in NEURON."""
    cell = cell_of(passive)
    for sec in passive.all:
        for x in (0.0, *(seg.x for seg in sec), 1.0):
            other, y = cell.places[cell.node(sec, x)]
            sec(x).v = 12.5
            assert other(y).v == 12.5
            sec(x).v = -65


def test_copies_have_the_same_areas_and_resistances(passive: Passive) -> None:
    geometry = Geometry(cell_of(passive))
    cable = Cable("test", geometry)
    assert cable._difference(geometry) is None
    copy = Geometry(cells_of(cable.sections.values())[0])
    assert np.array_equal(copy.area, geometry.area)
    assert np.array_equal(copy.resistance[1:], geometry.resistance[1:])
    assert np.array_equal(copy.cm, geometry.cm) and np.array_equal(copy.rall, geometry.rall)
    cable.delete()
    assert len(list(h.allsec())) == 5


def test_copies_stay_the_same_after_define_shape(passive: Passive) -> None:
    """NEURON moves 3-D points when it defines a shape; lengths and diameters stay."""
    h.define_shape()
    cell = cell_of(passive)
    cable = Cable("test", Geometry(cell))
    h.define_shape()
    cable.sync(Geometry(cell))


@pytest.mark.parametrize("what", ["diam", "L", "pt3d", "Ra", "cm"])
def test_copies_follow_the_cell(passive: Passive, what: str) -> None:
    cell = cell_of(passive)
    cable = Cable("test", Geometry(cell))
    twig, trunk = passive["twig"], passive["trunk"]
    if what == "diam":
        twig(0.1).diam = 3
    elif what == "L":
        twig.L = 99
    elif what == "pt3d":
        h.pt3dchange(3, 7.5, sec=trunk)
    elif what == "Ra":
        trunk.Ra = 31
    else:
        trunk(0.5).cm = 4
    geometry = Geometry(cell)
    cable.sync(geometry)
    copy = Geometry(cells_of(cable.sections.values())[0])
    assert np.array_equal(copy.area, geometry.area) and np.array_equal(copy.cm, geometry.cm)
    assert np.array_equal(copy.resistance[1:], geometry.resistance[1:])


def test_sections_moved_by_define_shape_are_copied_exactly(passive: Passive) -> None:
    """Their arc lengths do not follow from their coordinates any more."""
    passive["trunk"].disconnect()
    passive["trunk"].connect(passive["bare"](1))
    h.define_shape()
    geometry = Geometry(cell_of(passive))
    cable = Cable("test", geometry)
    copy = Geometry(cells_of(cable.sections.values())[0])
    assert np.allclose(copy.area, geometry.area, rtol=1e-11, atol=0)
    assert np.allclose(copy.resistance[1:], geometry.resistance[1:], rtol=1e-11, atol=0)


@given(st.lists(st.floats(1e-3, 1e3), min_size=1, max_size=20))
def test_folding_keeps_lengths(steps: list[float]) -> None:
    arcs = [0.0, *np.cumsum(steps)]
    sec = h.Section(name="folded")
    h.pt3dadd(*(h.Vector(axis) for axis in [*fold(arcs), [1.0] * len(arcs)]), sec=sec)
    assert np.allclose(np.diff([sec.arc3d(i) for i in range(len(arcs))]), np.diff(arcs), rtol=1e-9, atol=0)


def test_a_cell_that_cannot_be_copied_is_refused(passive: Passive, monkeypatch: pytest.MonkeyPatch) -> None:
    geometry = Geometry(cell_of(passive))
    geometry.area[3] *= 1 + 1e-6
    with pytest.raises(Error, match=r"cannot be copied: its area is .* um2"):
        Cable("test", geometry)
    assert len(list(h.allsec())) == 5


@settings(deadline=None)
@given(st.data())
def test_solve_tree_solves(data: st.DataObject) -> None:
    count = data.draw(st.integers(1, 12))
    parent = np.array([-1] + [data.draw(st.integers(0, i - 1)) for i in range(1, count)])
    random = np.random.default_rng(data.draw(st.integers(0, 1000)))
    upper, lower = -random.uniform(0.1, 2, count), -random.uniform(0.1, 2, count)
    diagonal, rhs = random.uniform(20, 30, count), random.normal(size=(count, 3))
    dense: Any = np.diag(diagonal)
    for node in range(1, count):
        dense[parent[node], node] = upper[node]
        dense[node, parent[node]] = lower[node]
    assert np.allclose(solve_tree(parent, diagonal, upper, lower, rhs), np.linalg.solve(dense, rhs), rtol=1e-10)
