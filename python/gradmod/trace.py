"""What a loss looks at."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import _neuron as nrn
from .cells import Floats


class Trace:
    """A variable of the model at a segment, in the last run.

    Attributes:
        segment, variable: Where and what.
    """

    def __init__(self, segment: nrn.Segment, variable: str) -> None:
        """Made by ``Reverse.record``, before the run."""
        self.segment = segment
        self.variable = variable
        self._vector = nrn.record(nrn.ref(segment, variable), segment.sec)

    @property
    def values(self) -> Floats:
        """[sample] in NEURON's unit, one sample per time step and the initial one."""
        return nrn.values(self._vector)

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        return np.asarray(self.values, dtype=dtype)

    def __repr__(self) -> str:
        return f"Trace({self.variable} at {self.segment})"

    def stop(self) -> None:
        """Stop recording."""
        nrn.stop_recording(self._vector)
