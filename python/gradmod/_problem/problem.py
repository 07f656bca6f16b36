"""A problem: free parameters of one model, and sweeps with targets."""

from __future__ import annotations

import warnings
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from .._model.cells import Floats
from .._neuron.settings import is_variable_step
from .._simulation.backends import Mode
from ..errors import Error
from ..parameters import Parameter
from ..reverse import MEMORY
from ..simulation import EVERY, Simulation
from .doubts import doubt
from .fittable import Evaluated, Fittable, Seen
from .free import Free
from .look import Look, Place
from .sweep import Sweep

#: Values of parameters that share a number and differ by less than this, relatively, are one value.
_SAME = 1e-12


class Problem(Fittable):
    """Weighted residuals of several sweeps of one model as a function of scaled parameters.

    Attributes:
        names: Of the numbers that are to be found.
        sweeps: As given.
        horizon: In ms; sweeps are run and compared up to this time only. None for all.
        evaluations: How often all sweeps were run.
    """

    def __init__(
        self,
        parameters: Mapping[str, Free],
        sweeps: Sequence[Sweep],
        *,
        mode: Mode | None = None,
        memory: float = MEMORY,
        every: float = EVERY,
        spike_times: bool = False,
        keep: object = None,
        quiet: bool = True,
    ) -> None:
        """Prepare the model.

        Args:
            parameters: By the user's names.
            sweeps: Of one model, each with its stimulus.
            mode: "forward" has Jacobians, as least squares need, and is the default; "reverse" has gradients only, at a
                cost that does not grow with the parameters. "variable", the default while ``h.cvode_active()``, is for
                the variable step, and has Jacobians.
            memory, every: As for :class:`gradmod.Simulation`.
            spike_times: As for :func:`gradmod.attach`.
            keep: What must live as long, such as the cell.
            quiet: As for :class:`gradmod.Simulation`.

        Raises:
            Refused: Something in the model cannot be differentiated exactly.
            Error: A parameter is many numbers in forward mode, or parameters that share a number are not as many.
        """
        if not sweeps:
            raise Error("there are no sweeps")
        if not parameters:
            raise Error("there are no parameters")
        self.sweeps = tuple(sweeps)
        self.horizon: float | None = None
        self._present = self.sweeps[0]
        places, self._index = _distinct([place for sweep in sweeps for place, _ in sweep.looks])
        given: dict[str, Parameter] = {}
        members: dict[str, list[str]] = {}
        for name, free in parameters.items():
            own = free.parameters
            members[name] = [name] if len(own) == 1 else [f"{name} ({parameter!r})" for parameter in own]
            given |= dict(zip(members[name], own, strict=True))
        if mode is None:
            mode = "variable" if is_variable_step() else "forward"
        self._simulation = Simulation(
            given, places, max(sweep.duration for sweep in sweeps), simulate=lambda: self._present.simulate(),
            memory=memory, mode=mode, every=every, spike_times=spike_times, keep=keep, quiet=quiet,
        )  # fmt: skip
        try:
            names, self._source = _numbers(members, self._simulation.sizes)
            bounded = [free.bounded for name, free in parameters.items() for _ in range(self._size(members[name][0]))]
            super().__init__(names, bounded)
            _ = self.x  # parameters that share a number must have one value
        except BaseException:
            self._simulation.close()
            raise
        self._doubted: set[str] = set()

    def _size(self, name: str) -> int:
        return self._simulation.sizes[name]

    @property
    def mode(self) -> Mode:
        """How derivatives are made."""
        return self._simulation.mode

    @property
    def has_jacobian(self) -> bool:
        """Whether evaluations have a Jacobian: all but those in reverse mode."""
        return self.mode != "reverse"

    @property
    def x(self) -> Floats:
        """[parameter] the present values in the model.

        Raises:
            Error: Parameters that share a number have different ones.
        """
        found = self._simulation.x
        first = np.array([found[np.flatnonzero(self._source == i)[0]] for i in range(len(self.names))])
        for value, i in zip(found, self._source, strict=True):
            if abs(value - first[i]) > _SAME * abs(first[i]):
                raise Error(
                    f"{self.names[i]} sets several parameters, which are {first[i]:g} and {value:g}: set them to one "
                    "value first"
                )
        return first

    def _evaluate(self, u: Floats) -> Evaluated:
        found = [self.evaluate_sweep(u, number) for number in range(len(self.sweeps))]
        parts = [part for part in found if part is not None]
        if not parts:
            raise Error(f"no target begins before the horizon of {self.horizon} ms")
        return Evaluated.joined(parts)

    def evaluate_sweep(self, u: ArrayLike, number: int) -> Evaluated | None:
        """Run one sweep; None if it has no target up to the horizon.

        Args:
            u: [parameter] as the optimiser sees them.
            number: Of the sweep.
        """
        whole = self.sweeps[number]
        sweep = whole if self.horizon is None else whole.until(self.horizon)
        if sweep is None:
            return None
        self._present = sweep
        x = self.outer(u)[self._source]
        traces = self._simulation(x)
        t, weight = self._simulation.t, float(np.sqrt(sweep.weight))
        first = sum(len(other.looks) for other in self.sweeps[:number])
        names, values, seen = list[str](), list[Floats](), list[Seen]()
        slopes: list[tuple[int, Any, Floats]] = []
        for offset, (place, targets) in enumerate(sweep.looks):
            row = self._index[first + offset]
            title = sweep.name if len(sweep.looks) == 1 else f"{sweep.name}: {Look.at(place)}"
            data = tuple(points for one in targets if (points := getattr(one, "points", None)) is not None)
            seen.append(Seen(title, t, traces[row], Look.at(place).unit, data))
            for target in targets:
                self._doubt(title, target, t, traces[row])
                rows = target.rows(t, traces[row])
                shrunk, by = sweep.robust.shrink(rows.values)
                names += [f"{title}: {name}" for name in rows.names]
                values.append(weight * shrunk)
                slopes.append((row, rows.slopes, weight * by))
        if self.has_jacobian:
            jacobian = self._simulation.jacobian(x)
            parts = np.concatenate([scale[:, None] * (slope @ jacobian[row]) for row, slope, scale in slopes])
            rows_of = self._gathered(parts) * self.slopes(u)
            joined = np.concatenate(values)
            return Evaluated(names, joined, rows_of.T @ joined, rows_of, seen)
        derivative = np.zeros_like(traces)
        for (row, slope, scale), value in zip(slopes, values, strict=True):
            derivative[row] += slope.T @ (scale * value)
        gradient = self._gathered(self._simulation.vjp(x, derivative)[None])[0] * self.slopes(u)
        return Evaluated(names, np.concatenate(values), gradient, None, seen)

    def _gathered(self, rows: Floats) -> Floats:
        """[row, parameter] of [row, number of the simulation]: sums where several share a number."""
        found = np.zeros((len(rows), len(self.names)))
        np.add.at(found.T, self._source, rows.T)
        return found

    def _doubt(self, title: str, target: object, t: Floats, values: Floats) -> None:
        for doubted in doubt(target, t, values):
            if doubted not in self._doubted:
                self._doubted.add(doubted)
                warnings.warn(f"{title}: {doubted}", stacklevel=2)

    def close(self) -> None:
        """Take away what was put into the model; the parameters keep their values."""
        self._simulation.close()


def _numbers(members: Mapping[str, Sequence[str]], sizes: Mapping[str, int]) -> tuple[list[str], Any]:
    """The names of the numbers, and for each number of the simulation the one that it gets."""
    names, source = list[str](), list[int]()
    for name, own in members.items():
        size = sizes[own[0]]
        if any(sizes[other] != size for other in own):
            raise Error(f"{name}: its parameters are {', '.join(str(sizes[other]) for other in own)} numbers")
        first = len(names)
        names += [name] if size == 1 else [f"{name}[{i}]" for i in range(size)]
        source += [first + i for _ in own for i in range(size)]
    return names, np.array(source, dtype=np.int64)


def _distinct(places: Sequence[Place]) -> tuple[list[Place], list[int]]:
    """Each place once, and which one each of the given ones is."""
    found: dict[Hashable, int] = {}
    kept: list[Place] = []
    index: list[int] = []
    for place in places:
        key = Look.at(place).key
        if key not in found:
            found[key] = len(kept)
            kept.append(place)
        index.append(found[key])
    return kept, index
