"""Which nodes have ``extracellular``, and what lies between them."""

from __future__ import annotations

from collections.abc import Container, Sequence

from .. import _neuron as nrn
from .._model.cells import Cell, Place
from .._model.extracellular import has_it, layer_count


def nodes_with_it(cell: Cell) -> list[int]:
    """The nodes of a cell that have it: segments, the far ends of their sections, and the root's first node."""
    having = {sec for sec in cell.sections if has_it(sec)}
    return [node for node, (sec, _) in enumerate(cell.places) if sec in having]


def half_resistances(cell: Cell) -> list[float]:
    """[node] MOhm that half of a segment has in a layer, per MOhm/cm of ``xraxial``; 0 at the ends."""
    return [
        1e-4 * float(sec.L) / int(sec.nseg) / 2 if is_segment else 0.0
        for (sec, _), is_segment in zip(cell.places, cell.is_segment, strict=True)
    ]


def segment_above(cell: Cell, node: int) -> int | None:
    """The segment of the same section that a node follows: half of that is on the way to it too."""
    above = int(cell.parent[node])
    if above < 0 or not cell.is_segment[above] or cell.places[above][0] != cell.places[node][0]:
        return None
    return above


def resistances(cell: Cell, node: int, halves: Sequence[float], having: Container[int]) -> list[float]:
    """[layer] MOhm from a node to its parent; none where that has no layers.

    Args:
        cell: Whose.
        node: It has layers.
        halves: :func:`half_resistances`.
        having: The nodes that have layers.
    """
    if int(cell.parent[node]) not in having:
        return []
    on_the_way = [one for one in (node, segment_above(cell, node)) if one is not None and halves[one] > 0.0]
    return [
        sum(halves[one] * value_at(cell.places[one], f"xraxial[{layer}]") for one in on_the_way)
        for layer in range(layer_count())
    ]


def value_at(place: Place, name: str) -> float:
    """A parameter of a segment by its name, such as "xg[1]"."""
    sec, x = place
    return nrn.number(sec(x), name)
