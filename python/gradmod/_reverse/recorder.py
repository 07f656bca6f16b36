"""What reverse mode puts on the user's cells: mechanisms that remember a run, and nothing else.

The remembered run is a table of *frames*, one per time step: the time, then for every place what changes along the run.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from .. import _neuron as nrn
from .._emitted.gather import Gather
from .._emitted.recorder_site import RecorderSite
from .._guards.corrected_parameters import Corrected
from .._guards.point_process_ions import check_ions
from .._guards.random_streams import check_ids, start_streams
from .._guards.reaction_diffusion import check_rxd
from .._guards.recorded_changes import Watched, check_acting, check_driven, check_gathered, check_moved, watched
from .._manifest.reverse import ReverseManifest, ReverseRegion
from .._model.cells import Cell, Place
from .._model.directions import Direction
from .._model.events import Copies
from .._model.ions import IonsOfCell, check_reversals_at_start, ion_settings
from .._model.pointer_link import Key, own_variable
from .._model.pointers import place_of
from .._neuron.sections import exists
from .._outside.refusals import check_electrode
from .._outside.sheaths import Sheaths
from .._process.shared_memory import SharedMemory
from .event_copies import EventCopies
from .frame import Frame


class Recorders:
    """The recorders on some cells.

    Attributes:
        spots: Of the segments, cell by cell in the order of ``cell.segments``, then of the point processes.
        frame: Where their numbers are.
        out_size: How many numbers come out.
        events: What those that take events get.
        sheaths: The nodes with ``extracellular``.
    """

    def __init__(self, cells: Sequence[Cell]) -> None:
        """Nothing is inserted yet, on these cells."""
        self.cells = cells
        self.spots: list[RecorderSite] = []
        self.frame = Frame()
        self.out_size = 0
        self.events = EventCopies()
        self.sheaths = Sheaths(cells)
        self._corrected = Corrected()
        self._ions = IonsOfCell()
        self._ends: list[nrn.PointProcess] = []
        self._around: list[nrn.PointProcess] = []
        self._gather: Gather | None = None
        #: The recorders that remember by themselves.
        self._own: list[RecorderSite] = []
        self._inserted: list[tuple[nrn.Section, str]] = []
        #: Where it is remembered now: offset of the first frame, and how many there is room for.
        self._window: tuple[SharedMemory, int, int]
        #: {spot: the ids of its streams of random numbers and their places before INITIAL}
        self._streams: dict[int, dict[str, float]] = {}

    def insert(
        self,
        made: ReverseManifest,
        regions: Mapping[nrn.Section, ReverseRegion],
        points: Sequence[tuple[str, nrn.PointProcess]],
        targets: Mapping[Key, Place],
        transferred: Collection[str] = (),
    ) -> None:
        """Insert and wire everything. On failure, :meth:`remove` undoes what was done.

        Args:
            made: What the compiler emitted.
            regions: What was emitted for each section.
            points: The user's point processes.
            targets: Where POINTERs of the model look.
            transferred: Variables that NEURON copies such voltages into.
        """
        self._made = made
        self._targets, self._transferred = targets, transferred
        placed: list[tuple[int, nrn.PointProcess, ReverseRegion, nrn.PointProcess]] = []
        owners = {sec: index for index, cell in enumerate(self.cells) for sec in cell.sections}
        self.frame.count(regions[seg.sec].recorder for cell in self.cells for seg in cell.segments)
        self.frame.count(made.point(kind).recorder for kind, _ in points)
        self.frame.add_voltages(self.cells, regions)
        self.frame.stride = self.sheaths.place(self.frame.stride)
        for index, cell in enumerate(self.cells):
            for sec in cell.sections:
                sec.insert(regions[sec].recorder)
                self._inserted.append((sec, regions[sec].recorder))
            for seg in cell.segments:
                self._add(index, seg, getattr(seg, regions[seg.sec].recorder), regions[seg.sec], seg, None)
        for kind, process in points:
            seg, region = process.get_segment(), made.point(kind)
            recorder = nrn.new_point_process(region.recorder, seg)
            placed.append((owners[seg.sec], process, region, recorder))
        for cell, process, region, recorder in self._as_in_neuron(placed):
            self._add(cell, process.get_segment(), recorder, region, process, nrn.name_of(process))
        for spot in self.spots:
            if spot.region.sets_voltage:
                self.sheaths.check_jump(spot)
                self.frame.add_landed(spot)
        of_cells: list[list[RecorderSite]] = [[] for _ in self.cells]
        for spot in self.spots:
            of_cells[spot.cell].append(spot)
        for spots in of_cells:
            check_ions(spots)
        check_rxd(self.spots)
        self._own = [spot for spot in self.spots if not spot.region.gathered]
        gather = self._gather = Gather(made, self.cells)
        kernels = [*self._tell(gather.owner), *self._add_ends(made.recorder_node, gather.owner)]
        if made.recorder_layers is not None:
            self._around.extend(self.sheaths.insert(made.recorder_layers, gather.owner))
            kernels.append(int(self._around[0].kernel()))
        gather.read(kernels, self.frame.stride, self.frame.fixed_size)

    def _as_in_neuron(
        self, placed: Sequence[tuple[int, nrn.PointProcess, ReverseRegion, nrn.PointProcess]]
    ) -> list[tuple[int, nrn.PointProcess, ReverseRegion, nrn.PointProcess]]:
        """Point processes as NEURON 9 has them in memory, so that they are copied fastest: at a node the last first."""

        def node(one: tuple[int, nrn.PointProcess, ReverseRegion, nrn.PointProcess]) -> tuple[int, int]:
            segment = one[1].get_segment()
            return one[0], self.cells[one[0]].node(segment.sec, segment.x)

        return sorted(reversed(placed), key=node)

    def _tell(self, owner: int) -> Iterator[int]:
        """Say to recorders where in a frame their numbers are; yields the addresses of what they tell."""
        known: dict[str, int] = {}
        for spot in self.spots:
            if not spot.region.gathered:
                continue
            spot.mechanism.at, spot.mechanism.fixed_at = float(spot.frame), float(spot.fixed)
            spot.mechanism.owner, spot.mechanism.pitch = float(owner), float(spot.pitch)
            if spot.process is None:
                spot.mechanism.v_at = float(spot.voltage)
            name = spot.region.recorder
            if name not in known:
                if spot.process is None:
                    known[name] = int(nrn.call_density("kernel", name, spot.segment))
                else:
                    known[name] = int(spot.mechanism.kernel())
        yield from known.values()

    def _add(
        self,
        cell: int,
        seg: nrn.Segment,
        mechanism: nrn.Mechanism,
        region: ReverseRegion,
        owner: nrn.Segment | nrn.PointProcess,
        process: str | None,
    ) -> None:
        owners = {"global": nrn.h, "segment": seg, "range": owner}
        for pointer in region.pointers:
            if pointer.source in self._transferred:
                nrn.set_pointer(mechanism, pointer.name, nrn.ref(owner, own_variable(pointer.source, process)))
                continue
            if pointer.scope == "pointed":
                sec, x = place_of(process, seg, pointer.source, self._targets)
                nrn.set_pointer(mechanism, pointer.name, nrn.ref(sec(x), "v"))
                continue
            nrn.set_pointer(mechanism, pointer.name, nrn.ref(owners[pointer.scope], pointer.source))
        node = self.cells[cell].node(seg.sec, seg.x)
        targets = tuple(place_of(process, seg, source, self._targets) for source in region.pointer_gradients)
        frame, fixed, pitch = self.frame.add(region)
        if not region.gathered and process is None:
            self.frame.nodes[cell, node] = frame
        voltage = self.frame.nodes[cell, node] if region.gathered else frame
        if region.electrode and (cell, node) in self.sheaths:
            name = process or ", ".join(region.mechanisms)
            check_electrode(name, seg, is_point=process is not None, is_followed=region.gathered)
            voltage = self.sheaths.inside.setdefault((cell, node), self.frame.stride)
            self.frame.stride = max(self.frame.stride, voltage + 1)
        spot = RecorderSite(
            cell, node, seg, mechanism, region, process, frame, fixed, voltage, pitch, self.out_size, targets
        )
        if process is not None and region.weights is not None:
            self.events.add(len(self.spots), Copies(process, mechanism, region.weights))
        self.spots.append(spot)
        self._ions.add(spot)
        self.out_size += region.out_size

    def _add_ends(self, name: str, owner: int) -> Iterator[int]:
        """Put recorders on the nodes without membrane; yields the address of what they tell, if there are any."""
        for index, cell in enumerate(self.cells):
            for node, (sec, x) in enumerate(cell.places):
                if not cell.is_segment[node]:
                    process = nrn.new_point_process(name, sec(x))
                    process.at, process.owner = float(self.frame.nodes[index, node]), float(owner)
                    self._ends.append(process)
        if self._ends:
            yield int(self._ends[0].kernel())

    # --- a run ----------------------------------------------------------------------------------------------------

    @property
    def has_log(self) -> bool:
        """Whether events, or changes of what drives point processes, are written down."""
        return any(spot.process is not None for spot in self.spots)

    def watched(self, directions: Sequence[Direction]) -> Watched:
        """Which parameters of point processes are looked at along a run."""
        return watched(self.spots, directions)

    def check_driven(self, watched: Watched) -> None:
        """Look whether any of these changed in the run.

        Raises:
            Refused: One did.
        """
        assert self._gather is not None
        check_driven(self._gather, watched)

    def prepare(self) -> None:
        """Follow the user's model; call it at the beginning of ``finitialize``.

        Raises:
            Refused: The source of a NetCon is a variable other than v; rxd drives what a mechanism uses; the numbers of
                a stream are not those that its ids say.
        """
        check_rxd(self.spots)
        assert self._gather is not None
        self._gather.spread()
        self._corrected.remember(self.spots)
        drawing = [index for index, spot in enumerate(self.spots) if spot.region.streams]
        self._streams = dict(zip(drawing, start_streams([self.spots[index] for index in drawing]), strict=True))
        self.events.follow(self.spots)

    def check_start(self) -> None:
        """Look what INITIAL did.

        Raises:
            Refused: It changed a PARAMETER.
        """
        self._corrected.check()

    def start(self, memory: SharedMemory, frames: int, first: int, room: int, log: int, log_room: int) -> None:
        """Begin to remember; call it before ``finitialize``, and :meth:`stop` in any case.

        Args:
            memory: Where to; the fixed values are at its beginning.
            frames: Offset of the first frame.
            first: Number of the time step that the first frame belongs to.
            room: How many frames there is room for.
            log: Offset of what is remembered of events.
            log_room: How many numbers there is room for.
        """
        for region in {spot.region.recorder: spot.region for spot in self._own}.values():
            nrn.set_globals(
                region.recorder, head=memory.address(frames), stride=self.frame.stride, first=first, room=room
            )
        for recorder in {self.spots[index].region.recorder for index in self.events}:
            nrn.set_globals(recorder, events_at=memory.address(log), events_room=log_room)
        for index, copies in self.events.items():
            copies.companion.spot = float(index)
        assert self._gather is not None
        for spot in (spot for spot in self._own if spot.region.writes_arrays):
            nrn.set_globals(spot.region.recorder, present_at=self._gather.present_at)
            spot.mechanism.number = float(spot.fixed)
        self.empty(memory, log)
        head, fixed_at = memory.address(frames), memory.address()
        for spot in self._acting():
            for name, value in self.settings(spot).items():
                if hasattr(spot.mechanism, name):
                    setattr(spot.mechanism, name, value)
            if spot.region.gathered:
                spot.mechanism.is_on = 1.0
        for spot in self._own:
            if self.frame.landed:
                spot.mechanism.landed_place = float(self.frame.landed_place(spot))
            spot.mechanism.at = head + 8 * spot.frame
            spot.mechanism.fixed_at = fixed_at + 8 * spot.fixed
        self._gather.start(memory, frames, first, room, log, log_room)
        self._window = memory, frames, room

    def _acting(self) -> Iterator[RecorderSite]:
        """The recorders that do something by themselves, if only at events."""
        yield from self._own
        yield from (self.spots[index] for index in self.events if self.spots[index].region.gathered)

    def empty(self, memory: SharedMemory, log: int) -> None:
        """Begin a log anew, with what may change as it is now."""
        if self.has_log:
            assert self._gather is not None
            begin = log + 2 + self.frame.fixed_size
            memory.values[log], memory.values[log + 1] = begin - log, 0.0
            memory.values[log + 2 : begin] = self._gather.present

    def all_settings(self) -> tuple[dict[str, float], ...]:
        """[spot] what the ion styles say, asked once where it is the same."""
        known: dict[tuple[object, ...], dict[str, float]] = {}
        found: list[dict[str, float]] = []
        for spot in self.spots:
            sec = spot.segment.sec
            key = spot.region.name, sec, spot.node if sec in self._ions.uneven else None
            if key not in known:
                known[key] = self.settings(spot)
            found.append(known[key])
        return tuple({**told, **self._streams.get(index, {})} for index, told in enumerate(found))

    def settings(self, spot: RecorderSite) -> dict[str, float]:
        """What the ion styles say at a place."""
        found = ion_settings(spot.region.ions, spot.segment, self._ions.at(spot.segment))
        check_reversals_at_start(spot.region.ions, found, spot.segment)
        return found

    def finish(self) -> int:
        """Remember the present as the last frame; returns the number of time steps that were run.

        Raises:
            Refused: Something that the gradient takes as fixed changed along the run.
        """
        assert self._gather is not None
        steps = self._gather.finish()
        self._see_inside(steps)
        for spot in self._own:
            spot.mechanism.v_now = spot.segment.v
            if spot.process is None:
                nrn.call_density("finish", spot.region.recorder, spot.segment)
            else:
                spot.mechanism.finish()
        check_gathered(self._gather, self.spots, self.frame.landed)
        check_acting(self._acting())
        check_ids([self.spots[index] for index in self._streams])
        return steps

    def _see_inside(self, steps: int) -> None:
        """Compute what electrodes see in the window that is full, or where the run ended after so many steps."""
        assert self._gather is not None
        memory, begin, room = self._window
        count = min(steps - self._gather.first + 1, room)
        if self.sheaths.inside and count > 0:
            frames = memory.values[begin : begin + count * self.frame.stride]
            self.sheaths.fill(frames.reshape(count, self.frame.stride), self.frame.nodes)

    def check_moved(self, directions: Sequence[Direction]) -> None:
        """Look whether a run that was set anew after INITIAL still depends on what INITIAL made.

        Raises:
            Refused: It does, or may.
        """
        assert self._gather is not None
        check_moved(self._gather, self.spots, directions)

    def stop(self) -> None:
        """Remember nothing more: the memory may go away."""
        for spot in self._acting():
            if spot.region.gathered:
                spot.mechanism.is_on = 0.0
            else:
                spot.mechanism.at = spot.mechanism.fixed_at = 0.0
        if self._gather is not None:
            self._gather.stop()

    # --- the end --------------------------------------------------------------------------------------------------

    def is_wired(self) -> bool:
        """Whether every segment still has the recorder that was inserted."""
        return all(
            nrn.same_target(spot.mechanism, pointer.name, spot.segment, pointer.source)
            for spot in self.spots
            if spot.process is None
            for pointer in spot.region.pointers[:1]
            if pointer.scope == "range"
        )

    def accompanies(self, processes: Mapping[str, nrn.PointProcess]) -> bool:
        """Whether the recorders of point processes see these, by name, and not others that were there before."""
        return all(
            nrn.same_target(spot.mechanism, pointer.name, processes.get(spot.process), pointer.source)
            for spot in self.spots
            if spot.process is not None
            for pointer in spot.region.pointers
            if pointer.scope == "range"
        )

    def find(self, cell: int, node: int) -> RecorderSite | None:
        """The recorder of a segment."""
        return next((s for s in self.spots if s.cell == cell and s.node == node and s.process is None), None)

    def remove(self) -> None:
        """Take everything away again; the user's cells are as they were."""
        self._corrected.clear()
        self.events.remove()
        self.spots.clear()
        self._own.clear()
        self._ends.clear()
        self._around.clear()
        if self._gather is not None:
            self._gather.remove()
            self._gather = None
        for sec, suffix in self._inserted:
            if exists(sec):
                sec.uninsert(suffix)
        self._inserted.clear()
