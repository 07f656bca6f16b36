"""The worker's side of reverse mode: adjoint cables, which NEURON runs backwards.

Everything here works on plain data (sections by number), in a process that has none of the user's model.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from . import _neuron as nrn
from ._memory import SharedMemory
from ._neuron_sections import new_section
from ._residual import Break, Membrane, NodesPlan, NodeValues
from .errors import Error
from .shape import Shape


@dataclass(frozen=True)
class SectionPlan:
    """A section to be copied: its parent by number (-1: none), where it is connected, and how it is cut."""

    parent: int
    at: float
    orientation: int
    nseg: int
    rallbranch: float


@dataclass(frozen=True)
class SpotPlan:
    """An adjoint mechanism: where, of which name, and where its numbers are.

    Attributes:
        node: Index of its node among those of all cells.
        landed: Where the voltage at the end of a step is in the frame after it; None if events set no voltage.
        jumps: Events set the voltage of its node.
        sets_voltage: They are its own.
    """

    section: int
    x: float
    adjoint: str
    is_point: bool
    receives: bool
    frame: int
    fixed: int
    out: int
    node: int
    landed: int | None = None
    jumps: bool = False
    sets_voltage: bool = False


@dataclass(frozen=True)
class EdgePlan:
    """An axial resistance whose part in the loss is asked for: from a node to its parent."""

    section: int
    x: float
    parent_section: int
    parent_x: float
    frame: int
    parent_frame: int


@dataclass(frozen=True)
class FarPlan:
    """A POINTER's effect on the place that it sees: the spot that reads it, which of its POINTERs, and that place."""

    spot: int
    index: int
    section: int
    x: float


@dataclass(frozen=True)
class Plan:
    """All that does not change between runs; ``ends`` are (section, x) of the nodes without membrane."""

    sections: tuple[SectionPlan, ...]
    spots: tuple[SpotPlan, ...]
    edges: tuple[EdgePlan, ...]
    far: tuple[FarPlan, ...]
    ends: tuple[tuple[int, float], ...]
    nodes: NodesPlan
    source: str
    edge: str
    far_effect: str


@dataclass(frozen=True)
class Values:
    """What may change from run to run.

    Attributes:
        shapes, ra: [section]
        cm, area: [segment] in the order of the sections.
        scale, inertia, capacity, settings: [spot]
        far_scale: [far]
    """

    shapes: tuple[Shape, ...]
    ra: tuple[float, ...]
    cm: tuple[float, ...]
    area: tuple[float, ...]
    resistance: tuple[tuple[int, float, float], ...]
    scale: tuple[float, ...]
    inertia: tuple[float, ...]
    capacity: tuple[float, ...]
    settings: tuple[dict[str, float], ...]
    far_scale: tuple[float, ...]
    nodes: NodeValues


@dataclass(frozen=True)
class Window:
    """One stretch of the run, to be gone through backwards.

    Attributes:
        size: Numbers in the shared memory.
        first, last: Time steps of the first and the last frame.
        is_last: It is the last stretch of the run, so the first that is gone through.
        frames, fixed, losses, outs: Offsets in the memory.
        log, weights, flows: Offsets of events, of the weights of NetCons, and of what the loss thinks of these.
        stride, width: Numbers in a frame, and in a row of losses.
        dt, celsius: Of the model.
        loss_v: {spot: column} of losses.
        loss_x: {(spot, state): column}
        loss_ends: {end: column}
        netcons: {spot: (where the weights of its NetCons begin, how many NetCons there are)}
    """

    size: int
    first: int
    last: int
    is_last: bool
    frames: int
    fixed: int
    losses: int
    outs: int
    log: int
    weights: int
    flows: int
    stride: int
    width: int
    dt: float
    celsius: float
    loss_v: dict[int, int] = field(default_factory=dict[int, int])
    loss_x: dict[tuple[int, int], int] = field(default_factory=dict[tuple[int, int], int])
    loss_ends: dict[int, int] = field(default_factory=dict[int, int])
    netcons: dict[int, tuple[int, int]] = field(default_factory=dict[int, tuple[int, int]])


@dataclass(frozen=True)
class Passed:
    """What came of a window: the edges' sums so far; the first step that NEURON did not make."""

    edges: list[float]
    broken: Break | None


class AdjointModel:
    """The adjoint cables of some cells, and what sits on them."""

    def __init__(self, plan: Plan) -> None:
        """Build the cables; the geometry comes with :meth:`sync`."""
        self.plan = plan
        self.sections: list[nrn.Section] = []
        for i, section in enumerate(plan.sections):
            made = new_section(f"adjoint_{i}")
            if section.parent >= 0:
                made.connect(self.sections[section.parent](section.at), section.orientation)
            made.nseg = section.nseg
            self.sections.append(made)
        self._names = {spot.adjoint for spot in plan.spots}
        self.spots: list[nrn.Mechanism] = []
        self._context = nrn.h.ParallelContext()
        self._columns: list[nrn.Mechanism] = []
        self._membrane = Membrane(plan.nodes)

    def _equip(self) -> None:
        """Insert everything, once the geometry is there."""
        for spot in self.plan.spots:
            if not spot.is_point:
                self.sections[spot.section].insert(spot.adjoint)
        for spot in self.plan.spots:
            seg = self.sections[spot.section](spot.x)
            mechanism = nrn.new_point_process(spot.adjoint, seg) if spot.is_point else getattr(seg, spot.adjoint)
            mechanism.place, mechanism.fixed_place, mechanism.out = spot.frame, spot.fixed, spot.out
            mechanism.node = spot.node
            if spot.landed is not None:
                mechanism.landed_place, mechanism.jumps = spot.landed, float(spot.jumps)
            if spot.jumps:
                nrn.set_pointer(mechanism, "here", nrn.ref(seg, "v"))
            self.spots.append(mechanism)
        self.ends = [nrn.new_point_process(self.plan.source, self.sections[i](x)) for i, x in self.plan.ends]
        self.edges: list[nrn.PointProcess] = []
        for edge in self.plan.edges:
            process = nrn.new_point_process(self.plan.edge, self.sections[edge.section](edge.x))
            nrn.set_pointer(process, "above", nrn.ref(self.sections[edge.parent_section](edge.parent_x), "v"))
            process.place, process.parent_place = edge.frame, edge.parent_frame
            self.edges.append(process)
        self.far: list[nrn.PointProcess] = []
        for far in self.plan.far:
            process = nrn.new_point_process(self.plan.far_effect, self.sections[far.section](far.x))
            nrn.set_pointer(process, "far", nrn.ref(self.spots[far.spot], "far", far.index))
            self.far.append(process)
        for mechanism, spot in zip(self.spots, self.plan.spots, strict=True):
            self._no_loss(mechanism, spot)

    def _no_loss(self, mechanism: nrn.Mechanism, spot: SpotPlan) -> None:
        mechanism.loss_v = -1.0
        if hasattr(mechanism, "loss_x"):
            for i in range(nrn.length(mechanism, "loss_x")):
                mechanism.loss_x[i] = -1.0

    def sync(self, values: Values) -> None:
        """Follow the user's cells: geometry, Ra, cm, ion styles.

        Raises:
            Error: NEURON computes other areas or resistances for the copies than for the cells.
        """
        for folded in (False, True):
            for sec, plan, shape, ra in zip(self.sections, self.plan.sections, values.shapes, values.ra, strict=True):
                shape.apply(sec, folded=folded)
                sec.rallbranch = plan.rallbranch
                sec.Ra = ra
            difference = self._difference(values)
            if difference is None:
                break
        else:
            raise Error(difference)
        if not self.spots:
            self._equip()
        for seg, cm in zip((seg for sec in self.sections for seg in sec), values.cm, strict=True):
            seg.cm = cm
        for mechanism, scale, capacity, settings in zip(
            self.spots, values.scale, values.capacity, values.settings, strict=True
        ):
            mechanism.scale, mechanism.capacity = scale, capacity
            for name, value in settings.items():
                setattr(mechanism, name, value)
        for process, scale in zip(self.far, values.far_scale, strict=True):
            process.scale = scale

        self._inertia = values.inertia
        self._membrane.sync(values.nodes)

    def _difference(self, values: Values) -> str | None:
        for seg, area in zip((seg for sec in self.sections for seg in sec), values.area, strict=True):
            if abs(seg.area() - area) > 1e-9 * area:
                return f"a segment of area {area:.12g} um2 cannot be copied: the copy has {seg.area():.12g} um2"
        for i, x, resistance in values.resistance:
            mine = self.sections[i](x).ri()
            if abs(mine - resistance) > 1e-9 * resistance:
                return f"an axial resistance of {resistance:.12g} MOhm cannot be copied: the copy has {mine:.12g} MOhm"
        return None

    def run(self, memory: SharedMemory, window: Window, progress: Callable[[float], None]) -> Passed:
        """Go backwards through a window.

        Raises:
            Error: NEURON did not make the steps that it should have.
        """
        shared = {
            "frames": memory.address(window.frames),
            "stride": window.stride,
            "first": window.first,
            "last": window.last,
        }
        losses = {"losses": memory.address(window.losses), "width": window.width}
        for name in self._names:
            nrn.set_globals(
                name, **shared, **losses, fixed=memory.address(window.fixed), outs=memory.address(window.outs)
            )
        receiving = [i for i, spot in enumerate(self.plan.spots) if spot.receives]
        for name in {self.plan.spots[i].adjoint for i in receiving}:
            nrn.set_globals(
                name,
                events=memory.address(window.log),
                weights=memory.address(window.weights),
                flows=memory.address(window.flows),
            )
        if self.edges:
            nrn.set_globals(self.plan.edge, **shared)
        if self.ends:
            nrn.set_globals(self.plan.source, first=window.first, last=window.last, **losses)
        steps = window.last - window.first
        jumping = [i for i, spot in enumerate(self.plan.spots) if spot.jumps]
        setting = [i for i in jumping if self.plan.spots[i].sets_voltage]
        for i in jumping:
            self.spots[i].inertia = 1e-3 * self._inertia[i] / window.dt
        if window.is_last:
            self._look(window)
            nrn.h.dt, nrn.h.celsius = window.dt, window.celsius
            self._context.set_maxstep(nrn.longest_step())
            nrn.h.finitialize(0)
        else:
            # Between its last step and the end of the window.
            for i in receiving:
                self.spots[i].undo(window.last)
            for i in setting:
                self.spots[i].undone = float(window.last)
        chunk = min(max(steps // 50, 500), self._membrane.steps_at_once)
        frames = memory.values[window.frames : window.frames + (steps + 1) * window.stride].reshape(-1, window.stride)
        sums = np.empty((min(chunk, steps), self._membrane.count, 2))
        broken: Break | None = None
        for end in range(steps, 0, -chunk):
            begin = max(end - chunk, 0)
            sums[:] = 0.0
            for name in self._names:
                nrn.set_globals(
                    name, sums=float(sums.ctypes.data), sums_first=window.first + begin, nodes=self._membrane.count
                )
            # Counted from where the clock is: it gathers rounding, in a long run more than psolve forgives.
            self._context.psolve(float(nrn.h.t) + (end - begin) * window.dt)
            found = self._membrane.broken(frames[begin : end + 1], sums[: end - begin], window.dt)
            if found is not None:
                broken = Break(window.first + begin + found.step, found.node)
            progress((steps - begin) / steps)
        for name in self._names:
            nrn.set_globals(name, sums=0.0)
        if self.spots and self.spots[0].step_index != window.first - 1:
            raise Error(f"the backward run stands at step {self.spots[0].step_index:g}, not at {window.first - 1}")
        for i in setting:
            self.spots[i].undo(window.first)
        if window.first == 0:
            for i in jumping:
                self._start(i)
        return Passed([float(edge.total) for edge in self.edges], broken)

    def _start(self, index: int) -> None:
        """Come to the start of the model's run, which waits for events that set the voltage."""
        plan, mechanism = self.plan.spots[index], self.spots[index]
        if plan.is_point:
            mechanism.start()
        else:
            nrn.call_density("start", plan.adjoint, self.sections[plan.section](plan.x))

    def _look(self, window: Window) -> None:
        """Let the loss look at other places than before."""
        for mechanism, spot in self._columns:
            self._no_loss(mechanism, spot)
        for end in self.ends:
            end.loss_v = -1.0
        self._columns = []
        for i, column in window.loss_v.items():
            self.spots[i].loss_v = float(column)
            self._columns.append((self.spots[i], self.plan.spots[i]))
        for (i, state), column in window.loss_x.items():
            self.spots[i].loss_x[state] = float(column)
            self._columns.append((self.spots[i], self.plan.spots[i]))
        for i, (begin, count) in window.netcons.items():
            self.spots[i].netcons_at, self.spots[i].netcons = float(begin), float(count)
        for i, column in window.loss_ends.items():
            self.ends[i].loss_v = float(column)
