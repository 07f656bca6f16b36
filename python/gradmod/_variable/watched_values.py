"""Values that must not change along a run of the variable step: looked at in each step, by an emitted mechanism."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .. import _neuron as nrn
from .._model.cells import Floats


class WatchedValues:
    """Looks at values between :meth:`begin` and :meth:`end`, which leaves the run bit for bit as it is.

    ``CVode.extra_scatter_gather`` would do without a mechanism, but once it was called NEURON ends the process where a
    run has several threads.
    """

    def __init__(self, mechanism: str, segment: nrn.Segment) -> None:
        """Put the mechanism that looks into a segment."""
        self._process: nrn.PointProcess | None = nrn.new_point_process(mechanism, segment)
        self._places: NDArray[np.int64] = np.empty(0, np.int64)
        self._first: Floats = np.empty(0)
        self._when: Floats = np.empty(0)

    def begin(self, references: Sequence[nrn.Ref]) -> None:
        """Look from now on, in the run that has begun, whether values stay what they are."""
        self.end()
        process, places = self._process, list[int]()
        assert process is not None
        for reference in references:
            nrn.set_pointer(process, "look", reference)
            places.append(int(process.address()))
        self._places = np.array(places, dtype=np.int64)
        self._first = np.array([float(reference[0]) for reference in references])
        self._when = np.full(len(places), np.nan)
        process.first, process.changed = float(self._first.ctypes.data), float(self._when.ctypes.data)
        process.count = float(len(places))
        process.begin()
        process.places = float(self._places.ctypes.data)

    def end(self) -> None:
        """Look no more; the cell may be gone."""
        if self._process is not None and self._process.has_loc():
            self._process.places = 0.0

    def remove(self) -> None:
        """Take the mechanism out of the model."""
        self.end()
        self._process = None

    @property
    def changed(self) -> dict[int, float]:
        """By the number of a value, when it first was another one, in ms."""
        return {int(number): float(self._when[number]) for number in np.flatnonzero(~np.isnan(self._when))}

    @property
    def has_moved(self) -> bool:
        """Whether NEURON moved its variables during the run, so that nothing is known."""
        return self._process is None or not self._process.has_loc() or bool(self._process.moved)
