"""What recorders have seen change along a run, and why there is no gradient of it then."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from enum import IntEnum
from typing import TypeAlias

import numpy as np

from .. import _neuron as nrn
from .._emitted.gather import Gather
from .._emitted.recorder_site import RecorderSite
from .._model.directions import Direction
from .._model.events import SIMULTANEOUS
from .._model.initialisation import SET_AFTER_INITIAL
from ..errors import Error, Refused
from ..parameters import InitialVoltage, Stimulus
from .overwritten_parameters import refuse_changed

#: By point process: its directions, what each changes, and the fixed value that tells of a change along a run.
Watched: TypeAlias = Mapping[str, Sequence[tuple[str, str, int]]]


class Seen(IntEnum):
    """What the emitted mechanisms say (templates/reverse/gather.mod.j2, recorder.mod.j2); above 0: a fixed value, plus 1."""

    TIME_STEP = -1
    #: The point process had an event that did not come to the recorder.
    MISSED = -2
    FULL = -3
    #: Events came at one time, and their order matters.
    ORDER = -4
    #: An event set v before the first step.
    EARLY = -5
    TIME = -6
    CELSIUS = -7
    VOLTAGE = -8
    #: What drives a point process, in one of several threads.
    DRIVEN = -9
    #: Less the index of the state, where one was set after finitialize, or where a window begins.
    STATE = -100


def check_acting(spots: Iterable[RecorderSite]) -> None:
    """Look what recorders that do something by themselves have seen.

    Raises:
        Refused: Something that the gradient takes as fixed changed along the run.
        Error: There was no room for all that had to be remembered.
    """
    for spot in spots:
        _refuse(spot, int(spot.mechanism.changed))


def check_gathered(gather: Gather, spots: Sequence[RecorderSite], landed: Container[tuple[int, int]]) -> None:
    """Look what the gathered numbers have seen; ``landed`` are the (cell, node) where events set v."""
    changed = gather.changed
    if changed > 0:
        for spot in spots:
            if (number := _which(changed - 1, spot.fixed, spot.pitch, len(spot.region.fixed))) is not None:
                _refuse(spot, number + 1)
    _refuse(spots[0], changed)
    later = set(gather.different(gather.later))
    for spot in spots if later else ():
        if not spot.region.gathered:
            continue
        for slot, state in spot.region.watched:
            if spot.frame + slot * spot.pitch in later:
                _refuse(spot, Seen.STATE - state)
        if spot.voltage in later and gather.first > 0 and (spot.cell, spot.node) not in landed:
            _refuse(spot, Seen.VOLTAGE)


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
        for name in parameter.processes if isinstance(parameter, Stimulus) else ():
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


def _refuse(spot: RecorderSite, seen: int) -> None:
    """Say what was seen at a place, if anything."""
    if seen == 0:
        return
    place = spot.process or spot.segment
    if seen == Seen.FULL:
        raise Error("there were more events than there is room for, or more changes of parameters: raise `memory`")
    if seen > 0 and seen - 1 in spot.region.settled:
        what = f"{spot.region.fixed[seen - 1]} at {place} was set from outside after finitialize"
    elif seen > 0:
        what = (
            f"{spot.region.fixed[seen - 1]} at {spot.segment} changed during the run; reverse mode takes the "
            "parameters of density mechanisms as constant; use forward mode (attach)"
        )
    elif seen <= Seen.STATE:
        what = f"{spot.region.states[Seen.STATE - seen]} at {place} was set from outside after finitialize"
    else:
        what = _sentence(Seen(seen), spot.segment, str(spot.process))
    raise Refused(f"no exact gradient: {what}")


def _sentence(seen: Seen, segment: nrn.Segment, process: str) -> str:
    return {
        Seen.TIME_STEP: "dt changed during the run",
        Seen.MISSED: f"{process} was changed by something that is no event of a NetCon to it",
        Seen.ORDER: f"at {segment} ({process}): {SIMULTANEOUS}",
        Seen.EARLY: f"an event of {process} set v before the first step, which only forward mode follows",
        Seen.TIME: f"t was set during the run, at {segment}",
        Seen.CELSIUS: "celsius was changed during the run: set it before finitialize",
        Seen.VOLTAGE: f"v was set during the run, at {segment}",
        Seen.DRIVEN: (
            "a parameter of a point process changed during the run, in one of several threads; use "
            "h.ParallelContext().nthread(1)"
        ),
    }[seen]
