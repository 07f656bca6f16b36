"""Forward mode's gradients in the runs of a check."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from .._model.cells import Floats
from ..attach import attach
from ..errors import Error, Refused
from .candidates import Candidate
from .model.cell import Model
from .model.drive import Drive

#: [trace][sample]
Traces = Mapping[str, Floats]

_TOUCHED = "the simulation is not what it was without gradients"
_GOES_ON = (
    "each run goes on from the one before (in the weights of a NetCon, or in what INITIAL does not set): "
    "runs with and without gradients can't be compared"
)


@dataclass
class Forward:
    """What forward mode did.

    Attributes:
        gradients: [drive] by key of the parameter and trace; None where it refused.
        refused: [drive] why it refused.
        mismatches: One sentence for each parameter that has another gradient when a drive is run again.
    """

    gradients: list[dict[str, Traces] | None] = field(default_factory=list[dict[str, Traces] | None])
    refused: list[Refused | None] = field(default_factory=list[Refused | None])
    mismatches: list[str] = field(default_factory=list[str])


def forward(model: Model, drives: Sequence[Drive], asked: Sequence[Candidate], before: Sequence[Traces]) -> Forward:
    """Run all drives with gradients, and the first one again at the end.

    Args:
        model: The cell.
        drives: The runs.
        asked: All parameters.
        before: [drive] the traces without gradients; they must be the same.

    Raises:
        Error: The traces are not the same.
    """
    found = Forward()
    try:
        attachment = _Attached(model, asked)
    except Refused as refused:
        return Forward([None] * len(drives), [refused] * len(drives))
    try:
        for drive, plain in zip(drives, before, strict=True):
            gradients = None
            refused = None
            try:
                traces, gradients = attachment.run(drive)
            except Refused as why:
                refused = why
            else:
                if not same(traces, plain):
                    attachment.detach()
                    raise Error(_GOES_ON if not same(run(model, drive), plain) else _TOUCHED)
            found.gradients.append(gradients)
            found.refused.append(refused)
        first = found.gradients[0]
        if first is not None:
            traces, again = attachment.run(drives[0])
            # A model that goes on from the run before is judged by its differences.
            if same(traces, before[0]):
                others = [key for key, of in again.items() if not same(of, first[key])]
                found.mismatches = [f"{key}: another gradient in a second run" for key in others]
    finally:
        attachment.detach()
    return found


class _Attached:
    """The cell with gradients; attached afresh after a refusal."""

    def __init__(self, model: Model, asked: Sequence[Candidate]) -> None:
        self._model = model
        self._directions = {f"d{i}": candidate for i, candidate in enumerate(asked) if candidate.direction is not None}
        self._attach()

    def _attach(self) -> None:
        directions = {name: c.direction for name, c in self._directions.items() if c.direction}
        self._attached = attach(directions, sections=self._model.sections, quiet=True)
        self._records = {name: self._attached.record(seg, of) for name, (seg, of) in self._model.traces.items()}

    def run(self, drive: Drive) -> tuple[Traces, dict[str, Traces]]:
        """The traces, and the gradients by key of the parameter and trace."""
        try:
            traces = run(self._model, drive)
            return traces, {
                c.key: {name: np.array(record[k]) for name, record in self._records.items()}
                for k, c in self._directions.items()
            }
        except Refused:
            self._attached.detach()
            self._attach()
            raise

    def detach(self) -> None:
        self._attached.detach()


def run(model: Model, drive: Drive) -> dict[str, Floats]:
    """Set the model up and run it."""
    model.set_up(drive)
    return model.run()


def same(one: Traces, other: Traces) -> bool:
    """Whether traces agree in all bits."""
    return all(np.array_equal(one[name], other[name], equal_nan=True) for name in one)
