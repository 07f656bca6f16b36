"""Spikes that cells of several MPI ranks send each other, and what their times depend on.

NEURON brings a spike to another rank as a number and a time. The derivatives of that time go from table to table
(:mod:`.spike_tables`): every few steps, fewer than the shortest delay between ranks has, the ranks hand each other what
was added.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from weakref import ref

import numpy as np

from .. import _neuron as nrn
from .._model.cells import Cell, Floats
from .._model.directions import Direction
from .._neuron import mpi
from .._neuron.netcon_ends import Ends, all_ends, ends_of_source, stands
from .._neuron.sections import root_of, tree_of
from ..errors import Error

#: In the order of a table: how many spikes there were, room for how many.
_HEAD = 2


class RemoteSpikes:
    """What this rank sends to others and gets from them.

    Attributes:
        sources: By their numbers, the cells of this rank whose spikes other ranks get.
        gids: The numbers of all cells, of any rank, whose spikes' times depend on a direction.
    """

    def __init__(
        self, directions: Sequence[Direction], scope: Iterable[nrn.Section] | None, spread: Callable[[], None]
    ) -> None:
        """Find out which cells of all ranks each direction reaches, and add those of this rank to it; collective.

        Args:
            directions: All of them, the same on every rank.
            scope: The sections whose cells may be touched; None for all.
            spread: Adds to the directions the cells of this rank that others of this rank change.

        Raises:
            Error: The ranks have other directions; a cell may not be touched; a rank has no cell that is reached.
        """
        self.gids: set[int] = set()
        self._incoming: dict[int, Floats] = {}
        self._outgoing: dict[int, Floats] = {}
        self._sent: dict[int, int] = {}
        self._t, self._period, self._turn = 0.0, 0.0, 0
        names = [direction.name for direction in directions]
        if any(other != names for other in mpi.gather(names)):
            raise Error(f"with spike_times all MPI ranks must name the same directions; here: {', '.join(names)}")
        remote = [ends for ends in all_ends() if ends.gid is not None and ends.target is not None]
        wires = [ends for ends in remote if stands(ends.target)]
        self._known = set[int]().union(*mpi.gather({ends.gid for ends in remote if ends.gid is not None}))
        found = {gid: ends_of_source(gid) for gid in sorted(self._known)}
        self.sources: dict[int, Ends] = {gid: ends for gid, ends in found.items() if ends is not None}
        allowed = None if scope is None else {root_of(sec) for sec in scope}
        while True:
            spread()
            reached = self._reached(directions)
            grown = mpi.agree(True, lambda: _grow(directions, wires, reached, allowed))  # noqa: B023
            if not any(mpi.gather(grown)):
                break
        self.gids = set[int]().union(*reached.values())
        for rank, some in enumerate(mpi.gather(any(direction.cells for direction in directions))):
            if not some:
                raise Error(f"MPI rank {rank} has no cell that a direction or a spike reaches: spike_times needs one")

    def _reached(self, directions: Sequence[Direction]) -> dict[str, set[int]]:
        """By direction: the numbers of the cells, of any rank, that it reaches and that other ranks hear of."""
        mine: dict[str, list[int]] = {}
        for direction in directions:
            roots = {cell.root for cell in direction.cells}
            mine[direction.name] = [gid for gid, ends in self.sources.items() if _root(ends) in roots]
        every = mpi.gather(mine)
        return {name: {gid for of in every for gid in of[name]} for name in mine}

    def knows(self, gid: int) -> bool:
        """Whether some rank listened to this cell when the gradients were attached."""
        return gid in self._known

    def start(self, incoming: Mapping[int, float], outgoing: Mapping[int, Floats], directions: int, room: int) -> None:
        """Begin anew, before a run; collective.

        Args:
            incoming: By number, the cells of other ranks whose spikes come to gradients, and the shortest delay, ms.
            outgoing: By number, the tables of the cells of this rank.
            directions: How many.
            room: For how many spikes.
        """
        self._incoming = {gid: np.zeros(_HEAD + room * (1 + directions)) for gid in incoming}
        for table in self._incoming.values():
            table[1] = room
        self._outgoing, self._sent = dict(outgoing), dict.fromkeys(outgoing, 0)
        shortest = min(mpi.gather(min(incoming.values(), default=math.inf)))
        dt = float(nrn.h.dt)
        # A spike is in its table a step after NEURON sees it, and must be here before it comes.
        self._period = dt * max(1, math.ceil(shortest / dt - 1e-6) - 1) if math.isfinite(shortest) else 0.0

    def address(self, gid: int) -> int:
        """Where the table is of the spikes of a cell on another rank."""
        return int(self._incoming[gid].ctypes.data)

    def begin(self) -> None:
        """The run starts now."""
        self._t, self._turn = float(nrn.h.t), 0
        self._ask()

    def _ask(self) -> None:
        if self._period == 0.0:
            return
        self._turn += 1
        me = ref(self)

        def exchange() -> None:
            here = me()
            if here is not None:
                here._exchange()

        # Between two steps, and not where NEURON's own exchange may be: the order of both is that of all ranks.
        nrn.call_at(self._t + self._turn * self._period + 0.25 * nrn.h.dt, exchange)

    def _exchange(self) -> None:
        added = {gid: rows for gid, table in self._outgoing.items() if len(rows := self._added(gid, table))}
        for of in mpi.gather(added):
            for gid, rows in of.items():
                table = self._incoming.get(gid)
                if table is not None:
                    _append(table, rows)
        self._ask()

    def _added(self, gid: int, table: Floats) -> Floats:
        """[spike, time and derivatives] what was added to a table since the last time."""
        first, end, room = self._sent[gid], int(table[0]), int(table[1])
        self._sent[gid] = end
        return table[_HEAD:].reshape(room, -1)[np.arange(first, end) % room]


def _append(table: Floats, rows: Floats) -> None:
    room = int(table[1])
    table[_HEAD:].reshape(room, -1)[(int(table[0]) + np.arange(len(rows))) % room] = rows
    table[0] += len(rows)


def _root(ends: Ends) -> nrn.Section | None:
    return None if ends.section is None else root_of(ends.section)


def _grow(
    directions: Iterable[Direction],
    wires: Iterable[Ends],
    reached: Mapping[str, set[int]],
    allowed: set[nrn.Section] | None,
) -> bool:
    """Add the cells to which the spikes of other ranks come; whether there were any."""
    cells = {cell.root: cell for direction in directions for cell in direction.cells}
    grown = False
    for direction in directions:
        roots = {cell.root for cell in direction.cells}
        for ends in wires:
            root = root_of(ends.target.get_segment().sec) if ends.target is not None else None
            if ends.gid not in reached[direction.name] or root is None or root in roots:
                continue
            if allowed is not None and root not in allowed:
                raise Error(
                    f"{direction.name}: {nrn.name_of(ends.netcon)} brings spikes of a cell on another MPI rank that "
                    f"it acts on to {root.name()}, which is not in the sections that attach was given"
                )
            cell = cells.setdefault(root, Cell(tree_of(root)))
            direction.cells = [*direction.cells, cell]
            roots.add(root)
            grown = True
    return grown
