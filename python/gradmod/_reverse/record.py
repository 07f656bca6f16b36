"""What reverse mode keeps of one run, so that gradients of it can be taken while others are made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from .. import _neuron as nrn
from .._emitted.recorder_site import RecorderSite
from .._model.cells import Cell, Floats
from .._model.directions import Direction
from .._model.runs import Run
from .._process.shared_memory import SharedMemory
from ..trace import Trace
from .layout import Layout, Values
from .recorder import Recorders
from .windows import Windows


@dataclass(frozen=True)
class Start:
    """What counts for a run as it was when NEURON was initialised, whatever is changed later.

    Attributes:
        directions: With the weights that they had.
        values: Of the cells, for their copies.
        resistances: [cell] between the nodes, and ``ra`` of the sections, which these follow from.
        celsius: In degrees; the time ``t`` and the time step ``dt`` in ms.
        netcons, weights, weight_of: As in :class:`~.event_copies.EventCopies`.
    """

    directions: list[Direction]
    values: Values
    resistances: list[Floats]
    ra: Mapping[nrn.Section, float]
    celsius: float
    t: float
    dt: float
    netcons: Mapping[int, tuple[int, int]]
    weights: Sequence[float]
    weight_of: Mapping[str, tuple[RecorderSite, int]]

    @classmethod
    def present(
        cls, directions: Sequence[Direction], cells: Sequence[Cell], recorders: Recorders, layout: Layout
    ) -> Start:
        """What is so now."""
        values = layout.values(cells, recorders)
        return cls(
            [direction.frozen() for direction in directions],
            values,
            layout.resistances,
            {sec: float(sec.Ra) for cell in cells for sec in cell.sections},
            float(nrn.h.celsius),
            float(nrn.h.t),
            float(nrn.h.dt),
            dict(recorders.events.netcons),
            tuple(recorders.events.weights),
            dict(recorders.events.weight_of),
        )

    def difference(self, end: Start) -> str:
        """What of it is not so at the end of the run, in a few words; empty if nothing."""
        before, after = self.values, end.values
        for what, one, other in (
            ("dt", self.dt, end.dt),
            ("celsius", self.celsius, end.celsius),
            ("cm", before.cm, after.cm),
            ("Ra", before.ra, after.ra),
            ("the diameter or the length of a section", before.area, after.area),
        ):
            if not np.array_equal(one, other):
                return what
        if before.outside is not None and before.outside != after.outside:
            return "xg, xc or xraxial of extracellular"
        return "" if before == after else "the shape of the cell, or an ion_style"

    def numbers(self) -> tuple[object, ...]:
        """All that a gradient depends on, to be compared."""
        weights = [tuple(weight for _, weight in direction.weights()) for direction in self.directions]
        return weights, self.values.key(), self.celsius, self.t, self.dt, self.weights, sorted(self.netcons.items())


@dataclass(eq=False)
class Record:
    """One complete run.

    What was remembered of it is in the memory of its `Reverse`, or in a copy of that, or not there any more: then
    its :meth:`signature` tells whether another run is the same.

    Attributes:
        run: Which it is.
        start: What it began with.
        windows: Where in the memory it is.
        traces: [sample] What was recorded.
        is_kept: Somebody will ask for its gradient, even after other runs.
        is_asked: Somebody did.
        is_resident: It is in the memory.
    """

    run: Run
    start: Start
    windows: Windows
    traces: dict[Trace, Floats]
    is_kept: bool = False
    is_asked: bool = False
    is_resident: bool = True
    _copies: tuple[Floats, Floats] | None = None
    _digest: bytes = field(default=b"")

    @property
    def is_there(self) -> bool:
        """Whether its gradient can be taken."""
        return self.is_resident or self._copies is not None

    @property
    def size(self) -> int:
        """Bytes that its copy takes up."""
        return sum(copy.nbytes for copy in self._copies or ())

    def leave(self) -> None:
        """Another run needs the memory."""
        if not self.is_resident:
            return
        if self.is_kept and len(self.windows.buffers) == 1:
            values = self.windows.memory.values
            self._copies = np.array(values[: self._end]), np.array(values[self.windows.events(0)])
        elif self.is_kept:
            self._digest = self.windows.digest()
        self.windows.close()
        self.is_resident = False

    def come_back(self, memory: SharedMemory) -> None:
        """Put the copy into the memory."""
        assert self._copies is not None
        whole, events = self._copies
        memory.grow(self._end)
        memory.see(self.windows.end)
        memory.values[: self._end] = whole
        log = self.windows.log(0)
        memory.values[log : log + len(events)] = events
        self.windows.memory = memory
        self.is_resident = True
        self._copies = None

    def lose(self) -> None:
        """Give the copy up."""
        if self._copies is not None:
            whole, events = self._copies
            self._digest = self.windows.digest_of(whole, events)
            self._copies = None

    def forget(self) -> None:
        """Nobody will ask any more."""
        self.is_kept = False
        self._copies = None

    def signature(self) -> tuple[object, ...]:
        """What a run that has the same gradients has in common with this one."""
        if self.is_resident:
            self._digest = self.windows.digest()
        elif self._copies is not None:
            self._digest = self.windows.digest_of(*self._copies)
        return self.run.steps, self._digest, self.start.numbers()

    @property
    def _end(self) -> int:
        return self.windows.buffers[0] + (self.run.steps + 1) * self.windows.recorders.frame.stride


class Shelf:
    """The records that are kept and not in the memory; the oldest go when there are too many."""

    def __init__(self, room: float) -> None:
        """Room for so many MiB."""
        self._room = room * 2**20
        self._records: list[Record] = []

    def take(self, record: Record) -> None:
        """It goes back into the memory."""
        self._records = [one for one in self._records if one is not record]

    def put(self, record: Record) -> None:
        """Take the memory's record."""
        record.leave()
        if record.size:
            self._records.append(record)
        self._records = [one for one in self._records if one.size]
        while sum(one.size for one in self._records) > self._room:
            oldest = next((one for one in self._records if one.is_asked), self._records[0])
            oldest.lose()
            self._records.remove(oldest)
