"""What gradmod puts on one cell: fused mechanisms, gradient cables, companions of point processes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from . import _manifest as manifest
from . import _neuron as nrn
from ._directions import Direction
from .cable import Cable, Geometry
from .cells import Cell
from .errors import Error
from .parameters import Global, InitialVoltage, Range, Stimulus


@dataclass(frozen=True)
class Spot:
    """An emitted mechanism in the user's model: in a segment, or the companion of a point process.

    Attributes:
        node: Index in the cell's ``places``.
        mechanism: The emitted mechanism (density) or the companion itself.
        region: What the manifest says of it.
        process: Name of the user's point process, for a companion; no reference, which would keep it alive.
    """

    node: int
    segment: nrn.Segment
    mechanism: nrn.Mechanism
    region: manifest.Region
    process: str | None = None


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
        """Build the gradient cables; the user's sections are not touched yet."""
        self.cell = cell
        self.directions = directions
        self.geometry = Geometry(cell)
        self.cables: dict[int, Cable] = {}
        self.spots: list[Spot] = []
        self.companions: list[Spot] = []
        self.edges: dict[int, list[_Edge]] = {}
        self._axial_g: dict[int, list[tuple[float, float]]] = {}
        self._on_cables: list[nrn.PointProcess] = []
        self._inserted: list[tuple[nrn.Section, str]] = []
        self._styles: list[tuple[nrn.Section, str, int]] = []
        self._seeds: dict[tuple[int, int, str], float] = {}
        try:
            for k, direction in enumerate(directions):
                if any(acting.root == cell.root for acting in direction.cells):
                    self.cables[k] = Cable(direction.name, self.geometry)
        except BaseException:
            self.remove()
            raise

    # --- wiring ---------------------------------------------------------------------------------------------------

    def insert(
        self,
        made: manifest.Manifest,
        regions: dict[nrn.Section, manifest.Region],
        points: Sequence[tuple[str, nrn.PointProcess]],
    ) -> None:
        """Insert and wire everything. On failure, :meth:`remove` undoes what was done.

        Args:
            made: What the compiler emitted.
            regions: The fused mechanism of every section of the cell.
            points: The user's point processes on this cell.
        """
        for cable in self.cables.values():
            for copy in cable.sections.values():
                copy.insert(made.cable.name)
        for sec in self.cell.sections:
            self._insert_into(sec, regions[sec].suffix)
        for i, seg in enumerate(self.cell.segments):
            region = regions[seg.sec]
            mechanism = getattr(seg, region.suffix)
            spot = Spot(self.cell.node(seg.sec, seg.x), seg, mechanism, region)
            self.spots.append(spot)
            self._point_at_primal(spot, seg)
            for k, cable in self._point_at_cables(spot, [c.segments[i] for c in self.cables.values()]):
                _feed(getattr(cable, made.cable.name), made.cable, spot, k)
        for kind, process in points:
            self._accompany(process, made, made.point(kind))
        for k in self.cables:
            if self.directions[k].is_axial:
                self.edges[k] = self._axial(k, made.axial)

    def _insert_into(self, sec: nrn.Section, suffix: str) -> None:
        ions = [name.removesuffix("_ion") for name in nrn.mechanisms_of(sec) if name.endswith("_ion")]
        styles = {ion: nrn.ion_style(sec, ion) for ion in ions}
        sec.insert(suffix)
        self._inserted.append((sec, suffix))
        for ion, style in styles.items():
            self._styles.append((sec, ion, style))
            if nrn.ion_style(sec, ion) != style:
                nrn.set_ion_style(sec, ion, style)

    def _point_at_primal(self, spot: Spot, owner: nrn.Segment | nrn.PointProcess) -> None:
        for pointer in spot.region.pointers:
            source = nrn.h if pointer.scope == "global" else owner
            nrn.set_pointer(spot.mechanism, pointer.name, nrn.ref(source, pointer.source))

    def _point_at_cables(self, spot: Spot, at: Sequence[nrn.Segment]) -> list[tuple[int, nrn.Segment]]:
        """Wire W0, W1, ...; a slot without a cable on this cell sees its own source, which stays 0."""
        here = dict(zip(self.cables, at, strict=True))
        for k, name in enumerate(spot.region.cable_pointers):
            target = nrn.ref(here[k], "v") if k in here else nrn.ref(spot.mechanism, spot.region.source, k)
            nrn.set_pointer(spot.mechanism, name, target)
        return list(here.items())

    def _accompany(self, process: nrn.PointProcess, made: manifest.Manifest, region: manifest.Region) -> None:
        seg = process.get_segment()
        companion = nrn.new_point_process(region.suffix, seg)
        spot = Spot(self.cell.node(seg.sec, seg.x), seg, companion, region, nrn.name_of(process))
        self.companions.append(spot)
        self._point_at_primal(spot, process)
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
            ends = nrn.ref(sec(x), "v"), nrn.ref(psec(px), "v")
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

    def sync(self, axial: manifest.Axial) -> None:
        """Follow the user's cell: geometry, Ra, cm, ion styles and the weights of all directions."""
        self.geometry = Geometry(self.cell)
        for cable in self.cables.values():
            cable.sync(self.geometry)
        for spot in self.spots:
            for flags in spot.region.ions:
                style = nrn.ion_style(spot.segment.sec, flags.ion)
                if flags.written and style & 0o40 and not style & 0o100:
                    raise Error(
                        f"{spot.segment.sec}: ion_style of {flags.ion} computes the reversal potential at the start only, "
                        "while its concentration changes: not differentiated"
                    )
                # Constant concentrations: what einit makes of them at the start stays true.
                follows = style & 0o100 or (style & 0o40 and not flags.written)
                for name, on in (
                    (flags.nernst, follows),
                    (flags.nernst_init, style & 0o40),
                    (flags.conc_init, style & 0o4),
                ):
                    setattr(spot.mechanism, name, float(bool(on)))
                setattr(spot.mechanism, flags.valence, nrn.ion_charge(flags.ion))
        for k in self.cables:
            self._seed(k)
        for k, edges in self.edges.items():
            self._seed_axial(k, edges, axial)

    def _seed(self, k: int) -> None:
        """Tell every emitted mechanism which parameter direction k is there, and its weight."""
        parameter, wrt = self.directions[k].parameter, self.directions[k].wrt
        if isinstance(parameter, Range) and wrt is not None:
            weights = {
                self.cell.node(seg.sec, seg.x): weight
                for seg, weight in self.directions[k].weights()
                if seg.sec in self.cables[k].sections
            }
            for spot in self.spots:
                self._set_seed(spot, k, wrt, weights.get(spot.node, 0.0))
        elif isinstance(parameter, Global) and wrt is not None:
            for spot in (*self.spots, *self.companions):
                self._set_seed(spot, k, wrt, 1.0)
        elif isinstance(parameter, Stimulus) and wrt is not None:
            for spot in self.companions:
                self._set_seed(spot, k, wrt, float(spot.process == parameter.process))

    def _set_seed(self, spot: Spot, k: int, wrt: str, weight: float) -> None:
        seed = spot.region.parameters.get(wrt)
        if seed is None:
            if weight != 0.0 and any(wrt.endswith(f"_{name}") for name in spot.region.mechanisms):
                raise Error(f"{self.directions[k].name}: {wrt} has no influence at {spot.segment}")
        elif self._seeds.get((id(spot), k, seed), 0.0) != weight:
            getattr(spot.mechanism, seed)[k] = weight
            self._seeds[id(spot), k, seed] = weight

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

    # --- the end --------------------------------------------------------------------------------------------------

    def remove(self) -> None:
        """Take everything away again; the user's cell is as it was."""
        self.edges.clear()
        self._on_cables.clear()
        for cable in self.cables.values():
            cable.delete()
        self.cables.clear()
        self.companions.clear()
        self.spots.clear()
        for sec, suffix in self._inserted:
            if nrn.exists(sec):
                sec.uninsert(suffix)
        for sec, ion, style in self._styles:
            if nrn.exists(sec) and nrn.ion_style(sec, ion) != style:
                nrn.set_ion_style(sec, ion, style)
        self._inserted.clear()
        self._styles.clear()


def _feed(mirror: nrn.Mechanism, cable: manifest.CableMechanism, spot: Spot, k: int) -> None:
    """Let a mechanism on a gradient cable see the conductance and the source of direction k."""
    nrn.set_pointer(mirror, cable.conductance, nrn.ref(spot.mechanism, spot.region.conductance))
    nrn.set_pointer(mirror, cable.source, nrn.ref(spot.mechanism, spot.region.source, k))
