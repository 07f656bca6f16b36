"""NEURON's mechanism ``extracellular``: what belongs to it, by name."""

from __future__ import annotations

import re
from collections.abc import Iterable

from .. import _neuron as nrn

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
