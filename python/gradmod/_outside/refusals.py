"""What ``extracellular`` does not go with."""

from __future__ import annotations

from collections.abc import Iterable

from .._command.support import Construct, Way, reason
from .._model.cells import Cell
from .._model.extracellular import has_it
from .._neuron.settings import second_order
from ..errors import Refused


def refuse_extracellular(cells: Iterable[Cell], way: Way) -> None:
    """Look whether a way to a gradient meets ``extracellular`` that it does not support.

    Raises:
        Refused: It does.
    """
    for cell in cells:
        for sec in cell.sections:
            if has_it(sec):
                raise Refused(f"{sec.name()} has the mechanism extracellular: {reason(Construct.EXTRACELLULAR, way)}")


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
