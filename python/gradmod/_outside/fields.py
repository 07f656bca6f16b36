"""Waveforms that set ``e_extracellular`` along a run: whether they did, and what their samples do to a loss."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .._model.cells import Floats
from .._model.directions import Direction
from .._model.extracellular import BATTERY
from ..errors import Refused
from ..field_waveform import FieldWaveform
from ..samples import NOT_PLAYED, ROUNDING
from .sheaths import Sheaths


class Fields:
    """The waveforms among the directions of a run.

    Attributes:
        weights: [waveform, sheath] mV of e_extracellular per unit of the waveform; 0 where it does not act.
        slopes: [step, waveform] the derivatives of the loss by its value in each step, which the descent sums.
    """

    def __init__(self, directions: Sequence[Direction], sheaths: Sheaths, steps: int) -> None:
        """Make room.

        Args:
            directions: With the weights that they had in the run.
            sheaths: Of the model.
            steps: Of the run.
        """
        self._sheaths = sheaths
        self._played = [(one.name, one.parameter) for one in directions if isinstance(one.parameter, FieldWaveform)]
        self.weights = np.zeros((len(self._played), len(sheaths.nodes)))
        self.slopes = np.zeros((steps, len(self._played)))
        self._times = np.zeros(steps)
        cells = {sec: index for index, cell in enumerate(sheaths.cells) for sec in cell.sections}
        rows = (one for one in directions if isinstance(one.parameter, FieldWaveform))
        for row, direction in zip(self.weights, rows, strict=True):
            for segment, weight in direction.weights():
                index = cells.get(segment.sec)
                if index is not None:
                    row[sheaths.number((index, sheaths.cells[index].node(segment.sec, segment.x)))] = weight

    def check_window(self, first: int, frames: Floats) -> None:
        """Look whether the steps of a window saw what the waveforms say, [frame, number]; the end of the run has none.

        Args:
            first: The step of the first frame.
            frames: What was remembered.

        Raises:
            Refused: Another value acted somewhere.
        """
        times = frames[:-1, 0]
        self._times[first : first + len(times)] = times
        acting = np.flatnonzero(np.any(self.weights != 0.0, axis=0))
        if not acting.size:
            return
        readings = [parameter.read(times) for _, parameter in self._played]
        weights = self.weights[:, acting]
        said = np.array([reading.values for reading in readings]).T @ weights
        seen = frames[:-1, np.array(self._sheaths.battery)[acting]]
        # Before its first sample a waveform says nothing.
        unknown = ~np.array([reading.is_played for reading in readings]).T @ (weights != 0.0)
        scale = np.array([parameter.largest for _, parameter in self._played]) @ np.abs(weights)
        gap = np.where(unknown, 0.0, np.abs(seen - said)) / np.maximum(scale, 1e-30)
        if not np.all(gap <= ROUNDING):
            step, at = divmod(int(np.argmax(np.where(np.isnan(gap), np.inf, gap))), gap.shape[1])
            index, node = self._sheaths.nodes[int(acting[at])]
            sec, x = self._sheaths.cells[index].places[node]
            names = [name for k, (name, _) in enumerate(self._played) if weights[k, at] != 0.0]
            raise Refused(
                f"{', '.join(names)}: {BATTERY} at {sec(x)} was {seen[step, at]:g} mV at {times[step]:g} ms, where "
                f"weights and samples say {said[step, at]:g}: {NOT_PLAYED}"
            )

    def gradients(self) -> dict[str, Floats]:
        """By direction, [sample] the derivatives of the loss; when all windows were gone through."""
        return {
            name: parameter.read(self._times).gradient(slopes)
            for (name, parameter), slopes in zip(self._played, self.slopes.T, strict=True)
        }
