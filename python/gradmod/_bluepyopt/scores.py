"""The evaluator's own scores: of the traces of a run that was made here, and of the runs that it makes itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from .._model.cells import Floats
from .objectives import Kept

#: A score for each objective that is kept, by name, in BluePyOpt's order.
Scores: TypeAlias = "dict[str, float]"
#: What eFEL is given of a recording.
Response: TypeAlias = "Mapping[str, Floats]"


def of_traces(kept: Sequence[Kept], responses: Mapping[str, Response | None]) -> Scores:
    """What BluePyOpt and eFEL make of traces.

    Args:
        kept: The objectives.
        responses: By recording.
    """
    return {one.name: float(one.objective.calculate_score(responses)) for one in kept}


def own(evaluator: Any, individual: Mapping[str, float]) -> Scores:
    """What the evaluator makes of an individual, by runs of its own; the cell must not be instantiated."""
    return {str(name): float(score) for name, score in evaluator.evaluate_with_dicts(dict(individual)).items()}


def total(scores: Scores) -> float:
    """Their sum: what BluePyOpt's optimisers rank by."""
    return sum(scores.values())


def difference(here: Scores, there: Scores) -> str:
    """How far two are from each other, for people."""
    name = max(here, key=lambda key: abs(here[key] - there[key]))
    return (
        f"the sum of the scores is {total(there):.4g} there and {total(here):.4g} here; most apart are those of "
        f"{name}, {there[name]:.4g} and {here[name]:.4g}"
    )
