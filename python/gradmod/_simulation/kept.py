"""One run of a simulation, with its gradient."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike

from .._model.cells import Floats
from ..errors import Error, Refused
from .backends import Made
from .inputs import Values


class Simulated(Protocol):
    """What is asked of a :class:`~gradmod.simulation.Simulation`."""

    @property
    def x(self) -> Floats: ...

    @x.setter
    def x(self, values: ArrayLike) -> None: ...

    @property
    def inputs(self) -> dict[str, Floats]: ...

    @inputs.setter
    def inputs(self, values: Values) -> None: ...

    def keep(self, x: ArrayLike, inputs: Values | None = None) -> Kept: ...

    def flat(self, gradient: Mapping[str, float | Floats]) -> Floats: ...


class Kept:
    """What :meth:`Simulation.keep` returns.

    Attributes:
        x: [parameter] what the run was with.
        inputs: By name, what else it was with.
        traces: [place, sample]
        t: [sample] times in ms.
    """

    def __init__(
        self, simulation: Simulated, x: Floats, inputs: dict[str, Floats], traces: Floats, t: Floats, made: Made
    ) -> None:
        """Made by ``Simulation.keep``."""
        self._simulation = simulation
        self.x = x
        self.inputs = inputs
        self.traces = traces
        self.t = t
        self._made = made

    def vjp(self, derivative: ArrayLike) -> Floats:
        """The gradient of a loss of this run in x, from its derivative with respect to the traces, [place, sample].

        Raises:
            Refused: The run had to be made again, and was another one.
        """
        rows = np.asarray(derivative, dtype=np.float64)
        if rows.shape != self.traces.shape:
            raise Error(f"the derivative has shape {rows.shape}, the traces {self.traces.shape}")
        if not self._made.is_there:
            self._repeat()
        return self._simulation.flat(self._made.vjp(rows))

    def _repeat(self) -> None:
        simulation = self._simulation
        before = simulation.x, simulation.inputs
        try:
            again = simulation.keep(self.x, self.inputs)
        finally:
            simulation.x, simulation.inputs = before
        made, again._made = again._made, self._made
        if not np.array_equal(again.traces, self.traces) or not made.is_same(self._made):
            made.release()
            raise Refused(
                "the gradient of a run that is not remembered any more: it was made again, and came out different, as "
                "something in the model was changed since (a stimulus, another parameter); make that an input, by "
                "Simulation(..., inputs={...}), take the gradient before that, or raise `memory`, in MiB, so that more "
                "runs are kept"
            )
        self._made = made

    def release(self) -> None:
        """Its gradient will not be asked for any more."""
        self._made.release()

    def __del__(self) -> None:
        if not sys.is_finalizing() and hasattr(self, "_made"):
            self.release()
