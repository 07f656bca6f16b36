"""A gradient beside finite differences of the untouched run."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from .. import finite
from .candidates import Candidate
from .forward import Traces
from .judge import MARGIN, MARGIN_TABLES, Finding, Judgement, judge
from .model.cell import Model
from .sides import Sides

#: For what the first sweep could not decide.
_FINE = tuple(10.0 ** (-k / 2) for k in range(4, 19))
#: Steps between these, to confirm what they find.
_BETWEEN = tuple(10.0 ** (-k / 2 - 0.25) for k in range(4, 19))
#: Where wide steps jump over two kinks beside each other, a branch for v near 0 say, and agree on what is no limit.
_NEAR = tuple(10.0 ** (-k / 2) for k in range(10, 16))


def _all(traces: Traces) -> Traces:
    return traces


def compare(
    model: Model,
    candidate: Candidate,
    gradient: Traces | None,
    plain: Traces,
    outputs: Callable[[Traces], Traces] = _all,
) -> Judgement:
    """Judge the gradient of one parameter in the drive that the model is set up for.

    Args:
        model: The cell.
        candidate: The parameter.
        gradient: Of the outputs; None if the compiler says that nothing depends on it.
        plain: The traces of the run.
        outputs: What is compared, made of the traces; the traces themselves by default.
    """
    sides = Sides(outputs(plain))

    def run() -> dict[str, finite.Array]:
        if model.drive.tables:
            finite.rebuild_tables()
        return dict(outputs(model.run()))

    def swept(steps: Sequence[float]) -> Judgement:
        difference = finite.differentiate(
            sides.ran(run), sides.moved(candidate.shift), 0.0, steps=steps, scale=candidate.size
        )
        mine = gradient or {name: np.zeros_like(value) for name, value in difference.value.items()}
        return judge(mine, difference, sides, MARGIN_TABLES if model.drive.tables else MARGIN)

    try:
        return decided(swept)
    except RuntimeError:
        if model.drive.free:  # NEURON's error, at another value in a run that is odd anyway
            return Judgement(Finding.UNDECIDED)
        raise


def decided(swept: Callable[[Sequence[float]], Judgement]) -> Judgement:
    """Sweep steps until it is clear what they say.

    Args:
        swept: What a sweep of relative steps finds.
    """
    judgement = swept(finite.STEPS)
    if judgement.finding not in (Finding.STILL, Finding.EXACT):
        judgement = swept(_FINE)
    if judgement.finding is Finding.MISMATCH:
        near = swept(_NEAR)
        if near.finding is Finding.EXACT:
            return near
        # A wrong gradient is off by the same whatever the steps are. Differences over kinks that agree with each other
        # by chance do so at some steps only.
        between = swept(_BETWEEN)
        is_confirmed = between.finding is Finding.MISMATCH and (
            between.deviation == judgement.deviation  # both infinite
            or 0.5 * judgement.deviation <= between.deviation <= 2 * judgement.deviation
        )
        if not is_confirmed:
            return between if between.finding is Finding.EXACT else Judgement(Finding.UNDECIDED)
    return judgement
