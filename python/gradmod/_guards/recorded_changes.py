"""What recorders have seen change along a run, and why there is no gradient of it then."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from typing import TypeAlias

import numpy as np

from .._emitted.gather import Gather
from .._emitted.recorder_site import RecorderSite
from .._manifest.faults import Seen
from .._model.directions import Direction
from .._model.events import SIMULTANEOUS
from .._model.initialisation import SET_AFTER_INITIAL
from ..errors import Error, Refused
from ..parameters import InitialVoltage, Stimulus
from ..waveform import Waveform
from .overwritten_parameters import refuse_changed

#: By point process: its directions, what each changes, and the fixed value that tells of a change along a run.
Watched: TypeAlias = Mapping[str, Sequence[tuple[str, str, int]]]


def check_acting(spots: Iterable[RecorderSite]) -> None:
    """Look what recorders that do something by themselves have seen.

    Raises:
        Refused: Something that the gradient takes as fixed changed along the run.
        Error: There was no room for all that had to be remembered.
    """
    for spot in spots:
        _refuse_number(spot, int(spot.mechanism.changed))


def check_gathered(gather: Gather, spots: Sequence[RecorderSite], landed: Container[tuple[int, int]]) -> None:
    """Look what the gathered numbers have seen; ``landed`` are the (cell, node) where events set v."""
    changed = gather.changed
    if changed > 0:
        for spot in spots:
            if (number := _which(changed - 1, spot.fixed, spot.pitch, len(spot.region.fixed))) is not None:
                raise _changed(spot, number)
    _refuse_number(spots[0], changed)
    later = set(gather.different(gather.later))
    for spot in spots if later else ():
        if not spot.region.gathered:
            continue
        for slot, state in spot.region.watched:
            if spot.frame + slot * spot.pitch in later:
                raise _state_was_set(spot, state)
        if spot.voltage in later and gather.first > 0 and (spot.cell, spot.node) not in landed:
            raise _was_seen(spot, Seen.VOLTAGE)


def check_moved(gather: Gather, spots: Iterable[RecorderSite], directions: Sequence[Direction]) -> None:
    """Look whether a run that was set anew after INITIAL still depends on what INITIAL made.

    Raises:
        Refused: It does, or may.
    """
    numbers = {*gather.different(gather.moved), *gather.set_before_first}
    driven = set(gather.different(gather.driven))
    for spot in spots:
        if not _was_moved(spot, numbers, driven):
            continue
        for direction in directions:
            if (
                isinstance(direction.parameter, InitialVoltage)
                or direction.wrt in spot.region.at_start
                or spot.region.sets_weights
            ):
                where = spot.process or spot.segment
                raise Refused(f"{direction.name}: no exact gradient of this run, at {where}: {SET_AFTER_INITIAL}")


def watched(spots: Iterable[RecorderSite], directions: Sequence[Direction]) -> Watched:
    """Parameters of point processes whose changes are logged."""
    by_name = {spot.process: spot for spot in spots if spot.process is not None and spot.region.gathered}
    found: dict[str, list[tuple[str, str, int]]] = {}
    for direction in directions:
        parameter = direction.parameter
        if not isinstance(parameter, Stimulus) or isinstance(parameter, Waveform):
            continue
        for name in parameter.processes:
            spot = by_name.get(name)
            if spot is not None and parameter.name in spot.region.fixed:
                at = spot.fixed + spot.region.fixed.index(parameter.name) * spot.pitch
                found.setdefault(name, []).append((direction.name, parameter.name, at))
    return found


def check_driven(gather: Gather, watched: Watched) -> None:
    """Look whether any of these changed.

    Raises:
        Refused: One did.
    """
    for process, parts in watched.items() if np.any(gather.driven) else ():
        for direction, parameter, at in parts:
            if gather.driven[at]:
                refuse_changed(direction, f"{parameter} of {process}")


def _was_moved(spot: RecorderSite, numbers: set[int], driven: set[int]) -> bool:
    if not spot.region.gathered:
        return bool(spot.mechanism.moved)
    own = [spot.voltage, *(spot.frame + slot * spot.pitch for slot, _ in spot.region.watched)]
    settled = [spot.fixed + number * spot.pitch for number in spot.region.settled]
    return not (numbers.isdisjoint(own) and driven.isdisjoint(settled))


def _which(number: int, first: int, pitch: int, count: int) -> int | None:
    """Which of so many numbers one is, where these are ``pitch`` apart; None if it is none of them."""
    which, rest = divmod(number - first, pitch)
    return which if rest == 0 and 0 <= which < count else None


def _refuse_number(spot: RecorderSite, number: int) -> None:
    """Say what a number at a place tells of, if it tells of anything."""
    numbers = spot.region.seen
    if number > 0:
        raise _changed(spot, number - 1)
    if number <= numbers.state:
        raise _state_was_set(spot, numbers.state - number)
    if number:
        raise _was_seen(spot, numbers.named[number])


def _changed(spot: RecorderSite, number: int) -> Refused:
    """What is said of a fixed value that changed."""
    name = spot.region.fixed[number]
    if number in spot.region.settled:
        what = f"{name} at {spot.process or spot.segment} was set from outside after finitialize"
    else:
        what = (
            f"{name} at {spot.segment} changed during the run; reverse mode takes the parameters of density mechanisms "
            "as constant; use forward mode (attach)"
        )
    return Refused(f"no exact gradient: {what}")


def _state_was_set(spot: RecorderSite, state: int) -> Refused:
    place = spot.process or spot.segment
    return Refused(f"no exact gradient: {spot.region.states[state]} at {place} was set from outside after finitialize")


def _was_seen(spot: RecorderSite, seen: Seen) -> Error:
    segment, process = spot.segment, str(spot.process)
    if seen is Seen.FULL:
        return Error("there were more events than there is room for, or more changes of parameters: raise `memory`")
    what = {
        Seen.TIME_STEP: "dt changed during the run",
        Seen.MISSED: f"{process} was changed by something that is no event of a NetCon to it",
        Seen.ORDER: f"at {segment} ({process}): {SIMULTANEOUS}",
        Seen.EARLY: f"an event of {process} set v before the first step, which only forward mode supports",
        Seen.TIME: f"t was set during the run, at {segment}",
        Seen.TEMPERATURE: "celsius was changed during the run: set it before finitialize",
        Seen.VOLTAGE: f"v was set during the run, at {segment}",
        Seen.DRIVEN: (
            "a parameter of a point process changed during the run, in one of several threads; use "
            "h.ParallelContext().nthread(1)"
        ),
    }[seen]
    return Refused(f"no exact gradient: {what}")
