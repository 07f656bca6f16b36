"""What is to be fitted: free parameters of one model, and sweeps with targets."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from .. import _neuron as nrn
from .._model.cells import Floats
from ..errors import Error
from ..parameters import Parameter
from ..simulation import Simulation
from .scales import Scale
from .targets import Target


@dataclass(frozen=True)
class Free:
    """A parameter to be found.

    Attributes:
        parameter: As for :func:`gradmod.attach`; one number.
        low, high: Its bounds, in its unit.
        scale: How the optimiser sees it: its logarithm by default.
    """

    parameter: Parameter
    low: float
    high: float
    scale: Scale = Scale.LOG

    def __post_init__(self) -> None:
        """Look at the bounds."""
        if not (np.isfinite(self.low) and np.isfinite(self.high) and self.low < self.high):
            raise Error(f"the bounds {self.low} and {self.high} are not two numbers, the lower one first")
        if self.scale is Scale.LOG and self.low <= 0.0:
            raise Error(f"the lower bound is {self.low}: on a logarithmic scale it must be above 0")

    def inner(self, x: float) -> float:
        """What the optimiser sees."""
        return self.scale.inner(x, self.low, self.high)

    def outer(self, u: float) -> float:
        """The parameter; rounding does not take it over its bounds."""
        return min(max(self.scale.outer(u, self.low, self.high), self.low), self.high)

    def slope(self, u: float) -> float:
        """The derivative of the parameter by what the optimiser sees."""
        return self.scale.slope(u, self.low, self.high)

    @property
    def bounds(self) -> tuple[float, float]:
        """Of what the optimiser sees."""
        if self.scale is Scale.LOGIT:
            return -np.inf, np.inf
        return self.inner(self.low), self.inner(self.high)


@dataclass(frozen=True)
class Sweep:
    """One run of the model, and what its trace should be like.

    Attributes:
        name: For people.
        place: What is recorded: a segment (its voltage), or (segment, variable).
        duration: In ms.
        targets: Of the trace; they are summed.
        before: Called before the run: sets stimuli.
        v_init: In mV; ``h.v_init`` by default.
        weight: What the residuals count.
    """

    name: str
    place: Any
    duration: float
    targets: Sequence[Target]
    before: Callable[[], object] | None = None
    v_init: float | None = None
    weight: float = 1.0

    def simulate(self) -> None:
        """Run."""
        if self.before is not None:
            self.before()
        nrn.h.finitialize(nrn.v_init() if self.v_init is None else self.v_init)
        nrn.solve(self.duration)


@dataclass(frozen=True)
class Evaluated:
    """All residuals at some parameters.

    Attributes:
        names: [residual] "sweep: what it is about".
        values: [residual] weighted.
        jacobian: [residual, parameter] of the values, on the scales of the parameters.
    """

    names: list[str]
    values: Floats
    jacobian: Floats


class Problem:
    """Weighted residuals of several sweeps as a function of scaled parameters, with their Jacobian (forward mode).

    Attributes:
        names: Of the parameters.
        sweeps: As given.
        evaluations: How often all sweeps were run.
    """

    def __init__(
        self, parameters: Mapping[str, Free], sweeps: Sequence[Sweep], *, keep: object = None, quiet: bool = True
    ) -> None:
        """Prepare the model.

        Args:
            parameters: By the user's names.
            sweeps: Of one model, each with its stimulus.
            keep: What must live as long, such as the cell.
            quiet: As for :class:`gradmod.Simulation`.

        Raises:
            Refused: Something in the model cannot be differentiated exactly.
            Error: A parameter is many numbers, or a sweep has no target.
        """
        if not sweeps:
            raise Error("there are no sweeps")
        for sweep in sweeps:
            if not sweep.targets:
                raise Error(f"the sweep {sweep.name} has no target")
        self._free, self.sweeps = dict(parameters), tuple(sweeps)
        self._present = self.sweeps[0]
        longest = max(sweep.duration for sweep in sweeps)
        self._simulation = Simulation(
            {name: free.parameter for name, free in self._free.items()},
            [sweep.place for sweep in sweeps], longest, simulate=lambda: self._present.simulate(), mode="forward",
            keep=keep, quiet=quiet,
        )  # fmt: skip
        self.names = list(self._free)
        if self._simulation.names != self.names:
            self._simulation.close()
            raise Error("each parameter must be one number: a fit of many numbers has value_and_grad")
        self.evaluations = 0
        self._last: tuple[Floats, Evaluated] | None = None

    @property
    def x(self) -> Floats:
        """[parameter] the present values in the model."""
        return self._simulation.x

    def inner(self, x: ArrayLike) -> Floats:
        """[parameter] values as the optimiser sees them.

        Raises:
            Error: One is out of its bounds.
        """
        values = np.asarray(x, dtype=np.float64)
        if values.shape != (len(self.names),):
            raise Error(f"x has shape {values.shape}, there are {len(self.names)} parameters")
        for (name, free), value in zip(self._free.items(), values, strict=True):
            if not free.low <= value <= free.high:
                raise Error(f"{name} is {value:g}, out of its bounds from {free.low:g} to {free.high:g}")
        return np.array([free.inner(float(value)) for free, value in zip(self._free.values(), values, strict=True)])

    def outer(self, u: ArrayLike) -> Floats:
        """[parameter] values in the model."""
        seen = np.asarray(u, dtype=np.float64)
        return np.array([free.outer(float(value)) for free, value in zip(self._free.values(), seen, strict=True)])

    @property
    def bounds(self) -> tuple[Floats, Floats]:
        """Of what the optimiser sees."""
        low, high = zip(*(free.bounds for free in self._free.values()), strict=True)
        return np.array(low), np.array(high)

    def evaluate(self, u: ArrayLike) -> Evaluated:
        """Run all sweeps."""
        seen = np.array(u, dtype=np.float64)
        x = self.outer(seen)
        slopes = np.array([free.slope(float(value)) for free, value in zip(self._free.values(), seen, strict=True)])
        names, values, rows = list[str](), list[Floats](), list[Floats]()
        for index, sweep in enumerate(self.sweeps):
            self._present = sweep
            trace = self._simulation(x)[index]
            gradient = self._simulation.jacobian(x)[index] * slopes
            weight = float(np.sqrt(sweep.weight))
            for target in sweep.targets:
                found = target.rows(self._simulation.t, trace)
                names += [f"{sweep.name}: {name}" for name in found.names]
                values.append(weight * found.values)
                rows.append(weight * found.slopes @ gradient)
        self.evaluations += 1
        evaluated = Evaluated(names, np.concatenate(values), np.concatenate(rows))
        self._last = seen, evaluated
        return evaluated

    def residuals(self, u: ArrayLike) -> Floats:
        """[residual] weighted."""
        return self.evaluate(u).values

    def jacobian(self, u: ArrayLike) -> Floats:
        """[residual, parameter] of :meth:`residuals`."""
        return self.last(u).jacobian

    def last(self, u: ArrayLike) -> Evaluated:
        """The last evaluation if it was with these parameters, however the model was changed since; else a new one."""
        if self._last is not None and np.array_equal(self._last[0], np.asarray(u, dtype=np.float64)):
            return self._last[1]
        return self.evaluate(u)

    def close(self) -> None:
        """Take away what was put into the model; the parameters keep their values."""
        self._simulation.close()

    def __enter__(self) -> Problem:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()
