"""Reverse mode beside forward mode, in the runs of a check."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
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
#: Besides, relative to the largest change of the loss that any parameter makes if it changes by its size: going
#: backwards, all parameters take from the same adjoints, and one that does next to nothing takes their rounding.
ROUNDING = 1e-14
#: A trace that moves by less than this part of its size counts as if it moved by that.
_STILL = 1e-3


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

    def compare(self, parameter: str, drive: str, mine: float, products: Floats, rounding: float) -> None:
        """Compare one gradient of a weighted sum of traces.

        Args:
            parameter: Its name.
            drive: Which run.
            mine: By reverse mode.
            products: [trace, sample] forward mode's gradients times the weights.
            rounding: What may be off besides.
        """
        scale = float(np.sum(np.abs(products)))
        difference = abs(mine - float(np.sum(products)))
        if not np.isfinite(scale) or difference == 0.0:
            return  # forward mode is judged by itself
        relative = difference / scale if scale > 0.0 else np.inf
        if relative > AGREE and difference <= rounding:
            return
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
    timed: Collection[str],
) -> Backwards:
    """Go through the runs backwards.

    Args:
        model: The cell.
        drives: The runs.
        asked: All parameters.
        gradients: [drive] forward mode's, by parameter and trace.
        before: [drive] the traces of the model alone.
        timed: Parameters that only forward mode has gradients in.
    """
    found = Backwards()
    asked = [candidate for candidate in asked if candidate.name not in timed]
    directions = {f"d{i}": c.direction for i, c in enumerate(asked) if c.direction is not None}
    names = {f"d{i}": c.name for i, c in enumerate(asked)}
    sizes = {f"d{i}": c.size for i, c in enumerate(asked) if c.direction is not None}
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
                products = {
                    d: np.array([weights[name] * forward[names[d]][name] for name in traces]) for d in directions
                }
                changes = [float(np.sum(np.abs(products[d]))) * sizes[d] for d in directions]
                largest = max((change for change in changes if np.isfinite(change)), default=0.0)
                for d, size in sizes.items():
                    rounding = ROUNDING * largest / size
                    found.compare(names[d], drive.name, float(gradient[d]), products[d], rounding)
    except Refused as refused:
        codes = sorted({diagnostic.code for diagnostic in refused.diagnostics})
        return Backwards("refused", 0.0, codes, str(refused))
    return found


def _weights(traces: Mapping[str, Floats]) -> dict[str, Floats]:
    """Random weights with which all traces count alike, those that only rounding moves by their size."""
    random = np.random.default_rng(1)
    spans = {n: max(float(np.ptp(trace)), _STILL * float(np.max(np.abs(trace)))) or 1.0 for n, trace in traces.items()}
    return {name: random.normal(size=len(trace)) / spans[name] for name, trace in traces.items()}
