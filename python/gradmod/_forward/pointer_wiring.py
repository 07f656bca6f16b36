"""Wires emitted mechanisms to the gradients of the variables that POINTERs of the model see.

A row whose states are advanced from what others have at the end of the same step is late: it sets its gradients when
all others have set theirs. What of it does not wait is in time for those that see it: it is tried before.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from .. import _neuron as nrn
from .._emitted.mechanism import EmittedMechanism
from .._manifest.pointers import PointerGradient, PointerVariable
from .._model.pointer_variables import Seen, Target
from ..errors import Refused
from .attachment import Attachment


def connect(attachments: Iterable[Attachment]) -> None:
    """Let all emitted mechanisms see the gradients of the variables that the model's POINTERs see.

    Raises:
        Refused: Events set v before the first step where INITIAL depends on such a variable.
    """
    everywhere = {sec: attachment for attachment in attachments for sec in attachment.cell.sections}
    looks = [
        (spot, pointer, pointer.variable, target)
        for attachment in dict.fromkeys(everywhere.values())
        for spot in (*attachment.spots, *attachment.companions)
        for pointer, target in zip(spot.region.pointer_gradients, spot.pointer_targets, strict=True)
        if pointer.variable is not None
    ]
    for spot, _, notes, target in looks:
        if isinstance(target, Seen):
            _set(spot, notes, target)
    for spot, pointer, notes, target in looks:
        kept = _spot_of(target, everywhere) if isinstance(target, Seen) else None
        before, after = _arrays((spot, pointer, notes), target, kept)
        nrn.set_pointer(spot.mechanism, notes.before, nrn.ref(before[0].mechanism, before[1], 0))
        if isinstance(target, Seen):
            nrn.set_pointer(spot.mechanism, pointer.gradient, nrn.ref(after[0].mechanism, after[1], 0))


def _set(spot: EmittedMechanism, notes: PointerVariable, seen: Seen) -> None:
    """Tell an emitted mechanism when its model's mechanism sees the variable."""
    setattr(spot.mechanism, notes.old, float(seen.old))
    if seen.waits:
        spot.mechanism.late = 1
    if seen.starts:
        if spot.mechanism.jumps:
            raise Refused(
                f"INITIAL depends on {seen.variable} at {spot.segment}, where events set v: not differentiated"
            )
        spot.mechanism.late_start = 1


def _arrays(
    look: tuple[EmittedMechanism, PointerGradient, PointerVariable], target: Target, kept: EmittedMechanism | None
) -> tuple[tuple[EmittedMechanism, str], tuple[EmittedMechanism, str]]:
    """Where the gradients of what is seen are: at the start of a step, and as states see it."""
    spot, pointer, notes = look
    rest = spot, pointer.rest
    if not isinstance(target, Seen) or target.gradient is None or target.kept is None or kept is None:
        return rest, rest
    before = kept, target.gradient
    if not target.waits:
        return before, (spot, notes.start)
    if target.kept.trial is None or not kept.mechanism.late:
        return before, (kept, target.gradient)
    kept.mechanism.tried = 1
    return before, (kept, target.kept.trial)


def _spot_of(seen: Seen, everywhere: Mapping[nrn.Section, Attachment]) -> EmittedMechanism | None:
    """The emitted mechanism that keeps the gradient of what is seen; None if there is none."""
    sec, x = seen.variable.place
    attachment = everywhere.get(sec)
    if seen.gradient is None or attachment is None:
        return None
    if seen.variable.process is not None:
        return next(spot for spot in attachment.companions if spot.process == seen.variable.process)
    node = attachment.cell.node(sec, x)
    return next(spot for spot in attachment.spots if spot.node == node)
