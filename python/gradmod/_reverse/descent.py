"""One way back: from the adjoints of the traces to the adjoints of everything else."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeAlias

import numpy as np

from .. import _neuron as nrn
from .._model.cells import Cell, Floats
from .._outside.checks import OutsideChecks
from .._outside.fields import Fields
from ..gradient import Gradient
from .adjoint import Adjoint, Loss, Window
from .harvest import Harvest, Place
from .layout import Layout
from .record import Record
from .recorder import Recorders
from .step_checks import check_steps

#: [sample] the derivative of a loss with respect to a trace, by (cell, node, variable).
Columns: TypeAlias = "Mapping[tuple[int, int, str], Floats]"


class Descent:
    """Goes through the windows of a run, the last one first."""

    def __init__(
        self, cells: Sequence[Cell], recorders: Recorders, layout: Layout, adjoint: Adjoint, record: Record
    ) -> None:
        """Say of which run."""
        self._cells = cells
        self._recorders = recorders
        self._layout = layout
        self._adjoint = adjoint
        self._record = record

    def gradient(
        self, columns: Columns, axial: Mapping[nrn.Section, float], progress: Callable[[float], None]
    ) -> Gradient:
        """Go back.

        Args:
            columns: The derivatives of the loss with respect to the traces.
            axial: Its derivatives by Ra where the traces themselves depend on that.
            progress: Called with the fraction that is done.

        Raises:
            Refused: A step of the run is not the one that is differentiated.
        """
        windows, adjoint, start, run = self._record.windows, self._adjoint, self._record.start, self._record.run
        memory = windows.memory
        values, sheaths = start.values.outside, self._recorders.sheaths
        outside = None if values is None else OutsideChecks(start.directions, values, sheaths)
        fields = Fields(start.directions, sheaths, run.steps)
        adjoint.sync(start.values)
        adjoint.begin(self._look(columns), run.dt, run.celsius, start.weights, start.netcons, fields)
        for window in range(windows.count - 1, -1, -1):
            windows.wait_for(window)
            if window > 0:
                windows.ask_for(window - 1)
            if outside is not None:
                outside.check_window(windows.frames(window))
            first, last = windows.first(window), windows.last(window)
            fields.check_window(first, windows.frames(window))
            done = 1 - last / run.steps, (last - first) / run.steps
            addresses = (memory.address(at) for at in (windows.buffer(window), 0, windows.log(window)))
            adjoint.go(
                Window(first, last, *map(int, addresses)), lambda part, done=done: progress(done[0] + part * done[1])
            )
        check_steps(self._cells, self._recorders, adjoint.outs, adjoint.broken, run.dt)
        first_frame = {
            (index, node): float(values[0])
            for (index, node, variable), values in columns.items()
            if variable == "v" and not self._cells[index].is_segment[node]
        }
        for (index, node), value in self._of_ends(adjoint.held):
            first_frame[index, node] = first_frame.get((index, node), 0.0) + value
        played = adjoint.course.gradients(start.directions) | fields.gradients()
        results = adjoint.outs, adjoint.flows, adjoint.edges.tolist(), played
        around = {} if adjoint.layers is None else adjoint.layers.totals()
        harvest = Harvest(self._cells, self._recorders, self._layout, start, *results, first_frame, axial, around)
        return harvest.gradient()

    def _of_ends(self, held: Floats) -> Iterable[tuple[Place, float]]:
        """The adjoints of the voltages that ends without area start with."""
        for index, cell in enumerate(self._cells):
            for node, is_segment in enumerate(cell.is_segment):
                if not is_segment:
                    yield (index, node), -float(held[self._layout.number(index, node)])

    def _look(self, columns: Columns) -> Loss:
        """The derivatives of the loss in a table, and which place looks at which column."""
        loss = Loss(np.zeros((self._record.run.steps + 1, max(len(columns), 1))))
        spots = {(s.cell, s.node): i for i, s in enumerate(self._recorders.spots) if s.process is None}
        for column, ((index, node, variable), values) in enumerate(columns.items()):
            loss.table[:, column] = values
            spot = spots.get((index, node))
            if self._recorders.sheaths.look((index, node), variable, column, loss.of_sheaths):
                continue
            if spot is None:
                loss.of_ends[self._layout.ends[index, node]] = column
            elif variable == "v":
                loss.of_v[spot] = column
            else:
                loss.of_x[spot, self._recorders.spots[spot].region.states.index(variable)] = column
        return loss
