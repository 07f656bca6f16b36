"""Reverse mode: the gradient of one loss in any number of parameters, by going backwards through a run once."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Mapping

import numpy as np
from numpy.typing import ArrayLike

from . import _neuron as nrn
from ._command.support import Construct, Way, reason
from ._currents.electrodes import check_electrodes, check_outside
from ._currents.observed import as_currents
from ._currents.seeds import Seeds
from ._emitted.followed import followed
from ._guards.before_breakpoint import set_at_begin
from ._guards.run_checks import check_settings
from ._model.cells import Floats
from ._model.named_directions import named_directions
from ._model.removal import begin_change, let_go
from ._model.runs import Run
from ._neuron.sections import is_segment
from ._process.interrupts import Interrupts
from ._process.shared_memory import SharedMemory
from ._reverse.adjoint import Adjoint
from ._reverse.descent import Descent
from ._reverse.layout import Layout
from ._reverse.model import Model
from ._reverse.record import Record, Shelf
from ._reverse.watched_run import Watch, simulation
from ._reverse.window_plan import plan_windows
from .errors import Error, Refused
from .gradient import Gradient
from .membrane_currents import VARIABLE, MembraneCurrents
from .parameters import Parameter, places
from .trace import Trace

#: MiB of memory for a run, unless the user says otherwise.
MEMORY = 512.0


class Reverse:
    """Runs a model, and takes the gradient of a loss by running backwards.

        model = gradmod.Reverse(gNa=gradmod.Range("gnabar_hh", cell.all), g=gradmod.PerSegment("gkbar_hh", cell.all))
        soma = model.record(soma(0.5))
        model.run(100, v_init=-65)
        gradient = model.gradient({soma: 2 * (soma.values - target)})
        gradient["gNa"], gradient["g"]      # a number, and one number per segment

    The user's model only gets mechanisms that remember what the run does. Going back is compiled code over what they
    have remembered: NEURON does not run for it.
    """

    def __init__(
        self,
        first: nrn.Section | Iterable[nrn.Section] | Mapping[str, Parameter] | None = None,
        /,
        *,
        sections: nrn.Section | Iterable[nrn.Section] | None = None,
        memory: float = MEMORY,
        spike_times: bool = False,
        quiet: bool = False,
        **parameters: Parameter,
    ) -> None:
        """Prepare the model that was built in NEURON.

        Args:
            first: The sections; or parameters, as a mapping, which may have the names of options too.
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
        begin_change("Reverse()")
        options = {"sections": sections, "memory": memory, "spike_times": spike_times, "quiet": quiet}
        first, parameters = named_directions(first, parameters, options)
        sections = sections if first is None else first
        if spike_times:
            raise Refused(reason(Construct.SPIKE_TIMES, Way.REVERSE))
        scope = None if sections is None else [p.sec if is_segment(p) else p for p in places(sections)]
        check_settings(Way.REVERSE)
        self.parameters = dict(parameters)
        self._model = Model(parameters, scope, quiet=quiet)
        self._recorders = self._model.insert()
        self._layout = Layout.of(
            self._model.made.membrane, self._model.cells, self._recorders, self._model.axial_sections
        )
        self._watch = Watch(self._model, self._recorders, self._layout)
        parts = followed(self._recorders.spots, self._model.directions)
        self._adjoint = Adjoint(self._model.made, self._recorders, self._layout, parts)
        self._seeds = Seeds(self._model.cells, self._model.axial_sections, self._model.made.secondorder)
        #: By the trace of a sum of currents the voltages that its derivative by Ra is made of.
        self._voltages: dict[Trace, dict[tuple[int, int], Trace]] = {}
        self._memory = memory
        self._shelf = Shelf(memory)
        self._process = os.getpid()
        self._traces: list[Trace] = []
        self._held = SharedMemory()
        self._resident: Record | None = None
        self._last: Record | None = None
        self._is_closed = False
        #: Whether :meth:`keep` will be called, so that runs in windows are noted.
        self.will_keep = False

    # --- the run --------------------------------------------------------------------------------------------------

    def record(self, segment: nrn.Segment | MembraneCurrents, variable: str = "v") -> Trace:
        """Record a variable in the runs to come, so that a loss can look at it.

        Args:
            segment: Where, e.g. ``soma(0.5)``; or a sum of membrane currents.
            variable: "v", a state such as "m_hh", a concentration such as "cai", or "i_membrane_"; with
                ``extracellular`` also "vext[0]", the potential of a layer, and "i_membrane".

        Raises:
            Refused: Of a membrane current: what an electrode there injects has a derivative.
        """
        self._check_mine()
        currents = as_currents(segment, variable)
        if currents is not None:
            return self._record_currents(segment, currents)
        if not is_segment(segment):
            raise Error(f"{segment!r} is no segment; write e.g. soma(0.5)")
        index, node = self._model.locate(segment)
        if variable != "v" and variable not in self._recorders.sheaths.variables((index, node)):
            spot = self._recorders.find(index, node)
            states = spot.region.states if spot is not None else ()
            if spot is not None and variable in spot.region.set_at_begin:
                raise Refused(set_at_begin(variable, segment))
            if variable not in states:
                names = ["v", *states, *self._recorders.sheaths.variables((index, node))]
                raise Error(f"no loss can look at {variable!r} at {segment}; there are {', '.join(names)}")
        trace = Trace(segment, variable)
        self._traces.append(trace)
        return trace

    def _record_currents(self, place: nrn.Segment | MembraneCurrents, currents: MembraneCurrents) -> Trace:
        for node, seg, _ in self._seeds.places(currents):
            check_outside(self._model.cells[node[0]])
            here = [(spot.process, spot.region) for spot in self._recorders.spots if (spot.cell, spot.node) == node]
            check_electrodes(seg, here, self._model.directions)
        trace = Trace(place, VARIABLE)
        self._voltages[trace] = {node: Trace(seg, "v") for node, seg in self._seeds.voltages(currents).items()}
        self._traces += [trace, *self._voltages[trace].values()]
        return trace

    def run(
        self, duration: float, *, v_init: float | None = None, simulate: Callable[[], object] | None = None
    ) -> None:
        """Run the model and remember the run.

        Args:
            duration: In ms.
            v_init: For ``finitialize``, in mV; ``h.v_init`` by default.
            simulate: Does it instead: it must call ``finitialize`` and run, for at most ``duration`` with ``h.dt`` as
                it is now.

        Raises:
            Refused, Error: The gradient of this run could not be exact.
        """
        begin_change("Reverse.run()")
        self._check_mine()
        check_settings(Way.REVERSE, self._model.made.secondorder)
        self._model.check(self._recorders)
        self._end_run()
        steps = round(duration / nrn.h.dt)
        if steps < 1:
            raise Error(f"a duration of {duration} ms is no time step of h.dt = {nrn.h.dt:g} ms")
        self._recorders.prepare()
        self._make_room()
        with Interrupts(nrn.stop_run) as interrupts:
            windows = plan_windows(
                self._model.made,
                self._recorders,
                self._held,
                self._memory,
                steps,
                interrupts,
                digest=self.will_keep,
            )
            try:
                start, taken = self._watch.run(
                    windows, steps, interrupts, simulation(steps, v_init, simulate), self._check_mine
                )
                traces = {trace: trace.take(taken + 1) for trace in self._traces}
                found = {trace: values for trace, values in traces.items() if values is not None}
                record = Record(Run.present(taken), start, windows, found)
            except BaseException:
                windows.end_if_copy(-1)
                windows.close()
                nrn.stop_clock()
                interrupts.check()
                if windows.failures:
                    # NEURON has made an error of its own of it.
                    raise windows.failures[0] from None
                raise
            finally:
                self._recorders.stop()
                nrn.let_run()
            self._resident = record
            for trace, values in found.items():
                trace.show(values)
            self._last = record

    @property
    def t(self) -> Floats:
        """[sample] times of the last run in ms, from its start."""
        return (
            np.empty(0)
            if self._last is None
            else np.arange(self._last.run.steps + 1, dtype=np.float64) * self._last.run.dt
        )

    def _check_mine(self) -> None:
        if self._is_closed:
            raise Error("this Reverse was closed: make a new one")
        if self._process != os.getpid():
            raise Error(
                "this Reverse was made in another process, and what it remembers is there: make one in this process, "
                "or let each process build its own model (gradmod.Protocols)"
            )

    # --- what is remembered ---------------------------------------------------------------------------------------

    def _forget(self) -> None:
        """Nothing that is in the memory is of use any more."""
        record, self._resident = self._resident, None
        if record is not None:
            record.forget()
            record.leave()

    def _make_room(self) -> None:
        """Another run needs the memory."""
        record, self._resident = self._resident, None
        if record is not None:
            self._shelf.put(record)

    def _end_run(self) -> None:
        """The last run counts no more."""
        self._last = None
        for trace in self._traces:
            trace.show(None)

    # --- the gradient ---------------------------------------------------------------------------------------------

    def gradient(self, loss: Mapping[Trace, ArrayLike], *, progress: Callable[[float], None] | None = None) -> Gradient:
        """The gradient of a loss of the last run in all parameters.

        Args:
            loss: For each trace, [sample] the derivative of the loss with respect to its values.
            progress: Called with the fraction that is done.

        Raises:
            Error: There was no run; NEURON was initialised again since; or a derivative has another shape than the
                trace.
        """
        self._check_mine()
        if self._last is None:
            raise Error("there is no run to differentiate: call run() first")
        if not self._last.run.is_last:
            raise Error(
                "NEURON was initialised again since run(), so a loss may be of another run than the one that is "
                "remembered: take the gradient before that, or call run() again"
            )
        return self.gradient_of(self._last, loss, progress=progress)

    @property
    def last(self) -> Record | None:
        """What is remembered of the last run."""
        return self._last

    def keep(self) -> Record:
        """The last run, for :meth:`gradient_of` also after other runs; set ``will_keep`` before the run."""
        self._check_mine()
        if self._last is None:
            raise Error("there is no run to keep: call run() first")
        self._last.is_kept = True
        return self._last

    def gradient_of(
        self,
        record: Record,
        loss: Mapping[Trace, ArrayLike],
        *,
        progress: Callable[[float], None] | None = None,
    ) -> Gradient:
        """The gradient of a loss of a run that is kept; raises as :meth:`gradient` does."""
        self._check_mine()
        columns: dict[tuple[int, int, str], Floats] = {}
        axial: dict[nrn.Section, float] = {}
        samples = record.run.steps + 1
        for trace, derivative in loss.items():
            values = np.asarray(derivative, dtype=np.float64)
            if trace not in record.traces:
                raise Error(f"{trace} was not recorded in this run: call record() of this Reverse before run()")
            if values.shape != (samples,):
                raise Error(f"{trace}: the derivative has shape {values.shape}, the trace ({samples},)")
            if not np.all(np.isfinite(values)):
                raise Error(f"{trace}: the derivative of the loss is not finite")
            if trace.currents is not None:
                voltages = {node: record.traces[v] for node, v in self._voltages[trace].items()}
                start = record.start
                parts = self._seeds.spread(trace.currents, values, start.resistances, start.ra, voltages)
                for node, part in parts[0].items():
                    place = (*node, "v")
                    columns[place] = columns.get(place, 0.0) + part
                for sec, change in parts[1].items():
                    axial[sec] = axial.get(sec, 0.0) + change
                continue
            key = (*self._model.locate(trace.segment), trace.variable)
            columns[key] = columns[key] + values if key in columns else values
        try:
            with Interrupts():
                self._bring(record)
                descent = Descent(self._model.cells, self._recorders, self._layout, self._adjoint, record)
                found = descent.gradient(columns, axial, progress or (lambda _: None))
        except BaseException:
            # A window may be half computed.
            self._end_run()
            self._forget()
            raise
        record.is_asked = True
        return found

    def _bring(self, record: Record) -> None:
        """Have a run in the memory."""
        if record is self._resident:
            return
        if not record.is_there:
            raise Error("what was remembered of this run is gone: run again")
        self._shelf.take(record)
        self._make_room()
        record.come_back(self._held)
        self._resident = record

    # --- the end --------------------------------------------------------------------------------------------------

    def close(self) -> None:
        """Take the recorders away; the cells are as they were.

        Raises:
            Error: NEURON is in the middle of a run, and calls the script.
        """
        if self._is_closed:
            return
        begin_change("Reverse.close()")
        self.take_away()

    def take_away(self) -> None:
        """Take everything out of the model; use :meth:`close`."""
        self._is_closed = True
        self._end_run()
        self._forget()
        self._held.close()
        for trace in self._traces:
            trace.stop()
        self._traces.clear()
        self._voltages.clear()
        self._watch.overwritten.stop()
        self._recorders.remove()

    def __enter__(self) -> Reverse:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        if not sys.is_finalizing() and not getattr(self, "_is_closed", True):
            let_go(self)
