"""A parameter that is to be found, between bounds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..errors import Error
from ..parameters import Parameter
from .scales import Scale


@dataclass(frozen=True)
class Bounded:
    """A number between two bounds.

    Attributes:
        low, high: In the unit of the parameter.
        scale: How the optimiser sees it.
    """

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
class Free:
    """A parameter to be found.

    Attributes:
        parameter: As for :func:`gradmod.attach`, a :class:`gradmod.Profile`'s coefficient among them; or several, which
            all get the same number. In reverse mode it may be many numbers (``PerSegment``), which all have the bounds.
        low, high: Its bounds, in its unit.
        scale: How the optimiser sees it: its logarithm by default.
    """

    parameter: Parameter | Sequence[Parameter]
    low: float
    high: float
    scale: Scale = Scale.LOG

    def __post_init__(self) -> None:
        """Look at the bounds."""
        _ = self.bounded
        if not self.parameters:
            raise Error("a free parameter sets nothing: name one Parameter at least")

    @property
    def bounded(self) -> Bounded:
        """Its bounds and scale."""
        return Bounded(self.low, self.high, self.scale)

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """All that get its number."""
        return (self.parameter,) if isinstance(self.parameter, Parameter) else tuple(self.parameter)
