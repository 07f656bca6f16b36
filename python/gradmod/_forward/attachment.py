"""What gradmod puts on one cell: rows in its segments and beside its point processes, and the solver."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence

import numpy as np

from .. import _neuron as nrn
from .._emitted.mechanism import EmittedMechanism
from .._guards.corrected_parameters import Corrected
from .._guards.point_process_ions import check_ions
from .._guards.reaction_diffusion import check_rxd
from .._guards.voltage_events import tell_jumps
from .._manifest.faults import Fault
from .._manifest.gradients import Manifest, Solver
from .._manifest.region import Region
from .._model.cells import Cell
from .._model.directions import Direction
from .._model.events import Events
from .._model.ions import IonsOfCell, ion_settings
from .._model.pointer_link import Key, own_variable
from .._model.pointer_variables import Seen, Target, target_of
from .._neuron.sections import exists
from .._outside.refusals import check_electrode
from ..errors import Refused
from ..parameters import Global, InitialVoltage, Range, Stimulus
from .geometry import Geometry
from .sheath_rows import SheathRows

#: RANGE arrays of rows: the gradient of v, and what it is at the start of a run.
VOLTAGE, START = "W", "W_start"


class Attachment:
    """All that gradmod adds to one cell.

    Attributes:
        cell: The user's cell.
        acting: The numbers k of the directions that act on the cell.
        spots: The rows in the user's segments, in the order of ``cell.segments``.
        companions: Those beside the cell's point processes.
        jumping: The nodes where events set v.
        sheaths: The rows of what is around nodes with ``extracellular``.
    """

    def __init__(self, cell: Cell, directions: Sequence[Direction], solver: Solver) -> None:
        """Changes nothing yet."""
        self.cell = cell
        self.directions = directions
        self.geometry = Geometry(cell)
        self.acting: list[int] = []
        self.spots: list[EmittedMechanism] = []
        self.companions: list[EmittedMechanism] = []
        self.events: list[Events] = []
        self.jumping: frozenset[int] = frozenset()
        self._made = solver
        self._solver: nrn.PointProcess | None = None
        self._ends: dict[int, nrn.PointProcess] = {}
        self._resistances: dict[int, nrn.PointProcess] = {}
        self._by_node: dict[int, EmittedMechanism] = {}
        self.sheaths = SheathRows(cell)
        self._corrected = Corrected()
        self._inserted: list[tuple[nrn.Section, str]] = []
        self._followed: list[tuple[nrn.Section, str, int]] = []
        self._seeds: dict[tuple[int, int, str], float] = {}

    # --- wiring ---------------------------------------------------------------------------------------------------

    def insert(
        self,
        made: Manifest,
        regions: dict[nrn.Section, Region],
        points: Sequence[tuple[str, nrn.PointProcess]],
        targets: Mapping[Key, Target],
        transferred: Collection[str] = (),
    ) -> None:
        """Insert and wire everything but what looks at other places; see :meth:`see`.

        On failure, :meth:`remove` undoes what was done.

        Args:
            made: What the compiler emitted.
            regions: The row of every section of the cell.
            points: The user's point processes on this cell.
            targets: What POINTERs of the model see.
            transferred: Variables that NEURON copies such voltages into.
        """
        self._transferred = transferred
        self.geometry = Geometry(self.cell)
        self.acting = [k for k, d in enumerate(self.directions) if any(cell.root == self.cell.root for cell in d.cells)]
        for sec in self.cell.sections:
            sec.insert(regions[sec].suffix)
            self._inserted.append((sec, regions[sec].suffix))
        for seg in self.cell.segments:
            region = regions[seg.sec]
            seen = tuple(target_of(None, seg, pointer.source, targets) for pointer in region.pointer_gradients)
            spot = EmittedMechanism(
                self.cell.node(seg.sec, seg.x), seg, getattr(seg, region.suffix), region, pointer_targets=seen
            )
            self.spots.append(spot)
            self._by_node[spot.node] = spot
            self._point_at_primal(spot, seg, targets)
        for seg in self.cell.segments:
            region = regions[seg.sec]
            if region.electrode and self.cell.node(seg.sec, seg.x) in self.sheaths.nodes:
                check_electrode(", ".join(region.mechanisms), seg, is_point=False, is_followed=True)
        for kind, process in points:
            self._accompany(process, made.point(kind), made.directions, targets)
        self.jumping = tell_jumps(self.spots, self.companions)
        self._solver = nrn.new_point_process(self._made.name, self.cell.root(0.5))
        self.sheaths.insert(self._made, made.directions)
        for k in self.acting:
            if self.directions[k].is_axial:
                self._touch_resistances({seg.sec for seg, _ in self.directions[k].weights()})

    def _accompany(
        self, process: nrn.PointProcess, region: Region, directions: int, targets: Mapping[Key, Target]
    ) -> None:
        seg, name = process.get_segment(), nrn.name_of(process)
        if region.electrode and self.cell.node(seg.sec, seg.x) in self.sheaths.nodes:
            check_electrode(name, seg, is_point=True, is_followed=region.weights is None and not region.set_at_begin)
        if region.sets_voltage and self.sheaths.nodes:
            raise Refused(f"{name}: events that set v are not differentiated on a cell where extracellular is inserted")
        companion = nrn.new_point_process(region.suffix, seg)
        seen = tuple(target_of(name, seg, pointer.source, targets) for pointer in region.pointer_gradients)
        spot = EmittedMechanism(self.cell.node(seg.sec, seg.x), seg, companion, region, name, seen)
        self.companions.append(spot)
        if region.weights is not None:
            timed = region.event_time.is_possible
            self.events.append(Events(name, companion, region.weights, directions=directions, timed=timed))
        self._point_at_primal(spot, process, targets)
        holder = self._holder(spot.node)
        if region.voltage is not None:
            nrn.set_pointer(companion, region.voltage, nrn.ref(holder, VOLTAGE, 0))

    def _touch_resistances(self, chosen: set[nrn.Section]) -> None:
        for node, ((sec, x), above) in enumerate(zip(self.cell.places, self.cell.parent, strict=True)):
            if above >= 0 and sec in chosen and node not in self._resistances:
                self._resistances[node] = nrn.new_point_process(self._made.axial, sec(x))

    def _holder(self, node: int) -> nrn.Mechanism:
        """What keeps the gradients of v of a node: the row of the segment, or, at an end, one that is put there now."""
        if node in self._by_node:
            return self._by_node[node].mechanism
        if node not in self._ends:
            sec, x = self.cell.places[node]
            self._ends[node] = nrn.new_point_process(self._made.end, sec(x))
        return self._ends[node]

    def keeps(self, sec: nrn.Section, x: float) -> bool:
        """Whether the gradients of v of a place are kept already; else :meth:`voltage` changes the model."""
        node = self.cell.node(sec, x)
        return node in self._by_node or node in self._ends

    def voltage(self, sec: nrn.Section, x: float, k: int) -> nrn.Ref:
        """The gradient of v in direction k at a place of the cell, mV per unit of the parameter."""
        return nrn.ref(self._holder(self.cell.node(sec, x)), VOLTAGE, k)

    def axial_change(self, node: int, k: int) -> float:
        """The relative change of the conductance from a node to its parent in direction k, in the last run."""
        process = self._resistances.get(node)
        return 0.0 if process is None else float(process.s[k])

    def see(self, everywhere: Mapping[nrn.Section, Attachment]) -> None:
        """Let rows see the gradients of the voltages that the model's POINTERs see.

        Args:
            everywhere: What is attached to each section.
        """
        for spot in (*self.spots, *self.companions):
            for pointer, target in zip(spot.region.pointer_gradients, spot.pointer_targets, strict=True):
                if isinstance(target, Seen):
                    continue
                other = everywhere.get(target[0])
                seen = nrn.ref(spot.mechanism, pointer.rest, 0) if other is None else other.voltage(*target, 0)
                nrn.set_pointer(spot.mechanism, pointer.gradient, seen)

    def _point_at_primal(
        self, spot: EmittedMechanism, owner: nrn.Segment | nrn.PointProcess, targets: Mapping[Key, Target]
    ) -> None:
        owners = {"global": nrn.h, "segment": spot.segment, "range": owner}
        for pointer in spot.region.pointers:
            if pointer.source in self._transferred:
                own = nrn.ref(owner, own_variable(pointer.source, spot.process))
                nrn.set_pointer(spot.mechanism, pointer.name, own)
                continue
            if pointer.scope == "pointed":
                target = target_of(spot.process, spot.segment, pointer.source, targets)
                if isinstance(target, Seen):
                    target = nrn.ref(target.variable.owner(), target.variable.name)
                else:
                    target = nrn.ref(target[0](target[1]), "v")
                nrn.set_pointer(spot.mechanism, pointer.name, target)
                continue
            nrn.set_pointer(spot.mechanism, pointer.name, nrn.ref(owners[pointer.scope], pointer.source))

    def is_wired(self) -> bool:
        """Whether every segment still has the row that was wired; changes of nseg replace it."""
        return all(
            # Looked up anew: NEURON 8 does not survive to be asked about a mechanism that was replaced.
            nrn.same_target(getattr(spot.segment, spot.region.suffix, None), pointer.name, spot.segment, pointer.source)
            for spot in self.spots
            for pointer in spot.region.pointers[-1:]
        )

    def accompanies(self, processes: Mapping[str, nrn.PointProcess]) -> bool:
        """Whether the companions see these point processes, by name, and not others that were there before."""
        return all(
            nrn.same_target(spot.mechanism, pointer.name, processes.get(spot.process or ""), pointer.source)
            for spot in self.companions
            for pointer in spot.region.pointers
            if pointer.scope == "range"
        )

    # --- before every run -----------------------------------------------------------------------------------------

    def sync(self, spikes: Mapping[str, int]) -> None:
        """Follow the user's cell: ion styles, Ra and the weights of all directions.

        Args:
            spikes: As for ``Events.sync``.
        """
        self.geometry = Geometry(self.cell)
        by_target = nrn.netcons_by_target() if self.events else {}
        for events in self.events:
            events.sync(self.directions, by_target, spikes)
        check_ions((*self.spots, *self.companions))
        check_rxd((*self.spots, *self.companions))
        self._followed = [
            (sec, ion, nrn.ion_style(sec, ion))
            for sec, region in {spot.segment.sec: spot.region for spot in self.spots}.items()
            for ion in (flags.ion for flags in region.ions)
        ]
        used = IonsOfCell()
        for spot in (*self.spots, *self.companions):
            used.add(spot)
        for spot in (*self.spots, *self.companions):
            for name, value in ion_settings(spot.region.ions, spot.segment, used.at(spot.segment)).items():
                setattr(spot.mechanism, name, value)
        self._corrected.remember((*self.spots, *self.companions))
        self.sheaths.sync(self.directions, self.acting)
        for k in self.acting:
            self._seed(k)
            if self.directions[k].is_axial:
                changes = {seg.sec: -weight / seg.sec.Ra for seg, weight in self.directions[k].weights()}
                for node, process in self._resistances.items():
                    process.s[k] = changes.get(self.cell.places[node][0], 0.0)

    def check_start(self) -> None:
        """Refuse a run whose INITIAL blocks changed a PARAMETER: the user's value then has no derivative."""
        self._corrected.check()

    def changed(self) -> str:
        """What of the cell is not as :meth:`sync` found it, in a few words; empty if nothing."""
        now = Geometry(self.cell)
        for what, before, after in (
            ("cm", self.geometry.cm, now.cm),
            ("area", self.geometry.area, now.area),
            ("axial resistance", self.geometry.resistance, now.resistance),
        ):
            different = np.flatnonzero(before != after)
            if different.size:
                sec, x = self.cell.places[int(different[0])]
                return f"the {what} of {sec.name()}({x:g}) changed"
        if self.sheaths.has_changed():
            return f"xg, xc or xraxial in the cell of {self.cell.root.name()} changed"
        for sec, ion, style in self._followed:
            if nrn.ion_style(sec, ion) != style:
                return f"the ion_style of {ion} in {sec.name()} changed"
        return ""

    def _seed(self, k: int) -> None:
        """Tell every emitted mechanism which parameter direction k is there, and its weight."""
        parameter, wrt = self.directions[k].parameter, self.directions[k].wrt
        if isinstance(parameter, Range) and wrt is not None:
            sections = set(self.cell.sections)
            weights = {
                self.cell.node(seg.sec, seg.x): weight
                for seg, weight in self.directions[k].weights()
                if seg.sec in sections
            }
            for spot in (*self.spots, *self.companions):
                self._set_seed(spot, k, wrt, weights.get(spot.node, 0.0))
        elif isinstance(parameter, Global) and wrt is not None:
            for spot in (*self.spots, *self.companions):
                self._set_seed(spot, k, wrt, 1.0)
        elif isinstance(parameter, Stimulus) and wrt is not None:
            for spot in self.companions:
                self._set_seed(spot, k, wrt, float(spot.process == parameter.process))

    def _set_seed(self, spot: EmittedMechanism, k: int, wrt: str, weight: float) -> None:
        seed = spot.region.parameters.get(wrt)
        if seed is not None:
            self._tell(spot, k, seed, weight)

    def _tell(self, spot: EmittedMechanism, k: int, array: str, value: float) -> None:
        """Set an element of a RANGE array that begins as zeros, if it is another now."""
        if self._seeds.get((id(spot), k, array), 0.0) != value:
            getattr(spot.mechanism, array)[k] = value
            self._seeds[id(spot), k, array] = value

    def set_initial_voltages(self) -> None:
        """Tell every row the gradient of the initial voltage, ends included."""
        for k in self.acting:
            parameter = self.directions[k].parameter
            weights: dict[int, float] = {}
            everywhere = False
            if isinstance(parameter, InitialVoltage):
                sections = set(self.cell.sections)
                weights = {
                    self.cell.node(seg.sec, seg.x): weight
                    for seg, weight in self.directions[k].weights()
                    if seg.sec in sections
                }
                everywhere = parameter.where is None
            for spot in self.spots:
                self._tell(spot, k, START, weights.get(spot.node, 0.0))
            for node, end in self._ends.items():
                beside = self.cell.beside[node]
                getattr(end, START)[k] = weights.get(beside, 0.0) if everywhere or beside == node else 0.0

    def fault(self, of: EmittedMechanism | None = None) -> Fault | None:
        """What the solver, or a row, says is wrong with the run.

        Args:
            of: The row; by default the solver.
        """
        told = self._solver if of is None else of.mechanism
        number = 0 if told is None else int(told.fault)
        return self._made.faults[number] if number else None

    def spoil(self) -> None:
        """Let all gradients of v be NaN, which nobody takes for a gradient."""
        for spot in self.spots:
            for k in self.acting:
                self._tell(spot, k, START, math.nan)
                getattr(spot.mechanism, VOLTAGE)[k] = math.nan

    # --- the end --------------------------------------------------------------------------------------------------

    def remove(self) -> None:
        """Take everything away again; the user's cell is as it was."""
        self._solver = None
        self.sheaths.remove()
        self._ends.clear()
        self._resistances.clear()
        self._by_node.clear()
        self.events.clear()
        self._corrected.clear()
        self.acting.clear()
        self.companions.clear()
        self.spots.clear()
        self._seeds.clear()
        for sec, suffix in self._inserted:
            if exists(sec):
                sec.uninsert(suffix)
        self._inserted.clear()
