"""Objectives: which features they have, with which weights, and the targets that these are."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import Error, Refused
from ..fit import MeanTarget
from .efel_feature import NotKnown, Wanted, wanted
from .library import ephys, is_done_by, kind


@dataclass(frozen=True)
class Kept:
    """An objective that is not left out.

    Attributes:
        objective: BluePyOpt's.
        targets: (recording, target) of each of its features.
    """

    objective: Any
    targets: tuple[tuple[str, MeanTarget], ...]

    @property
    def name(self) -> str:
        """BluePyOpt's."""
        return str(self.objective.name)


def kept(evaluator: Any, leave_out: Sequence[str]) -> list[Kept]:
    """All objectives but those that are left out.

    Args:
        evaluator: BluePyOpt's.
        leave_out: Names of objectives, or of features.

    Raises:
        Refused: Some have no counterpart; all of them are named.
        Error: A name to be left out is unknown, or none is left.
    """
    calculator, own = evaluator.fitness_calculator, ephys("objectivescalculators").ObjectivesCalculator
    if not is_done_by(own, calculator, "calculate_scores"):
        raise Refused(f"the fitness calculator is a {kind(calculator)}: gradmod knows ObjectivesCalculator")
    names = {name for objective in calculator.objectives for name in _names(objective)}
    for name in leave_out:
        if name not in names:
            raise Error(f"leave_out has {name!r}, which is no objective and no feature of the evaluator")
    found: list[Kept] = []
    refused: list[str] = []
    replaced: list[str] = []
    for objective in calculator.objectives:
        if set(_names(objective)) & set(leave_out):
            continue
        try:
            targets = [_target(objective, feature, weight) for feature, weight in _weighted(objective)]
        except NotKnown as reason:
            refused.append(f"{objective.name}: {reason}")
            continue
        found.append(Kept(objective, tuple((one.recording, target) for one, target in targets)))
        replaced += [str(objective.name) for one, _ in targets if one.is_number]
    if refused:
        raise Refused(
            "objectives without a derivative:\n  " + "\n  ".join(refused) + "\nleave_out=[...] leaves objectives out"
        )
    if not found:
        raise Error("all objectives are left out")
    if replaced:
        warnings.warn(
            "the number of spikes has no derivative; where it is wrong, how near the next spike is that should come or "
            f"go stands for it in {', '.join(replaced)}",
            stacklevel=4,
        )
    return found


def _names(objective: Any) -> Iterator[str]:
    yield str(objective.name)
    for feature in getattr(objective, "features", None) or ():
        yield str(feature.name)


def _weighted(objective: Any) -> list[tuple[Any, float]]:
    """The features whose weighted scores an objective adds up."""
    module = ephys("objectives")
    if is_done_by(module.SingletonObjective, objective, "calculate_score"):
        weights = [1.0]
    elif is_done_by(module.SingletonWeightObjective, objective, "calculate_score"):
        weights = [float(objective.weight)]
    elif is_done_by(module.WeightedSumObjective, objective, "calculate_score"):
        weights = [float(weight) for weight in objective.weights]
    else:
        raise NotKnown(f"a {kind(objective)} is no weighted sum of scores")
    if any(weight < 0.0 for weight in weights):
        raise NotKnown("a weight is below 0")
    return list(zip(objective.features, weights, strict=True))


def _target(objective: Any, feature: Any, weight: float) -> tuple[Wanted, MeanTarget]:
    one = wanted(feature)
    if feature.exp_mean is None or feature.exp_std is None:
        raise NotKnown("it has no exp_mean and exp_std")
    name = str(objective.name) if len(objective.features) == 1 else f"{objective.name}: {feature.name}"
    try:
        target = MeanTarget(
            one.features, float(feature.exp_mean), float(feature.exp_std), name=name, absent=float(feature.max_score),
            weight=weight, spikes=one.spikes,
        )  # fmt: skip
    except Error as error:
        raise NotKnown(str(error)) from error
    return one, target
