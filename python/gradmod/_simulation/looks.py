"""What a simulation records."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

from .. import _neuron as nrn
from .._neuron.sections import is_section, is_segment
from ..errors import Error
from ..membrane_currents import VARIABLE, MembraneCurrents


def _is_one(record: object) -> bool:
    """Whether this is one place, or one (place, variable)."""
    if isinstance(record, tuple):
        return isinstance(cast("tuple[object, ...]", record)[-1], str)
    return is_segment(record) or is_section(record) or isinstance(record, MembraneCurrents)


def looks_of(record: object) -> list[tuple[nrn.Segment, str]]:
    """What is recorded: (segment, variable).

    Raises:
        Error: Something in it is no such thing, or there is nothing in it.
    """
    if _is_one(record):
        given: Iterable[object] = [record]
    elif isinstance(record, Iterable) and not isinstance(record, str):
        given = cast("Iterable[object]", record)
    else:
        raise Error(f"record={record!r}: give a list of segments such as [soma(0.5)], or of (segment, variable)")
    looks: list[tuple[nrn.Segment, str]] = []
    for look in given:
        place: object = look
        variable: object = "v"
        if isinstance(look, tuple) and len(cast("tuple[object, ...]", look)) == 2:
            place, variable = cast("tuple[object, object]", look)
        if is_section(place):
            raise Error(f"record: {place} is a section: say where, e.g. {place}(0.5)")
        if isinstance(place, MembraneCurrents):
            variable = VARIABLE
        elif not isinstance(variable, str) or not (is_segment(place) or nrn.type_of_point_process(place)):
            raise Error(f"record: {look!r} is no segment such as soma(0.5), and no (segment, variable)")
        looks.append((place, variable))
    if not looks:
        raise Error("nothing is recorded")
    return looks
