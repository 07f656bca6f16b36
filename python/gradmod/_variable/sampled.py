"""What is sampled in runs with the variable step: values of a variable, or times of its crossings."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import _neuron as nrn
from .._model.cells import Floats
from ..errors import Error
from .reading import Reading, between, crossings, samples

#: A last sample that rounding puts after the end counts.
_ROUNDING = 1e-6


class Sampled:
    """Numbers of the last run of the :class:`VariableStep` that made this.

    Attributes:
        segment, variable: Where and what.
        times: [sample] ms, where values were asked for; None: at the moments of the run.
        every: In ms, where values were asked for all along the run.
        threshold: Of the crossings whose times these are; None: they are values.
    """

    def __init__(
        self,
        segment: nrn.Segment,
        variable: str,
        times: Floats | None = None,
        every: float | None = None,
        threshold: float | None = None,
    ) -> None:
        """Made by ``VariableStep.record`` and ``record_spikes``."""
        self.segment, self.variable = segment, variable
        self.times, self.every, self.threshold = times, every, threshold
        self._reading: Reading | None = None

    @property
    def values(self) -> Floats:
        """[sample] in NEURON's unit; of crossings in ms.

        Raises:
            Error: There was no run yet.
        """
        return self.reading.values.copy()

    @property
    def reading(self) -> Reading:
        """How the values come of the record."""
        if self._reading is None:
            raise Error(f"{self}: nothing is recorded yet; call run() after record()")
        return self._reading

    def read(self, times: Floats, values: Floats) -> None:
        """Take [point] values of a record."""
        if self.every is not None:
            steps = int((times[-1] - times[0]) / self.every + _ROUNDING)
            self.times = times[0] + self.every * np.arange(steps + 1)
        if self.threshold is not None:
            self._reading = crossings(times, values, self.threshold)
        else:
            self._reading = samples(values) if self.times is None else between(times, values, self.times)

    def forget(self) -> None:
        """There is no run any more."""
        self._reading = None

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        return np.asarray(self.values, dtype=dtype)

    def __repr__(self) -> str:
        return f"Sampled({self.variable} at {self.segment})"
