"""Spike times and their gradients."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from . import _neuron as nrn
from ._model.cells import Floats
from ._neuron.netcon_ends import ends
from .errors import Error
from .recording import Recording


class _Attached(Protocol):
    """Gradients that can be recorded."""

    def record(self, segment: nrn.Segment) -> Recording: ...


class SpikeTimes(Mapping[str, Floats]):
    """When a NetCon's source rose above its threshold in the last run, and how that depends: ``spikes["gNa"]``.

    The voltage is taken as straight between the steps, so a spike has a time that changes smoothly:

        t = t_n + dt s,  dt/dp = -dt ((1 - s) W_n + s W_n+1) / (V_n+1 - V_n),  s = (threshold - V_n) / (V_n+1 - V_n)

    with W = dV/dp. That is the exact derivative of this time in the run that was made, as far as the gradients of
    the voltage are (with ``spike_times``, their limit of small dt). NEURON itself sees the spike at t_n+1.
    Where the voltage only just rises above the threshold, the derivatives are large, and only good for tiny changes.
    """

    def __init__(self, netcon: nrn.NetCon, gradients: _Attached) -> None:
        """Made by ``Gradients.record_spikes``.

        Raises:
            Error: The NetCon watches no voltage of a cell with gradients.
        """
        self._netcon = nrn.name_of(netcon)
        segment = ends(netcon).segment
        if segment is None:
            raise Error(f"{self._netcon} watches no voltage")
        self.segment = segment
        self._threshold = float(netcon.threshold)
        self._gradients: Recording = gradients.record(segment)
        self._v = nrn.record(nrn.ref(segment, "v"), segment.sec)

    def _crossings(self) -> tuple[NDArray[np.intp], Floats, Floats]:
        """[spike] number of the step, the part of it before the crossing, rise of the voltage in the step in mV."""
        times, v = self._gradients.t, nrn.values(self._v)
        if len(v) != len(times):
            raise Error(
                f"the spikes of {self._netcon} were not recorded in the last run: call record_spikes() before it"
            )
        above = v > self._threshold
        steps = np.flatnonzero(above[1:] & ~above[:-1])
        rise = v[steps + 1] - v[steps]
        return steps, (self._threshold - v[steps]) / rise, rise

    @property
    def t(self) -> Floats:
        """[spike] times of the crossings in ms, between NEURON's steps."""
        times = self._gradients.t
        steps, share, _ = self._crossings()
        return times[steps] + share * (times[steps + 1] - times[steps])

    def __getitem__(self, direction: str) -> Floats:
        """[spike] gradients of the times, in ms per unit of the parameter."""
        w, times = self._gradients[direction], self._gradients.t
        steps, share, rise = self._crossings()
        at_crossing = (1.0 - share) * w[steps] + share * w[steps + 1]
        return -at_crossing * (times[steps + 1] - times[steps]) / rise

    def __iter__(self) -> Iterator[str]:
        return iter(self._gradients)

    def __len__(self) -> int:
        return len(self._gradients)

    def __repr__(self) -> str:
        return f"SpikeTimes({self._netcon} at {self.segment}: {', '.join(self)})"

    def __hash__(self) -> int:
        return id(self)

    def __eq__(self, other: object) -> bool:
        return self is other
