"""Losses of traces, and a loss as a function of parameters."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from . import _neuron as nrn
from ._engines import Mode
from .cells import Floats
from .errors import Error
from .parameters import Parameter
from .reverse import MEMORY
from .simulation import Look, Simulation

#: From traces to a loss: [place, sample] -> value, and its derivative of the same shape.
Loss: TypeAlias = "Callable[[Floats], tuple[float, ArrayLike]]"


class Points:
    """Times at which traces are read; between samples, traces are straight lines."""

    def __init__(self, times: ArrayLike, dt: float) -> None:
        """Name the times: [time] in ms from the start of the run, and the time step of the run in ms."""
        position = np.asarray(times, dtype=np.float64) / dt
        if position.ndim != 1:
            raise Error(f"times must be one row of numbers, they have shape {position.shape}")
        nearest = np.rint(position)
        # A time that is a sample but for rounding is that sample.
        position = np.where(np.abs(position - nearest) < 1e-6, nearest, position)
        self._below = np.floor(position).astype(np.int64)
        self._part = position - self._below
        if self._below.min(initial=0) < 0:
            raise Error("a time is before the start")
        self._above = self._below + (self._part > 0.0)

    def __len__(self) -> int:
        return len(self._below)

    def read(self, traces: Floats) -> Floats:
        """[place, time, ...] of [place, sample, ...]."""
        last = traces.shape[1] - 1
        if int(self._above.max(initial=0)) > last:
            raise Error(f"a time is after the end of the run ({last} time steps)")
        part = self._part.reshape((-1,) + (1,) * (traces.ndim - 2))
        return (1 - part) * traces[:, self._below] + part * traces[:, self._above]

    def spread(self, slopes: Floats, samples: int) -> Floats:
        """The transpose of :meth:`read`: [place, sample] of [place, time]."""
        derivative = np.zeros((len(slopes), samples))
        for row, slope in zip(derivative, slopes, strict=True):
            np.add.at(row, self._below, (1 - self._part) * slope)
            np.add.at(row, self._above, self._part * slope)
        return derivative


def _target(target: ArrayLike, points: Points) -> Floats:
    """[place, time]."""
    rows = np.atleast_2d(np.asarray(target, dtype=np.float64))
    if rows.shape[1:] != (len(points),):
        raise Error(f"there are {len(points)} times, the target has {rows.shape[1]}")
    return rows


def _gap(traces: Floats, points: Points, target: Floats) -> Floats:
    found = points.read(traces)
    if len(found) != len(target):
        raise Error(f"the target has {len(target)} places, there are {len(found)} traces")
    return found - target


class SquaredError:
    """The mean of (trace - target)^2 over times and places; between samples, traces are straight lines."""

    def __init__(self, target: ArrayLike, times: ArrayLike, dt: float) -> None:
        """Name the points.

        Args:
            target: [place, time] or [time].
            times: [time] in ms, from the start of the run; need not be on the grid of time steps.
            dt: The time step of the run in ms.
        """
        self._points = Points(times, dt)
        self.target = _target(target, self._points)

    def __call__(self, traces: Floats) -> tuple[float, Floats]:
        """The loss of [place, sample], and its derivative."""
        gap = _gap(traces, self._points, self.target)
        return float(np.mean(gap**2)), self._points.spread(2 * gap / gap.size, traces.shape[1])


class Residuals:
    """Trace - target at each time and place, for those who minimise the sum of squares.

    residuals = gradmod.Residuals(target, times, h.dt, simulation)      # simulation in forward mode
    scipy.optimize.least_squares(residuals, simulation.x, jac=residuals.jac)
    """

    def __init__(self, target: ArrayLike, times: ArrayLike, dt: float, simulation: Simulation) -> None:
        """Name the points, as for :class:`SquaredError`.

        Raises:
            Error: The simulation is in reverse mode.
        """
        if simulation.mode != "forward":
            raise Error("residuals need their Jacobian: Simulation(..., mode='forward')")
        self._points = Points(times, dt)
        self.target = _target(target, self._points)
        self.simulation = simulation

    def __call__(self, x: ArrayLike) -> Floats:
        """[place * time]."""
        return _gap(self.simulation(x), self._points, self.target).ravel()

    def jac(self, x: ArrayLike) -> Floats:
        """[place * time, parameter]."""
        rows = self._points.read(self.simulation.jacobian(x))
        return rows.reshape(-1, rows.shape[2])


class ValueAndGrad:
    """``value, gradient = f(x)``, as ``scipy.optimize.minimize(f, f.simulation.x, jac=True)`` takes it."""

    def __init__(self, loss: Loss, simulation: Simulation) -> None:
        """Made by :func:`value_and_grad`."""
        self.loss = loss
        self.simulation = simulation

    def __call__(self, x: ArrayLike) -> tuple[float, Floats]:
        """The loss at x, and its gradient."""
        value, derivative = self.loss(self.simulation(x))
        return float(value), self.simulation.vjp(x, derivative)

    def close(self) -> None:
        """End the worker and take the recorders away."""
        self.simulation.close()


def value_and_grad(
    loss: Loss,
    parameters: Mapping[str, Parameter],
    record: Iterable[Look],
    duration: float,
    *,
    v_init: float = -65.0,
    simulate: Callable[[], object] | None = None,
    sections: nrn.Section | Iterable[nrn.Section] | None = None,
    memory: float = MEMORY,
    mode: Mode | None = None,
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
        parameters: As for :class:`Simulation`.
        record: Likewise.
        duration: Likewise.
        v_init: Likewise.
        simulate: Likewise.
        sections: Likewise.
        memory: Likewise.
        mode: Likewise.
        spike_times: Likewise.
        keep: Likewise.
        quiet: Likewise.

    Raises:
        Refused: Something in the model cannot be differentiated exactly.
        Error: A name is wrong, or a value cannot be set.
    """
    simulation = Simulation(
        parameters,
        record,
        duration,
        v_init=v_init,
        simulate=simulate,
        sections=sections,
        memory=memory,
        mode=mode,
        spike_times=spike_times,
        keep=keep,
        quiet=quiet,
    )
    return ValueAndGrad(loss, simulation)
