"""What must not be at places whose membrane current is looked at: that is made of what flows in along the cell.

So an electrode there must inject a current without derivative; and with layers around the cell v is not the potential
inside.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from .. import _neuron as nrn
from .._manifest.electrode import Electrode
from .._manifest.region import Region
from .._manifest.reverse import ReverseRegion
from .._model.cells import Cell
from .._model.directions import Direction
from ..errors import Refused
from ..membrane_currents import VARIABLE
from ..parameters import Stimulus


def check_electrodes(
    segment: nrn.Segment, here: Iterable[tuple[str | None, Region | ReverseRegion]], directions: Sequence[Direction]
) -> None:
    """Look at what is in a segment.

    Args:
        segment: Where a membrane current is looked at.
        here: What was emitted for the segment itself (None), and for its point processes, by their names.
        directions: That are asked for.

    Raises:
        Refused: The current of an electrode there has a derivative.
    """
    for process, region in here:
        if region.electrode is None or region.electrode is Electrode.GIVEN:
            continue
        name = process or ", ".join(region.mechanisms)
        if region.electrode is Electrode.MODEL:
            why = "depends on the voltage or on states"
        elif moved := [d.name for d in directions if d.wrt in region.parameters and _acts_on(d, process)]:
            why = f"depends on {', '.join(moved)}"
        else:
            continue
        raise Refused(
            f"no gradient of {VARIABLE} at {segment}: {name} there is an electrode whose current {why}; "
            "leave this segment out of the sum, or move the electrode to another segment"
        )


def check_outside(cell: Cell) -> None:
    """Look whether the current along a cell follows from v.

    Raises:
        Refused: It follows from v + vext.
    """
    for sec in cell.sections:
        if "extracellular" in nrn.mechanisms_of(sec):
            raise Refused(
                f"no gradient of {VARIABLE} on the cell of {sec.name()}, which has extracellular: record i_membrane, "
                "in mA/cm2, where it is inserted"
            )


def _acts_on(direction: Direction, process: str | None) -> bool:
    parameter = direction.parameter
    return not isinstance(parameter, Stimulus) or process in parameter.processes
