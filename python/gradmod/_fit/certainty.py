"""What data tell of the parameters: from the Jacobian of the weighted residuals at the end of a fit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

#: A direction is untold in which what parameters do to the residuals cancels but for this part.
UNTOLD = 1e-6
#: A parameter that does less than this part of what another does, per step on its scale, does nothing but for rounding.
NOTHING = 1e-12
#: Parameters with less than this part in what a direction does to the residuals are not named.
NAMED = 0.1


@dataclass(frozen=True)
class Direction:
    """Parameters that change together.

    Attributes:
        strength: By how much the weighted residuals change, per step of length 1 on the scales of the parameters.
        parts: How far each parameter goes in such a step, by name; only those that matter, by what they would do to the
            residuals alone.
        is_told: Whether the data tell it.
    """

    strength: float
    parts: dict[str, float]
    is_told: bool

    def __str__(self) -> str:
        return " ".join(f"{part:+.2g} {name}" for name, part in self.parts.items())


@dataclass(frozen=True)
class Certainty:
    """What the data tell.

    Attributes:
        names: Of the parameters.
        directions: From the best told one to the worst: the singular vectors of the Jacobian, each column of which is
            divided by its length, so that units do not count.
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
        return tuple(one for one in self.directions if not one.is_told)

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
    lengths = np.linalg.norm(jacobian, axis=0)
    has_effect = lengths > NOTHING * np.max(lengths)
    steps = np.where(has_effect, 1.0 / np.where(has_effect, lengths, 1.0), 0.0)
    _, found, effects = np.linalg.svd(jacobian * steps, full_matrices=True)
    strengths = np.concatenate([found, np.zeros(count - len(found))])
    is_told = strengths > UNTOLD * strengths[0]
    # What has no effect may go any way: on its scale, one.
    vectors = effects * np.where(has_effect, steps, 1.0)
    sizes = np.linalg.norm(vectors, axis=1)
    weights = np.where(is_told, 1.0 / np.where(is_told, strengths, 1.0) ** 2, 0.0)
    covariance = variance * (vectors.T * weights) @ vectors
    # A parameter with a part in an untold direction may be anything.
    is_free = np.any(np.abs(effects[~is_told]) > NAMED, axis=0)
    errors = np.where(is_free, np.inf, np.sqrt(np.diag(covariance)))
    size = np.sqrt(np.outer(np.diag(covariance), np.diag(covariance)))
    correlations = np.where(
        is_free[:, None] | is_free[None, :] | (size == 0.0), np.nan, covariance / np.where(size, size, 1.0)
    )
    directions = tuple(
        Direction(float(strengths[i] / sizes[i]), _parts(names, vectors[i] / sizes[i], effects[i]), bool(is_told[i]))
        for i in range(count)
    )
    return Certainty(tuple(names), directions, errors, correlations)


def _parts(names: Sequence[str], vector: Floats, effect: Floats) -> dict[str, float]:
    order = np.argsort(-np.abs(effect))
    # The largest part is positive: the sign of a direction means nothing.
    sign = 1.0 if vector[order[0]] >= 0.0 else -1.0
    return {names[i]: sign * float(vector[i]) for i in map(int, order) if abs(effect[i]) > NAMED}
