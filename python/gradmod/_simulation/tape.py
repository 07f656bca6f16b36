"""Runs by number, for libraries that differentiate programs: they carry numbers from the run to its gradient."""

from __future__ import annotations

import numpy as np

from .._model.cells import Floats
from ..errors import Error
from .inputs import Values
from .kept import Kept, Simulated

#: So many runs whose gradient was taken are remembered: it may be asked for once more, for another loss.
_ASKED = 8
#: So many others: their gradient may still be asked for. What they take up is limited by ``memory`` in any case.
_UNASKED = 10_000


class Tape:
    """The runs of one simulation whose gradients may be asked for."""

    def __init__(self, simulation: Simulated) -> None:
        """There is none."""
        self._simulation = simulation
        self._kept: dict[int, Kept] = {}
        self._asked: dict[int, None] = {}
        self._next = 0

    def run(self, x: Floats, inputs: Values | None = None) -> tuple[Floats, int]:
        """Run: the traces [place, sample], and the number of the run."""
        kept = self._simulation.keep(x, inputs)
        number = self._next
        self._next = (number + 1) % 2**31
        self._kept[number] = kept
        while len(self._asked) > _ASKED:
            self._drop(next(iter(self._asked)))
        while len(self._kept) > _UNASKED:
            self._drop(next(iter(self._kept)))
        return kept.traces, number

    def _drop(self, number: int) -> None:
        self._asked.pop(number, None)
        self._kept.pop(number).release()

    def vjp(self, number: int, derivative: Floats) -> Floats:
        """The gradient of a loss of that run, from its derivative with respect to the traces.

        Raises:
            Error: That run is not known any more.
            Refused: It had to be made again, and was another one.
        """
        kept = self._kept.get(int(number))
        if kept is None:
            raise Error("too many runs were made before the gradient of this one was asked for")
        gradient = kept.vjp(np.asarray(derivative, dtype=np.float64))
        self._asked.pop(int(number), None)
        self._asked[int(number)] = None
        return gradient
