"""Reverse mode: the gradient of one loss in any number of parameters, by one backward run."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from . import _neuron as nrn
from ._adjoint import Values, Window
from ._build import build_reverse, request_of
from ._directions import check_influence, resolve
from ._isolated import IsolatedValues
from ._jumps import check_jumps
from ._library import load
from ._neuron_sections import is_segment
from ._plan import Layout
from ._pointed import Links
from ._process import Worker
from ._recorder import Recorders
from ._shared import SharedTables
from ._stale import StaleTables
from ._timed import check_timed
from ._trust import check_settings
from ._windows import Windows, keep_failure
from .cells import Cell, Floats
from .errors import Error, Refused
from .gradient import Gradient, Harvest
from .parameters import NetConDelay, Parameter, places
from .regions import density_mechanisms, group, point_processes_on, sources
from .trace import Trace

#: MiB of memory for a run, unless the user says otherwise.
MEMORY = 512.0
#: MiB that there is room for in any case, for the events of a window.
_LEAST_LOG = 16.0


class Reverse:
    """Runs a model, and takes the gradient of a loss by running backwards.

        model = gradmod.Reverse(gNa=gradmod.Range("gnabar_hh", cell.all), g=gradmod.PerSegment("gkbar_hh", cell.all))
        soma = model.record(soma(0.5))
        model.run(100, v_init=-65)
        gradient = model.gradient({soma: 2 * (soma.values - target)})
        gradient["gNa"], gradient["g"]      # a number, and one number per segment

    The backward run happens in a process of its own, on copies of the cells. The user's model only gets mechanisms
    that remember what the run does.
    """

    def __init__(
        self,
        sections: nrn.Section | Iterable[nrn.Section] | None = None,
        *,
        memory: float = MEMORY,
        spike_times: bool = False,
        quiet: bool = False,
        **parameters: Parameter,
    ) -> None:
        """Prepare the model that was built in NEURON.

        Args:
            sections: Only cells with one of these sections are considered; all by default.
            memory: MiB for what is remembered of a run. A run that needs more is gone through in windows, which are
                computed a second time; that costs about one more run.
            spike_times: Refused here: the times of events count as fixed.
            quiet: Do not say so when something has to be compiled.
            **parameters: As for :func:`gradmod.attach`; and :class:`PerSegment`.

        Raises:
            Refused: Something in the model cannot be differentiated exactly; says what, where and why.
            Error: A name is wrong, or a tool failed.
        """
        if spike_times:
            raise Refused("reverse mode takes the times of spikes as fixed: for spike_times use forward mode (attach)")
        scope = None if sections is None else [p.sec if is_segment(p) else p for p in places(sections)]
        check_settings()
        self.parameters = dict(parameters)
        self._directions = resolve(parameters, scope)
        for direction in self._directions:
            if isinstance(direction.parameter, NetConDelay):
                raise Refused(
                    f"{direction.name}: reverse mode takes delays as fixed: use attach(..., spike_times=True)"
                )
        self._links = Links()
        self._links.spread(self._directions, scope)
        found: dict[nrn.Section, Cell] = {}
        for direction in self._directions:
            for cell in direction.cells:
                found.setdefault(cell.root, cell)
        if not found:
            raise Error("no parameter acts on any cell")
        self._cells = list(found.values())
        self._regions = group(self._cells)
        self._points = point_processes_on(self._cells)
        kinds = [kind for kind, _ in self._points]
        self._made = build_reverse(
            request_of(
                sources(self._regions, kinds),
                [(region.name, region.mechanisms) for region in self._regions],
                kinds,
                [direction.wrt for direction in self._directions if direction.wrt is not None],
                1,
                "reverse",
            )
        )
        passed_over = self._made.manifest.passed_over
        check_influence(self._directions, passed_over)
        made = self._made.manifest
        self._links.check_targets(made.regions, _VOLTAGES)
        check_timed(made.regions, self._directions)
        self._tables = (
            StaleTables(made, self._directions),
            SharedTables(made, self._directions),
            IsolatedValues(made, self._directions),
        )
        manifest = self._made.manifest
        fused = {sec: manifest.density(region.mechanisms) for region in self._regions for sec in region.sections}
        acting = [(kind, process) for kind, process in self._points if kind not in passed_over]
        points = [(process, manifest.point(kind)) for kind, process in acting]
        check_jumps(self._cells, fused, points, self._links.targets.values())
        load(self._made.directory, self._made.manifest.shared, quiet=quiet)
        has_axial = any(direction.is_axial for direction in self._directions)
        self._recorders = Recorders(self._cells, with_ends=has_axial)
        try:
            self._recorders.insert(manifest, fused, acting, self._links.targets)
        except BaseException:
            self._recorders.remove()
            raise
        self._names = [(nrn.name_of(process), _place_of(process)) for _, process in self._points]
        self._points.clear()
        axial = {seg.sec for d in self._directions if d.is_axial for seg, _ in d.weights()}
        self._layout = Layout.of(self._cells, self._recorders, axial, manifest)
        self._owner = {sec: index for index, cell in enumerate(self._cells) for sec in cell.sections}
        self._memory = memory
        self._traces: list[Trace] = []
        self._worker: Worker | None = None
        self._windows: Windows | None = None
        self._synced: Values | None = None
        self._steps = 0
        self._dt = 0.0
        self._celsius = 0.0

    # --- the run --------------------------------------------------------------------------------------------------

    def record(self, segment: nrn.Segment, variable: str = "v") -> Trace:
        """Record a variable in the runs to come, so that a loss can look at it.

        Args:
            segment: Where, e.g. ``soma(0.5)``.
            variable: "v", a state such as "m_hh", or a concentration such as "cai".
        """
        if not is_segment(segment):
            raise Error(f"{segment!r} is no segment; write e.g. soma(0.5)")
        index, node = self._locate(segment)
        if variable != "v":
            spot = self._recorders.find(index, node)
            states = spot.region.states if spot is not None else ()
            if variable not in states:
                raise Error(f"no loss can look at {variable!r} at {segment}; there are {', '.join(['v', *states])}")
        trace = Trace(segment, variable)
        self._traces.append(trace)
        return trace

    def run(self, duration: float, *, v_init: float = -65.0, simulate: Callable[[], object] | None = None) -> None:
        """Run the model and remember the run.

        Args:
            duration: In ms.
            v_init: For ``finitialize``.
            simulate: Does it instead: it must call ``finitialize`` and run, for at most ``duration`` with ``h.dt`` as
                it is now.

        Raises:
            Refused, Error: The gradient of this run could not be exact.
        """
        check_settings()
        self._check_model()
        self._steps = 0
        steps = round(duration / nrn.h.dt)
        if steps < 1:
            raise Error(f"a duration of {duration} ms is no time step")
        recorders = self._recorders
        recorders.prepare()
        self._windows = self._new_windows(self._ready_worker(), steps)
        self._windows.start()
        failures = self._windows.failures
        handlers = [
            nrn.on_finitialize(kind, lambda check=check: keep_failure(check, failures))
            for kind, check in ((3, recorders.prepare), (1, recorders.check_start))
        ]
        try:
            if simulate is None:
                nrn.h.finitialize(v_init)
                nrn.solve(float(nrn.h.t) + steps * float(nrn.h.dt))
            else:
                simulate()
            if failures:
                raise failures[0]
            taken = recorders.finish()
            self._links.check(_AGAIN)
            self._windows.finish(taken)
        except BaseException:
            self._windows.end_if_copy(-1)
            nrn.stop_clock()
            self._forget()
            if failures:
                # NEURON has made an error of its own of it.
                raise failures[0] from None
            raise
        finally:
            handlers.clear()
            recorders.stop()
        if taken > steps:
            raise Error(f"the run took {taken} time steps, there was room for {steps}: set h.dt first, or the duration")
        self._dt, self._celsius = float(nrn.h.dt), float(nrn.h.celsius)
        self._steps = taken

    def _new_windows(self, worker: Worker, steps: int) -> Windows:
        if self._windows is not None:
            self._windows.close()
        recorders = self._recorders
        begin = recorders.fixed_size + recorders.out_size
        room = int(self._memory * 2**20 / 8 / recorders.stride)
        if steps + 1 <= room:
            length, count = steps, 1
        else:
            length, count = room // 2 - 1, 2
            if length < 1:
                raise Error(f"memory={self._memory} MiB is too little for a single time step of this model")
        size = (length + 1) * recorders.stride
        end = begin + count * size
        worker.memory.grow(end)
        buffers = tuple(begin + i * size for i in range(count))
        # How many events there will be is not known: what is not used of this takes up no memory.
        log_room = int(max(self._memory, _LEAST_LOG) * 2**20 / 8) if recorders.receiving else 0
        worker.memory.see(end + count * log_room)
        logs = tuple(end + i * log_room for i in range(count))
        return Windows(recorders, worker.memory, buffers, logs, log_room, length, steps)

    @property
    def t(self) -> Floats:
        """[sample] times of the last run in ms."""
        return np.arange(self._steps + 1) * self._dt

    def _check_model(self) -> None:
        for tables in self._tables:
            tables.check()
        order = nrn.mechanism_order()
        for cell in self._cells:
            if not cell.same_shape():
                raise Error(f"{cell.root.name()}: sections, connections or nseg changed; {_AGAIN}")
        if not self._recorders.is_wired():
            raise Error(f"the cells changed; {_AGAIN}")
        for region in self._regions:
            for sec in region.sections:
                if density_mechanisms(sec, order) != region.mechanisms:
                    raise Error(f"the mechanisms of {sec.name()} changed; {_AGAIN}")
        now = {nrn.name_of(p): p for _, p in point_processes_on(self._cells)}
        if [(name, _place_of(process)) for name, process in now.items()] != self._names or (
            not self._recorders.accompanies(now)
        ):
            raise Error(f"point processes were added, moved or removed; {_AGAIN}")
        self._links.check(_AGAIN)

    # --- the worker -----------------------------------------------------------------------------------------------

    def _ready_worker(self) -> Worker:
        if self._worker is not None and not self._worker.is_alive:
            self._worker.close()
            self._worker = None
        if self._worker is None:
            self._worker = Worker()
            self._synced = None
            self._ask("build", (str(self._made.directory), self._made.manifest.shared, self._layout.plan))
        values = self._layout.values(self._cells, self._recorders)
        if values != self._synced:
            self._ask("sync", values)
            self._synced = values
        return self._worker

    def _ask(self, request: str, argument: Any, progress: Callable[[float], None] | None = None) -> Any:
        assert self._worker is not None
        try:
            return self._worker.ask(request, argument, progress)
        except BaseException:
            self._worker = None
            self._forget()
            raise

    def _forget(self) -> None:
        self._steps = 0
        if self._windows is not None:
            self._windows.close()
            self._windows = None

    # --- the gradient ---------------------------------------------------------------------------------------------

    def gradient(self, loss: Mapping[Trace, ArrayLike], *, progress: Callable[[float], None] | None = None) -> Gradient:
        """The gradient of a loss of the last run in all parameters.

        Args:
            loss: For each trace, [sample] the derivative of the loss with respect to its values.
            progress: Called with the fraction that is done.

        Raises:
            Error: There was no run, or a derivative has another shape than the trace.
        """
        if self._steps == 0 or self._worker is None:
            raise Error("there is no run to differentiate: call run() first")
        columns: dict[tuple[int, int, str], Floats] = {}
        for trace, derivative in loss.items():
            values = np.asarray(derivative, dtype=np.float64)
            if values.shape != (self._steps + 1,):
                raise Error(f"{trace}: the derivative has shape {values.shape}, the trace ({self._steps + 1},)")
            if not np.all(np.isfinite(values)):
                raise Error(f"{trace}: the derivative of the loss is not finite")
            key = (*self._locate(trace.segment), trace.variable)
            columns[key] = columns[key] + values if key in columns else values
        table, looks = self._look(columns)
        try:
            edges, flows = self._go_back(self._worker, table, looks, progress or (lambda _: None))
        except BaseException:
            self._forget()
            raise
        recorders = self._recorders
        outs = np.array(self._worker.memory.values[recorders.fixed_size : recorders.fixed_size + recorders.out_size])
        first = {
            (index, node): float(values[0])
            for (index, node, variable), values in columns.items()
            if variable == "v" and not self._cells[index].is_segment[node]
        }
        return Harvest(self._cells, recorders, self._layout, outs, flows, edges, first).gradient(self._directions)

    def _go_back(
        self, worker: Worker, table: Floats, looks: dict[str, Any], progress: Callable[[float], None]
    ) -> tuple[list[float], Floats]:
        """Let the worker go through all windows, the last one first.

        Returns:
            The sums of the edges; what the loss thinks of the weights of NetCons.
        """
        windows, recorders = self._windows, self._recorders
        assert windows is not None
        losses = windows.end
        weights = losses + table.size
        flows = weights + len(recorders.weights)
        size = flows + len(recorders.weights)
        worker.memory.grow(size, begin=losses)
        worker.memory.values[losses:weights] = table.ravel()
        worker.memory.values[weights:flows] = recorders.weights
        worker.memory.values[flows:size] = 0.0
        edges: list[float] = []
        for window in range(windows.count - 1, -1, -1):
            windows.wait_for(window)
            if window > 0:
                windows.ask_for(window - 1)
            first, last = windows.first(window), windows.last(window)
            done = 1 - last / self._steps, (last - first) / self._steps
            edges = self._ask(
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
                    dt=self._dt,
                    celsius=self._celsius,
                    netcons=recorders.netcons,
                    **looks,
                ),
                lambda part, done=done: progress(done[0] + part * done[1]),
            )
        return edges, np.array(worker.memory.values[flows:size])

    def _look(self, columns: Mapping[tuple[int, int, str], Floats]) -> tuple[Floats, dict[str, Any]]:
        """[sample, column] what the loss thinks, and which place looks at which column."""
        table = np.zeros((self._steps + 1, max(len(columns), 1)))
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

    def _locate(self, segment: nrn.Segment) -> tuple[int, int]:
        index = self._owner.get(segment.sec)
        if index is None:
            raise Error(f"no parameter acts on the cell of {segment}")
        return index, self._cells[index].node(segment.sec, segment.x)

    # --- the end --------------------------------------------------------------------------------------------------

    def close(self) -> None:
        """End the worker and take the recorders away; the cells are as they were."""
        if self._worker is not None:
            self._worker.close()
            self._worker = None
        for trace in self._traces:
            trace.stop()
        self._traces.clear()
        self._forget()
        self._recorders.remove()

    def __enter__(self) -> Reverse:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        if not sys.is_finalizing() and hasattr(self, "_worker"):
            self.close()


_AGAIN = "call close() and make a new Reverse"


_VOLTAGES = "reverse mode follows POINTERs to voltages only: use forward mode (gradmod.attach)"


def _place_of(process: nrn.PointProcess) -> tuple[nrn.Section, float]:
    seg = process.get_segment()
    return seg.sec, float(seg.x)
