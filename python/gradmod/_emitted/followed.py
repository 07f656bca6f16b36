"""Parameters that are played along a run, whose adjoint is asked for in each step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .._model.directions import Direction
from ..errors import Refused
from ..samples import NOT_PLAYED, ROUNDING
from ..waveform import Waveform
from .recorder_site import RecorderSite

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Followed:
    """One parameter of one point process.

    Attributes:
        direction: The user's name.
        spot: Its recorder, by number.
        parameter: Its number among the parameters there.
        fixed: The number of its value among what is fixed along a run but for changes that are logged.
    """

    direction: str
    spot: int
    parameter: int
    fixed: int


def followed(spots: Sequence[RecorderSite], directions: Sequence[Direction]) -> list[Followed]:
    """Those of all waveforms.

    Raises:
        Refused: The value acts on more than the currents of a step.
    """
    found: list[Followed] = []
    for direction in directions:
        if not isinstance(direction.parameter, Waveform):
            continue
        name, process = direction.parameter.name, direction.parameter.process
        number, spot = next((i, spot) for i, spot in enumerate(spots) if spot.process == process)
        region = spot.region
        if not region.gathered or name not in region.fixed or direction.wrt not in region.parameters:
            raise Refused(f"{direction.name}: {name} of {process} cannot be followed from step to step")
        if region.weights is not None or region.moving or direction.wrt in region.at_start:
            raise Refused(
                f"{direction.name}: {process} has states, events or a start that may depend on {name}, which is then "
                "read at other times than currents are: play it into an IClamp, an SEClamp or another point process "
                "that only has a current"
            )
        fixed = spot.fixed + region.fixed.index(name) * spot.pitch
        found.append(Followed(direction.name, number, region.parameters.index(direction.wrt), fixed))
    return found


class Course:
    """What became of the followed parameters in the steps of a run.

    Attributes:
        numbers: [step, 1 + 2 per parameter] the time in the middle of the step, then values and sums of the adjoints
            of this step and all later ones.
    """

    def __init__(self, parts: Sequence[Followed], steps: int) -> None:
        """Make room."""
        self._columns = {one.direction: 1 + 2 * i for i, one in enumerate(parts)}
        self.numbers = np.zeros((steps, 1 + 2 * len(parts)))

    def gradients(self, directions: Sequence[Direction]) -> dict[str, Floats]:
        """By direction, [sample] the derivatives of the loss by the samples of its waveform.

        Args:
            directions: With the samples that they had in the run.

        Raises:
            Refused: The samples are not what was played.
        """
        return {
            direction.name: self._gradient(direction.parameter, self._columns[direction.name])
            for direction in directions
            if isinstance(direction.parameter, Waveform)
        }

    def _gradient(self, waveform: Waveform, column: int) -> Floats:
        times, values, sums = self.numbers[:, 0], self.numbers[:, column], self.numbers[:, column + 1]
        reading = waveform.read(times)
        gap = np.where(reading.is_played, np.abs(values - reading.values), 0.0)
        if np.any(gap > ROUNDING * waveform.largest):
            at = int(np.argmax(gap))
            raise Refused(
                f"{waveform!r}: {waveform.name} of {waveform.process} was {values[at]:g} at {times[at]:g} ms, where "
                f"its samples say {reading.values[at]:g}: {NOT_PLAYED}"
            )
        return reading.gradient(sums - np.append(sums[1:], 0.0))
