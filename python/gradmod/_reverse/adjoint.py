"""The adjoint of a model: one number of each kind for every place, and the compiled code that goes through the steps.

The emitted mechanisms ``gm_adj_...`` and ``gm_descent_...`` have the loops, in C over these arrays; the layout of both
structures is theirs (templates/reverse/descent_interface.mod.j2).
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from .. import _neuron as nrn
from .._emitted.adjoint_interface import Arrays, PlacesStructure, RunStructure
from .._emitted.followed import Course, Followed
from .._emitted.recorder_site import RecorderSite
from .._manifest.reverse import ReverseManifest, ReverseRegion
from .._model.cells import Floats
from .._outside.fields import Fields
from .._outside.sheaths import SheathLoss
from .layout import Layout, Values
from .recorder import Recorders
from .step_checks import Break

#: Steps times nodes between two looks at the keyboard.
_AT_ONCE = 200_000


@dataclass(frozen=True)
class Window:
    """One stretch of the run, to be gone through backwards.

    Attributes:
        first, last: Time steps of the first and the last frame.
        frames, fixed, log: Addresses of what recorders have remembered.
    """

    first: int
    last: int
    frames: int
    fixed: int
    log: int


@dataclass
class Loss:
    """The derivatives of a loss with respect to the traces.

    Attributes:
        table: [sample, column]
        of_v: {spot: column}
        of_x: {(spot, state): column}
        of_ends: {end: column}
        of_sheaths: Of what is around nodes with ``extracellular``.
    """

    table: Floats
    of_v: dict[int, int] = field(default_factory=dict[int, int])
    of_x: dict[tuple[int, int], int] = field(default_factory=dict[tuple[int, int], int])
    of_ends: dict[int, int] = field(default_factory=dict[int, int])
    of_sheaths: SheathLoss = field(default_factory=SheathLoss)


class Adjoint:
    """Of the recorders' spots and of all nodes, in the order of :class:`Layout`.

    Attributes:
        outs: [number] what came of it, where ``RecorderSite.out`` says.
        flows: [weight] the adjoints of the weights of NetCons.
        edges: [edge] the sums of ``layout.edges``.
        layers: What is around nodes with ``extracellular``, if the model has any.
        broken: The first step that is not NEURON's, or None.
        course: What became of played parameters.
    """

    def __init__(
        self, made: ReverseManifest, recorders: Recorders, layout: Layout, parts: Sequence[Followed] = ()
    ) -> None:
        """Number everything; :meth:`sync` comes next.

        Args:
            made: What was emitted.
            recorders, layout: Of the model.
            parts: Parameters that are played along a run.
        """
        self._descent, self._membrane = made.descent, made.membrane
        self._is_halved = made.secondorder > 0
        self._spots = recorders.spots
        count = len(layout.nodes.parent)
        self._parent = np.where(np.array(layout.nodes.parent) < 0, np.arange(count), layout.nodes.parent)
        self.layers = layout.layers_adjoint(self._parent) if recorders.sheaths else None
        self._run = self.layers.structure if self.layers is not None else RunStructure()
        self._nodes = Arrays(self._run)
        self._regions: list[Arrays] = []
        #: [spot] its region here, and which place of that it is.
        self._at: list[tuple[int, int]] = [(0, 0)] * len(recorders.spots)
        by_region: dict[str, list[int]] = {}
        for index, spot in enumerate(recorders.spots):
            by_region.setdefault(spot.region.adjoint, []).append(index)
        self._members = [np.array(members, dtype=np.intp) for members in by_region.values()]
        for number, members in enumerate(by_region.values()):
            self._regions.append(self._places(recorders, layout, members))
            for place, index in enumerate(members):
                self._at[index] = number, place
        self._run.nodes = count
        self._run.stride = recorders.frame.stride
        self._nodes.integers(parent=self._parent, before=layout.nodes.before, after=layout.nodes.after)
        of_node = "y diagonal current size voltage flow"
        self._size = count + (len(self.layers.inner) if self.layers is not None else 0)
        self._nodes.doubles(**{name: np.zeros(self._size) for name in of_node.split()})
        self._run.ends = len(layout.end_nodes)
        self._nodes.integers(end_node=layout.end_nodes)
        self._run.edges = len(layout.edge_nodes)
        self._nodes.integers(edge_node=layout.edge_nodes)
        looks = [(*self._at[i], j, layout.number(*place)) for i, j, place in layout.pointer_targets]
        self._run.looks = len(looks)
        self._nodes.integers(
            look_region=[region for region, _, _, _ in looks],
            look_spot=[spot for _, spot, _, _ in looks],
            look_element=[element for _, _, element, _ in looks],
            look_node=[node for _, _, _, node in looks],
        )
        self._run.regions = len(self._regions)
        self._nodes.integers(
            spot_region=[region for region, _ in self._at], spot_place=[place for _, place in self._at]
        )
        self._nodes.integers(region=[ctypes.addressof(places.structure) for places in self._regions])
        self._has_log = recorders.has_log
        self._run.fixed_count = recorders.frame.fixed_size
        owner = np.zeros((2, recorders.frame.fixed_size), dtype=np.int64)
        for index, spot in enumerate(recorders.spots):
            owner[:, spot.fixed : spot.fixed + len(spot.region.fixed) * spot.pitch : spot.pitch] = np.array(
                self._at[index]
            )[:, None]
        self._nodes.integers(fixed_region=owner[0], fixed_place=owner[1])
        self._nodes.doubles(fixed=np.zeros(recorders.frame.fixed_size))
        self._out_size = recorders.out_size
        self._parts = parts
        places = [(*self._at[one.spot], one.parameter) for one in parts]
        self._run.followed = len(parts)
        self._nodes.integers(
            follow_region=[region for region, _, _ in places],
            follow_total=[parameter * len(self._members[region]) + place for region, place, parameter in places],
            follow_fixed=[one.fixed for one in parts],
        )

    def _places(self, recorders: Recorders, layout: Layout, members: Sequence[int]) -> Arrays:
        spots = [recorders.spots[index] for index in members]
        region: ReverseRegion = spots[0].region
        places = Arrays(PlacesStructure())
        places.structure.adjoint = int(nrn.call(f"kernel_{region.adjoint}"))
        places.structure.count = len(spots)
        nodes = np.array([self._node(layout, spot) for spot in spots])
        begins = [0, *(int(i) + 1 for i in np.flatnonzero(np.diff(nodes) != 1)), len(nodes)]
        places.structure.runs = len(begins) - 1
        places.integers(
            frame=[spot.frame for spot in spots],
            voltage=[spot.voltage for spot in spots],
            fixed=[spot.fixed for spot in spots],
            out=[spot.out for spot in spots],
            node=nodes,
            run_begin=begins,
            landed=[recorders.frame.landed_place(spot) for spot in spots],
            jumps=[(spot.cell, spot.node) in recorders.frame.landed for spot in spots],
        )
        return places

    def _node(self, layout: Layout, spot: RecorderSite) -> int:
        """What is called where the currents of a place go."""
        if self.layers is not None and spot.region.electrode:
            inner = self.layers.inner.get((spot.cell, spot.node))
            if inner is not None:
                return inner
        return layout.number(spot.cell, spot.node)

    def sync(self, values: Values) -> None:
        """Follow the cells."""
        self._outside = values.outside
        self._capacitance = values.capacitance
        self._nodes.doubles(axial=values.axial, axial_square=values.axial**2)
        for places, members in zip(self._regions, self._members, strict=True):
            region = self._spots[int(members[0])].region
            places.doubles(
                scale=values.scale[members],
                capacity=values.capacity[members],
                area=values.spot_area[members],
                diameter=values.spot_diameter[members],
                # A start that nothing reads is told by nobody.
                settings=[
                    values.settings[int(index)].get(name, np.nan) for name in region.settings for index in members
                ],
            )
        self._inertia = values.inertia

    def begin(
        self,
        loss: Loss,
        dt: float,
        celsius: float,
        weights: Sequence[float],
        netcons: Mapping[int, tuple[int, int]],
        fields: Fields,
    ) -> None:
        """Stand at the end of a run.

        Args:
            loss: What to differentiate.
            dt: In ms.
            celsius: In degrees.
            weights: Of all NetCons, as they were before INITIAL.
            netcons: {spot: (where the weights of its NetCons begin, how many NetCons there are)}
            fields: The waveforms of e_extracellular.
        """
        run = self._run
        run.timestep, run.temperature, run.width = dt, celsius, loss.table.shape[1]
        run.broken_step = run.broken_node = -1
        self.course = Course(self._parts, len(loss.table) - 1)
        run.follow = self.course.numbers.ctypes.data
        self._has_begun = False
        # With secondorder NEURON solves for half a step.
        run.solved = dt / 2 if self._is_halved else dt
        inertia, axial = self._capacitance / run.solved, self._nodes["axial"]
        still = inertia + axial
        np.add.at(still, self._parent, axial)
        self._nodes.doubles(inertia=inertia, still=still)
        self._table = np.ascontiguousarray(loss.table)
        self._nodes.doubles(
            weights=weights, flows=np.zeros(len(weights)), outs=np.zeros(self._out_size),
            edge_total=np.zeros(run.edges), y=np.zeros(self._size),
        )  # fmt: skip
        if self.layers is not None and self._outside is not None:
            self.layers.begin(self._outside, axial, run.solved, loss.of_sheaths, fields)
        if self._is_halved:
            self._nodes.doubles(held=np.zeros(run.nodes))
        self._nodes.integers(end_loss=[loss.of_ends.get(end, -1) for end in range(run.ends)])
        for places, members in zip(self._regions, self._members, strict=True):
            self._begin_region(places, members, loss, netcons, self._spots[int(members[0])].region)

    def _begin_region(
        self,
        places: Arrays,
        members: NDArray[np.intp],
        loss: Loss,
        netcons: Mapping[int, tuple[int, int]],
        region: ReverseRegion,
    ) -> None:
        count, states, pointers = len(members), len(region.states), len(region.pointer_gradients)
        loss_x = np.full((max(states, 1), count), -1, dtype=np.int64)
        for (spot, state), column in loss.of_x.items():
            if self._spots[spot].region is region:
                loss_x[state, self._at[spot][1]] = column
        own = [netcons.get(int(index), (0, 0)) for index in members]
        places.integers(
            loss_v=[loss.of_v.get(int(index), -1) for index in members],
            loss_x=loss_x.ravel(),
            landed_step=np.full(count, -1),
            netcons_at=[at for at, _ in own],
            netcons=[number for _, number in own],
        )
        places.structure.loss_of_voltage = int(bool(loss.of_v))
        places.structure.loss_of_states = int(np.any(loss_x >= 0))
        places.doubles(
            inertia=self._membrane.capacitive * self._inertia[members] / self._run.solved,
            m=np.zeros(states * count),
            total=np.zeros(len(region.parameters) * count),
            pointer=np.zeros(pointers * count),
            pointer_carry=np.zeros(pointers * count),
            waiting=np.zeros(region.waiting * count),
            landed_value=np.zeros(region.landed * count),
            kept=np.zeros(region.kept * count),
            elements=np.zeros(region.elements * count),
        )
        one_each = "carry failed broken broken_at conductance right current current_size"
        places.doubles(**{name: np.zeros(count) for name in one_each.split()})

    def go(self, window: Window, progress: Callable[[float], None]) -> None:
        """Go backwards through a window; the windows of a run one after the other, from the last one on."""
        run = self._run
        run.frames, run.initial, run.log = window.frames, window.fixed, window.log if self._has_log else None
        run.losses = self._table.ctypes.data + 8 * window.first * self._table.shape[1]
        run.first, run.last = window.first, window.last
        address = ctypes.addressof(run)
        nrn.call(f"{'turn' if self._has_begun else 'begin'}_{self._descent}", address)
        self._has_begun = True
        chunk = max(1, _AT_ONCE // max(run.nodes, 1))
        for end in range(window.last, window.first, -chunk):
            begin = max(end - chunk, window.first)
            nrn.call(f"descend_{self._descent}", address, end, begin)
            progress((window.last - begin) / (window.last - window.first))
        nrn.call(f"arrive_{self._descent}", address)

    @property
    def outs(self) -> Floats:
        """See above."""
        return self._nodes["outs"]

    @property
    def flows(self) -> Floats:
        """See above."""
        return self._nodes["flows"]

    @property
    def edges(self) -> Floats:
        """See above."""
        return self._nodes["edge_total"]

    @property
    def held(self) -> Floats:
        """[node] what goes off the adjoint of its initial voltage: of ends without area, with secondorder."""
        if not self._is_halved:
            return np.zeros(len(self._parent))
        return self._nodes["held"]

    @property
    def broken(self) -> Break | None:
        """See above."""
        run = self._run
        if run.broken_step < 0:
            return None
        return Break(int(run.broken_step), int(run.broken_node) if run.broken_node >= 0 else None)
