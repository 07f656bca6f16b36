"""Where numbers are in a frame: what is remembered of one time step.

A frame begins with the time. Then come the voltages, then, for every place, what changes along the run there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from .. import _neuron as nrn
from .._emitted.recorder_site import RecorderSite
from .._manifest.reverse import ReverseRegion
from .._model.cells import Cell


class Frame:
    """The numbers of a frame, and of what is fixed along a run.

    Attributes:
        nodes: [cell, node] where v of every node is in a frame.
        landed: [cell, node] where events set v: where its value before the events that follow a step is in a frame.
        stride: Numbers in a frame.
        fixed_size: Numbers that are fixed along a run.
    """

    def __init__(self) -> None:
        """There is only the time yet."""
        self.nodes: dict[tuple[int, int], int] = {}
        self.landed: dict[tuple[int, int], int] = {}
        self.stride = 1
        self.fixed_size = 0
        #: How many places a recorder is at, and where the next one has its numbers.
        self._counts: Counter[str] = Counter()
        self._next: dict[str, tuple[int, int]] = {}

    def count(self, recorders: Iterable[str]) -> None:
        """Say how many places there will be: the name of the recorder of each."""
        self._counts.update(recorders)

    def add_voltages(self, cells: Sequence[Cell], regions: Mapping[nrn.Section, ReverseRegion]) -> None:
        """Put the voltages together, in the order that NEURON has within a section: so they are copied fastest."""
        for index, cell in enumerate(cells):
            for node, (sec, _) in enumerate(cell.places):
                if not cell.is_segment[node] or regions[sec].gathered:
                    self.nodes[index, node] = self.stride
                    self.stride += 1

    def add(self, region: ReverseRegion) -> tuple[int, int, int]:
        """Where the next place of a region has its numbers: frame, fixed, and how far apart.

        What is gathered lies in columns, one for each number of all places: so it is copied and computed fastest.
        """
        pitch = self._counts[region.recorder] if region.gathered else 1
        frame, fixed = self._next.get(region.recorder, (self.stride, self.fixed_size))
        if not region.gathered or region.recorder not in self._next:
            frame, fixed = self.stride, self.fixed_size
            self.stride += region.moving * pitch
            self.fixed_size += len(region.fixed) * pitch
        self._next[region.recorder] = frame + 1, fixed + 1
        return frame, fixed, pitch

    def add_landed(self, spot: RecorderSite) -> None:
        """Events set v at this place."""
        self.landed[spot.cell, spot.node] = self.stride
        self.stride += 1

    def landed_place(self, spot: RecorderSite) -> int:
        """Where v of a recorder's node is before the events that follow a step."""
        return self.landed.get((spot.cell, spot.node), spot.voltage)

    def place_after(self, cell: int, node: int) -> int:
        """Where v at the end of a step is in the frame after it."""
        return self.landed.get((cell, node), self.nodes[cell, node])
