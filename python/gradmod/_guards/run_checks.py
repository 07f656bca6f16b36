"""Whether the run that was made is the one that was differentiated."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from .. import _neuron as nrn
from .._command.support import Construct, Way, reason
from .._emitted.mechanism import EmittedMechanism
from .._manifest.faults import Fault
from .._model.cells import Floats
from .._model.events import SIMULTANEOUS, Events
from .._model.initialisation import SET_AFTER_INITIAL
from .._neuron.settings import second_order, unsupported_settings
from ..errors import Refused
from .random_streams import check_streams

#: Largest relative deviation from a uniform time grid that is put down to rounding.
_GRID = 1e-6
_DT = "dt or t was changed during the run: the gradient is that of a run with one dt"
#: What is said of each; where what a direction changes was set, see :func:`_was_set`.
_FAULTS = {
    Fault.TIME_STEP: _DT,
    Fault.TIME: _DT,
    Fault.UNSOLVED: (
        "the equations of a KINETIC or LINEAR block were not solved to the end: too many iterations (a "
        "smaller dt needs fewer), nearly singular equations, or a loop of more rounds than are followed"
    ),
    Fault.MISSED: (
        "it was changed by something else than the events that the sources of its NetCons send, such as "
        "NetCon.event() (use a NetStim, or h.VecStim) or an assignment during the run"
    ),
    Fault.STATE: (
        "a state is not what the mechanism's equations make of the state before it: it was set from outside "
        "after finitialize (by hand, by SaveState.restore, by an event), or a TABLE is in use that NEURON did"
        " not fill again after a parameter changed (set its usetable to 0, or add the parameter to DEPEND)"
    ),
    Fault.VOLTAGE: (
        "v was set from outside during the run; the potential to start from belongs into finitialize, or into"
        " an FInitializeHandler of type 0"
    ),
    Fault.AFTER_INITIAL: SET_AFTER_INITIAL,
    Fault.ORDER: SIMULTANEOUS,
    Fault.UNKNOWN_SPIKE: (
        "a spike came of which gradmod knows nothing: the threshold or the delay of a NetCon was changed "
        "during the run, or dt since finitialize"
    ),
    Fault.UNFLAGGED: "an event that a point process sends to itself, at a time that depends on parameters, has flag 0",
    Fault.TOO_MANY_SENT: "at most 64 events that a point process sends to itself may be on their way",
    Fault.NOT_WIRED: "not everything is wired",
    Fault.EQUATIONS: (
        "the model was changed during the run, or NEURON solved other equations than those of the fixed step"
    ),
    Fault.TEMPERATURE: "celsius was changed during the run: set it before finitialize",
}


class _Attached(Protocol):
    """What gradmod has put on a cell, which knows what went wrong there."""

    @property
    def spots(self) -> Sequence[EmittedMechanism]: ...

    @property
    def companions(self) -> Sequence[EmittedMechanism]: ...

    @property
    def events(self) -> Sequence[Events]: ...

    def fault(self, of: EmittedMechanism | None = None) -> Fault | None: ...

    def changed(self) -> str: ...


def check_settings(way: Way | None = None, attached_order: int | None = None) -> None:
    """Refuse the settings of NEURON under which the gradients would be wrong.

    Args:
        way: To a gradient; without it several threads are refused.
        attached_order: What ``secondorder`` was when the gradients were attached, if they are.
    """
    for why in unsupported_settings(threads=way is not None):
        raise Refused(f"no exact gradient: {why}")
    order = second_order()
    if attached_order is not None and order != attached_order:
        raise Refused(
            f"no exact gradient: h.secondorder is {order}, and was {attached_order} when the gradients were attached: "
            "attach again, or set it back"
        )
    if order and way in (Way.SPIKE_TIMES, Way.ONLINE):
        why = reason(Construct.SECOND_ORDER, way)
        raise Refused(f"no exact gradient: h.secondorder is {order}, and {why}; set it to 0")


def check_times(times: Floats) -> None:
    """Refuse a run whose time grid is not uniform, or does not end now.

    Args:
        times: [sample] ms.
    """
    steps = np.diff(times)
    if steps.size and (
        not np.allclose(steps, steps[0], rtol=_GRID, atol=0.0)
        or not np.isclose(times[-1], nrn.h.t, rtol=0.0, atol=_GRID * abs(steps[0]))
    ):
        raise Refused(_DT)


def left_out(notes: Sequence[str]) -> str:
    """What else it may be if a step is not the one that is differentiated, by the code that was left out."""
    return f"code was run that is not differentiated: {'; '.join(notes)}; or " if notes else ""


def check_run(attachment: _Attached) -> None:
    """Refuse a run during which the cell was changed in a way that the gradients do not follow."""
    if (fault := attachment.fault()) is not None:
        raise Refused(f"no exact gradient of this run: {_FAULTS[fault]}")
    for spot in (*attachment.spots, *attachment.companions):
        fault = attachment.fault(spot)
        if fault is Fault.DIRECTION:
            raise Refused(_was_set(spot))
        if fault is not None:
            reason = (left_out(spot.region.unfollowed) if fault is Fault.UNSOLVED else "") + _FAULTS[fault]
            names = spot.process or ", ".join(spot.region.mechanisms) or "no mechanisms"
            raise Refused(f"no exact gradient of this run, at {spot.segment} ({names}): {reason}")
    drawing = [spot for spot in (*attachment.spots, *attachment.companions) if spot.region.streams]
    check_streams(drawing)
    if drawing and attachment.events:
        by_target = nrn.netcons_by_target()
        for events in attachment.events:
            if events.companion in [spot.mechanism for spot in drawing]:
                events.check_weights(by_target)
    changed = attachment.changed()
    if changed:
        raise Refused(
            f"no exact gradient of this run: {changed} since finitialize; change it before a run, "
            "or after its gradients were read"
        )


def _was_set(spot: EmittedMechanism) -> str:
    """What is said of a parameter that a direction changes and that the run has set."""
    name = list(spot.region.parameters)[int(spot.mechanism.changed) - 1]
    where = f"{name} of {spot.process}" if spot.process else f"{name} at {spot.segment}"
    return (
        f"no exact gradient of this run: {where} was set between finitialize and t = {spot.mechanism.changed_t:g} ms, "
        "and a direction changes it: what the run sets by itself (an event, a Vector, a script) does not depend on the "
        "value that was given, or in a way that nobody knows. Set it before finitialize; let a parameter change while "
        "NEURON runs by gradmod.Homeostat, or without a direction in it (a second parameter of the mechanism, that "
        "multiplies it, may be the direction)"
    )
