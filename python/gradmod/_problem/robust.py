"""Robust losses: large residuals count less than their squares."""

from __future__ import annotations

from enum import Enum

import numpy as np

from .._model.cells import Floats

#: A residual below this is its own: the square of it is lost beside 1.
_SMALL = 1e-8


class Robust(Enum):
    """What half the squared residual ``r`` is replaced by; all are ``r^2/2`` where it is small.

    Names and definitions are those of ``scipy.optimize.least_squares``.
    """

    #: ``r^2``.
    NONE = "linear"
    #: ``2 (sqrt(1 + r^2) - 1)``.
    SOFT_L1 = "soft_l1"
    #: ``r^2`` up to 1, then ``2 |r| - 1``.
    HUBER = "huber"
    #: ``log(1 + r^2)``.
    CAUCHY = "cauchy"
    #: ``arctan(r^2)``.
    ARCTAN = "arctan"

    def shrink(self, residuals: Floats) -> tuple[Floats, Floats]:
        """Residuals whose squares are the robust loss, and their derivatives by the given ones.

        So that every method that minimises squares minimises the robust loss.

        Args:
            residuals: [residual]
        """
        if self is Robust.NONE:
            return residuals, np.ones_like(residuals)
        square = residuals**2
        loss, slope = self._loss(square)
        root = np.sqrt(loss)
        is_small = np.abs(residuals) < _SMALL
        shrunk = np.where(is_small, residuals, np.copysign(root, residuals))
        return shrunk, np.where(is_small, 1.0, slope * np.abs(residuals) / np.where(is_small, 1.0, root))

    def _loss(self, square: Floats) -> tuple[Floats, Floats]:
        """The loss of a squared residual, and its derivative by it."""
        match self:
            case Robust.NONE:
                return square, np.ones_like(square)
            case Robust.SOFT_L1:
                root = np.sqrt(1.0 + square)
                return 2.0 * square / (root + 1.0), 1.0 / root
            case Robust.HUBER:
                size = np.sqrt(np.maximum(square, 1.0))
                return np.where(square <= 1.0, square, 2.0 * size - 1.0), 1.0 / size
            case Robust.CAUCHY:
                return np.log1p(square), 1.0 / (1.0 + square)
            case Robust.ARCTAN:
                return np.arctan(square), 1.0 / (1.0 + square**2)
