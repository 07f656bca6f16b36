"""Reverse mode beside forward mode, in the runs of a check."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from .. import _neuron as nrn
from ..cells import Floats
from ..errors import Refused
from ..reverse import Reverse
from .candidates import Candidate
from .cell import Drive, Model

#: How far both may differ, relative to the sum of the absolute addends: they are the same numbers, added otherwise.
AGREE = 1e-9


@dataclass
class Backwards:
    """What reverse mode did.

    Attributes:
        verdict: "exact" (it agrees with forward mode), "refused" or "mismatch".
        worst: Largest difference from forward mode, relative to the sum of the absolute addends.
        codes: Of the diagnostics, where it was refused.
        message: Why it was refused.
        mismatches: One sentence for each parameter that is wrong.
    """

    verdict: str = "exact"
    worst: float = 0.0
    codes: list[str] = field(default_factory=list[str])
    message: str = ""
    mismatches: list[str] = field(default_factory=list[str])

    def compare(self, parameter: str, drive: str, mine: float, products: Floats) -> None:
        """Compare one gradient of a weighted sum of traces.

        Args:
            parameter: Its name.
            drive: Which run.
            mine: By reverse mode.
            products: [trace, sample] forward mode's gradients times the weights.
        """
        scale = float(np.sum(np.abs(products)))
        difference = abs(mine - float(np.sum(products)))
        if not np.isfinite(scale) or difference == 0.0:
            return  # forward mode is judged by itself
        relative = difference / scale if scale > 0.0 else np.inf
        self.worst = max(self.worst, relative)
        if not relative <= AGREE:
            self.verdict = "mismatch"
            self.mismatches.append(f"{parameter}: reverse mode off by {relative:.1e} from forward mode ({drive} drive)")


def backwards(
    model: Model,
    drives: Sequence[Drive],
    asked: Sequence[Candidate],
    gradients: Sequence[Mapping[str, Mapping[str, Floats]]],
    before: Sequence[Mapping[str, Floats]],
) -> Backwards:
    """Go through the runs backwards.

    Args:
        model: The cell.
        drives: The runs.
        asked: All parameters.
        gradients: [drive] forward mode's, by parameter and trace.
        before: [drive] the traces of the model alone.
    """
    found = Backwards()
    directions = {f"d{i}": c.direction for i, c in enumerate(asked) if c.direction is not None}
    names = {f"d{i}": c.name for i, c in enumerate(asked)}
    try:
        with Reverse(model.sections, quiet=True, **directions) as reverse:
            traces = {name: reverse.record(seg, of) for name, (seg, of) in model.traces.items()}
            for drive, forward, plain in zip(drives, gradients, before, strict=True):
                model.set_up(drive)
                nrn.h.dt = drive.dt
                reverse.run(drive.t_stop, simulate=model.run)
                if not all(np.array_equal(trace.values, plain[name]) for name, trace in traces.items()):
                    found.verdict = "mismatch"
                    found.mismatches.append("the simulation is not what it was without reverse mode")
                    return found
                weights = _weights(plain)
                gradient = reverse.gradient({trace: weights[name] for name, trace in traces.items()})
                for direction in directions:
                    of = forward[names[direction]]
                    products = np.array([weights[name] * of[name] for name in traces])
                    found.compare(names[direction], drive.name, float(gradient[direction]), products)
    except Refused as refused:
        codes = sorted({diagnostic.code for diagnostic in refused.diagnostics})
        return Backwards("refused", 0.0, codes, str(refused))
    return found


def _weights(traces: Mapping[str, Floats]) -> dict[str, Floats]:
    """Random weights with which all traces count alike."""
    random = np.random.default_rng(1)
    spans = {name: float(np.ptp(trace)) or 1.0 for name, trace in traces.items()}
    return {name: random.normal(size=len(trace)) / spans[name] for name, trace in traces.items()}
