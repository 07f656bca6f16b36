"""Places of the model with equations of their own: the density mechanisms of a segment, or one point process."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .. import _neuron as nrn
from .._manifest.pointers import Pointer
from .._manifest.variable import VariableRegion
from .._model.cells import Cell


@dataclass
class Spot:
    """One such place.

    Attributes:
        region: What was emitted for it.
        cell, node: Its index, and the number of its node in the cell.
        segment: Where it is.
        process: The name of the point process, if it is one.
    """

    region: VariableRegion
    cell: int
    node: int
    segment: nrn.Segment
    process: str | None = None

    def owner(self) -> nrn.Segment | nrn.PointProcess:
        """What has its variables.

        Raises:
            ReferenceError: The point process is gone.
        """
        if self.process is None:
            return self.segment
        found = nrn.find_point_process(self.process)
        if found is None:
            raise ReferenceError(self.process)
        return found

    def state_reference(self, state: str) -> nrn.Ref:
        """A reference to a state by its name in the manifest."""
        _, dot, plain = state.partition(".")
        return nrn.ref(self.owner(), plain) if dot else nrn.ref(self.segment, state)

    def fixed(self, pointer: Pointer) -> float:
        """A value that does not change along a run."""
        if pointer.scope == "global":
            return nrn.global_value(pointer.source)
        owner = self.segment if pointer.scope == "segment" else self.owner()
        return nrn.number(owner, pointer.source)


def find_spots(
    cells: Sequence[Cell],
    fused: Mapping[nrn.Section, VariableRegion],
    points: Sequence[tuple[nrn.PointProcess, VariableRegion]],
) -> list[Spot]:
    """All places of these cells, region by region.

    Args:
        cells: Of the model.
        fused: What was emitted for the density mechanisms of each section.
        points: What was emitted for each point process.
    """
    owner = {sec: index for index, cell in enumerate(cells) for sec in cell.sections}
    found = [
        Spot(fused[seg.sec], index, cell.node(seg.sec, float(seg.x)), seg)
        for index, cell in enumerate(cells)
        for seg in cell.segments
    ]
    for process, region in points:
        seg = process.get_segment()
        index = owner[seg.sec]
        found.append(Spot(region, index, cells[index].node(seg.sec, float(seg.x)), seg, nrn.name_of(process)))
    order = list(dict.fromkeys(id(spot.region) for spot in found))
    return sorted(found, key=lambda spot: order.index(id(spot.region)))
