"""NEURON's mechanism ``extracellular``: where it is, and what its parameters are called."""

from __future__ import annotations

import re
from collections.abc import Iterable

from .. import _neuron as nrn
from .cells import Cell, Place

NAME = "extracellular"
#: Its parameters with one value for each layer.
LAYERED = ("xg", "xc", "xraxial")
BATTERY = "e_extracellular"
#: Its potentials, and the current through the membrane, which losses may look at.
POTENTIAL, CURRENT = "vext", "i_membrane"


def has_it(sec: nrn.Section) -> bool:
    """Whether a section has it."""
    return NAME in nrn.mechanisms_of(sec)


def layer_count() -> int:
    """How many layers there are around a node that has it; one number for all of NEURON."""
    return int(nrn.h.nlayer_extracellular())


def layer_of(name: str, of: Iterable[str]) -> int | None:
    """The layer that a name such as "xg[1]" tells of one of these variables; None if it is another name."""
    found = re.fullmatch(r"(\w+)\[(\d+)\]", name)
    if found is None or found[1] not in of or int(found[2]) >= layer_count():
        return None
    return int(found[2])


def is_parameter(name: str) -> bool:
    """Whether this is one of its parameters, of one layer."""
    return name == BATTERY or layer_of(name, LAYERED) is not None


def sites_of(cell: Cell) -> list[int]:
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


def value_at(place: Place, name: str) -> float:
    """A parameter of a segment by its name, such as "xg[1]"."""
    sec, x = place
    return nrn.number(sec(x), name)
