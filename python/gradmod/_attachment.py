"""What gradmod puts on one cell: fused mechanisms, gradient cables, companions of point processes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from . import _manifest as manifest
from . import _neuron as nrn
from ._corrected import Corrected
from ._directions import Direction
from ._events import Events
from ._ions import ion_settings
from ._jumps import SOLVED, tell_jumps
from ._neuron_sections import exists
from ._point_ions import check_ions
from ._pointed import Key
from ._pointed_variables import Seen, Target, target_of
from ._rxd import check_rxd
from .cable import Cable, Geometry
from .cells import Cell
from .parameters import Global, InitialVoltage, Range, Stimulus


@dataclass(frozen=True)
class Spot:
    """An emitted mechanism in the user's model: in a segment, or the companion of a point process.

    Attributes:
        node: Index in the cell's ``places``.
        mechanism: The emitted mechanism (density) or the companion itself.
        region: What the manifest says of it.
        process: Name of the user's point process, for a companion; no reference, which would keep it alive.
        far: What POINTERs of the model see, in the order of ``region.far``.
    """

    node: int
    segment: nrn.Segment
    mechanism: nrn.Mechanism
    region: manifest.Region
    process: str | None = None
    far: tuple[Target, ...] = ()


@dataclass(frozen=True)
class _Edge:
    """The two axial point processes of one edge of the tree, for one direction in Ra."""

    node: int
    at_node: nrn.PointProcess
    at_parent: nrn.PointProcess


class Attachment:
    """All that gradmod adds to one cell.

    Attributes:
        cell: The user's cell.
        cables: The gradient cable of every direction that acts on the cell, by k.
        spots: The emitted mechanisms in the user's segments, in the order of ``cell.segments``.
        companions: The emitted companions of the cell's point processes.
    """

    def __init__(self, cell: Cell, directions: Sequence[Direction]) -> None:
        """Changes nothing yet."""
        self.cell = cell
        self.directions = directions
        self.geometry = Geometry(cell)
        self.cables: dict[int, Cable] = {}
        self.spots: list[Spot] = []
        self.companions: list[Spot] = []
        self.edges: dict[int, list[_Edge]] = {}
        self.events: list[Events] = []
        self._axial_g: dict[int, list[tuple[float, float]]] = {}
        self._corrected = Corrected()
        self._jumps: dict[int, Spot] = {}
        self._on_cables: list[nrn.PointProcess] = []
        self._inserted: list[tuple[nrn.Section, str]] = []
        self._followed: list[tuple[nrn.Section, str, int]] = []
        self._seeds: dict[tuple[int, int, str], float] = {}

    # --- wiring ---------------------------------------------------------------------------------------------------

    def build(self) -> None:
        """Build the gradient cables; the user's sections are not touched yet. On failure, as for :meth:`insert`."""
        self.geometry = Geometry(self.cell)
        for k, direction in enumerate(self.directions):
            if any(acting.root == self.cell.root for acting in direction.cells):
                self.cables[k] = Cable(direction.name, self.geometry)

    def insert(
        self,
        made: manifest.Manifest,
        regions: dict[nrn.Section, manifest.Region],
        points: Sequence[tuple[str, nrn.PointProcess]],
        targets: Mapping[Key, Target],
        everywhere: Mapping[nrn.Section, Attachment],
    ) -> None:
        """Insert and wire everything. On failure, :meth:`remove` undoes what was done.

        Args:
            made: What the compiler emitted.
            regions: The fused mechanism of every section of the cell.
            points: The user's point processes on this cell.
            targets: What POINTERs of the model see.
            everywhere: What is attached to each section.
        """
        for cable in self.cables.values():
            for copy in cable.sections.values():
                copy.insert(made.cable.name)
        for sec in self.cell.sections:
            sec.insert(regions[sec].suffix)
            self._inserted.append((sec, regions[sec].suffix))
        for i, seg in enumerate(self.cell.segments):
            region = regions[seg.sec]
            mechanism = getattr(seg, region.suffix)
            far = tuple(target_of(None, seg, pointer.source, targets) for pointer in region.far)
            spot = Spot(self.cell.node(seg.sec, seg.x), seg, mechanism, region, far=far)
            self.spots.append(spot)
            self._point_at_primal(spot, seg, targets)
            _point_far(spot, everywhere)
            for k, cable in self._point_at_cables(spot, [c.segments[i] for c in self.cables.values()]):
                _feed(getattr(cable, made.cable.name), made.cable, spot, k)
        for kind, process in points:
            self._accompany(process, made, made.point(kind), targets, everywhere)
        self._jumps = tell_jumps(self.spots, self.companions)
        for k in self.cables:
            if self.directions[k].is_axial:
                self.edges[k] = self._axial(k, made.axial)

    def _point_at_primal(
        self, spot: Spot, owner: nrn.Segment | nrn.PointProcess, targets: Mapping[Key, Target]
    ) -> None:
        owners = {"global": nrn.h, "segment": spot.segment, "range": owner}
        for pointer in spot.region.pointers:
            if pointer.scope == "pointed":
                target = target_of(spot.process, spot.segment, pointer.source, targets)
                if isinstance(target, Seen):
                    target = nrn.ref(target.variable.owner(), target.variable.name)
                else:
                    target = nrn.ref(target[0](target[1]), "v")
                nrn.set_pointer(spot.mechanism, pointer.name, target)
                continue
            nrn.set_pointer(spot.mechanism, pointer.name, nrn.ref(owners[pointer.scope], pointer.source))

    def _point_at_cables(self, spot: Spot, at: Sequence[nrn.Segment]) -> list[tuple[int, nrn.Segment]]:
        """Wire W0, W1, ...; a slot without a cable on this cell sees its own source, which stays 0."""
        here = dict(zip(self.cables, at, strict=True))
        for k, name in enumerate(spot.region.cable_pointers):
            target = nrn.ref(here[k], "v") if k in here else nrn.ref(spot.mechanism, spot.region.source, k)
            nrn.set_pointer(spot.mechanism, name, target)
        return list(here.items())

    def _accompany(
        self,
        process: nrn.PointProcess,
        made: manifest.Manifest,
        region: manifest.Region,
        targets: Mapping[Key, Target],
        everywhere: Mapping[nrn.Section, Attachment],
    ) -> None:
        seg = process.get_segment()
        companion = nrn.new_point_process(region.suffix, seg)
        name = nrn.name_of(process)
        far = tuple(target_of(name, seg, pointer.source, targets) for pointer in region.far)
        spot = Spot(self.cell.node(seg.sec, seg.x), seg, companion, region, name, far)
        self.companions.append(spot)
        if region.weights is not None:
            directions = len(region.cable_pointers)
            self.events.append(
                Events(name, companion, region.weights, directions=directions, moved=region.moved.is_possible)
            )
        self._point_at_primal(spot, process, targets)
        _point_far(spot, everywhere)
        at = [cable.at(seg.sec, seg.x) for cable in self.cables.values()]
        for k, cable in self._point_at_cables(spot, at):
            mirror = nrn.new_point_process(made.cable_point.name, cable)
            _feed(mirror, made.cable_point, spot, k)
            self._on_cables.append(mirror)

    def _axial(self, k: int, axial: manifest.Axial) -> list[_Edge]:
        chosen = {seg.sec for seg, _ in self.directions[k].weights()}
        edges: list[_Edge] = []
        for node, ((sec, x), above) in enumerate(zip(self.cell.places, self.cell.parent, strict=True)):
            if above < 0 or sec not in chosen:
                continue
            psec, px = self.cell.places[int(above)]
            ends = self._solved(node, sec(x)), self._solved(int(above), psec(px))
            pair: list[nrn.PointProcess] = []
            for at, here, there in (((sec, x), *ends), ((psec, px), *reversed(ends))):
                process = nrn.new_point_process(axial.name, self.cables[k].at(*at))
                nrn.set_pointer(process, axial.va, there)
                nrn.set_pointer(process, axial.vb, here)
                setattr(process, axial.g, 0.0)
                pair.append(process)
            self._on_cables.extend(pair)
            edges.append(_Edge(node, pair[0], pair[1]))
        return edges

    def _solved(self, node: int, seg: nrn.Segment) -> nrn.Ref:
        """The potential at the end of a step, before the events that follow it."""
        spot = self._jumps.get(node)
        return nrn.ref(seg, "v") if spot is None else nrn.ref(spot.mechanism, SOLVED)

    def solved_voltages(self) -> dict[int, float]:
        """By node, where events set it: the potential before the events that followed the last step, mV."""
        return {node: float(getattr(spot.mechanism, SOLVED)) for node, spot in self._jumps.items()}

    def is_wired(self) -> bool:
        """Whether every segment still has the mechanism that was wired; changes of nseg replace it."""
        k, cable = next(iter(self.cables.items()))
        return all(
            nrn.points_at(spot.segment, spot.region.suffix, spot.region.cable_pointers[k], copy)
            for spot, copy in zip(self.spots, cable.segments, strict=True)
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

    def sync(self, axial: manifest.Axial, spikes: Mapping[str, int]) -> None:
        """Follow the user's cell: geometry, Ra, cm, ion styles and the weights of all directions.

        Args:
            axial: The mechanism that stands for changes of Ra.
            spikes: As for ``Events.sync``.
        """
        self.geometry = Geometry(self.cell)
        for cable in self.cables.values():
            cable.sync(self.geometry)
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
        ions_at: dict[int, list[manifest.IonFlags]] = {}
        for spot in self.companions:
            ions_at.setdefault(spot.node, []).extend(spot.region.ions)
        for spot in (*self.spots, *self.companions):
            processes = ions_at.get(spot.node, ()) if spot.process else ()
            for name, value in ion_settings(spot.region.ions, spot.segment.sec, processes).items():
                setattr(spot.mechanism, name, value)
        self._corrected.remember((*self.spots, *self.companions))
        for k in self.cables:
            self._seed(k)
        for k, edges in self.edges.items():
            self._seed_axial(k, edges, axial)

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
        for sec, ion, style in self._followed:
            if nrn.ion_style(sec, ion) != style:
                return f"the ion_style of {ion} in {sec.name()} changed"
        return ""

    def _seed(self, k: int) -> None:
        """Tell every emitted mechanism which parameter direction k is there, and its weight."""
        parameter, wrt = self.directions[k].parameter, self.directions[k].wrt
        if isinstance(parameter, Range) and wrt is not None:
            weights = {
                self.cell.node(seg.sec, seg.x): weight
                for seg, weight in self.directions[k].weights()
                if seg.sec in self.cables[k].sections
            }
            for spot in (*self.spots, *self.companions):
                self._set_seed(spot, k, wrt, weights.get(spot.node, 0.0))
        elif isinstance(parameter, Global) and wrt is not None:
            for spot in (*self.spots, *self.companions):
                self._set_seed(spot, k, wrt, 1.0)
        elif isinstance(parameter, Stimulus) and wrt is not None:
            for spot in self.companions:
                self._set_seed(spot, k, wrt, float(spot.process == parameter.process))

    def _set_seed(self, spot: Spot, k: int, wrt: str, weight: float) -> None:
        seed = spot.region.parameters.get(wrt)
        if seed is not None:
            self._tell(spot, k, seed, weight)

    def _tell(self, spot: Spot, k: int, array: str, value: float) -> None:
        """Set an element of a RANGE array that begins as zeros, if it is another now."""
        if self._seeds.get((id(spot), k, array), 0.0) != value:
            getattr(spot.mechanism, array)[k] = value
            self._seeds[id(spot), k, array] = value

    def _seed_axial(self, k: int, edges: Sequence[_Edge], axial: manifest.Axial) -> None:
        weights = {seg.sec: weight / seg.sec.Ra for seg, weight in self.directions[k].weights()}
        self._axial_g[k] = []
        for edge in edges:
            g = weights[self.cell.places[edge.node][0]] / self.geometry.resistance[edge.node]
            both = g, g * float(self.geometry.rall[edge.node])
            setattr(edge.at_node, axial.g, both[0])
            setattr(edge.at_parent, axial.g, both[1])
            self._axial_g[k].append(both)

    def axial_conductances(self, k: int) -> list[tuple[float, float]]:
        """[edge] g at the node and at its parent in uS, as set for the present run in direction k."""
        return self._axial_g[k]

    def set_initial_voltages(self) -> None:
        """Set every gradient cable's v to the gradient of the initial voltage, ends included."""
        for k, cable in self.cables.items():
            parameter = self.directions[k].parameter
            weights: dict[int, float] = {}
            everywhere = False
            if isinstance(parameter, InitialVoltage):
                weights = {
                    self.cell.node(seg.sec, seg.x): weight
                    for seg, weight in self.directions[k].weights()
                    if seg.sec in cable.sections
                }
                everywhere = parameter.where is None
            for node, (sec, x) in enumerate(self.cell.places):
                beside = self.cell.beside[node]
                cable.at(sec, x).v = weights.get(beside, 0.0) if everywhere or beside == node else 0.0
            for spot in (*self.spots, *self.companions):
                self._tell(spot, k, "W_start", cable.at(*self.cell.places[spot.node]).v)

    def spoil(self) -> None:
        """Let every gradient cable have NaN, which nobody takes for a gradient."""
        for cable in self.cables.values():
            for seg in cable.segments:
                seg.v = math.nan

    # --- the end --------------------------------------------------------------------------------------------------

    def remove(self) -> None:
        """Take everything away again; the user's cell is as it was."""
        self.edges.clear()
        self.events.clear()
        self._corrected.clear()
        self._on_cables.clear()
        for cable in self.cables.values():
            cable.delete()
        self.cables.clear()
        self.companions.clear()
        self.spots.clear()
        self._jumps.clear()
        self._seeds.clear()
        for sec, suffix in self._inserted:
            if exists(sec):
                sec.uninsert(suffix)
        self._inserted.clear()


def _point_far(spot: Spot, everywhere: Mapping[nrn.Section, Attachment]) -> None:
    """Let an emitted mechanism see the gradients of the voltages that the model's POINTERs see."""
    for far, target in zip(spot.region.far, spot.far, strict=True):
        if isinstance(target, Seen):
            continue
        sec, x = target
        cables = everywhere[sec].cables if sec in everywhere else {}
        for k, name in enumerate(far.cables):
            cable = nrn.ref(cables[k].at(sec, x), "v") if k in cables else nrn.ref(spot.mechanism, far.rest, k)
            nrn.set_pointer(spot.mechanism, name, cable)


def _feed(mirror: nrn.Mechanism, cable: manifest.CableMechanism, spot: Spot, k: int) -> None:
    """Let a mechanism on a gradient cable see the conductance and the source of direction k."""
    nrn.set_pointer(mirror, cable.conductance, nrn.ref(spot.mechanism, spot.region.conductance))
    nrn.set_pointer(mirror, cable.source, nrn.ref(spot.mechanism, spot.region.source, k))
