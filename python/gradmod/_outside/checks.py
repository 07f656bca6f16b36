"""Whether a gradient in a parameter of ``extracellular`` means something."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from .. import _neuron as nrn
from .._guards.overwritten_parameters import refuse_changed
from .._model.cells import Floats
from .._model.directions import Direction
from .._model.extracellular import BATTERY, LAYERED, layer_of
from ..errors import Refused
from ..samples import Samples
from .sheaths import Sheaths, SheathValues

#: S/cm2 from which on a layer counts as short-circuited. NEURON's default is 1e9.
_SHORT = 1e6


class OutsideChecks:
    """The directions in parameters of ``extracellular``, and where they act."""

    def __init__(self, directions: Iterable[Direction], outside: SheathValues, sheaths: Sheaths) -> None:
        """Look at them.

        Args:
            directions: With the weights that they had in the run.
            outside: What was so when it began.
            sheaths: Where it was.

        Raises:
            Refused: The derivative would be nothing but rounding.
        """
        self._still: list[tuple[str, str, int, float]] = []
        cells = {sec: index for index, cell in enumerate(sheaths.cells) for sec in cell.sections}
        for direction in directions:
            is_still = direction.is_outside and not isinstance(direction.parameter, Samples)
            for segment, weight in direction.weights() if is_still else ():
                index = cells.get(segment.sec)
                if weight == 0.0 or index is None:
                    continue
                sheath = sheaths.number((index, sheaths.cells[index].node(segment.sec, segment.x)))
                if direction.parameter.name == BATTERY:
                    value = float(outside.battery[sheath])
                    self._still.append((direction.name, f"{BATTERY} at {segment}", sheaths.battery[sheath], value))
                else:
                    check_short(direction, segment, outside.conductance[sheath])

    def check_window(self, frames: Floats) -> None:
        """Look whether any changed along a window, [frame, number]; the end of the run has none.

        Raises:
            Refused: One did.
        """
        for direction, what, at, value in self._still:
            if np.any(frames[:-1, at] != value):
                refuse_changed(direction, what)


def check_short(direction: Direction, segment: nrn.Segment, conductance: Floats) -> None:
    """By [layer] xg of the segment."""
    name = direction.parameter.name
    layer = layer_of(name, LAYERED)
    assert layer is not None
    # Along a layer nothing is felt where all from it to the ground are short-circuited.
    across = conductance[layer:] if name.startswith("xraxial") else conductance[layer : layer + 1]
    if np.all(across >= _SHORT):
        raise Refused(
            f"{direction.name}: no gradient in {name} at {segment}: xg of this layer is {conductance[layer]:g} S/cm2, "
            "which short-circuits it (NEURON's default is 1e9), so that the derivative is nothing but rounding; set xg "
            f"below {_SHORT:g}, or leave the direction out there"
        )
