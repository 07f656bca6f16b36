"""Values that must not change along a run of the variable step: looked at whenever it gives the model its states."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .interpreter import Ref, h
from .vectors import values


class WatchedValues:
    """Looks from now on, by a callback of ``CVode.extra_scatter_gather``, which leaves the run bit for bit as it is.

    Attributes:
        changed: By the number of a value, when it first was another one, in ms.
    """

    def __init__(self, references: Sequence[Ref]) -> None:
        """Keep what they are now."""
        self.changed: dict[int, float] = {}
        # A PtrVector has one element at least.
        self._pointers = h.PtrVector(max(1, len(references)))
        for number, reference in enumerate(references or [h._ref_celsius]):
            self._pointers.pset(number, reference)
        self._now, self._first = (h.Vector(self._pointers.size()) for _ in range(2))
        self._pointers.gather(self._first)
        self._callback = self._look
        h.CVode().extra_scatter_gather(0, self._callback)

    def _look(self) -> None:
        self._pointers.gather(self._now)
        if not self._now.eq(self._first):
            now, first = values(self._now), values(self._first)
            for number in np.flatnonzero((now != first) & ~(np.isnan(now) & np.isnan(first))):
                self.changed.setdefault(int(number), float(h.t))

    def stop(self) -> None:
        """Look no more."""
        h.CVode().extra_scatter_gather_remove(self._callback)
