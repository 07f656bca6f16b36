"""What comes of a fit."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .._problem.fittable import Seen
from .certainty import Certainty
from .pictures import draw_fit

#: (evaluation, cost, {name: value})
Step = tuple[int, float, dict[str, float]]


@dataclass(frozen=True)
class Fit:
    """What came of a fit: the best evaluation that there was.

    Attributes:
        x: By name, in the units of the parameters; the model has these values.
        cost: Half the sum of the squared residuals.
        evaluations: How often all sweeps were run.
        why: Why the optimiser stopped.
        residuals: By name.
        certainty: What the data tell, by the residuals at the end, on the scales of the parameters; None in reverse
            mode.
        history: (evaluation, cost, x) of each evaluation, in the units of the parameters.
        traces: Of all sweeps.
    """

    x: dict[str, float]
    cost: float
    evaluations: int
    why: str
    residuals: dict[str, float]
    certainty: Certainty | None
    history: list[Step] = field(repr=False)
    traces: list[Seen] = field(repr=False)

    def __str__(self) -> str:
        lines = [f"cost {self.cost:.6g} after {self.evaluations} evaluations ({self.why})"]
        lines += [f"  {name} = {value:.6g}" for name, value in self.x.items()]
        worst = sorted(self.residuals.items(), key=lambda item: -abs(item[1]))[:5]
        lines += ["largest residuals, in uncertainties:", *(f"  {name}: {value:+.3g}" for name, value in worst)]
        return "\n".join([*lines, *(f"  {line}" for line in str(self.certainty or "").splitlines())])

    def plot(self) -> Any:
        """A figure of the traces, the cost by evaluation, and the parameters with their standard errors.

        Returns:
            A ``matplotlib`` figure; nothing is shown or written.

        Raises:
            Error: Matplotlib is not installed.
        """
        return draw_fit(self.traces, self.history, self.certainty)
