"""One emitted mechanism of forward mode, where it stands in the model."""

from __future__ import annotations

from dataclasses import dataclass

from .. import _neuron as nrn
from .._manifest.region import Region
from .._model.pointer_variables import Target


@dataclass(frozen=True)
class EmittedMechanism:
    """A row: an emitted mechanism in a segment, or beside a point process.

    Attributes:
        node: Index in the cell's ``places``.
        mechanism: The emitted mechanism or point process.
        region: What the manifest says of it.
        process: Name of the user's point process, for a companion; no reference, which would keep it alive.
        pointer_targets: What POINTERs of the model see, in the order of ``region.pointer_gradients``.
    """

    node: int
    segment: nrn.Segment
    mechanism: nrn.Mechanism
    region: Region
    process: str | None = None
    pointer_targets: tuple[Target, ...] = ()
