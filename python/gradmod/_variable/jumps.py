"""Events: which of them a record shows, and what they make of gradients.

The record has two points where an event came, before and after it. What the event was is not told: it is that of the
NetCon whose weights make of the states before it what there is after it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .. import _neuron as nrn
from .._manifest.variable import Columns
from .._model.cells import Floats
from .._neuron.netcon_ends import all_ends, stands
from ..errors import Refused
from .recorder import MOMENT, Frames, Record
from .spot import Spot

#: By how much a value may change at one moment without an event, and miss what an event makes of it.
_ROUNDING, _SMALL = 1e-9, 1e-12

_WAY = "use the fixed step (h.cvode_active(0)), or set it before finitialize"


@dataclass(frozen=True)
class Jump:
    """What one event did.

    Attributes:
        point: The last before it.
        spot: The point process, its region's number and its place there.
        netcons: The NetCons that it may have come by: several, if they have the same weights.
        coefficients: [column] of the derivative of what it did.
    """

    point: int
    spot: int
    region: int
    place: int
    netcons: tuple[str, ...]
    coefficients: Floats


def connected(spots: Sequence[Spot]) -> dict[int, dict[str, tuple[float, ...]]]:
    """By number of the spot, by name the NetCons to it and their weights.

    Raises:
        Refused: The times of their events may depend on parameters.
    """
    numbers = {spot.process: number for number, spot in enumerate(spots) if spot.region.weights is not None}
    driven = {nrn.name_of(ends.target) for ends in all_ends() if ends.target is not None}
    found: dict[int, dict[str, tuple[float, ...]]] = {number: {} for number in numbers.values()}
    for ends in all_ends():
        number = None if ends.target is None else numbers.get(nrn.name_of(ends.target))
        if number is None:
            continue
        name = nrn.name_of(ends.netcon)
        sender = ends.sender
        is_free = sender is not None and not stands(sender) and nrn.name_of(sender) not in driven
        is_silent = sender is None and ends.segment is None and ends.section is None
        if not is_free and not is_silent:
            raise Refused(
                f"{name} brings {spots[number].process} events of the model, at times that depend on parameters: that "
                "is not differentiated under the variable step; use the fixed step (h.cvode_active(0))"
            )
        count = spots[number].region.weights or 0
        found[number][name] = tuple(float(ends.netcon.weight[index]) for index in range(count))
    return found


def find_jumps(
    record: Record,
    frames: Frames,
    spots: Sequence[Spot],
    weights: Mapping[int, Mapping[str, tuple[float, ...]]],
    receive: object,
    has_membrane: NDArray[np.bool_],
) -> list[Jump]:
    """All that happened at moments with two points.

    Args:
        record, frames, spots: The run.
        weights: As :func:`connected` has them.
        receive: (point, region, place, weights) -> [column] of an event.
        has_membrane: [node]; elsewhere the voltage follows a clamp at once.

    Raises:
        Refused: Something jumped, and no event makes that of it.
    """
    assert callable(receive)
    where = {number: (r, i) for r, some in enumerate(frames.members) for i, number in enumerate(some)}
    found: list[Jump] = []
    for point in np.flatnonzero(np.diff(record.times) < MOMENT):
        before, after = record.values[point], record.values[point + 1]
        is_left = ~_near(before, after)
        is_left[: frames.nodes] &= has_membrane
        for number, known in weights.items():
            region, place = where[number]
            columns = spots[number].region.columns
            slots = _slots(frames, spots, region, place)
            if not np.any(is_left[slots]):
                continue
            made: dict[str, Floats] = {}
            for name, values in known.items():
                coefficients = np.array(receive(int(point), region, place, values))
                expected = before[slots].copy()
                expected[list(columns.event_targets)] = coefficients[: len(columns.event_targets)]
                if np.all(_near(expected, after[slots])):
                    made[name] = coefficients
            if made:
                found.append(Jump(int(point), number, region, place, tuple(made), next(iter(made.values()))))
                is_left[slots] = False
        if np.any(is_left):
            name = frames.names[int(np.flatnonzero(is_left)[0])]
            raise Refused(
                f"{name} was set at {record.times[point]:g} ms, from outside or by several events at once: {_WAY}"
            )
    return found


def _near(one: Floats, other: Floats) -> NDArray[np.bool_]:
    return abs(one - other) <= _ROUNDING * np.maximum(abs(one), abs(other)) + _SMALL


def _slots(frames: Frames, spots: Sequence[Spot], region: int, place: int) -> list[int]:
    """Where the states of a place are in a frame."""
    count = len(frames.members[region])
    states = len(spots[frames.members[region][0]].region.states)
    return [frames.at[region] + state * count + place for state in range(states)]


def forward(
    jump: Jump, gradient: Floats, frames: Frames, spots: Sequence[Spot], seed: Floats, weights: Floats, node: int
) -> None:
    """Let the gradients jump.

    Args:
        jump: The event.
        gradient: [direction, place in a frame], changed.
        frames, spots: Of the model.
        seed: [direction, parameter] at its place.
        weights: [direction, weight] of its NetCon.
        node: Of its place.
    """
    columns, c = spots[jump.spot].region.columns, jump.coefficients
    slots = _slots(frames, spots, jump.region, jump.place)
    after = np.zeros((len(gradient), len(columns.event_targets)))
    for change, column in columns.event_voltages:
        after[:, change] += c[column] * gradient[:, node]
    for change, state, column in columns.event_states:
        after[:, change] += c[column] * gradient[:, slots[state]]
    for change, parameter, column in columns.event_parameters:
        after[:, change] += c[column] * seed[:, parameter]
    for change, argument, column in columns.event_arguments:
        after[:, change] += c[column] * weights[:, argument]
    gradient[:, [slots[target] for target in columns.event_targets]] = after


def backward(
    jump: Jump, adjoint: Floats, frames: Frames, spots: Sequence[Spot], total: Floats, flows: Floats, node: int
) -> None:
    """The same backwards.

    Args:
        jump: The event.
        adjoint: [place in a frame], changed.
        frames, spots: Of the model.
        total: [parameter] of its place, changed.
        flows: [weight] of its NetCon, changed.
        node: Of its place.
    """
    columns: Columns = spots[jump.spot].region.columns
    c = jump.coefficients
    slots = _slots(frames, spots, jump.region, jump.place)
    targets = [slots[target] for target in columns.event_targets]
    own = adjoint[targets].copy()
    adjoint[targets] = 0.0
    for change, column in columns.event_voltages:
        adjoint[node] += c[column] * own[change]
    for change, state, column in columns.event_states:
        adjoint[slots[state]] += c[column] * own[change]
    for change, parameter, column in columns.event_parameters:
        total[parameter] += c[column] * own[change]
    for change, argument, column in columns.event_arguments:
        flows[argument] += c[column] * own[change]
