"""Cells: trees of connected sections, and the tree of nodes that NEURON solves for each."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from .. import _neuron as nrn
from .._neuron.sections import exists, orientation, parent_place, tree_of

Floats: TypeAlias = NDArray[np.float64]
Integers: TypeAlias = NDArray[np.int64]

#: A node of NEURON's tree: (section, x). x is 0 or 1 for the nodes without area at the ends.
Place: TypeAlias = tuple[nrn.Section, float]


class Cell:
    """A tree of connected sections.

    Attributes:
        sections: The sections, every parent before its children.
        segments: All segments, section by section, x ascending.
        places: All nodes that NEURON solves, every parent before its children: segments and ends without area.
        parent: [node] index of the parent node, -1 for the root's.
        is_segment: [node] whether the node has area (and so capacitance and channels).
        beside: [node] for an end, the node of the segment that it closes; for a segment, itself.
    """

    def __init__(self, sections: list[nrn.Section]) -> None:
        self.sections = sections
        self.segments: list[nrn.Segment] = [seg for sec in sections for seg in sec]
        self._built_as = self._signature()
        self.places: list[Place] = []
        self._index: dict[Place, int] = {}
        parent: list[int] = []
        self._first: list[bool] = []
        for sec in sections:
            near = self._near_end(sec, parent)
            self._add_section(sec, near, parent)
        self.parent: Integers = np.array(parent)
        self.is_segment = np.array([0.0 < x < 1.0 for _, x in self.places])
        self.beside = [self.node(sec, min(max(x, 1e-9), 1.0 - 1e-9)) for sec, x in self.places]

    @property
    def root(self) -> nrn.Section:
        """The root section."""
        return self.sections[0]

    def __repr__(self) -> str:
        return f"Cell({self.root.name()}: {len(self.sections)} sections, {len(self.segments)} segments)"

    def _near_end(self, sec: nrn.Section, parent: list[int]) -> int:
        place = parent_place(sec)
        near = float(orientation(sec))
        if place is None:
            self._append((sec, near), -1, parent, first=False)
        else:
            self._index[sec, near] = self.node(*place)
        return self._index[sec, near]

    def _add_section(self, sec: nrn.Section, near: int, parent: list[int]) -> None:
        count, reverse = int(sec.nseg), orientation(sec) == 1
        xs = [(j + 0.5) / count for j in range(count)]
        previous = near
        for i, x in enumerate([*reversed(xs), 0.0] if reverse else [*xs, 1.0]):
            previous = self._append((sec, x), previous, parent, first=i == 0)

    def _append(self, place: Place, above: int, parent: list[int], *, first: bool) -> int:
        index = len(self.places)
        self.places.append(place)
        self._index[place] = index
        parent.append(above)
        self._first.append(first)
        return index

    def node(self, sec: nrn.Section, x: float) -> int:
        """Index of the node at x of one of the cell's sections: the segment's, or an end's for x = 0 or 1."""
        if x <= 0.0 or x >= 1.0:
            return self._index[sec, float(x)]
        count = int(sec.nseg)
        return self._index[sec, (min(int(x * count), count - 1) + 0.5) / count]

    def is_deleted(self) -> bool:
        """Whether some of the sections are no more."""
        return not all(exists(sec) for sec in self.sections)

    def same_shape(self) -> bool:
        """Whether nseg and the connections are still what they were."""
        return self._signature() == self._built_as

    def _signature(self) -> list[tuple[nrn.Section, int, Place | None, int]]:
        tree = tree_of(self.root)
        return [(sec, int(sec.nseg), parent_place(sec), orientation(sec)) for sec in tree]

    def areas(self) -> Floats:
        """[node] membrane area in um2; 0 at the ends."""
        return np.array([sec(x).area() if 0.0 < x < 1.0 else 0.0 for sec, x in self.places])

    def resistances(self) -> Floats:
        """[node] axial resistance to the parent node in MOhm; inf at the root."""
        return np.array(
            [np.inf if above < 0 else sec(x).ri() for (sec, x), above in zip(self.places, self.parent, strict=True)]
        )

    def rall(self) -> Floats:
        """[node] weight of the node's axial current in its parent's equation (``rallbranch``)."""
        return np.array(
            [sec.rallbranch if first else 1.0 for (sec, _), first in zip(self.places, self._first, strict=True)]
        )

    def voltages(self) -> Floats:
        """[node] present membrane potential in mV."""
        return np.array([sec(x).v for sec, x in self.places])


def cells_of(sections: Iterable[nrn.Section]) -> list[Cell]:
    """The cells that these sections belong to, in order of first mention."""
    found: list[Cell] = []
    seen: set[nrn.Section] = set()
    for sec in sections:
        if sec not in seen:
            cell = Cell(tree_of(sec))
            seen.update(cell.sections)
            found.append(cell)
    return found
