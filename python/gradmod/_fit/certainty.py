"""What data tell of the parameters: from the Jacobian of the weighted residuals at the end of a fit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

#: A direction that changes the weighted residuals by less than this part of what the best told one does is untold.
UNTOLD = 1e-6
#: Parameters with less than this part in a direction, and in what it does to the residuals, are not named.
NAMED = 0.1


@dataclass(frozen=True)
class Direction:
    """Parameters that change together.

    Attributes:
        strength: By how much the weighted residuals change, per step of length 1 on the scales of the parameters.
        parts: The share of each parameter in such a step, by name; only those that matter, by their share or by what it
            does to the residuals: shares depend on units where scales are linear.
    """

    strength: float
    parts: dict[str, float]

    def __str__(self) -> str:
        return " ".join(f"{part:+.2g} {name}" for name, part in self.parts.items())


@dataclass(frozen=True)
class Certainty:
    """What the data tell.

    Attributes:
        names: Of the parameters.
        directions: From the best told one to the worst: the singular vectors of the Jacobian.
        errors: [parameter] standard errors on the scales of the parameters; infinite where the data tell nothing.
        correlations: [parameter, parameter] of their errors; not a number where the data tell nothing.
    """

    names: tuple[str, ...]
    directions: tuple[Direction, ...]
    errors: Floats
    correlations: Floats

    @property
    def untold(self) -> tuple[Direction, ...]:
        """Combinations of parameters that the data do not tell."""
        best = self.directions[0].strength
        return tuple(one for one in self.directions if one.strength <= UNTOLD * best)

    def __str__(self) -> str:
        lines = [f"{name}: standard error {error:.3g}" for name, error in zip(self.names, self.errors, strict=True)]
        lines += [f"not told by the data: {direction}" for direction in self.untold]
        return "\n".join(lines)


def certainty(names: Sequence[str], jacobian: Floats, variance: float) -> Certainty:
    """Look at a Jacobian.

    Args:
        names: Of the parameters.
        jacobian: [residual, parameter] of the weighted residuals, on the scales of the parameters.
        variance: Of the weighted residuals: 1 if the uncertainties of the data are right.

    Source: linear regression; the covariance is ``variance (J^T J)^-1``.
    """
    count = len(names)
    _, found, vectors = np.linalg.svd(jacobian, full_matrices=True)
    strengths = np.concatenate([found, np.zeros(count - len(found))])
    is_told = strengths > UNTOLD * strengths[0]
    weights = np.where(is_told, 1.0 / np.where(is_told, strengths, 1.0) ** 2, 0.0)
    covariance = variance * (vectors.T * weights) @ vectors
    matters = np.array([_matters(vector, jacobian, UNTOLD * strengths[0]) for vector in vectors])
    # A parameter with a part in an untold direction may be anything.
    is_free = np.any(matters[~is_told], axis=0)
    errors = np.where(is_free, np.inf, np.sqrt(np.diag(covariance)))
    size = np.sqrt(np.outer(np.diag(covariance), np.diag(covariance)))
    correlations = np.where(
        is_free[:, None] | is_free[None, :] | (size == 0.0), np.nan, covariance / np.where(size, size, 1.0)
    )
    directions = tuple(
        Direction(float(strength), _parts(names, vector, which))
        for strength, vector, which in zip(strengths, vectors, matters, strict=True)
    )
    return Certainty(tuple(names), directions, errors, correlations)


def _matters(vector: Floats, jacobian: Floats, least: float) -> NDArray[np.bool_]:
    """[parameter] whether it has a part in a direction."""
    # On linear scales 2e-4 S/cm2 beside a factor of 1 is no share, though each moves the residuals as far.
    effects = np.abs(vector) * np.linalg.norm(jacobian, axis=0)
    size = float(np.linalg.norm(effects))
    # Effects below the least one are rounding, of parameters that have none.
    return (np.abs(vector) > NAMED) | ((effects > NAMED * size) & (size > least))


def _parts(names: Sequence[str], vector: Floats, matters: NDArray[np.bool_]) -> dict[str, float]:
    order = np.argsort(-np.abs(vector))
    # The largest part is positive: the sign of a direction means nothing.
    sign = 1.0 if vector[order[0]] >= 0.0 else -1.0
    return {names[i]: sign * float(vector[i]) for i in map(int, order) if matters[i]}
