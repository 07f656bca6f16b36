"""The second pass: the compiled code that goes along a record, forwards with directions or backwards with a loss."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .. import _neuron as nrn
from .._emitted.adjoint_interface import Arrays
from .._manifest.variable import VariableManifest
from .._model.cells import Floats
from ..errors import Refused
from .aims import Aim
from .elimination import Elimination
from .geometry import Geometry
from .jumps import Jump, backward, connected, find_jumps, forward
from .recorder import Frames, Record
from .spot import Spot
from .structures import PassStructure, PlacesStructure

#: Values of a record between two looks at the keyboard.
_AT_ONCE = 2_000_000


class SecondPass:
    """Along one record.

    Attributes:
        slopes: [point, place in a frame] what the model's equations give along the record.
        totals: [spot] the adjoints of the parameters of its region, after :meth:`backward`.
        edges: [node] what the axial conductances did.
    """

    def __init__(
        self,
        made: VariableManifest,
        spots: Sequence[Spot],
        settings: Sequence[dict[str, float]],
        frames: Frames,
        geometry: Geometry,
        record: Record,
    ) -> None:
        """Evaluate the equations at all points.

        Args:
            made: What was emitted.
            spots: All places, region by region.
            settings: [spot] what the styles of ions are.
            frames: Where what is in a frame.
            geometry: Of the cells.
            record: The run.
        """
        self._name = made.second_pass
        self._spots, self._frames, self._geometry, self._record = spots, frames, geometry, record
        run = self._run = PassStructure()
        nodes = self._nodes = Arrays(run)
        count = frames.nodes
        run.nodes, run.stride, run.points = count, frames.size, len(record.times)
        run.temperature = record.celsius
        still = geometry.axial.copy()
        np.add.at(still, geometry.parent, geometry.axial)
        nodes.integers(parent=geometry.parent)
        nodes.doubles(
            times=record.times, agreement=np.zeros((4, frames.size)),
            capacitance=geometry.capacitance, axial=geometry.axial, axial_square=geometry.axial**2, still=still,
            now=np.zeros(frames.size), rise=np.zeros(frames.size), diagonal=np.zeros(count), right=np.zeros(count),
        )  # fmt: skip
        # As large as all else together: not copied.
        self._slopes = np.zeros(record.values.shape)
        run.record, run.slope = record.values.ctypes.data, self._slopes.ctypes.data
        self._regions = [
            self._places(members, at, settings) for members, at in zip(frames.members, frames.at, strict=True)
        ]
        run.regions = len(self._regions)
        nodes.integers(region=[ctypes.addressof(places.structure) for places in self._regions])
        self._call("rates")
        self._jumps: list[Jump] = []
        #: By name of a NetCon the adjoints of its weights.
        self.flows: dict[str, Floats] = {}

    def numbers(self) -> list[Floats]:
        """What a pass depends on besides the record."""
        shape = self._geometry
        of_cells = [shape.capacitance, shape.axial, shape.scale, shape.area, shape.diameter, shape.resistivity]
        return [*of_cells, *(places["settings"] for places in self._regions)]

    def find_events(self) -> None:
        """Look what events the record shows.

        Raises:
            Refused: Something jumped of itself; or the times of events may depend on parameters.
        """
        weights = connected(self._spots)
        self._jumps = find_jumps(
            self._record, self._frames, self._spots, weights, self._receive, self._geometry.capacitance > 0
        )

    def _receive(self, point: int, region: int, place: int, weights: Sequence[float]) -> Floats:
        """[column] of what an event makes of a point."""
        arguments = np.array([*weights, 0.0])
        out = np.zeros(max(1, self._spots[self._frames.members[region][0]].region.columns.event_count))
        self._call("receive", point, region, place, arguments.ctypes.data, out.ctypes.data)
        return out

    def _places(self, members: Sequence[int], at: int, settings: Sequence[dict[str, float]]) -> Arrays:
        spots = [self._spots[one] for one in members]
        region, geometry, count = spots[0].region, self._geometry, len(members)
        columns = region.columns
        plan = Elimination.of(len(region.states), [(row, state) for row, state, _ in columns.row_states])
        places = Arrays(PlacesStructure())
        one = places.structure
        one.field = int(nrn.call(f"kernel_{region.field}"))
        one.count, one.at = count, at
        which = list(members)
        places.integers(node=[geometry.node(spot.cell, spot.node) for spot in spots])
        places.doubles(
            voltage=np.zeros(count),
            rise=np.zeros(count),
            scale=geometry.scale[which],
            area=geometry.area[which],
            diameter=geometry.diameter[which],
            settings=[settings[number].get(name, np.nan) for name in region.settings for number in members],
            fixed=np.array([self._record.fixed[number] for number in members]).T.ravel(),
            coefficient=np.zeros(max(columns.count, columns.start_count) * count),
            failed=np.zeros(count),
            slot=np.zeros(plan.slots * count),
            q=np.zeros(len(region.states) * count),
            r=np.zeros(len(region.states) * count),
            total=np.zeros(len(region.parameters) * count),
            seed=np.zeros(0),
        )
        row_states = [(plan.slot[row, state], column) for row, state, column in columns.row_states]
        for name, rows in (
            ("source_state", columns.source_states),
            ("source_parameter", columns.source_parameters),
            ("row_voltage", columns.row_voltages),
            ("row_state", row_states),
            ("row_parameter", columns.row_parameters),
            ("start_voltage", columns.start_voltages),
            ("start_parameter", columns.start_parameters),
        ):
            setattr(one, f"{name}s", len(rows))
            places.integers(**{name: np.array(rows, dtype=np.int64).ravel()})
        one.slots, one.eliminations = plan.slots, len(plan.steps)
        one.lowers, one.uppers = len(plan.lower), len(plan.upper)
        for name, rows in (("elimination", plan.steps), ("lower", plan.lower), ("upper", plan.upper)):
            places.integers(**{name: np.array(rows, dtype=np.int64).ravel()})
        return places

    def _call(self, what: str, *arguments: float) -> None:
        nrn.call(f"{what}_{self._name}", ctypes.addressof(self._run), *arguments)

    @property
    def slopes(self) -> Floats:
        """See above."""
        return self._slopes

    def agreement(self) -> Floats:
        """[4, place in a frame] of the record with the slopes by the trapezoidal rule.

        What it misses and the way, each summed over the run; the most that it misses in one interval beyond what the
        slope changes by there, and a part of the way; the size.
        """
        self._call("agree")
        return self._nodes["agreement"]

    def failed(self) -> str:
        """A place where the code did what is not differentiated; empty if there is none."""
        for members, places in zip(self._frames.members, self._regions, strict=True):
            for number, failed in zip(members, places["failed"], strict=True):
                if failed:
                    return str(self._spots[number].process or self._spots[number].segment)
        return ""

    # --- the start ------------------------------------------------------------------------------------------------

    def start(self) -> Floats:
        """[place in a frame] what INITIAL makes of the states, and the first voltages."""
        self._call("start")
        found = self._record.values[0].copy()
        for members, at, places in zip(self._frames.members, self._frames.at, self._regions, strict=True):
            size = len(self._spots[members[0]].region.states) * len(members)
            found[at : at + size] = places["coefficient"][:size]
        return found

    def _start_of(self, region: int) -> tuple[Floats, NDArray[np.int64], int]:
        members = self._frames.members[region]
        places = self._regions[region]
        return places["coefficient"].reshape(-1, len(members)), np.asarray(places["node"]), self._frames.at[region]

    def begin(self, aims: Sequence[Aim]) -> Floats:
        """[aim, place in a frame] the derivatives that a run begins with."""
        self.start()
        found = np.zeros((len(aims), self._frames.size))
        for k, aim in enumerate(aims):
            for node, weight in aim.initial:
                found[k, node] += weight
        seeds = self.seeds(aims)
        for r, members in enumerate(self._frames.members):
            coefficient, node, at = self._start_of(r)
            columns, count = self._spots[members[0]].region.columns, len(members)
            for state, column in columns.start_voltages:
                found[:, at + state * count : at + (state + 1) * count] += coefficient[column] * found[:, node]
            for state, parameter, column in columns.start_parameters:
                part = coefficient[column] * seeds[r][:, parameter]
                found[:, at + state * count : at + (state + 1) * count] += part
        return found

    def end(self, adjoint: Floats) -> Floats:
        """[node] the adjoint of the initial voltages, from [place in a frame] that of the first point."""
        self.start()
        found = adjoint[: self._frames.nodes].copy()
        for r, members in enumerate(self._frames.members):
            coefficient, node, at = self._start_of(r)
            columns, count = self._spots[members[0]].region.columns, len(members)
            total = self._regions[r]["total"].reshape(-1, count)
            for state, column in columns.start_voltages:
                own = adjoint[at + state * count : at + (state + 1) * count]
                np.add.at(found, node, coefficient[column] * own)
            for state, parameter, column in columns.start_parameters:
                total[parameter] += coefficient[column] * adjoint[at + state * count : at + (state + 1) * count]
        return found

    def seeds(self, aims: Sequence[Aim]) -> list[Floats]:
        """[region][aim, parameter, place] what each aim changes."""
        found = [
            np.zeros((len(aims), len(self._spots[members[0]].region.parameters), len(members)))
            for members in self._frames.members
        ]
        where = {number: (r, i) for r, some in enumerate(self._frames.members) for i, number in enumerate(some)}
        for k, aim in enumerate(aims):
            for number, parameter, weight in aim.places:
                r, i = where[number]
                found[r][k, parameter, i] += weight
        return found

    # --- both ways ------------------------------------------------------------------------------------------------

    def forward(self, aims: Sequence[Aim], watched: Sequence[int], parts: int, *, defect: bool = False) -> Floats:
        """[point, aim, watched] derivatives of what is watched.

        Args:
            aims: What to differentiate by.
            watched: Places in a frame.
            parts: Into how many parts an interval is cut.
            defect: There is one more direction, at the end: how far the record is from the equations' solution.
        """
        run, record = self._run, self._record
        count = len(aims) + int(defect)
        begin = np.zeros((count, self._frames.size))
        begin[: len(aims)] = self.begin(aims)
        edges = np.zeros((count, self._frames.nodes))
        axial, resistivity = self._geometry.axial, self._geometry.resistivity
        for k, aim in enumerate(aims):
            for node, weight in aim.axial:
                edges[k, node] -= weight * axial[node] / resistivity[node]
        for places, seed in zip(self._regions, self.seeds(aims), strict=True):
            places.doubles(seed=np.concatenate([seed, np.zeros((count - len(aims), *seed.shape[1:]))]).ravel())
        run.directions, run.watches = count, len(watched)
        run.defect = len(aims) if defect else -1
        seen = np.zeros((len(record.times), count, len(watched)))
        self._nodes.integers(watch=watched)
        self._nodes.doubles(gradient=begin, edge_seed=edges)
        run.seen = seen.ctypes.data
        gradient = self._nodes["gradient"]
        seeds = self.seeds(aims)
        at = 0
        for jump in self._jumps:
            self._steps("forward", at, jump.point, parts)
            none = np.zeros((count - len(aims), len(self._spots[jump.spot].region.parameters)))
            seed = np.concatenate([seeds[jump.region][:, :, jump.place], none])
            forward(
                jump, gradient, self._frames, self._spots, seed, self._of_weights(jump, aims, count), self._node(jump)
            )
            at = jump.point + 1
        self._steps("forward", at, len(record.times) - 1, parts)
        return seen

    def _node(self, jump: Jump) -> int:
        spot = self._spots[jump.spot]
        return self._geometry.node(spot.cell, spot.node)

    def _of_weights(self, jump: Jump, aims: Sequence[Aim], count: int) -> Floats:
        """[direction, weight] of the NetCon that an event came by.

        Raises:
            Refused: It may have come by several.
        """
        found = np.zeros((count, self._spots[jump.spot].region.weights or 0))
        for k, aim in enumerate(aims):
            for name, index in aim.netcons:
                if name in jump.netcons:
                    self._check_one(jump)
                    found[k, index] += 1.0
        return found

    def _check_one(self, jump: Jump) -> None:
        if len(jump.netcons) > 1:
            raise Refused(
                f"{' and '.join(jump.netcons)} have the same weight: which of them brought an event at "
                f"{self._record.times[jump.point]:g} ms the record does not tell, so there is no gradient in their "
                "weights; make them differ"
            )

    def backward(self, loss: Floats, watched: Sequence[int], parts: int) -> Floats:
        """[node] the adjoint of the initial voltages; the others are in ``totals`` and ``edges``.

        Args:
            loss: [point, watched] the derivative of the loss.
            watched: Places in a frame.
            parts: Into how many parts an interval is cut.
        """
        run = self._run
        run.directions, run.watches, run.defect = 1, len(watched), -1
        self._nodes.integers(watch=watched)
        self._nodes.doubles(gradient=np.zeros(self._frames.size), edge_total=np.zeros(self._frames.nodes), loss=loss)
        for places in self._regions:
            places["total"][:] = 0.0
        adjoint = self._nodes["gradient"]
        at = len(loss) - 1
        self.flows = {}
        for jump in reversed(self._jumps):
            self._steps("backward", at, jump.point + 1, parts)
            # Several processes may have had events at one moment: then its loss is there already.
            if at != jump.point:
                np.add.at(adjoint, np.asarray(watched, dtype=np.intp), loss[jump.point + 1])
            total = self._regions[jump.region]["total"].reshape(-1, len(self._frames.members[jump.region]))
            flows = np.zeros(self._spots[jump.spot].region.weights or 0)
            backward(jump, adjoint, self._frames, self._spots, total[:, jump.place], flows, self._node(jump))
            for name in jump.netcons:
                self.flows[name] = self.flows.get(name, 0.0) + flows
            at = jump.point
        self._steps("backward", at, 0, parts)
        np.add.at(adjoint, np.asarray(watched, dtype=np.intp), loss[0])
        return self.end(adjoint)

    def _steps(self, way: str, begin: int, end: int, parts: int) -> None:
        """From a point to another, noting both; nothing where the second is before the first."""
        chunk = max(1, _AT_ONCE // max(self._frames.size * parts, 1))
        if way == "backward":
            for at in range(begin, end, -chunk):
                self._call(way, at, max(at - chunk, end), parts)
            return
        for at in range(begin, max(end, begin + 1), chunk):
            if begin <= end:
                self._call(way, at, min(at + chunk, end), parts)

    @property
    def totals(self) -> dict[int, Floats]:
        """See above."""
        found: dict[int, Floats] = {}
        for members, places in zip(self._frames.members, self._regions, strict=True):
            total = places["total"].reshape(-1, len(members))
            found |= {number: total[:, i] for i, number in enumerate(members)}
        return found

    @property
    def edges(self) -> Floats:
        """See above."""
        return self._nodes["edge_total"]

    def of_aim(self, aim: Aim, totals: dict[int, Floats], edges: Floats, initial: Floats) -> float:
        """The derivative of the loss in one number."""
        axial, resistivity = self._geometry.axial, self._geometry.resistivity
        value = sum(weight * totals[number][parameter] for number, parameter, weight in aim.places)
        for name, index in aim.netcons:
            if name in self.flows:
                for jump in self._jumps:
                    if name in jump.netcons:
                        self._check_one(jump)
                value += float(self.flows[name][index])
        value += sum(weight * edges[node] * axial[node] / resistivity[node] for node, weight in aim.axial)
        return float(value + sum(weight * initial[node] for node, weight in aim.initial))
