"""How a :class:`~gradmod.simulation.Simulation` gets its derivatives: by gradients that run along, or backwards."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Literal, TypeAlias

import numpy as np

from .. import _neuron as nrn
from .._currents.observed import Observed
from .._model.cells import Floats
from .._model.runs import Run, initialisations
from .._process.interrupts import Interrupts
from .._reverse.record import Record
from ..attach import attach
from ..errors import Error
from ..parameters import Parameter
from ..reverse import Reverse
from ..trace import Trace
from .settable import Settable

Mode: TypeAlias = Literal["forward", "reverse", "variable"]

#: A run with one or two directions costs 2.3 to 2.6 plain runs, a run and its way back 1.5 to 3, whatever the number of
#: parameters (benches/forward.py, benches/reverse.py): with more numbers than this, reverse mode is never dearer.
FORWARD_AT_MOST = 2


def cheaper(parameters: Sequence[Settable]) -> Mode:
    """The mode that costs less."""
    is_small = len(parameters) <= FORWARD_AT_MOST and all(p.is_direction for p in parameters)
    return "forward" if is_small else "reverse"


class Made(ABC):
    """A run whose gradient may be asked for after other runs."""

    @property
    @abstractmethod
    def is_there(self) -> bool:
        """Whether what its gradient takes is still there; if not, the run has to be made again."""

    @abstractmethod
    def vjp(self, derivative: Floats) -> Mapping[str, float | Floats]:
        """By parameter the gradient of a loss, from its derivative with respect to the traces, [place, sample]."""

    @abstractmethod
    def is_same(self, other: Made) -> bool:
        """Whether another run of the same engine was the same, bit for bit, as far as its gradient goes."""

    @abstractmethod
    def release(self) -> None:
        """It will not be asked for."""


class Engine(ABC):
    """Runs the model and differentiates what was recorded."""

    mode: Mode

    @property
    @abstractmethod
    def t(self) -> Floats:
        """[sample] times of the last run in ms."""

    @property
    @abstractmethod
    def is_last(self) -> bool:
        """Whether the derivatives of the last run can still be had."""

    @abstractmethod
    def run(self, duration: float, v_init: float | None, simulate: Callable[[], object] | None) -> Floats:
        """Run: [place, sample]."""

    @abstractmethod
    def vjp(self, derivative: Floats) -> Mapping[str, float | Floats]:
        """By parameter the gradient of a loss, from its derivative with respect to the traces, [place, sample]."""

    @abstractmethod
    def jacobian(self) -> Floats:
        """[place, sample, parameter] of the last run."""

    @abstractmethod
    def keep(self) -> Made:
        """The last run, for later."""

    def prepare_to_keep(self) -> None:
        """The runs to come will be kept."""
        return None

    @abstractmethod
    def close(self) -> None:
        """Take away what was put into the model."""


class MadeBackward(Made):
    """One of :class:`Backward`."""

    def __init__(self, reverse: Reverse, record: Record, traces: Sequence[Trace]) -> None:
        """Of a run that ``reverse`` keeps."""
        self._reverse = reverse
        self._record = record
        self._traces = traces

    @property
    def is_there(self) -> bool:
        return self._record.is_there

    def vjp(self, derivative: Floats) -> Mapping[str, float | Floats]:
        return self._reverse.gradient_of(self._record, dict(zip(self._traces, derivative, strict=True)))

    def is_same(self, other: Made) -> bool:
        return isinstance(other, MadeBackward) and self._record.signature() == other._record.signature()

    def release(self) -> None:
        self._record.forget()


class Backward(Engine):
    """By going back through the run."""

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
        self.reverse = Reverse(parameters, sections=sections, memory=memory, spike_times=spike_times, quiet=quiet)
        self._record: Record | None = None
        try:
            self._traces = [self.reverse.record(*look) for look in looks]
        except BaseException:
            self.reverse.close()
            raise

    @property
    def t(self) -> Floats:
        return self.reverse.t

    @property
    def is_last(self) -> bool:
        return self._record is not None and self._record.is_there

    def run(self, duration: float, v_init: float | None, simulate: Callable[[], object] | None) -> Floats:
        self._record = None
        self.reverse.run(duration, v_init=v_init, simulate=simulate)
        self._record = self.reverse.last
        return np.array([trace.values for trace in self._traces])

    def vjp(self, derivative: Floats) -> Mapping[str, float | Floats]:
        assert self._record is not None
        return self.reverse.gradient_of(self._record, dict(zip(self._traces, derivative, strict=True)))

    def jacobian(self) -> Floats:
        raise Error("a Jacobian needs forward mode: Simulation(..., mode='forward')")

    def prepare_to_keep(self) -> None:
        self.reverse.will_keep = True

    def keep(self) -> Made:
        return MadeBackward(self.reverse, self.reverse.keep(), self._traces)

    def close(self) -> None:
        self.reverse.close()


class MadeForward(Made):
    """One of :class:`Forward`: its Jacobian."""

    def __init__(self, names: Sequence[str], jacobian: Floats) -> None:
        """Made of [place, sample, parameter]."""
        self._names = names
        self._jacobian = jacobian

    @property
    def is_there(self) -> bool:
        return True

    def vjp(self, derivative: Floats) -> Mapping[str, float | Floats]:
        return _times(self._names, derivative, self._jacobian)

    def is_same(self, other: Made) -> bool:
        return isinstance(other, MadeForward) and np.array_equal(self._jacobian, other._jacobian)

    def release(self) -> None:
        return None


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
        self._gradients = attach(parameters, sections=sections, spike_times=spike_times, quiet=quiet)
        self._run: Run | None = None
        self._t = np.empty(0)
        try:
            self._recordings = [self._gradients.record(*look) for look in looks]
            self._observed = [Observed(*look) for look in looks]
            self._clock = nrn.record_time(self._observed[0].section)
        except BaseException:
            self._gradients.detach()
            raise

    @property
    def t(self) -> Floats:
        return self._t

    @property
    def is_last(self) -> bool:
        # Without another finitialize the script may have gone on, too.
        return self._run is not None and self._run.is_last and np.array_equal(nrn.values(self._clock), self._t)

    def run(self, duration: float, v_init: float | None, simulate: Callable[[], object] | None) -> Floats:
        self._run = None
        before = initialisations()
        with Interrupts(nrn.stop_run) as interrupts:
            try:
                if simulate is not None:
                    simulate()
                else:
                    steps = round(duration / nrn.h.dt)
                    if steps < 1:
                        raise Error(f"a duration of {duration} ms is no time step of h.dt = {nrn.h.dt:g} ms")
                    # All of Python that runs in here is called by NEURON.
                    with interrupts.held_back():
                        nrn.h.finitialize(nrn.v_init() if v_init is None else v_init)
                        nrn.solve(float(nrn.h.t) + steps * float(nrn.h.dt))
                interrupts.check()
            except BaseException:
                nrn.stop_clock()
                raise
            finally:
                nrn.let_run()
        if initialisations() == before:
            raise Error("simulate() did not call finitialize: there is no run to remember")
        self._t = nrn.values(self._clock)
        traces = [observed.values for observed in self._observed]
        if any(len(trace) != len(self._t) for trace in traces):
            raise Error("not all of the run was recorded: recordings were stopped or begun while it was made")
        self._run = Run.present(len(self._t) - 1)
        return np.array(traces)

    def vjp(self, derivative: Floats) -> Mapping[str, float | Floats]:
        return _times(self._names, derivative, self.jacobian())

    def jacobian(self) -> Floats:
        return np.array([recording.jacobian() for recording in self._recordings])

    def keep(self) -> Made:
        return MadeForward(self._names, self.jacobian())

    def close(self) -> None:
        self._run = None
        nrn.stop_recording(self._clock)
        for observed in self._observed:
            observed.stop()
        self._gradients.detach()


def _times(names: Sequence[str], derivative: Floats, jacobian: Floats) -> dict[str, float | Floats]:
    if derivative.shape != jacobian.shape[:2]:
        raise Error(f"the derivative has shape {derivative.shape}, the traces {jacobian.shape[:2]}")
    return dict(zip(names, np.einsum("ps,psk->k", derivative, jacobian), strict=True))
