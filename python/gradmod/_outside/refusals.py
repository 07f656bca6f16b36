"""What ``extracellular`` does not go with."""

from __future__ import annotations

from collections.abc import Iterable

from .. import _neuron as nrn
from .._command.support import Construct, Way, reason
from .._model.cells import Cell
from .._model.extracellular import has_it, layer_count
from .._neuron.sections import all_sections
from .._neuron.settings import second_order, uses_sparse_solver
from ..errors import Refused


def layers_to_solve(cells: Iterable[Cell], way: Way | None) -> int:
    """How many layers a solver of forward mode must know; 0 where it can take NEURON's matrix.

    With ``extracellular`` anywhere in the process, NEURON solves for all cells in a way that leaves no matrix.

    Args:
        cells: Where directions act.
        way: To a gradient, if it is not that of plain forward mode.

    Raises:
        Refused: A cell has it, and this way does not support that.
    """
    for cell in cells:
        for sec in cell.sections:
            if way is not None and has_it(sec):
                raise Refused(f"{sec.name()} has the mechanism extracellular: {reason(Construct.EXTRACELLULAR, way)}")
    is_anywhere = any(has_it(sec) for sec in all_sections()) or uses_sparse_solver()
    if way is not None or not is_anywhere:
        return 0
    check_order_outside()
    return layer_count()


def check_electrode(name: str, segment: nrn.Segment, *, is_point: bool, is_followed: bool) -> None:
    """Look whether what an electrode does at a node with ``extracellular`` is followed.

    Args:
        name: Of the point process, or of the mechanisms.
        segment: Where.
        is_point: It is a point process.
        is_followed: What it sees is remembered, or seen, as NEURON shows it.

    Raises:
        Refused: It is not.
    """
    if not is_point:
        raise Refused(
            f"{name} at {segment}: an ELECTRODE_CURRENT of a density mechanism is not differentiated where "
            "extracellular is inserted; make it a point process"
        )
    if not is_followed:
        raise Refused(
            f"{name} at {segment}: an ELECTRODE_CURRENT with events, or with values that BEFORE BREAKPOINT sets, is "
            "not differentiated where extracellular is inserted"
        )


def check_order_outside() -> None:
    """Look whether NEURON makes steps that are right with ``extracellular``.

    Raises:
        Refused: It does not: with ``secondorder`` it extrapolates v and not vext.
    """
    order = second_order()
    if order:
        raise Refused(
            f"h.secondorder is {order}, and the model has extracellular: NEURON's steps then are not what its "
            "equations say (it extrapolates v, and not vext); set h.secondorder to 0"
        )
