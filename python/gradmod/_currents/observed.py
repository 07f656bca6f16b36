"""What is recorded of the model itself, besides its gradients."""

from __future__ import annotations

from typing import Any
from weakref import WeakValueDictionary

import numpy as np

from .. import _neuron as nrn
from .._model.cells import Floats
from .._neuron.sections import is_segment
from ..errors import Error
from ..membrane_currents import VARIABLE, MembraneCurrents, check_computed


class _Current:
    """The membrane current of a segment, which sums share."""

    def __init__(self, segment: nrn.Segment) -> None:
        self.vector = nrn.record(nrn.ref(segment, VARIABLE), segment.sec)


_currents: WeakValueDictionary[tuple[nrn.Section, float], _Current] = WeakValueDictionary()


def _current(segment: nrn.Segment) -> _Current:
    key = segment.sec, float(segment.x)
    found = _currents.get(key)
    if found is None:
        found = _currents[key] = _Current(segment)
    return found


class Observed:
    """A variable at a place, or a sum of membrane currents, in the runs to come."""

    def __init__(self, place: Any, variable: str) -> None:
        """Begin to record.

        Args:
            place: A segment, a point process, or :class:`MembraneCurrents`.
            variable: As NEURON spells it.

        Raises:
            Error: NEURON does not compute it.
        """
        currents = as_currents(place, variable)
        #: That NEURON stops recording with.
        self.section = nrn.section_of(place if currents is None else currents.segments[0])
        self._vector: nrn.Vector | None = None
        self._currents: list[_Current] = []
        if currents is None:
            self._vector = nrn.record(nrn.ref(place, variable), self.section)
        else:
            check_computed()
            self._weights = currents.weights
            self._currents = [_current(seg) for seg in currents.segments]

    @property
    def values(self) -> Floats:
        """[sample] of the last run."""
        if self._vector is not None:
            return nrn.values(self._vector)
        found = [nrn.values(current.vector) for current in self._currents]
        if len({len(one) for one in found}) != 1:
            raise Error("not all of the run was recorded: recordings were stopped or begun while it was made")
        return self._weights @ np.array(found)

    def stop(self) -> None:
        """Stop recording."""
        if self._vector is not None:
            nrn.stop_recording(self._vector)
        # A Vector that nobody shares any more ends by itself.
        self._currents.clear()


def as_currents(place: Any, variable: str) -> MembraneCurrents | None:
    """The sum that is meant, if it is one, or the membrane current of one segment.

    Raises:
        Error: There is no membrane.
    """
    if isinstance(place, MembraneCurrents):
        return place
    return MembraneCurrents({place: 1.0}) if variable == VARIABLE and is_segment(place) else None
