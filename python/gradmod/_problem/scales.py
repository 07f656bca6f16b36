"""Scales of parameters: an optimiser sees a number that may be anything, the model one between two bounds."""

from __future__ import annotations

from enum import Enum

import numpy as np


class Scale(Enum):
    """How a parameter is seen by an optimiser.

    Conductances that are right to a factor want LOG; what may be of either sign, or has an offset, LINEAR.
    """

    LINEAR = "linear"
    #: The logarithm, for numbers above 0.
    LOG = "log"
    #: log((x - low)/(high - x)): the bounds cannot be reached.
    LOGIT = "logit"

    def inner(self, x: float, low: float, high: float) -> float:
        """The number that an optimiser sees."""
        match self:
            case Scale.LINEAR:
                return x
            case Scale.LOG:
                return float(np.log(x))
            case Scale.LOGIT:
                return float(np.log((x - low) / (high - x)))

    def outer(self, u: float, low: float, high: float) -> float:
        """The parameter."""
        match self:
            case Scale.LINEAR:
                return u
            case Scale.LOG:
                return float(np.exp(u))
            case Scale.LOGIT:
                return low + (high - low) * _logistic(u)

    def slope(self, u: float, low: float, high: float) -> float:
        """The derivative of the parameter by the number that an optimiser sees."""
        match self:
            case Scale.LINEAR:
                return 1.0
            case Scale.LOG:
                return float(np.exp(u))
            case Scale.LOGIT:
                return (high - low) * _logistic(u) * _logistic(-u)


def _logistic(u: float) -> float:
    # Either way, exp of a number that is not above 0.
    small = float(np.exp(-abs(u)))
    return 1.0 / (1.0 + small) if u >= 0.0 else small / (1.0 + small)
