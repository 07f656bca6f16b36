"""Whether a record is of the equations that are differentiated: they must give what NEURON integrated."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .._model.cells import Floats
from ..errors import Refused
from .recorder import Frames, Record

#: Part of the way of a variable by which the trapezoidal rule may miss it, over a whole run.
_MISSED = 0.2
#: By how much it may miss it in one interval, besides what the slope changes by: in mV, of the size of a state.
_STILL, _STILL_STATE = 0.02, 2e-3
#: Relative deviation of the start.
_START = 1e-7
#: What a variable must move, relative to its size, for its equation to show.
_MOVED = 1e-4


def check_record(
    record: Record,
    agreement: Floats,
    start: Floats,
    frames: Frames,
    has_membrane: NDArray[np.bool_],
    tolerance: float,
    failed: str,
) -> None:
    """Raise unless the equations are the model's.

    Args:
        record: The run.
        agreement: [4, place in a frame] as :meth:`SecondPass.agreement` has it.
        start: [place in a frame] what INITIAL makes of the states, by them.
        frames: Where what is.
        has_membrane: [node]
        tolerance: Of the run, ``atol``.
        failed: A place where code did what is not differentiated.

    Raises:
        Refused: The record does not follow them.
    """
    if failed:
        raise Refused(f"no gradient: in this run code ran, at {failed}, that is not differentiated")
    if not np.all(np.isfinite(agreement)):
        place = frames.names[int(np.flatnonzero(~np.all(np.isfinite(agreement), axis=0))[0])]
        raise Refused(f"no gradient: the slope of {place} is not finite along the run")
    begun = np.abs(start - record.values[0]) > _START * (np.abs(start) + np.abs(record.values[0])) + 1e-12
    if np.any(begun):
        name = frames.names[int(np.flatnonzero(begun)[0])]
        raise Refused(
            f"no gradient: {name} does not begin with what INITIAL makes of it: it was set between INITIAL and the "
            "first step, where its derivative is not known; set v in an FInitializeHandler of type 0"
        )
    missed, way, most, size = agreement
    largest = size + 1e-9
    wrong = missed > _MISSED * way + _MOVED * largest
    # In one interval, so that nothing was set there by more than a coarse run is off anyway.
    wrong |= most > 500 * tolerance + np.where(np.arange(frames.size) < frames.nodes, _STILL, _STILL_STATE * largest)
    # A node without membrane has no slope of its own.
    wrong[: frames.nodes] &= has_membrane
    if np.any(wrong):
        name = frames.names[int(np.flatnonzero(wrong)[0])]
        raise Refused(
            f"no gradient: {name} does not follow the equations of the mechanisms there: it was set during the run, or "
            "a variable that is not differentiated changes along it, or its tolerance is so coarse that this can't be "
            "told (lower h.cvode.atol())"
        )
