"""Wires: NetCons that bring spikes to cells whose gradients depend on when these come."""

from __future__ import annotations

from dataclasses import dataclass

from .. import _neuron as nrn
from .._model.cells import Place
from .._neuron.netcon_ends import Ends, all_ends, stands
from .._neuron.sections import root_of


@dataclass(frozen=True)
class Wire:
    """A NetCon from the voltage of a cell to a point process on a cell.

    Attributes:
        netcon: NEURON's name of it.
        source: Where the voltage is; None if that is on another MPI rank.
        seen: The root of that cell; likewise.
        gid: The cell's number on that rank.
        process, kind: The point process, and what it is.
        root: The root of its cell.
        delay, threshold: ms, mV
    """

    netcon: str
    source: Place | None
    seen: nrn.Section | None
    gid: int | None
    process: str
    kind: str
    root: nrn.Section
    delay: float
    threshold: float

    @property
    def does(self) -> str:
        """What it does, to be followed by whose cell."""
        return f"{self} brings spikes of"

    def __str__(self) -> str:
        return f"{self.netcon} to {self.process}"

    @classmethod
    def of(cls, ends: Ends) -> Wire:
        """The wire of a NetCon that is one."""
        place, target = ends.segment, ends.target
        assert target is not None
        return cls(
            nrn.name_of(ends.netcon),
            None if place is None else (place.sec, float(place.x)),
            None if place is None else root_of(place.sec),
            ends.gid,
            nrn.name_of(target),
            nrn.type_of_point_process(target),
            root_of(target.get_segment().sec),
            float(ends.netcon.delay),
            float(ends.netcon.threshold),
        )


def find_wires() -> list[Wire]:
    """All that there are now."""
    found = [ends for ends in all_ends() if ends.segment is not None or ends.gid is not None]
    return [Wire.of(ends) for ends in found if ends.target is not None and stands(ends.target)]
