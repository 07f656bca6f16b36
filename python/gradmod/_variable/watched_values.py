"""Values that must not change along a run of the variable step: looked at whenever it gives the model its states."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .. import _neuron as nrn


class WatchedValues:
    """Looks from now on, by a callback of ``CVode.extra_scatter_gather``, which leaves the run bit for bit as it is.

    Attributes:
        changed: By the number of a value, when it first was another one, in ms.
    """

    def __init__(self, references: Sequence[nrn.Ref]) -> None:
        """Keep what they are now; there must be one at least."""
        self.changed: dict[int, float] = {}
        self._pointers = nrn.h.PtrVector(len(references))
        for number, reference in enumerate(references):
            self._pointers.pset(number, reference)
        self._now, self._first = (nrn.h.Vector(self._pointers.size()) for _ in range(2))
        self._pointers.gather(self._first)
        self._callback = self._look
        nrn.h.CVode().extra_scatter_gather(0, self._callback)

    def _look(self) -> None:
        self._pointers.gather(self._now)
        if not self._now.eq(self._first):
            now, first = nrn.values(self._now), nrn.values(self._first)
            for number in np.flatnonzero((now != first) & ~(np.isnan(now) & np.isnan(first))):
                self.changed.setdefault(int(number), float(nrn.h.t))

    def stop(self) -> None:
        """Look no more."""
        nrn.h.CVode().extra_scatter_gather_remove(self._callback)
