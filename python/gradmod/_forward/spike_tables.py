"""Spikes whose times depend on parameters: whom they reach, and the tables that hold how.

A point process at each place that a NetCon watches writes the table of its spikes; the NetCons' copies bring its
address to the companions.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np

from .. import _neuron as nrn
from .._manifest.events import SpikeNotes
from .._manifest.gradients import Manifest
from .._model.cells import Cell, Floats, Place
from .._model.directions import Direction
from .._neuron.mpi import agree
from .._neuron.netcon_ends import all_ends, stands, threshold_of
from .._neuron.sections import root_of
from ..errors import Refused
from ..parameters import NetConDelay
from .remote_spikes import RemoteSpikes
from .wires import Wire, find_wires

#: A table has room for this many spikes at least.
_ROOM = 64
_AGAIN = "call detach() and attach() again"
_NOT_FOLLOWED = "how their times depend on parameters is not followed"


class SpikeTables:
    """The tables of the spikes of all cells with gradients.

    Attributes:
        over_ranks: Some of them come from other MPI ranks.
    """

    def __init__(
        self,
        made: Manifest,
        notes: SpikeNotes,
        cells: Iterable[Cell],
        points: Sequence[tuple[str, nrn.PointProcess]],
        directions: Sequence[Direction],
        remote: RemoteSpikes | None,
    ) -> None:
        """Look whether all times can be followed; the model is not touched yet.

        Args:
            made: What the compiler emitted.
            notes: What of it writes the tables.
            cells: The cells that get gradients.
            points: The kinds and the point processes on them.
            directions: All of them.
            remote: The spikes of other MPI ranks, if there are several.

        Raises:
            Refused: The times of some events cannot be followed.
        """
        self._made, self._notes, self._remote = made, notes, remote
        self.over_ranks = remote is not None
        self._cells = {cell.root: cell for cell in cells}
        self._writers: dict[Place, nrn.PointProcess] = {}
        self._tables: dict[Place, Floats] = {}
        sections = [(process.get_segment(), self._made.point(kind)) for kind, process in points]
        #: Where events set v.
        self._jumping = {self._node((seg.sec, float(seg.x))) for seg, region in sections if region.sets_voltage}
        self._check_own(points, directions)
        self._check_delays(directions)
        self._acting(find_wires())

    def insert(self) -> None:
        """Put the point processes that write the tables to the places that NetCons watch now."""
        here = [wire.source for wire in self._acting(find_wires())]
        for place in [*here, *self._heard().values()]:
            if place is not None and (node := self._node(place)) not in self._writers:
                self._writers[node] = nrn.new_point_process(self._notes.name, node[0](node[1]))

    def _node(self, place: Place) -> Place:
        """Places of one node are one."""
        cell = self._cells[root_of(place[0])]
        return cell.places[cell.node(*place)]

    def sync(self) -> dict[str, int]:
        """Begin anew, before a run; on several MPI ranks all must.

        Returns:
            By the NetCon's name: the address of the table of its spikes, where their times depend on something.

        Raises:
            Refused: The times of some events cannot be followed; NetCons were added.
        """
        wires, room, addresses = agree(self.over_ranks, self._sync_here)
        if self._remote is not None:
            addresses |= self._sync_remote(self._remote, [wire for wire in wires if wire.source is None], room)
        return addresses

    def _sync_here(self) -> tuple[list[Wire], int, dict[str, int]]:
        addresses: dict[str, int] = {}
        wires = self._acting(find_wires())
        longest = max((wire.delay for wire in wires), default=0.0)
        room = max(_ROOM, 2 * math.ceil(longest / nrn.h.dt))
        for node, writer in self._writers.items():
            table = np.zeros(2 + room * (1 + self._made.directions))
            table[1] = room
            self._tables[node] = table
            setattr(writer, self._notes.table, float(table.ctypes.data))
            setattr(writer, self._notes.room, room)
        for wire in wires:
            if wire.source is None:
                continue
            node = self._node(wire.source)
            writer = self._writers.get(node)
            if writer is None:
                raise Refused(f"{wire} was added, and its spikes are not followed yet; {_AGAIN}")
            setattr(writer, self._notes.threshold, wire.threshold)
            addresses[wire.netcon] = int(self._tables[node].ctypes.data)
        return wires, room, addresses

    def _sync_remote(self, remote: RemoteSpikes, wires: Iterable[Wire], room: int) -> dict[str, int]:
        outgoing: dict[int, Floats] = {}
        for gid, place in self._heard().items():
            node = self._node(place)
            setattr(self._writers[node], self._notes.threshold, threshold_of(gid))
            outgoing[gid] = self._tables[node]
        from_gid = {wire.netcon: wire.gid for wire in wires if wire.gid is not None}
        delays: dict[int, float] = {}
        for wire in wires:
            gid = from_gid[wire.netcon]
            delays[gid] = min(wire.delay, delays.get(gid, wire.delay))
        remote.start(delays, outgoing, self._made.directions, room)
        return {netcon: remote.address(gid) for netcon, gid in from_gid.items()}

    def start(self) -> None:
        """The run starts now, INITIAL was run."""
        if self._remote is not None:
            self._remote.begin()

    def _heard(self) -> dict[int, Place]:
        """The places of this rank whose spikes' times depend on something, and that other ranks hear of."""
        if self._remote is None:
            return {}
        found: dict[int, Place] = {}
        for gid, ends in self._remote.sources.items():
            if gid in self._remote.gids and ends.segment is not None:
                found[gid] = ends.segment.sec, float(ends.segment.x)
                if self._node(found[gid]) in self._jumping:
                    raise Refused(f"cell {gid} has a v that events set: its crossing the threshold has no derivative")
        return found

    def _acting(self, wires: Iterable[Wire]) -> list[Wire]:
        """The wires that carry gradients.

        Raises:
            Refused: One leads where its events cannot be followed.
        """
        self._check_others()
        acting: list[Wire] = []
        for wire in wires:
            if not self._depends(wire) or wire.kind in self._made.passed_over:
                continue
            if wire.root not in self._cells:
                raise Refused(f"{wire} was added, and its target has no gradients yet; {_AGAIN}")
            region = self._made.point(wire.kind)
            if region.weights is None:
                continue
            if not region.event_time.is_possible:
                raise Refused(
                    f"{wire} brings spikes whose times depend on parameters, and {wire.kind} can't take such events: "
                    f"{region.event_time.reason}; without spike_times their times count as fixed"
                )
            least = 1 if wire.gid is None else 2
            if wire.delay < least * nrn.h.dt * (1 - 1e-9):
                raise Refused(
                    f"the delay of {wire} is {wire.delay:g} ms; spike_times needs at least "
                    f"{'dt' if wire.gid is None else '2 dt from another MPI rank'}"
                )
            if wire.source is not None and self._node(wire.source) in self._jumping:
                raise Refused(f"{wire} watches a v that events set: such a crossing has no derivative")
            acting.append(wire)
        return acting

    def _depends(self, wire: Wire) -> bool:
        """Whether the times of its spikes depend on a direction.

        Raises:
            Refused: That was not found out when the gradients were attached.
        """
        if wire.gid is None or self._remote is None:
            return wire.seen in self._cells
        if not self._remote.knows(wire.gid):
            raise Refused(f"{wire} was added; {_AGAIN}")
        return wire.gid in self._remote.gids

    def _check_delays(self, directions: Iterable[Direction]) -> None:
        """Refuse directions in the delays of NetCons whose targets cannot take it."""
        delayed = {d.parameter.netcon: d for d in directions if isinstance(d.parameter, NetConDelay)}
        for ends in all_ends():
            direction = delayed.get(nrn.name_of(ends.netcon))
            if direction is None or ends.target is None:
                continue
            kind = nrn.type_of_point_process(ends.target)
            reason: str | None = "it acts on no membrane"
            if kind not in self._made.passed_over:
                event_time = self._made.point(kind).event_time
                if event_time.is_possible:
                    continue
                reason = event_time.reason
            raise Refused(f"{direction.name}: {kind} can't take events whose times have a derivative: {reason}")

    def _check_own(self, points: Iterable[tuple[str, nrn.PointProcess]], directions: Iterable[Direction]) -> None:
        """Refuse point processes that send themselves events at times that depend on more than can be followed."""
        wanted = {direction.wrt: direction.name for direction in directions}
        for kind, process in points:
            event_time, name = self._made.point(kind).event_time, nrn.name_of(process)
            if event_time.watches:
                raise Refused(
                    f"{name} has a WATCH: how the time when its condition comes true depends on parameters "
                    "is not followed; without spike_times it counts as fixed"
                )
            for parameter in event_time.timed_by:
                if parameter in wanted and not event_time.is_possible:
                    raise Refused(
                        f"{wanted[parameter]}: {parameter} changes when events come that {name} sends to itself, "
                        f"which is not followed: {event_time.reason}"
                    )

    def _check_others(self) -> None:
        """Refuse what sends events at times that depend on the cells with gradients in another way."""
        found = list(all_ends())
        heard = {} if self._remote is None else self._remote.sources
        gids = set[int]() if self._remote is None else self._remote.gids
        senders = [ends.sender for ends in found if ends.target is not None]
        relays = {nrn.name_of(sender) for sender in [*senders, *(ends.sender for ends in heard.values())] if sender}
        told = [(ends, nrn.name_of(ends.netcon)) for ends in found if ends.target is not None]
        for ends, name in [*told, *((ends, f"cell {gid}") for gid, ends in heard.items())]:
            if not (self._is_ours(ends.section) or ends.gid in gids):
                continue
            if ends.sender is not None:
                raise Refused(
                    f"{name} gets events from {nrn.name_of(ends.sender)} on a cell with gradients: {_NOT_FOLLOWED}"
                )
            if ends.segment is None and ends.gid is None:
                raise Refused(f"{name} watches another variable than v: {_NOT_FOLLOWED}")
            target = "" if ends.target is None else nrn.name_of(ends.target)
            if ends.target is not None and not stands(ends.target) and target in relays:
                raise Refused(
                    f"{name} brings spikes whose times depend on parameters to {target}, which sends events on: "
                    "how the times of these depend on parameters is not followed"
                )

    def _is_ours(self, section: nrn.Section | None) -> bool:
        return section is not None and root_of(section) in self._cells

    def remove(self) -> None:
        """Take everything away again."""
        self._writers.clear()
        self._tables.clear()
