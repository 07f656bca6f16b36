"""Which of the runs of a simulation a gradient is asked of, where it is asked by what the run was with only.

Two runs with the same parameters and inputs are two if something else in the model was changed between them. A loss of
the first must not get the gradient of the second.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np

from .._model.cells import Floats
from ..errors import Error

#: So many sets of parameters and inputs are remembered.
_MOST = 1000


@dataclass
class _Entry:
    """What the runs with one set of parameters and inputs were.

    Attributes:
        traces: A short number for them.
        is_asked: The gradient of that run was taken.
        is_one: No other run that was not asked had other traces.
    """

    traces: bytes
    is_asked: bool = False
    is_one: bool = True


class Asked:
    """The last runs, by their parameters and inputs, in one row."""

    def __init__(self) -> None:
        """There was no run."""
        self._entries: dict[bytes, _Entry] = {}

    def ran(self, x: Floats | None, traces: Floats) -> None:
        """There was a run."""
        key, found = _key(x), _digest(traces)
        before = self._entries.pop(key, None)
        is_one = before is None or before.is_asked or (before.is_one and before.traces == found)
        self._entries[key] = _Entry(found, is_one=is_one)
        while len(self._entries) > _MOST:
            del self._entries[next(iter(self._entries))]

    def ran_again(self, x: Floats | None, traces: Floats) -> None:
        """A run was made again, for its gradient."""
        entry = self._entries.get(_key(x))
        if entry is None:
            self._entries[_key(x)] = _Entry(_digest(traces))
        elif entry.traces != _digest(traces):
            entry.is_one = False

    def check(self, x: Floats | None) -> None:
        """Raise if it is not plain which run is meant.

        Raises:
            Error: It is not plain.
        """
        entry = self._entries.get(_key(x))
        if entry is not None and not entry.is_one:
            # Whoever runs again begins anew.
            del self._entries[_key(x)]
            raise Error(
                "two runs with the same parameters had other traces, as something else in the model was changed: it is "
                "not plain which one the derivative is of; make that an input, by Simulation(..., inputs={...}), or "
                "use `kept = simulation.keep(x)`, `kept.traces` and `kept.vjp(derivative)`, which belong to one run"
            )

    def is_fresh(self, x: Floats | None) -> bool:
        """Whether there was one run with these parameters, and its derivatives were not asked."""
        entry = self._entries.get(_key(x))
        return entry is not None and entry.is_one and not entry.is_asked

    def was(self, x: Floats | None) -> None:
        """The derivatives of the last run with these were asked."""
        entry = self._entries.get(_key(x))
        if entry is not None:
            entry.is_asked = True


def _key(x: Floats | None) -> bytes:
    return np.asarray(x, dtype=np.float64).tobytes()


def _digest(traces: Floats) -> bytes:
    return hashlib.blake2b(np.ascontiguousarray(traces).data).digest()
