"""Losses of traces, and a loss as a function of parameters."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import copy
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import _neuron as nrn
from ._model.cells import Floats
from ._model.runs import check_grid
from ._simulation.backends import Mode
from ._simulation.inputs import Values
from .errors import Error
from .parameters import Parameter
from .reverse import MEMORY
from .simulation import EVERY, Look, Simulation

#: From traces to a loss: [place, sample] -> value, and its derivative of the same shape.
Loss: TypeAlias = "Callable[[Floats], tuple[float, ArrayLike]]"


class Points:
    """Times at which traces are read; between samples, traces are straight lines."""

    def __init__(self, times: ArrayLike, dt: float | None = None) -> None:
        """Name the times.

        Args:
            times: [time] in ms from the start of the run.
            dt: The time step of the runs in ms; None if each run says its own, see :meth:`at`.
        """
        self.times = np.asarray(times, dtype=np.float64)
        self.dt = dt
        if self.times.ndim != 1:
            raise Error(f"times must be one row of numbers, they have shape {self.times.shape}")
        if not np.all(np.isfinite(self.times)):
            raise Error("a time is not finite")
        if dt is None:
            return
        if not dt > 0.0:
            raise Error(f"dt is {dt}: it is the time step of the run in ms")
        position = self.times / dt
        nearest = np.rint(position)
        # A time that is a sample but for rounding is that sample.
        position = np.where(np.abs(position - nearest) < 1e-6, nearest, position)
        self._below = np.floor(position).astype(np.int64)
        self._part: Floats = np.asarray(position - self._below, dtype=np.float64)
        if self._below.min(initial=0) < 0:
            raise Error("a time is before the start")
        self._above = self._below + (self._part > 0.0)

    def __len__(self) -> int:
        return len(self.times)

    def at(self, t: Floats) -> Points:
        """Points at the same times, in a run whose samples are at ``t``, [sample] in ms."""
        if len(t) < 2:
            raise Error("the run has no time step: there is nothing to compare")
        dt = float(t[-1] - t[0]) / (len(t) - 1)
        return self if dt == self.dt else Points(self.times, dt)

    def _check(self, samples: int) -> None:
        if self.dt is None:
            raise Error("dt is not known: give it, or let value_and_grad call the loss")
        last = samples - 1
        if int(self._above.max(initial=0)) > last:
            raise Error(
                f"a time is after the end of the run: {self.times.max():g} ms, where the run has {last} time steps of "
                f"{self.dt:g} ms"
            )

    def between(self, samples: int) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
        """[time] the samples before and after each time, and how far it is from the first to the second, 0 to 1.

        Raises:
            Error: A time is after the last of the samples.
        """
        self._check(samples)
        return self._below, self._above, self._part

    def read(self, traces: Floats) -> Floats:
        """[place, time, ...] of [place, sample, ...]."""
        self._check(traces.shape[1])
        part = self._part.reshape((-1,) + (1,) * (traces.ndim - 2))
        return (1 - part) * traces[:, self._below] + part * traces[:, self._above]

    def spread(self, slopes: Floats, samples: int) -> Floats:
        """The transpose of :meth:`read`: [place, sample] of [place, time]."""
        self._check(samples)
        derivative = np.zeros((len(slopes), samples))
        for row, slope in zip(derivative, slopes, strict=True):
            np.add.at(row, self._below, (1 - self._part) * slope)
            np.add.at(row, self._above, self._part * slope)
        return derivative


def _target(target: ArrayLike, points: Points) -> Floats:
    """[place, time]."""
    rows = np.atleast_2d(np.asarray(target, dtype=np.float64))
    if rows.ndim != 2 or rows.shape[1] != len(points):
        raise Error(
            f"there are {len(points)} times, the target has shape {np.shape(target)}: it must be [place, time], read "
            "at these times, e.g. by np.interp(times, times_of_target, target)"
        )
    if not np.all(np.isfinite(rows)):
        raise Error("the target is not finite everywhere")
    return rows


def _gap(traces: Floats, points: Points, target: Floats) -> Floats:
    found = points.read(traces)
    if len(found) != len(target):
        raise Error(f"the target has {len(target)} places, there are {len(found)} traces")
    return found - target


#: No membrane gets so far from 0 V, in V.
_VOLTS = 0.2


class SquaredError:
    """The mean of (trace - target)^2 over times and places; between samples, traces are straight lines."""

    def __init__(self, target: ArrayLike, times: ArrayLike, dt: float | None = None) -> None:
        """Name the points.

        Args:
            target: [place, time] or [time], in the unit of the traces: mV for v.
            times: [time] in ms, from the start of the run; need not be on the grid of time steps.
            dt: The time step in ms of traces that the loss is called with. In :func:`value_and_grad` it does not
                count: each run is read with its own.
        """
        self._points = Points(times, dt)
        self.target = _target(target, self._points)

    def at(self, t: Floats) -> SquaredError:
        """This loss, of a run whose samples are at ``t``, [sample] in ms."""
        points = self._points.at(t)
        if points is self._points:
            return self
        there = copy(self)
        there._points = points
        return there

    def doubt(self, traces: Floats, variables: Sequence[str]) -> None:
        """Warn, of a target of a voltage that looks like volts."""
        for row, trace, variable in zip(self.target, traces, variables, strict=False):
            low, high = float(np.min(row, initial=0.0)), float(np.max(row, initial=-1.0))
            if variable == "v" and -_VOLTS < low < -_VOLTS / 20 and high < _VOLTS and float(np.min(trace)) < -10.0:
                warnings.warn(
                    f"the target of a voltage is between {low:g} and {high:g}: is it in volts? NEURON's v is in mV",
                    stacklevel=3,
                )
                return

    def __call__(self, traces: Floats) -> tuple[float, Floats]:
        """The loss of [place, sample], and its derivative.

        Raises:
            Error: The traces are those of the last run, which had another time step.
        """
        check_grid(self._points.dt, traces.shape[1])
        gap = _gap(traces, self._points, self.target)
        return float(np.mean(gap**2)), self._points.spread(2 * gap / gap.size, traces.shape[1])


class Residuals:
    """Trace - target at each time and place, for those who minimise the sum of squares.

    residuals = gradmod.Residuals(target, times, h.dt, simulation)      # simulation in forward mode
    scipy.optimize.least_squares(residuals, simulation.x, jac=residuals.jac)
    """

    def __init__(self, target: ArrayLike, times: ArrayLike, dt: float | None, simulation: Simulation) -> None:
        """Name the points, as for :class:`SquaredError`; each run is read with its own time step.

        Raises:
            Error: The simulation is in reverse mode.
        """
        if simulation.mode == "reverse":
            raise Error("residuals need their Jacobian: Simulation(..., mode='forward')")
        self._points = Points(times, dt)
        self.target = _target(target, self._points)
        self.simulation = simulation

    def __call__(self, x: ArrayLike, inputs: Values | None = None) -> Floats:
        """[place * time], of a run with x and, if the simulation has them, its inputs."""
        traces = self.simulation(x, inputs)
        return _gap(traces, self._points.at(self.simulation.t), self.target).ravel()

    def jac(self, x: ArrayLike, inputs: Values | None = None) -> Floats:
        """[place * time, parameter].

        It is that of the last run with x and the inputs, if this was not asked for yet; else the model runs again, as
        it is now.
        """
        jacobian = self.simulation.jacobian(x, inputs)
        rows = self._points.at(self.simulation.t).read(jacobian)
        return rows.reshape(-1, rows.shape[2])


class ValueAndGrad:
    """``value, gradient = f(x)``, as ``scipy.optimize.minimize(f, f.simulation.x, jac=True)`` takes it."""

    def __init__(self, loss: Loss, simulation: Simulation) -> None:
        """Made by :func:`value_and_grad`."""
        self.loss = loss
        self.simulation = simulation

    def __call__(self, x: ArrayLike, inputs: Values | None = None) -> tuple[float, Floats]:
        """The loss at x, and its gradient; of a run with x and, if the simulation has them, its inputs."""
        kept = self.simulation.keep(x, inputs)
        if isinstance(self.loss, SquaredError):
            self.loss.doubt(kept.traces, self.simulation.variables)
        try:
            loss = self.loss.at(kept.t) if isinstance(self.loss, SquaredError) else self.loss
            value, derivative = loss(kept.traces)
            return float(value), kept.vjp(derivative)
        finally:
            kept.release()

    def close(self) -> None:
        """Take the recorders away."""
        self.simulation.close()


def value_and_grad(
    loss: Loss,
    parameters: Mapping[str, Parameter],
    record: Iterable[Look],
    duration: float,
    *,
    inputs: Mapping[str, Parameter] | None = None,
    v_init: float | None = None,
    simulate: Callable[[], object] | None = None,
    sections: nrn.Section | Iterable[nrn.Section] | None = None,
    memory: float = MEMORY,
    mode: Mode | None = None,
    every: float = EVERY,
    spike_times: bool = False,
    keep: object = None,
    quiet: bool = False,
) -> ValueAndGrad:
    """A loss and its gradient as a function of parameters; about two to four plain runs, whatever their number.

        f = gradmod.value_and_grad(
            gradmod.SquaredError(target, times, h.dt),
            {"gNa": gradmod.Range("gnabar_hh", cell.all), "gK": gradmod.PerSegment("gkbar_hh", cell.all)},
            record=[soma(0.5)],
            duration=100,
        )
        scipy.optimize.minimize(f, f.simulation.x, jac=True)

    Args:
        loss: From traces [place, sample] to (value, derivative [place, sample]), e.g. a :class:`SquaredError`.
        parameters, record, duration, inputs, v_init, simulate, sections, memory, mode, every, spike_times, keep, quiet:
            See :class:`Simulation`. With inputs it is ``f(x, inputs)``.

    Raises:
        Refused: Something in the model cannot be differentiated exactly.
        Error: A name is wrong, or a value cannot be set.
    """
    simulation = Simulation(
        parameters,
        record,
        duration,
        inputs=inputs,
        v_init=v_init,
        simulate=simulate,
        sections=sections,
        memory=memory,
        mode=mode,
        every=every,
        spike_times=spike_times,
        keep=keep,
        quiet=quiet,
    )
    return ValueAndGrad(loss, simulation)
