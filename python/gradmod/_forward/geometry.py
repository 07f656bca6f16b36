"""What of a cell must stay as it is during a run."""

from __future__ import annotations

import numpy as np

from .._model.cells import Cell, Floats


class Geometry:
    """A snapshot of a cell.

    Attributes:
        area: [node] um2.
        resistance: [node] MOhm, to the parent node.
        cm: [node] uF/cm2; 0 at the ends.
    """

    def __init__(self, cell: Cell) -> None:
        self.area = cell.areas()
        self.resistance = cell.resistances()
        self.cm: Floats = np.array([sec(x).cm if 0.0 < x < 1.0 else 0.0 for sec, x in cell.places])
