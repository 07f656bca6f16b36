"""Whether attached gradients are right: they are made so before every run, and looked at after it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol
from weakref import WeakSet, ref

import numpy as np

from .. import _neuron as nrn
from .._command.support import Construct, Way
from .._guards.overwritten_parameters import Overwritten
from .._guards.random_streams import start_streams
from .._guards.run_checks import check_run, check_settings, check_times
from .._guards.shared_tables import SharedTables
from .._guards.special_values import IsolatedValues
from .._guards.table_dependencies import StaleTables
from .._guards.threads import check_threads
from .._manifest.gradients import Manifest
from .._model.cells import Floats
from .._model.directions import Direction
from .._model.initialisation import Stage, handler
from .._model.runs import initialisations
from .._neuron.mpi import agree
from .._process.interrupts import again
from ..errors import Error, as_error
from .spike_tables import SpikeTables
from .wiring import Wiring


class Recorded(Protocol):
    """What is recorded in every run."""

    def start(self) -> None:
        """Record, again after :meth:`stop`."""
        ...

    def stop(self) -> None:
        """Stop recording."""
        ...


class Readiness:
    """Keeps gradients right before every run, and knows whether those of the last run are.

    Attributes:
        recordings: What is recorded of them.
        is_online: They act on the run.
        gone: Why there are none any more, once they are taken away.
    """

    def __init__(
        self,
        directions: Sequence[Direction],
        wiring: Wiring,
        made: Manifest,
        tables: tuple[StaleTables, SharedTables, IsolatedValues],
        spikes: SpikeTables | None,
        *,
        online: bool,
    ) -> None:
        """Begin to look after every run; the arguments are those of :class:`gradmod.Gradients`."""
        self.wiring = wiring
        self._attachments = wiring.attachments
        self._tables = tables
        self._spikes = spikes
        self._regions = made.regions
        self._solver = made.solver
        self._order = made.solver.secondorder
        self._way = Way.ONLINE if online else Way.SPIKE_TIMES if made.spikes else Way.FORWARD
        #: What several threads may not support.
        self._asked = ([Construct.ACTS_ON_RUN] if online else []) + ([Construct.SPIKE_TIMES] if made.spikes else [])
        self.is_online = online
        self._over_ranks = spikes is not None and spikes.over_ranks
        self._failure: Error | None = None
        self._stage = Stage.NEVER
        #: By what belongs into ``finitialize``: which one it was last done in.
        self._done: dict[Callable[[Readiness], None], int] = {}
        self._trusted: tuple[float, int] | None = None
        self.recordings: WeakSet[Recorded] = WeakSet()
        # A run on which gradients act may be too long to remember every step: only if something is recorded.
        self._t = None if online else self._clock()
        self._overwritten = Overwritten(() if online else directions)
        self.gone = ""
        me: ref[Readiness] = ref(self)
        self._handlers = [
            nrn.on_finitialize(kind, handler(me, Readiness._run_step, step))
            for kind, step in zip((3, 0, 1), _STEPS, strict=True)
        ]

    # --- before every run -----------------------------------------------------------------------------------------

    def look(self) -> None:
        """Check that the model still is the one that was attached to; what was taken out of it is put back."""
        check_settings(self._way, self._order)
        check_threads(self._regions, Way.FORWARD_THREADS, *self._asked)
        self.wiring.check()
        if not self.wiring.is_inserted:
            self.wiring.insert()
            self._record_again()

    def _withdraw(self) -> None:
        """Take everything out of the model: the run that begins is the user's own."""
        for recording in self.recordings:
            recording.stop()
        if self._t is not None:
            nrn.stop_recording(self._t)
        self.wiring.remove()

    def _clock(self) -> nrn.Vector:
        """A new Vector that records t."""
        root = next((attachment.cell.root for attachment in self._attachments), None)
        return nrn.record_time(root)

    def _record_again(self) -> None:
        """Record what was recorded before :meth:`_withdraw`."""
        if self._t is not None:
            self._t = self._clock()
        for recording in self.recordings:
            recording.start()

    def prepare(self) -> None:
        """Before everything else of ``finitialize``: is there anything in the way of a gradient of this run?"""
        self._trusted = None
        self._stage = Stage.BEGUN
        try:
            agree(self._over_ranks, self.look)
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

    def start(self) -> None:
        """When the initial voltages are set."""

        def start() -> None:
            self._overwritten.check_start()
            for attachment in self._attachments:
                attachment.set_initial_voltages()
                start_streams([*attachment.spots, *attachment.companions])

        agree(self._over_ranks, start)
        self._stage = Stage.READY

    def check_start(self) -> None:
        """After INITIAL."""

        def check() -> None:
            for attachment in self._attachments:
                attachment.check_start()
            self._overwritten.check_start()
            self.wiring.check_initial()

        agree(self._over_ranks, check)
        if self._spikes is not None:
            self._spikes.start()

    def _run_step(self, step: Callable[[Readiness], None]) -> None:
        """Run what belongs into ``finitialize``.

        What fails is kept for who reads a gradient; the run is the user's own. The gradients are then NaN.
        """
        if not self._attachments:
            return
        if step is Readiness.prepare:
            self._failure = None
        try:
            if self._failure is None:
                step(self)
                # The first one is run before NEURON's initialisation is counted.
                self._done[step] = initialisations() + (step is Readiness.prepare)
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

    # --- after it -------------------------------------------------------------------------------------------------

    def record_times(self) -> None:
        """Record the times of all steps, if that is not done yet."""
        if self._t is None:
            self._t = self._clock()

    def check(self) -> None:
        """Look whether the run so far is one that the gradients follow.

        Raises:
            Error, Refused: It is not; says why.
        """
        if self._t is not None:
            self.times()
            return
        self.check_ready()
        self.check_attachments()

    @property
    def remembers_steps(self) -> bool:
        """Whether the times of all steps are recorded, and must be those of one whole run."""
        return self._t is not None

    def check_ready(self) -> None:
        """Raise unless ``finitialize`` came to its end, and nothing was in the way of gradients there."""
        if not self._attachments:
            raise Error(self.gone)
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
        check_settings(self._way, self._order)

    def times(self) -> Floats:
        """[sample] times of the last run; raises unless the gradients of that run can be trusted."""
        self.check_ready()
        times = np.empty(0) if self._t is None else nrn.values(self._t)
        key = _key(times)
        if self._trusted != key:
            check_times(times)
            self.check_attachments()
            self._trusted = key
        return times

    def check_attachments(self) -> None:
        """Raise unless the model stayed as it was, and every cell ran as it was differentiated."""
        self.wiring.check()
        self._overwritten.check()
        for attachment in self._attachments:
            attachment.sheaths.check(self._solver)
            check_run(attachment)

    # --- the end --------------------------------------------------------------------------------------------------

    def stop(self) -> None:
        """Do nothing more at ``finitialize``."""
        self._handlers.clear()

    def take_away(self) -> None:
        """Take everything out of the model, but handlers of ``finitialize``."""
        self._overwritten.stop()
        for recording in self.recordings:
            recording.stop()
        self.recordings.clear()
        self.wiring.remove()
        self._attachments.clear()
        if self._t is not None:
            nrn.stop_recording(self._t)


_STEPS = (Readiness.prepare, Readiness.start, Readiness.check_start)


def _key(times: Floats) -> tuple[float, int]:
    return (float(times[-1]) if times.size else 0.0, len(times))
