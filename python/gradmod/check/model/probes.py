"""Short runs for single places of a mechanism: kinks of its currents, STATEs that start at 0."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import numpy as np

from .cell import Model
from .drive import FAR, PLAIN, Drive
from .kinks import Kinks

#: How far below a kink a run starts, mV: NEURON's slope crosses it, with room for differences on both sides.
_BELOW = 5e-4
#: How many kinks are tried.
_KINKS = 3
#: How near the run must come, mV, and when, ms: after the first events; and when it ends.
_NEAR, _ARRIVES, _LASTS = 1e-4, 2.5, 2.75
#: From how far such a run may start, mV, and how often the start is looked for.
_WAY, _HALVINGS = 40.0, 60
#: By how much a parameter is changed to see whether it does anything, relative.
_MOVES = 1e-2


def probes(model: Model, drives: list[Drive], cases: Collection[str]) -> list[Drive]:
    """The short runs of a mechanism, and one that reaches farther if a parameter does nothing in all others.

    Args:
        model: The cell.
        drives: Its other runs.
        cases: Parameters of which a value is a case of its own in the code.
    """
    free = [_at(model, place, where) for place, where in Kinks(model).found()[:_KINKS]]
    empty = [name for name in _starting_empty(model) if name not in cases]
    if empty:
        free.append(replace(PLAIN, name="empty", t_stop=_LASTS, free=True, zeroed=tuple(empty)))
    far = [model.tuned(FAR)] if _does_nothing(model, drives) and model.stays_finite(FAR) else []
    return [*far, *(drive for drive in free if model.stays_finite(drive))]


def _at(model: Model, place: float, where: int) -> Drive:
    """A run that comes just below a kink when events have come and STATEs have moved, or that starts there."""
    seg = model.segments[where]
    goal = place - _BELOW
    usual = replace(PLAIN, name=f"at {place:.4g} mV", t_stop=_LASTS, rests=place, free=True)
    low, high = place - _WAY, place + _WAY
    for _ in range(_HALVINGS):
        drive = replace(usual, v_init=(low + high) / 2)
        if not model.stays_finite(drive):
            break
        reached = float(model.traces_now()[f"{seg}.v"][round(_ARRIVES / drive.dt)])
        if abs(reached - goal) <= _NEAR:
            return drive
        low, high = (drive.v_init, high) if reached < goal else (low, drive.v_init)
    return replace(usual, v_init=goal)


def _starting_empty(model: Model) -> list[str]:
    """Parameters that make a STATE start at 0 if they are 0."""
    states = [(owner, name) for name in model.instances.states() for owner in model.instances.owners(name)]

    def start(drive: Drive) -> list[float]:
        model.set_up(drive)
        model.initialise()
        return [float(getattr(owner, name)) for owner, name in states]

    found: list[str] = []
    usual = start(PLAIN)
    for parameter in model.values.own() if states else []:
        drive = replace(PLAIN, zeroed=(parameter,))
        if model.stays_finite(drive) and any(a == 0.0 != b for a, b in zip(start(drive), usual, strict=True)):
            found.append(parameter)
    return found


def _does_nothing(model: Model, drives: list[Drive]) -> bool:
    """Whether one of the mechanism's parameters moves nothing in all of some runs."""
    idle = set(model.values.own())
    for drive in drives if idle else []:
        model.set_up(drive)
        usual = model.run()
        for name in sorted(idle):
            model.values.set(raised=drive.raised, scaled={name: 1 + _MOVES})
            try:
                moved = model.run()
            except RuntimeError:
                continue
            if any(not np.array_equal(moved[trace], usual[trace], equal_nan=True) for trace in usual):
                idle.discard(name)
    return bool(idle)
