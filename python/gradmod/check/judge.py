"""One gradient beside its differences: exact, mismatch, undecided, or nothing moved."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

import numpy as np

from .._model.cells import Floats
from ..finite import Comparison, Difference, compare
from .sides import Sides

#: The promise: gradients agree with differences of the same simulation to this, relative to the largest of the trace.
EXACT = 1e-6
#: A deviation counts only beyond this many times the uncertainty of the differences: that is an estimate itself.
MARGIN = 5.0
#: The same where TABLEs are used: some voltage passes a grid point within any step, and all differences are off alike.
MARGIN_TABLES = 100.0


class Finding(Enum):
    """What can be said of a trace, or of a parameter; a later one hides an earlier one when drives are combined."""

    STILL = 0
    UNDECIDED = 1
    EXACT = 2
    MISMATCH = 3


@dataclass(frozen=True)
class Judgement:
    """What can be said of one parameter in one drive.

    Attributes:
        finding: Of all traces together.
        deviation: The worst of those that could be judged; NaN if there is none.
        uncertainty: Of the differences, in the same trace.
        where: Which trace that is.
        judged: The traces that could be judged.
    """

    finding: Finding
    deviation: float = math.nan
    uncertainty: float = math.nan
    where: str = ""
    judged: tuple[str, ...] = ()


def judge(gradient: Mapping[str, Floats], difference: Difference, sides: Sides, margin: float = MARGIN) -> Judgement:
    """Compare all traces of one parameter.

    Args:
        gradient: [sample] per trace.
        difference: The same traces.
        sides: What was seen of kinks and jumps in the runs of the differences.
        margin: Beyond how many times the uncertainty a deviation counts.
    """
    compared = compare(gradient, difference)
    findings = {name: _trace(name, gradient[name], compared, difference, sides, margin) for name in gradient}
    moved = [name for name, finding in findings.items() if finding is not Finding.STILL]
    judged = [name for name in moved if findings[name] is not Finding.UNDECIDED]
    if not judged:
        return Judgement(Finding.UNDECIDED if moved else Finding.STILL)
    # A mismatch is worse than any exact trace, whatever the numbers.
    worst = max(judged, key=lambda name: (findings[name].value, compared.each[name]))
    return Judgement(
        findings[worst],
        compared.each[worst],
        difference.uncertainty(worst),
        worst,
        tuple(judged),
    )


def _trace(
    name: str, gradient: Floats, compared: Comparison, difference: Difference, sides: Sides, margin: float
) -> Finding:
    scale = difference.scale(name)
    error = max(difference.error[name], sides.error(name, difference.step[name]))
    mine = float(np.max(np.abs(gradient), initial=0.0))
    deviation = compared.each[name]
    if mine == 0.0 and scale <= MARGIN * difference.error[name]:
        # Nothing on our side, noise or nothing on the other.
        return Finding.STILL
    if not math.isfinite(error) or not math.isfinite(scale) or error >= scale > 0.0:
        # Not good even to their own size, or not finite: a run in which any change grows without bound.
        return Finding.UNDECIDED
    if deviation <= EXACT:
        return Finding.EXACT
    if deviation * scale <= margin * error if math.isfinite(deviation) else mine <= margin * error:
        return Finding.UNDECIDED
    return Finding.MISMATCH
