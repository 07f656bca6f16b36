"""Parameters as numbers that can be read and set, for those who optimise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from . import _neuron as nrn
from ._directions import Direction
from .cells import Floats
from .errors import Error
from .parameters import (
    Global,
    InitialVoltage,
    NetConDelay,
    NetConWeight,
    Parameter,
    PerNetCon,
    PerSegment,
    Range,
    Stimulus,
)

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
    """One parameter: where its values stand in NEURON.

    Attributes:
        name: The user's.
        parameter: For ``Reverse``, with the weights frozen.
        size: How many numbers it is.
    """

    name: str
    parameter: Parameter
    size: int
    _owners: list[Any]
    _attribute: str
    _weights: Floats

    @classmethod
    def of(cls, direction: Direction, parameter: Parameter) -> Settable:
        """Find out where a parameter's values stand.

        Raises:
            Error: It is none that can be set.
        """
        name = direction.name
        if isinstance(parameter, Range):
            weighted = direction.weights()
            owners = [seg.sec if direction.is_axial else seg for seg, _ in weighted]
            weights = np.array([weight for _, weight in weighted])
            frozen = {(seg.sec, float(seg.x)): weight for seg, weight in weighted}
            kind = type(parameter)
            fixed = kind(parameter.name, parameter.where, lambda seg: frozen[seg.sec, float(seg.x)])
            size = len(owners) if isinstance(parameter, PerSegment) else 1
            return cls(name, fixed, size, owners, parameter.name, weights)
        if isinstance(parameter, Global):
            return cls(name, parameter, 1, [nrn.h], parameter.name, np.ones(1))
        if isinstance(parameter, Stimulus):
            process = nrn.find_point_process(parameter.process)
            return cls(name, parameter, 1, [process], parameter.name, np.ones(1))
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
        return not isinstance(self.parameter, (PerSegment, PerNetCon))

    def get(self) -> Floats:
        """[size] the present values.

        Raises:
            Error: The values of the places do not follow from one number.
        """
        values = np.array([getattr(owner, self._attribute) for owner in self._owners], dtype=np.float64)
        if np.any(self._weights == 0.0):
            raise Error(f"{self.name}: a weight is 0, so that the value there follows from nothing")
        values /= self._weights
        if self.size == len(self._owners):
            return values
        if np.ptp(values) > _SAME * np.max(np.abs(values)):
            raise Error(
                f"{self.name}: {self._attribute} is between {values.min():g} and {values.max():g} (per weight): "
                "set it to one value first, give a weight, or use PerSegment"
            )
        return values[:1]

    def set(self, values: Floats) -> None:
        """Set the values, [size]."""
        for owner, value in zip(self._owners, np.broadcast_to(values, len(self._owners)) * self._weights, strict=True):
            setattr(owner, self._attribute, float(value))
