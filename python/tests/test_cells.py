"""Trees of nodes, and shapes that copies can have. No mechanism is compiled here."""

from __future__ import annotations

from conftest import Passive
from gradmod._model.cells import Cell, cells_of


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
