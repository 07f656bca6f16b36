"""What a loss looks at."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import _neuron as nrn
from ._currents.observed import Observed, as_currents
from ._model.cells import Floats
from .errors import Error
from .membrane_currents import VARIABLE, MembraneCurrents


class Trace:
    """A variable of the model at a segment, in the last run of the :class:`Reverse` that made this.

    Attributes:
        segment, variable: Where and what.
        currents: The sum of membrane currents that it is, if it is one; then ``segment`` is None unless it is one of a
            segment.
    """

    def __init__(self, place: nrn.Segment | MembraneCurrents, variable: str) -> None:
        """Made by ``Reverse.record``, before the run."""
        self.currents = as_currents(place, variable)
        self.segment: nrn.Segment = None if isinstance(place, MembraneCurrents) else place
        self.variable = VARIABLE if self.currents is not None else variable
        self._observed = Observed(place, variable)
        self._values: Floats | None = None

    @property
    def values(self) -> Floats:
        """[sample] in NEURON's unit, one sample per time step and the initial one.

        They stay those of ``Reverse.run``, also when the script makes runs of its own after it.

        Raises:
            Error: There was no such run, or it failed.
        """
        if self._values is None:
            raise Error(f"{self}: nothing is recorded yet; call run() after record()")
        return self._values.copy()

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        return np.asarray(self.values, dtype=dtype)

    def __repr__(self) -> str:
        return f"Trace({self.variable} at {self.segment})" if self.segment is not None else f"Trace({self.currents})"

    def take(self, samples: int) -> Floats | None:
        """At the end of a run of so many samples: what was recorded; None if that is not all of the run."""
        found = self._observed.values
        return found if len(found) == samples else None

    def show(self, values: Floats | None) -> None:
        """Let these be the values."""
        self._values = values

    def stop(self) -> None:
        """Stop recording."""
        self._observed.stop()
