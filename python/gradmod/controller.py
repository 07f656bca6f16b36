"""One cell's part of a homeostat: its measure, its gradients, its parameters."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from weakref import ref

import numpy as np

from . import _neuron as nrn
from ._emitted.mechanism import EmittedMechanism
from ._forward.attachment import Attachment
from ._manifest.homeostat import HomeostatManifest
from ._model.cells import Floats
from ._model.directions import Direction
from .errors import Error
from .parameters import Parameter, Range, Stimulus


@dataclass(frozen=True)
class Actuator:
    """A place where a direction changes a parameter of the user's, and how much per theta."""

    reference: nrn.Ref
    value: Callable[[], float]
    weight: float
    where: str


def check_changeable(name: str, parameter: Parameter) -> None:
    """Raise unless a direction is a parameter that may change while NEURON runs, in each cell by itself.

    Raises:
        Error: It is not.
    """
    if not isinstance(parameter, (Range, Stimulus)) or parameter.name in ("cm", "Ra"):
        raise Error(f"{name}: {parameter!r} cannot change in a cell while NEURON runs: use Range or Stimulus")


def actuators(direction: Direction, attachment: Attachment) -> list[Actuator]:
    """All places of a cell where a direction acts; those of weight 0 left out."""
    parameter = direction.parameter
    if isinstance(parameter, Stimulus):
        process = nrn.find_point_process(parameter.process)
        if process is None or process.get_segment().sec not in set(attachment.cell.sections):
            return []
        read = lambda: float(getattr(process, parameter.name))  # noqa: E731
        return [Actuator(nrn.ref(process, parameter.name), read, 1.0, parameter.process)]
    found: list[Actuator] = []
    for seg, weight in direction.weights():
        if seg.sec in set(attachment.cell.sections) and weight != 0.0:
            read = lambda seg=seg: float(getattr(seg, parameter.name))  # noqa: E731
            found.append(Actuator(nrn.ref(seg, parameter.name), read, weight, str(seg)))
    return found


class Controller:
    """What measures and regulates one cell.

    Attributes:
        segment: Where the measure is taken.
    """

    def __init__(
        self,
        segment: nrn.Segment,
        attachment: Attachment,
        directions: Sequence[Direction],
        made: HomeostatManifest,
        check: Callable[[], None],
    ) -> None:
        """Insert and wire; made by :class:`gradmod.Homeostat`."""
        self.segment = segment
        self._names = [direction.name for direction in directions]
        self._directions = directions
        self._attachment = attachment
        self._check = check
        self._followers: list[list[nrn.PointProcess]] = []
        self._histories: list[ref[History]] = []
        spot = next(
            (spot for spot in attachment.spots if spot.node == attachment.cell.node(segment.sec, segment.x)), None
        )
        if spot is None:
            raise Error(f"{segment} is an end without membrane: it has no states")
        self._mechanism: nrn.PointProcess | None = nrn.new_point_process(made.name, segment)
        for entry in made.inputs:
            self._look(entry.name, entry.pointer, entry.gradients, spot)
        for k, (direction, pointer) in enumerate(zip(directions, made.parameters, strict=True)):
            found = actuators(direction, attachment)
            target = found[0].reference if found else nrn.ref(self.mechanism, "idle", k)
            nrn.set_pointer(self.mechanism, pointer, target)
            self._followers.append([self._follow(made.follow, k, actuator) for actuator in found[1:]])

    @property
    def mechanism(self) -> nrn.PointProcess:
        """The emitted point process; its RANGE variables may be recorded and set during a run.

        They are named at the head of its .mod file.

        Raises:
            Error: The homeostat was detached.
        """
        if self._mechanism is None:
            raise Error("this controller is gone: its homeostat was detached")
        return self._mechanism

    def _look(self, name: str, pointer: str, gradients: Sequence[str], spot: EmittedMechanism) -> None:
        arrays = {state.name: state.gradient for state in spot.region.states}
        if name != "v" and name not in arrays:
            raise Error(
                f"the measure reads {name}, which has no gradient at {self.segment}: {', '.join(['v', *arrays])}"
            )
        nrn.set_pointer(self.mechanism, pointer, nrn.ref(self.segment, name))
        for k, gradient in enumerate(gradients):
            if name != "v":
                target = nrn.ref(spot.mechanism, arrays[name], k)
            elif k in self._attachment.acting:
                target = self._attachment.voltage(self.segment.sec, self.segment.x, k)
            else:
                target = nrn.ref(self.mechanism, "idle", k)
            nrn.set_pointer(self.mechanism, gradient, target)

    def _follow(self, name: str, k: int, actuator: Actuator) -> nrn.PointProcess:
        follower = nrn.new_point_process(name, self.segment)
        nrn.set_pointer(follower, "theta", nrn.ref(self.mechanism, "theta", k))
        nrn.set_pointer(follower, "p", actuator.reference)
        return follower

    def prepare(self, bounds: Mapping[str, tuple[float, float]]) -> None:
        """Tell the mechanism where its parameters are; before every run.

        Args:
            bounds: By direction, within what theta stays.

        Raises:
            Error: The parameters are not in proportion to their weights.
        """
        for k, direction in enumerate(self._directions):
            found = actuators(direction, self._attachment)
            start = found[0].value() / found[0].weight if found else 0.0
            for actuator in found:
                if abs(actuator.value() - start * actuator.weight) > 1e-9 * abs(actuator.value()):
                    raise Error(
                        f"{direction.name}: the parameter is {found[0].value():g} at {found[0].where} and "
                        f"{actuator.value():g} at {actuator.where}, not in proportion to the weights: give a weight "
                        "such as lambda seg: seg.gnabar_hh, then a common factor is changed"
                    )
            low, high = bounds.get(direction.name, _same_sign(start))
            self.mechanism.start[k] = start
            self.mechanism.scale[k] = abs(start)
            self.mechanism.lower[k], self.mechanism.upper[k] = low, high
            self.mechanism.weight[k] = found[0].weight if found else 0.0
            for follower, actuator in zip(self._followers[k], found[1:], strict=True):
                follower.weight = actuator.weight

    @property
    def measure(self) -> float:
        """f, after the last step.

        Raises:
            Error, Refused: The gradients do not follow this run.
        """
        self._check()
        return float(self.mechanism.f)

    @property
    def gradient(self) -> dict[str, float]:
        """By direction: the derivative of the measure in theta."""
        return self._read("df")

    @property
    def loss_gradient(self) -> dict[str, float]:
        """By direction: e, the derivative of ``sum of dt (f - target)^2/2`` in theta, fading by ``leak``."""
        return self._read("e")

    @property
    def theta(self) -> dict[str, float]:
        """By direction: the parameter's value in units of the direction's weight."""
        return self._read("theta")

    def _read(self, array: str) -> dict[str, float]:
        self._check()
        return dict(zip(self._names, (float(x) for x in getattr(self.mechanism, array)), strict=True))

    def record(self, interval: float) -> History:
        """Record measure, gradients and parameters in the runs to come.

        Args:
            interval: Time between samples in ms.
        """
        times = nrn.record_time(self.segment.sec, interval)
        vectors = {"f": [nrn.record_every(nrn.ref(self.mechanism, "f"), interval)]}
        for array in ("df", "e", "theta"):
            vectors[array] = [
                nrn.record_every(nrn.ref(self.mechanism, array, k), interval) for k in range(len(self._names))
            ]
        history = History(self._names, interval, times, vectors, self._check)
        self._histories.append(ref(history))
        return history

    def histories(self) -> list[History]:
        """What :meth:`record` returned and is still there."""
        return [history for found in self._histories if (history := found()) is not None]

    def remove(self) -> None:
        """Take the mechanisms away."""
        self._followers.clear()
        self._mechanism = None

    def __repr__(self) -> str:
        return f"Controller({self.segment}: {', '.join(self._names)})"


class History:
    """What a controller did in the last run. Reading raises if the gradients do not follow that run.

    Attributes:
        interval: Time between samples in ms.
    """

    def __init__(
        self,
        names: Sequence[str],
        interval: float,
        times: nrn.Vector,
        vectors: dict[str, list[nrn.Vector]],
        check: Callable[[], None],
    ) -> None:
        """Made by :meth:`Controller.record`."""
        self.interval = interval
        self._names = list(names)
        self._times = times
        self._vectors = vectors
        self._check = check

    @property
    def t(self) -> Floats:
        """[sample] times in ms."""
        self._check()
        return nrn.values(self._times)

    @property
    def measure(self) -> Floats:
        """[sample] f."""
        self._check()
        return nrn.values(self._vectors["f"][0])

    @property
    def gradient(self) -> dict[str, Floats]:
        """By direction: [sample] derivative of f in theta."""
        return self._read("df")

    @property
    def loss_gradient(self) -> dict[str, Floats]:
        """By direction: [sample] derivative of the loss, in ms; see :attr:`Controller.loss_gradient`."""
        return self._read("e")

    @property
    def theta(self) -> dict[str, Floats]:
        """By direction: [sample] theta."""
        return self._read("theta")

    @property
    def samples(self) -> Floats:
        """[vector, sample] all that was recorded, times first, unchecked. What is set is continued."""
        return np.array([nrn.values(vector) for vector in self._all()])

    @samples.setter
    def samples(self, samples: Floats) -> None:
        for vector, row in zip(self._all(), samples, strict=True):
            nrn.fill(vector, row)

    def _all(self) -> list[nrn.Vector]:
        return [self._times, *(vector for vectors in self._vectors.values() for vector in vectors)]

    def _read(self, array: str) -> dict[str, Floats]:
        self._check()
        return {name: nrn.values(vector) for name, vector in zip(self._names, self._vectors[array], strict=True)}


def _same_sign(start: float) -> tuple[float, float]:
    if start > 0.0:
        return 0.0, float("inf")
    return (float("-inf"), 0.0) if start < 0.0 else (float("-inf"), float("inf"))
