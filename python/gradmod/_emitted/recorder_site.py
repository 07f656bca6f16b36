"""One recorder: a place of the user's model in the record of a run."""

from __future__ import annotations

from dataclasses import dataclass

from .. import _neuron as nrn
from .._manifest.reverse import ReverseRegion
from .._model.cells import Place


@dataclass(frozen=True)
class RecorderSite:
    """A recorder, and where its numbers are.

    Attributes:
        cell: Index of the cell.
        node: Index in the cell's ``places``.
        process: Name of the user's point process, if it belongs to one.
        frame, fixed: Where its first number in a frame is, and among the fixed values.
        voltage: Where v of its node is in a frame.
        pitch: How far apart its numbers are there.
        out: Where its part of the results begins.
        pointer_targets: Where the voltages are that POINTERs of the model see, in the order of
            ``region.pointer_gradients``.
    """

    cell: int
    node: int
    segment: nrn.Segment
    mechanism: nrn.Mechanism
    region: ReverseRegion
    process: str | None
    frame: int
    fixed: int
    voltage: int
    pitch: int
    out: int
    pointer_targets: tuple[Place, ...]
