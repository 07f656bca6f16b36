"""One backward run: from what a loss thinks of the traces to what it thinks of everything else."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np

from ._adjoint import Window
from ._plan import Layout
from ._process import Worker
from ._record import Record
from ._recorder import Recorders
from ._residual import Break
from ._steps import check_steps
from .cells import Cell, Floats
from .gradient import Gradient, Harvest

#: What a loss looks at, [sample] its derivative: by (cell, node, variable).
Columns: TypeAlias = "Mapping[tuple[int, int, str], Floats]"


class Descent:
    """Sends the worker through the windows of a run, the last one first."""

    def __init__(self, cells: Sequence[Cell], recorders: Recorders, layout: Layout, record: Record) -> None:
        """Say of which run."""
        self._cells = cells
        self._recorders = recorders
        self._layout = layout
        self._record = record

    def gradient(
        self,
        worker: Worker,
        ask: Callable[[str, Any, Callable[[float], None]], Any],
        columns: Columns,
        progress: Callable[[float], None],
    ) -> Gradient:
        """Go back.

        Args:
            worker: Its memory holds the run.
            ask: Asks it.
            columns: What the loss thinks.
            progress: Called with the fraction that is done.

        Raises:
            Refused: A step of the run is not the one that is differentiated.
        """
        windows, recorders, start, run = self._record.windows, self._recorders, self._record.start, self._record.run
        table, looks = self._look(columns)
        losses = windows.end
        weights = losses + table.size
        flows = weights + len(start.weights)
        size = flows + len(start.weights)
        worker.memory.grow(size, begin=losses)
        worker.memory.values[losses:weights] = table.ravel()
        worker.memory.values[weights:flows] = start.weights
        worker.memory.values[flows:size] = 0.0
        edges: list[float] = []
        broken: Break | None = None
        for window in range(windows.count - 1, -1, -1):
            windows.wait_for(window)
            if window > 0:
                windows.ask_for(window - 1)
            first, last = windows.first(window), windows.last(window)
            done = 1 - last / run.steps, (last - first) / run.steps
            passed = ask(
                "run",
                Window(
                    size=size,
                    first=first,
                    last=last,
                    is_last=window == windows.count - 1,
                    frames=windows.buffer(window),
                    fixed=0,
                    losses=losses + first * table.shape[1],
                    outs=recorders.fixed_size,
                    log=windows.log(window),
                    weights=weights,
                    flows=flows,
                    stride=recorders.stride,
                    width=table.shape[1],
                    dt=run.dt,
                    celsius=run.celsius,
                    netcons=dict(start.netcons),
                    **looks,
                ),
                lambda part, done=done: progress(done[0] + part * done[1]),
            )
            edges, broken = passed.edges, passed.broken or broken
        outs = np.array(worker.memory.values[recorders.fixed_size : recorders.fixed_size + recorders.out_size])
        check_steps(self._cells, recorders, outs, broken, run.dt)
        first_frame = {
            (index, node): float(values[0])
            for (index, node, variable), values in columns.items()
            if variable == "v" and not self._cells[index].is_segment[node]
        }
        flowing = np.array(worker.memory.values[flows:size])
        return Harvest(self._cells, recorders, self._layout, start, outs, flowing, edges, first_frame).gradient()

    def _look(self, columns: Columns) -> tuple[Floats, dict[str, Any]]:
        """[sample, column] what the loss thinks, and which place looks at which column."""
        table = np.zeros((self._record.run.steps + 1, max(len(columns), 1)))
        loss_v: dict[int, int] = {}
        loss_x: dict[tuple[int, int], int] = {}
        loss_ends: dict[int, int] = {}
        spots = {(s.cell, s.node): i for i, s in enumerate(self._recorders.spots) if s.process is None}
        for column, ((index, node, variable), values) in enumerate(columns.items()):
            table[:, column] = values
            spot = spots.get((index, node))
            if spot is None:
                table[:, column] /= self._layout.weights[index][node]
                loss_ends[self._layout.ends[index, node]] = column
            elif variable == "v":
                loss_v[spot] = column
            else:
                state = self._recorders.spots[spot].region.states.index(variable)
                loss_x[spot, state] = column
        return table, {"loss_v": loss_v, "loss_x": loss_x, "loss_ends": loss_ends}
