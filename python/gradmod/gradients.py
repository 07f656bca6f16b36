"""The attached gradients: what keeps them right before every run, and what reads them after."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from weakref import WeakSet, ref

import numpy as np

from . import _neuron as nrn
from ._build.transform import Build
from ._emitted.mechanism import EmittedMechanism
from ._forward.attachment import Attachment
from ._forward.present import Present
from ._forward.replacement import remember
from ._forward.spike_tables import SpikeTables
from ._forward.wiring import Wiring
from ._guards.overwritten_parameters import Overwritten
from ._guards.random_streams import start_streams
from ._guards.run_checks import check_run, check_settings, check_times
from ._guards.shared_tables import SharedTables
from ._guards.special_values import IsolatedValues
from ._guards.table_dependencies import StaleTables
from ._guards.threads import check_threads, obstacle
from ._model.cells import Floats
from ._model.directions import Direction
from ._model.initialisation import Stage, handler
from ._model.removal import begin_change, let_go
from ._model.runs import initialisations
from ._neuron.callbacks import check_between_runs
from ._neuron.mpi import agree
from ._neuron.sections import is_segment
from ._process.interrupts import again
from .errors import Error, Refused, as_error
from .parameters import Parameter
from .recording import Recording, check_kept, vectors_of_state, vectors_of_voltage
from .spikes import SpikeTimes


class Gradients:
    """What :func:`gradmod.attach` returns.

    The gradients stay attached until :meth:`detach`, or until neither this object nor one of its recordings is
    referred to any more.

    Attributes:
        directions: What was asked for, by the user's names.
        wiring: What stands in the model for them.
        is_online: They act on the run.
    """

    def __init__(
        self,
        directions: Sequence[Direction],
        wiring: Wiring,
        made: Build,
        tables: tuple[StaleTables, SharedTables, IsolatedValues],
        spikes: SpikeTables | None,
        *,
        online: bool = False,
    ) -> None:
        """Made by :func:`gradmod.attach`, which has inserted and wired everything."""
        self.directions: dict[str, Parameter] = {d.name: d.parameter for d in directions}
        self.wiring = wiring
        self._attachments = wiring.attachments
        self._by_section = {sec: a for a in self._attachments for sec in a.cell.sections}
        self._made = made
        self._tables = tables
        self._spikes = spikes
        self._obstacle = obstacle(made.manifest, online=online)
        self.is_online = online
        self._over_ranks = spikes is not None and spikes.over_ranks
        self._failure: Error | None = None
        self._stage = Stage.NEVER
        #: By what belongs into ``finitialize``: which one it was last done in.
        self._done: dict[Callable[[Gradients], None], int] = {}
        self._trusted: tuple[float, int] | None = None
        self._recordings: WeakSet[Recording] = WeakSet()
        # A run on which gradients act may be too long to remember every step: only if something is recorded.
        self._t = None if online else self._clock()
        self._overwritten = Overwritten(() if online else directions)
        self._gone = ""
        remember(self)
        me: ref[Gradients] = ref(self)
        self._handlers = [
            nrn.on_finitialize(kind, handler(me, Gradients._run_step, step))
            for kind, step in zip((3, 0, 1), _STEPS, strict=True)
        ]

    # --- before every run -----------------------------------------------------------------------------------------

    def _look(self) -> None:
        """Check that the model still is the one that was attached to; what was taken out of it is put back."""
        check_settings(threads=True)
        check_threads(self._obstacle)
        self.wiring.check()
        if not self.wiring.is_inserted:
            self.wiring.insert()
            self._record()

    def _withdraw(self) -> None:
        """Take everything out of the model: the run that begins is the user's own."""
        for recording in self._recordings:
            recording.stop()
        if self._t is not None:
            nrn.stop_recording(self._t)
        self.wiring.remove()

    def _clock(self) -> nrn.Vector:
        """A new Vector that records t."""
        root = next((attachment.cell.root for attachment in self._attachments), None)
        return nrn.record_time(root)

    def _record(self) -> None:
        """Record what was recorded before :meth:`_withdraw`."""
        if self._t is not None:
            self._t = self._clock()
        for recording in self._recordings:
            recording.start()

    def _prepare(self) -> None:
        """Before everything else of ``finitialize``: is there anything in the way of a gradient of this run?"""
        self._trusted = None
        self._stage = Stage.BEGUN
        try:
            agree(self._over_ranks, self._look)
        except Exception:
            # What acts on the run stays in it, and ends it.
            if not self.is_online:
                self._withdraw()
            raise
        tables = self._spikes.sync() if self._spikes is not None else {}
        agree(self._over_ranks, lambda: self._follow(tables))

    def _follow(self, spikes: Mapping[str, int]) -> None:
        for tables in self._tables:
            tables.check()
        self._overwritten.remember()
        for attachment in self._attachments:
            attachment.sync(spikes)

    def _start(self) -> None:
        """When the initial voltages are set."""

        def start() -> None:
            self._overwritten.check_start()
            for attachment in self._attachments:
                attachment.set_initial_voltages()
                start_streams([*attachment.spots, *attachment.companions])

        agree(self._over_ranks, start)
        self._stage = Stage.READY

    def _check_start(self) -> None:
        """After INITIAL."""

        def check() -> None:
            for attachment in self._attachments:
                attachment.check_start()
            self._overwritten.check_start()

        agree(self._over_ranks, check)
        if self._spikes is not None:
            self._spikes.start()

    def _run_step(self, step: Callable[[Gradients], None]) -> None:
        """Run what belongs into ``finitialize``.

        What fails is kept for who reads a gradient; the run is the user's own. The gradients are then NaN.
        """
        if not self._attachments:
            return
        if step is Gradients._prepare:
            self._failure = None
        try:
            if self._failure is None:
                step(self)
                # The first one is run before NEURON's initialisation is counted.
                self._done[step] = initialisations() + (step is Gradients._prepare)
        except KeyboardInterrupt:
            self._failure = Error("finitialize was interrupted")
            again()
        except Exception as error:
            self._failure = as_error(error)
            if self.is_online:
                raise
        if self._failure is not None:
            for attachment in self._attachments:
                attachment.spoil()

    # --- reading --------------------------------------------------------------------------------------------------

    def record(self, segment: nrn.Segment | nrn.PointProcess, variable: str = "v") -> Recording:
        """Record the gradients of a variable in the runs to come.

        Args:
            segment: Where, e.g. ``soma(0.5)``; or a point process.
            variable: "v", a state such as "m_hh", or a concentration such as "cai"; "g" of a point process.

        Raises:
            Error: gradmod keeps no gradient of this variable there.
        """
        if self._t is None:
            self._t = self._clock()
        if nrn.type_of_point_process(segment):
            return self._record_process(segment, variable)
        attachment = self._attachment_at(segment)
        if variable == "v":
            self._check_place(attachment, segment)
            record = lambda: vectors_of_voltage(attachment, segment)  # noqa: E731
        else:
            spot = lambda: self._spot_at(attachment, segment)  # noqa: E731
            record = lambda: vectors_of_state(attachment, spot(), variable)  # noqa: E731
        return self._recording(variable, segment, record)

    def record_spikes(self, netcon: nrn.NetCon) -> SpikeTimes:
        """Record the times of the spikes that a NetCon sees in the runs to come, and the gradients of these times.

        Args:
            netcon: It watches the voltage of a cell where a direction acts; its target may be None.

        Raises:
            Error: It does not.
            Refused: Events set that voltage: it crosses the threshold in jumps.
        """
        spikes = SpikeTimes(netcon, self)
        attachment = self._attachment_at(spikes.segment)
        if attachment.cell.node(spikes.segment.sec, spikes.segment.x) in attachment.jumping:
            raise Refused(
                f"{nrn.name_of(netcon)}: events set v at {spikes.segment}, so a spike there has no derivative"
            )
        return spikes

    def _record_process(self, process: nrn.PointProcess, variable: str) -> Recording:
        segment = process.get_segment()
        attachment = self._attachment_at(segment)
        name = f"{nrn.type_of_point_process(process)}.{variable}"
        process_name = nrn.name_of(process)

        def companion() -> EmittedMechanism:
            # Looked up anew: a reference would keep it alive after detach().
            for spot in attachment.companions:
                if spot.process == process_name:
                    return spot
            raise Error(f"{process_name} was not there when the gradients were attached")

        if self.wiring.is_inert(process_name):
            check_kept(self._made.manifest.point(nrn.type_of_point_process(process)), name, segment, process_name)
            return self._recording(variable, segment, dict[int, nrn.Vector])
        record = lambda: vectors_of_state(attachment, companion(), name)  # noqa: E731
        return self._recording(variable, segment, record)

    def _recording(
        self,
        variable: str,
        segment: nrn.Segment,
        record: Callable[[], dict[int, nrn.Vector]],
    ) -> Recording:
        recording = Recording(variable, segment, list(self.directions), record, self._times)
        self._recordings.add(recording)
        return recording

    def at(self, direction: str, segment: nrn.Segment) -> Present:
        """The gradient dv/d(direction) at a segment while NEURON runs, after each step.

        Args:
            direction: The user's name of it.
            segment: Where; ends of sections too.

        Raises:
            Error: There is no such direction, or none acts on the cell.
        """
        attachment = self._attachment_at(segment)
        if direction not in self.directions:
            raise Error(f"no direction {direction!r}; there are {', '.join(self.directions)}")
        k = list(self.directions).index(direction)
        if k not in attachment.acting:
            raise Error(f"{direction} does not act on the cell of {segment}: its gradient is 0 there")
        self._check_place(attachment, segment)
        return Present(attachment.voltage(segment.sec, segment.x, k))

    @staticmethod
    def _check_place(attachment: Attachment, segment: nrn.Segment) -> None:
        """At an end something is put into the model, which only waits for that between runs."""
        if not attachment.keeps(segment.sec, segment.x):
            check_between_runs(f"record() at the end {segment}")

    def _attachment_at(self, segment: nrn.Segment) -> Attachment:
        if not self._attachments:
            raise Error(self._gone)
        if not is_segment(segment):
            raise Error(f"{segment!r} is no segment; write e.g. soma(0.5)")
        attachment = self._by_section.get(segment.sec)
        if attachment is None:
            raise Error(f"no direction acts on the cell of {segment}")
        if not self.wiring.is_inserted:
            begin_change("this, for gradients that the last run went without,")
            self._look()
        return attachment

    def _spot_at(self, attachment: Attachment, segment: nrn.Segment) -> EmittedMechanism:
        node = attachment.cell.node(segment.sec, segment.x)
        for spot in attachment.spots:
            if spot.node == node:
                return spot
        raise Error(f"{segment} is an end without membrane: it has no states")

    def check(self) -> None:
        """Look whether the run so far is one that the gradients follow.

        Raises:
            Error, Refused: It is not; says why.
        """
        if self._t is not None:
            self._times()
            return
        self._check_ready()
        self._check_attachments()

    @property
    def remembers_steps(self) -> bool:
        """Whether the times of all steps are recorded, and must be those of one whole run."""
        return self._t is not None

    def _check_ready(self) -> None:
        if not self._attachments:
            raise Error(self._gone)
        if self._failure is not None:
            raise type(self._failure)(f"there are no gradients of this run: {self._failure}") from self._failure
        if self._stage is Stage.NEVER:
            raise Error("there was no run since attach(): call h.finitialize() and run")
        if self._stage is Stage.BEGUN or any(self._done.get(step) != initialisations() for step in _STEPS):
            # NEURON swallows an interrupt that comes when it calls the script.
            raise Error(
                "there are no gradients of the last run: its finitialize was interrupted, or did not come to its end; "
                "run again"
            )
        check_settings(threads=True)

    def _times(self) -> Floats:
        """[sample] times of the last run; raises unless the gradients of that run can be trusted."""
        self._check_ready()
        times = np.empty(0) if self._t is None else nrn.values(self._t)
        key = _key(times)
        if self._trusted != key:
            check_times(times)
            self._check_attachments()
            self._trusted = key
        return times

    def _check_attachments(self) -> None:
        self.wiring.check()
        self._overwritten.check()
        for attachment in self._attachments:
            check_run(attachment)

    # --- the rest -------------------------------------------------------------------------------------------------

    def detach(self, why: str = "") -> None:
        """Take everything away again; the user's model is as it was before :func:`gradmod.attach`.

        Does nothing the second time.

        Args:
            why: What whoever still reads them is told.

        Raises:
            Error: NEURON is in the middle of a run, and calls the script.
        """
        if not self._attachments:
            return
        begin_change("detach()")
        self._gone = f"these gradients were detached{': ' * bool(why)}{why}; call attach() again"
        self._handlers.clear()
        self.take_away()

    def take_away(self) -> None:
        """Take everything out of the model, but handlers of ``finitialize``; use :meth:`detach`."""
        if not self._attachments:
            return
        self._gone = self._gone or "these gradients were given up; call attach() again"
        self._overwritten.stop()
        for recording in self._recordings:
            recording.stop()
        self._recordings.clear()
        self._by_section.clear()
        self.wiring.remove()
        self._attachments.clear()
        if self._t is not None:
            nrn.stop_recording(self._t)

    def __del__(self) -> None:
        if not sys.is_finalizing() and hasattr(self, "_recordings") and self._attachments:
            let_go(self)

    def __repr__(self) -> str:
        if not self._attachments:
            return f"Gradients({', '.join(self.directions)}; detached)"
        width = max(len(name) for name in self.directions)
        lines = [f"gradients in {len(self.directions)} directions"]
        lines += [f"  {name:<{width}}  {parameter!r}" for name, parameter in self.directions.items()]
        lines += self.wiring.cells()
        if self._spikes is not None:
            lines.append("the times of spikes change too: gradients in the limit of small dt, not of the run itself")
        elif self.wiring.takes_events:
            lines.append("the times of events count as fixed")
        return "\n".join([*lines, *self.wiring.regions()])


_STEPS = (Gradients._prepare, Gradients._start, Gradients._check_start)  # pyright: ignore[reportPrivateUsage]


def _key(times: Floats) -> tuple[float, int]:
    return (float(times[-1]) if times.size else 0.0, len(times))
