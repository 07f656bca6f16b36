"""Parameters and inputs as numbers that can be read and set."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .. import _neuron as nrn
from .._model.cells import Floats
from .._model.directions import Direction
from ..errors import Error, Refused
from ..parameters import (
    Global,
    InitialVoltage,
    NetConDelay,
    NetConWeight,
    Parameter,
    PerNetCon,
    PerPointProcess,
    PerSegment,
    Range,
    Stimulus,
)
from ..profile import Coefficient
from ..samples import Samples

#: Values that differ by less than this, relatively, are one value.
_SAME = 1e-12


@dataclass
class _NetConWeight:
    """An element of a weight vector as an attribute."""

    netcon: nrn.NetCon
    index: int

    @property
    def value(self) -> float:
        return float(self.netcon.weight[self.index])

    @value.setter
    def value(self, value: float) -> None:
        self.netcon.weight[self.index] = value


@dataclass
class Settable:
    """One parameter, or one input: where its values stand in NEURON.

    Attributes:
        name: The user's.
        parameter: For ``Reverse``, with the weights frozen.
        size: How many numbers it is.
        role: What it is to the user, "parameter" or "input".
    """

    name: str
    parameter: Parameter
    size: int
    _owners: list[Any]
    _attribute: str
    _weights: Floats
    _wanted: Floats = field(default_factory=lambda: np.empty(0))
    _vectors: list[nrn.Vector] = field(default_factory=list[nrn.Vector])
    role: str = "parameter"

    @classmethod
    def of(cls, direction: Direction, parameter: Parameter) -> Settable:
        """Find out where a parameter's values stand.

        Raises:
            Error: It is none that can be set.
        """
        name = direction.name
        if isinstance(parameter, Coefficient):
            return _OfProfile.of(direction, parameter)
        if isinstance(parameter, Samples):
            return OfSamples.of_vector(name, parameter, parameter.levels)
        if isinstance(parameter, Range):
            kind = type(parameter)
            weighted = direction.weights()
            if not isinstance(parameter, PerSegment):
                weighted = [(seg, weight) for seg, weight in weighted if weight != 0.0]
            if not weighted:
                raise Error(f"{name}: all weights are 0: there is nothing that it could change")
            owners = [seg.sec if direction.is_axial else seg for seg, _ in weighted]
            weights = np.array([weight for _, weight in weighted])
            frozen = {(seg.sec, float(seg.x)): weight for seg, weight in weighted}
            fixed = kind(parameter.name, parameter.where, lambda seg: frozen.get((seg.sec, float(seg.x)), 0.0))
            size = len(owners) if isinstance(parameter, PerSegment) else 1
            return cls(name, fixed, size, owners, parameter.name, weights)
        if isinstance(parameter, Global):
            return cls(name, parameter, 1, [nrn.h], parameter.name, np.ones(1))
        if isinstance(parameter, Stimulus):
            with nrn.one_look():
                found = [nrn.find_point_process(process) for process in parameter.processes]
            return cls(name, parameter, len(found), found, parameter.name, np.ones(len(found)))
        if isinstance(parameter, (NetConWeight, PerNetCon)):
            names = [parameter.netcon] if isinstance(parameter, NetConWeight) else parameter.netcons
            netcons = nrn.netcons()
            weights = [_NetConWeight(netcons[netcon], parameter.index) for netcon in names]
            return cls(name, parameter, len(weights), weights, "value", np.ones(len(weights)))
        if isinstance(parameter, NetConDelay):
            return cls(name, parameter, 1, [nrn.netcons()[parameter.netcon]], "delay", np.ones(1))
        if isinstance(parameter, InitialVoltage):
            raise Error(f"{name}: the initial voltage is set by whoever calls finitialize; it cannot be optimised here")
        raise Error(f"{name}: {parameter!r} cannot be set")

    @property
    def is_direction(self) -> bool:
        """Whether forward mode can take it as one direction."""
        return not isinstance(self.parameter, (PerSegment, PerNetCon, PerPointProcess, Samples))

    def get(self) -> Floats:
        """[size] the present values.

        Raises:
            Error: The values of the places do not follow from one number.
        """
        values: Floats = np.array([nrn.number(owner, self._attribute) for owner in self._owners])
        if np.any(self._weights == 0.0):
            raise Error(f"{self.name}: a weight is 0, so that the value there follows from nothing")
        values = values / self._weights
        if self.size == len(self._owners):
            return values
        if np.ptp(values) > _SAME * np.max(np.abs(values)):
            raise Error(
                f"{self.name}: {self._attribute} is between {values.min():g} and {values.max():g} (per weight): "
                "set it to one value first, give weight='present' (then a common factor is the parameter), or use "
                "PerSegment"
            )
        return values[:1]

    def set(self, values: Floats) -> None:
        """Set the values, [size]."""
        self._wanted = np.broadcast_to(values, len(self._owners)) * self._weights
        for owner, value in zip(self._owners, self._wanted, strict=True):
            nrn.set_number(owner, self._attribute, float(value))

    # --- whether a run was one with these values --------------------------------------------------------------------

    def watch(self, places: int) -> None:
        """Record the values along the runs to come: those of single things, and of segments if there are not more."""
        is_many = isinstance(self.parameter, Range)
        if isinstance(self.parameter, (NetConWeight, PerNetCon, NetConDelay)) or self.parameter.name == "Ra":
            return
        if len(self._owners) > max(places, 1):
            return
        for owner in self._owners:
            section = owner.sec if is_many else None
            self._vectors.append(nrn.record(nrn.ref(owner, self._attribute), section))

    def check(self, when: str, *, is_start: bool) -> None:
        """Look whether the values are still those that were set.

        Raises:
            Refused: They are not, so that the run does not depend on them as the gradient says.
        """
        if not is_start and isinstance(self.parameter, (NetConWeight, PerNetCon)):
            return  # synapses may change them
        for owner, wanted in zip(self._owners, self._wanted, strict=True):
            now = nrn.number(owner, self._attribute)
            if now != wanted:
                self._refuse(owner, now, float(wanted), when)
        if not is_start:
            for vector, owner, wanted in zip(self._vectors, self._owners, self._wanted, strict=False):
                others = (values := nrn.values(vector))[values != wanted]
                if len(others):
                    self._refuse(owner, float(others[0]), float(wanted), "during the run")

    def _refuse(self, owner: Any, now: float, wanted: float, when: str) -> None:
        raise Refused(
            f"{self.name}: {self._attribute} of {_described(owner)} was {now:g} {when}, not the {wanted:g} that it was "
            "set to: something else sets it (Vector.play, INITIAL, an event, a handler or simulate()), so the run does "
            f"not depend on this {self.role}; stop that (Vector.play_remove()), or leave the {self.role} out"
        )

    def may_share(self, other: Settable) -> bool:
        """Whether this and another one may set the same number of the model."""
        return self is other

    def places(self) -> Iterator[tuple[tuple[object, ...], str]]:
        """What each of the values is in NEURON, to tell when two parameters are the same thing, and its description."""
        for owner in self._owners:
            if isinstance(owner, _NetConWeight):
                yield (nrn.name_of(owner.netcon), "weight", owner.index), _described(owner)
            elif isinstance(self.parameter, Range) and self.parameter.name != "Ra":
                yield (owner.sec, float(owner.x), self._attribute), _described(owner)
            elif isinstance(self.parameter, (Stimulus, NetConDelay)):
                yield (nrn.name_of(owner), self._attribute), _described(owner)
            else:
                yield (owner if isinstance(self.parameter, Range) else "", self._attribute), _described(owner)

    def stop(self) -> None:
        """Record no more."""
        for vector in self._vectors:
            nrn.stop_recording(vector)
        self._vectors.clear()


@dataclass
class _OfProfile(Settable):
    """A coefficient of a profile, whose values the other coefficients change too."""

    _coefficient: float = float("nan")

    @classmethod
    def of(cls, direction: Direction, parameter: Parameter) -> _OfProfile:
        assert isinstance(parameter, Coefficient)
        profile = parameter.profile
        owners = [seg.sec if direction.is_axial else seg for seg in profile.segments]
        # The weights change with the coefficients: they are not frozen.
        return cls(direction.name, parameter, 1, owners, profile.name, np.ones(len(owners)))

    @property
    def _of(self) -> Coefficient:
        assert isinstance(self.parameter, Coefficient)
        return self.parameter

    def get(self) -> Floats:
        return np.array([self._of.profile.coefficients[self._of.coefficient]])

    def set(self, values: Floats) -> None:
        self._coefficient = float(values[0])
        self._of.profile.set(**{self._of.coefficient: self._coefficient})

    def check(self, when: str, *, is_start: bool) -> None:
        profile, name = self._of.profile, self._of.coefficient
        if (now := profile.coefficients[name]) != self._coefficient:
            raise Refused(
                f"{self.name}: the coefficient {name} of the profile was {now:g} {when}, not the {self._coefficient:g} "
                f"that it was set to: a handler or simulate() sets it, so the run does not depend on this {self.role}"
            )
        self._wanted = np.array([profile.value(seg) for seg in profile.segments])
        super().check(when, is_start=is_start)

    def may_share(self, other: Settable) -> bool:
        if self is other or not isinstance(other, _OfProfile):
            return self is other
        return self._of.profile is other._of.profile and self._of.coefficient != other._of.coefficient


@dataclass
class OfSamples(Settable):
    """The numbers in a Vector."""

    @classmethod
    def of_vector(cls, name: str, parameter: Parameter, vector: nrn.Vector) -> OfSamples:
        """Of a Vector that something plays."""
        return cls(name, parameter, len(nrn.values(vector)), [vector], "samples", np.ones(1))

    @property
    def _vector(self) -> Any:
        return self._owners[0]

    def get(self) -> Floats:
        return self._now()

    def set(self, values: Floats) -> None:
        self._now()
        self._wanted = np.array(values)
        nrn.fill(self._vector, self._wanted)

    def _now(self) -> Floats:
        found = nrn.values(self._vector)
        if len(found) != self.size:
            raise Error(
                f"{self.name}: {nrn.name_of(self._vector)} has {len(found)} numbers, it had {self.size} when the "
                "simulation was made: make it again"
            )
        return found

    def watch(self, places: int) -> None:
        # It is looked at as a whole.
        return None

    def check(self, when: str, *, is_start: bool) -> None:
        found = nrn.values(self._vector)
        if not np.array_equal(found, self._wanted):
            raise Refused(
                f"{self.name}: {nrn.name_of(self._vector)} did not have the numbers {when} that it was given: "
                "something else sets it (a handler, simulate(), a recording), so the run does not depend on this "
                f"{self.role}"
            )

    def places(self) -> Iterator[tuple[tuple[object, ...], str]]:
        yield (nrn.name_of(self._vector), self._attribute), nrn.name_of(self._vector)


def set_all(settables: Iterable[Settable], numbers: Floats) -> None:
    """Set all of them to what stands in one row."""
    begin = 0
    for settable in settables:
        settable.set(numbers[begin : begin + settable.size])
        begin += settable.size


def check_overlap(settables: Sequence[Settable]) -> None:
    """Raise where two parameters or inputs set the same number: the later one would win, whatever the first one is.

    Raises:
        Error: Two do.
    """
    found: dict[tuple[object, ...], Settable] = {}
    for settable in settables:
        for place, where in settable.places():
            other = found.setdefault(place, settable)
            if not settable.may_share(other):
                raise Error(
                    f"{other.name} and {settable.name} both set {settable.parameter.name} of {where}: the later one "
                    f"would overwrite the other; let each number belong to one {settable.role}"
                )


def _described(owner: Any) -> str:
    if isinstance(owner, _NetConWeight):
        return nrn.name_of(owner.netcon)
    return "NEURON" if owner is nrn.h else str(owner)
