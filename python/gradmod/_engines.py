"""How a :class:`~gradmod.simulation.Simulation` gets its derivatives: by gradients that run along, or backwards."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Literal, TypeAlias

import numpy as np

from . import _neuron as nrn
from ._settable import Settable
from .attach import attach
from .cells import Floats
from .errors import Error
from .parameters import Parameter
from .reverse import Reverse

Mode: TypeAlias = Literal["forward", "reverse"]

#: A gradient cable costs about 0.3 plain runs each and 2 to start with, a backward run 2 to 3, whatever the number of
#: parameters (benches/forward.py, benches/reverse.py): with more numbers than this, reverse mode is cheaper.
FORWARD_AT_MOST = 2


def cheaper(parameters: Sequence[Settable]) -> Mode:
    """The mode that costs less."""
    is_small = len(parameters) <= FORWARD_AT_MOST and all(p.is_direction for p in parameters)
    return "forward" if is_small else "reverse"


class Engine(ABC):
    """Runs the model and differentiates what was recorded."""

    mode: Mode

    @property
    @abstractmethod
    def t(self) -> Floats:
        """[sample] times of the last run in ms."""

    @abstractmethod
    def run(self, duration: float, v_init: float, simulate: Callable[[], object] | None) -> Floats:
        """Run: [place, sample]."""

    @abstractmethod
    def vjp(self, derivative: Floats) -> Mapping[str, float | Floats]:
        """By parameter the gradient of a loss, from its derivative with respect to the traces, [place, sample]."""

    @abstractmethod
    def jacobian(self) -> Floats:
        """[place, sample, parameter] of the last run."""

    @abstractmethod
    def close(self) -> None:
        """Take away what was put into the model."""


class Backward(Engine):
    """By a backward run."""

    mode: Mode = "reverse"

    def __init__(
        self,
        parameters: Mapping[str, Parameter],
        looks: Sequence[tuple[nrn.Segment, str]],
        sections: Sequence[nrn.Section] | None,
        memory: float,
        spike_times: bool,
        quiet: bool,
    ) -> None:
        """As :class:`Reverse`, which says what is raised."""
        self.reverse = Reverse(sections, memory=memory, spike_times=spike_times, quiet=quiet, **parameters)
        try:
            self._traces = [self.reverse.record(*look) for look in looks]
        except BaseException:
            self.reverse.close()
            raise

    @property
    def t(self) -> Floats:
        return self.reverse.t

    def run(self, duration: float, v_init: float, simulate: Callable[[], object] | None) -> Floats:
        self.reverse.run(duration, v_init=v_init, simulate=simulate)
        return np.array([trace.values for trace in self._traces])

    def vjp(self, derivative: Floats) -> Mapping[str, float | Floats]:
        return self.reverse.gradient(dict(zip(self._traces, derivative, strict=True)))

    def jacobian(self) -> Floats:
        raise Error("a Jacobian needs forward mode: Simulation(..., mode='forward')")

    def close(self) -> None:
        self.reverse.close()


class Forward(Engine):
    """By gradients that run along."""

    mode: Mode = "forward"

    def __init__(
        self,
        parameters: Mapping[str, Parameter],
        looks: Sequence[tuple[nrn.Segment, str]],
        sections: Sequence[nrn.Section] | None,
        spike_times: bool,
        quiet: bool,
    ) -> None:
        """As :func:`attach`, which says what is raised."""
        self._names = list(parameters)
        self._gradients = attach(sections, spike_times=spike_times, quiet=quiet, **parameters)
        try:
            self._recordings = [self._gradients.record(*look) for look in looks]
            self._vectors = [nrn.record(nrn.ref(segment, variable), segment.sec) for segment, variable in looks]
        except BaseException:
            self._gradients.detach()
            raise

    @property
    def t(self) -> Floats:
        return self._recordings[0].t

    def run(self, duration: float, v_init: float, simulate: Callable[[], object] | None) -> Floats:
        if simulate is not None:
            simulate()
        else:
            nrn.h.finitialize(v_init)
            nrn.solve(float(nrn.h.t) + round(duration / nrn.h.dt) * float(nrn.h.dt))
        return np.array([nrn.values(vector) for vector in self._vectors])

    def vjp(self, derivative: Floats) -> Mapping[str, float | Floats]:
        products = np.einsum("ps,psk->k", derivative, self.jacobian())
        return dict(zip(self._names, products, strict=True))

    def jacobian(self) -> Floats:
        return np.array([recording.jacobian() for recording in self._recordings])

    def close(self) -> None:
        for vector in self._vectors:
            nrn.stop_recording(vector)
        self._gradients.detach()
