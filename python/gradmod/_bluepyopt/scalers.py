"""Scalers: what a parameter's value becomes at a segment, as weights or as a profile."""

from __future__ import annotations

import builtins
import cmath
import math
import string
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .. import _neuron as nrn
from ..errors import Error, Refused
from ..parameters import Parameter, Range
from ..profile import Profile
from .cell import Cell
from .library import ephys, is_done_by, kind
from .numbers import Spatial

#: Values that differ by less than this part of the largest are one value: rounding of a formula.
_SAME = 1e-12


class Scaled:
    """What a spatial parameter sets, as a function of the numbers that are free.

    Attributes:
        name: BluePyOpt's, for messages.
    """

    def __init__(
        self, spatial: Spatial, free: Mapping[str, tuple[float, float, float]], attributes: Sequence[str], cell: Cell
    ) -> None:
        """Look at it.

        Args:
            spatial: The parameter and where it has the last word.
            free: {"value", the name of a parameter it depends on, or an attribute of its scaler: the present value, the
                lower and the upper bound}.
            attributes: Which of these are attributes of the scaler.
            cell: The instantiated cell.

        Raises:
            Refused: The model does not have the values that the scaler gives.
        """
        self._spatial, self._free, self._cell = spatial, dict(free), cell
        self._attributes = frozenset(attributes)
        self.name = str(spatial.parameter.name)
        value = free["value"][0] if "value" in free else spatial.parameter.value
        self._fixed: dict[str, float] = {} if value is None else {"value": float(value)}
        self._fixed |= {other: float(cell.values[other]) for other in spatial.parameter.param_dependencies}
        self._check()

    def parameters(self) -> dict[str, Parameter]:
        """A direction for each free number.

        Raises:
            Refused: The scaler is not one that can be differentiated.
        """
        weights = self._weights() if list(self._free) == ["value"] else None
        if weights is not None:
            return {"value": self._range(weights)}
        shape = self._shape()
        self._compare(shape)
        present = {name: value for name, (value, _, _) in self._free.items()}
        try:
            profile = Profile(self._variable, self._spatial.segments, shape, **present)
            for seg in profile.segments:
                for name in present:
                    profile.slope(seg, name)
        except Error as error:
            raise Refused(f"{self.name}: {error}") from error
        return {name: profile[name] for name in present}

    @property
    def _variable(self) -> str:
        return str(self._spatial.parameter.param_name)

    @property
    def _scaler(self) -> Any:
        return self._spatial.parameter.value_scaler

    def _at(self, numbers: Mapping[str, float]) -> list[float]:
        """[segment] what BluePyOpt sets with these free numbers."""
        values = {**self._fixed, **{name: at for name, at in numbers.items() if name not in self._attributes}}
        before = {name: getattr(self._scaler, name) for name in self._attributes}
        try:
            for name in self._attributes:
                setattr(self._scaler, name, numbers[name])
            return [self._spatial.scaled(values, seg, self._cell.sim) for seg in self._spatial.segments]
        finally:
            for name, value in before.items():
                setattr(self._scaler, name, value)

    def _check(self) -> None:
        wanted = self._at({name: value for name, (value, _, _) in self._free.items()})
        for seg, value in zip(self._spatial.segments, wanted, strict=True):
            owner = seg.sec if self._variable == "Ra" else seg
            if not hasattr(owner, self._variable):
                raise Refused(
                    f"{self.name}: {self._variable} is no range variable, so there is no derivative by it; freeze it"
                )
            now = float(getattr(owner, self._variable))
            if abs(now - value) > _SAME * abs(value):
                raise Refused(
                    f"{self.name}: {self._variable} at {seg} is {now:g}, where this parameter has set {value:g}: "
                    "something else sets it; freeze this parameter, or take that away"
                )

    def _weights(self) -> list[float] | None:
        """[segment] by what the value is multiplied; None if it is no multiple of it."""
        present, low, high = self._free["value"]
        unit = max((low, high, present), key=abs)
        weights = [value / unit for value in self._at({"value": unit})]
        largest = max(map(abs, weights))
        for part in (0.0, 0.3, 0.5, 0.8, 1.0):
            value = low + part * (high - low)
            for found, weight in zip(self._at({"value": value}), weights, strict=True):
                if abs(found - weight * value) > _SAME * largest * abs(unit):
                    return None
        return weights

    def _range(self, weights: Sequence[float]) -> Range:
        segments = self._spatial.segments
        where = [seg.sec for seg in segments] if self._variable == "Ra" else segments
        if all(weight == weights[0] for weight in weights):
            return Range(self._variable, where, None if weights[0] == 1.0 else weights[0])
        table = {(seg.sec, float(seg.x)): weight for seg, weight in zip(segments, weights, strict=True)}
        return Range(self._variable, where, lambda seg: table[seg.sec, float(seg.x)])

    def _shape(self) -> Callable[..., Any]:
        """The value at a segment, also of complex numbers."""
        scalers, scaler = ephys("parameterscalers"), self._scaler
        kinds = (scalers.NrnSegmentLinearScaler, scalers.NrnSegmentSectionDistanceScaler)
        owner = next((one for one in kinds if isinstance(scaler, one)), None)
        if owner is None or not is_done_by(owner, scaler, "scale"):
            raise Refused(
                f"{self.name}: its scaler, a {kind(scaler)}, is no multiple of the value, and no formula that can be "
                "read; use NrnSegmentSomaDistanceScaler, or freeze the parameter"
            )
        if owner is kinds[0]:
            return self._linear()
        return self._formula()

    def _linear(self) -> Callable[..., Any]:
        fixed = {"multiplier": self._scaler.multiplier, "offset": self._scaler.offset, **self._fixed}

        def shape(_: nrn.Segment, **numbers: Any) -> Any:
            now = {**fixed, **numbers}
            return now["multiplier"] * now["value"] + now["offset"]

        return shape

    def _formula(self) -> Callable[..., Any]:
        """The scaler's text, with names where BluePyOpt puts free numbers, and the rest as BluePyOpt has it."""
        text = str(self._scaler.distribution)
        given = self._scaler.scale_dict(self._fixed, 0.0)
        for name in self._scaler.dist_param_names or ():
            given[name] = getattr(self._scaler, name)
        given |= {name: f"({name})" for name in self._free} | {"distance": "distance"}
        try:
            code = compile(string.Formatter().vformat(text, (), given), f"<the scaler of {self.name}>", "eval")
        except (KeyError, SyntaxError, ValueError) as error:
            raise Refused(f"{self.name}: its scaler {text!r} cannot be read: {error}") from error
        distances = {(seg.sec, float(seg.x)): self._distance(seg) for seg in self._spatial.segments}
        names = {"math": _Math(), "__builtins__": builtins}

        def shape(seg: nrn.Segment, **numbers: Any) -> Any:
            return eval(code, names, {**numbers, "distance": distances[seg.sec, float(seg.x)]})

        return shape

    def _distance(self, seg: nrn.Segment) -> float:
        """What the scaler itself measures: its formula is asked for nothing else."""
        before = self._scaler.distribution, self._scaler.dist_param_names
        self._scaler.distribution, self._scaler.dist_param_names = "{distance}", None
        try:
            return self._spatial.scaled(self._fixed, seg, self._cell.sim)
        finally:
            self._scaler.distribution, self._scaler.dist_param_names = before

    def _compare(self, shape: Callable[..., Any]) -> None:
        """Look whether the function gives what BluePyOpt sets: at present, and at both bounds."""
        for which in range(3):
            numbers = {name: three[which] for name, three in self._free.items()}
            try:
                theirs = self._at(numbers)
                ours = [float(shape(seg, **numbers)) for seg in self._spatial.segments]
            except (ArithmeticError, NameError, TypeError, ValueError) as error:
                raise Refused(f"{self.name}: its scaler fails with {numbers}: {error}") from error
            largest = max(map(abs, theirs))
            for seg, mine, value in zip(self._spatial.segments, ours, theirs, strict=True):
                if abs(mine - value) > _SAME * largest:
                    raise Refused(
                        f"{self.name}: its scaler gives {value:g} at {seg}, and {mine:g} read as a formula; put the "
                        "numbers of its text into parentheses: ({value})"
                    )


class _Math:
    """The functions of ``math``, of complex numbers too."""

    def __getattr__(self, name: str) -> Any:
        real = getattr(math, name)
        if not callable(real):
            return real
        other = _power if name == "pow" else getattr(cmath, name, None)

        def call(*arguments: Any) -> Any:
            if not any(isinstance(argument, complex) for argument in arguments):
                return real(*arguments)
            if other is None:
                raise TypeError(f"math.{name} is no function of complex numbers")
            return other(*arguments)

        return call


def _power(base: complex, exponent: complex) -> complex:
    return base**exponent
