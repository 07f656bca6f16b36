"""The attached gradients, as they are read."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

import numpy as np

from . import _neuron as nrn
from ._build.transform import Build
from ._currents.electrodes import check_electrodes, check_outside
from ._currents.observed import as_currents
from ._emitted.mechanism import EmittedMechanism
from ._forward.attachment import Attachment
from ._forward.current_gradients import CurrentGradients
from ._forward.present import Present
from ._forward.readiness import Readiness
from ._forward.replacement import remember
from ._forward.spike_tables import SpikeTables
from ._forward.wiring import Wiring
from ._guards.shared_tables import SharedTables
from ._guards.special_values import IsolatedValues
from ._guards.table_dependencies import StaleTables
from ._manifest.region import Region
from ._model.cells import Floats
from ._model.directions import Direction
from ._model.regions import point_processes_on
from ._model.removal import begin_change, let_go
from ._neuron.callbacks import check_between_runs
from ._neuron.sections import is_segment
from .errors import Error, Refused
from .membrane_currents import VARIABLE, MembraneCurrents
from .parameters import Parameter
from .recording import (
    Kept,
    Recording,
    Vectors,
    check_kept,
    vectors_around,
    vectors_of_state,
    vectors_of_voltage,
)
from .spikes import SpikeTimes


class Gradients:
    """What :func:`gradmod.attach` returns.

    The gradients stay attached until :meth:`detach`, or until neither this object nor one of its recordings is
    referred to any more.

    Attributes:
        directions: What was asked for, by the user's names.
        wiring: What stands in the model for them.
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
        self._spikes = spikes
        self._readiness = Readiness(directions, wiring, made.manifest, tables, spikes, online=online)
        remember(self)

    # --- reading --------------------------------------------------------------------------------------------------

    def record(self, segment: nrn.Segment | nrn.PointProcess | MembraneCurrents, variable: str = "v") -> Recording:
        """Record the gradients of a variable in the runs to come.

        Args:
            segment: Where, e.g. ``soma(0.5)``; a point process; or a sum of membrane currents.
            variable: "v", a state such as "m_hh", a concentration such as "cai", or "i_membrane_"; "g" of a point
                process.

        Raises:
            Error: gradmod keeps no gradient of this variable there.
            Refused: Of a membrane current: what an electrode there injects has a derivative.
        """
        self._readiness.record_times()
        currents = as_currents(segment, variable)
        if currents is not None:
            return self._record_currents(segment, currents)
        assert not isinstance(segment, MembraneCurrents)
        if nrn.type_of_point_process(segment):
            return self._record_process(segment, variable)
        attachment = self._attachment_at(segment)
        if variable == "v":
            self._check_place(attachment, segment)
            record = lambda: vectors_of_voltage(attachment, segment)  # noqa: E731
        elif variable in attachment.sheaths.variables(node := attachment.cell.node(segment.sec, segment.x)):
            record = lambda: vectors_around(attachment, node, variable)  # noqa: E731
        else:
            spot = lambda: self._spot_at(attachment, segment)  # noqa: E731
            record = lambda: vectors_of_state(attachment, spot(), variable)  # noqa: E731
        return self._recording(variable, segment, record)

    def _record_currents(self, place: nrn.Segment | MembraneCurrents, currents: MembraneCurrents) -> Recording:
        parts: dict[Attachment, Floats] = {}
        for seg, weight in zip(currents.segments, currents.weights, strict=True):
            # On other cells no direction acts.
            if seg.sec in self._by_section:
                attachment = self._attachment_at(seg)
                check_outside(attachment.cell)
                node = attachment.cell.node(seg.sec, seg.x)
                parts.setdefault(attachment, np.zeros(len(attachment.cell.places)))[node] += weight
                self._check_electrodes(attachment, seg, node)
        check_between_runs("record() of membrane currents")
        order = self._made.manifest.solver.secondorder
        return self._recording(VARIABLE, place, lambda: CurrentGradients(parts, order))

    def _check_electrodes(self, attachment: Attachment, segment: nrn.Segment, node: int) -> None:
        manifest = self._made.manifest
        here: list[tuple[str | None, Region]] = [(None, spot.region) for spot in attachment.spots if spot.node == node]
        here += [
            (nrn.name_of(process), manifest.point(kind))
            for kind, process in point_processes_on([attachment.cell])
            if kind not in manifest.passed_over and _node_of(attachment, process) == node
        ]
        check_electrodes(segment, here, attachment.directions)

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
            return self._recording(variable, segment, lambda: Vectors({}))
        record = lambda: vectors_of_state(attachment, companion(), name)  # noqa: E731
        return self._recording(variable, segment, record)

    def _recording(
        self,
        variable: str,
        segment: nrn.Segment | MembraneCurrents,
        record: Callable[[], Kept],
    ) -> Recording:
        recording = Recording(variable, segment, list(self.directions), record, self._times)
        self._readiness.recordings.add(recording)
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
            raise Error(self._readiness.gone)
        if not is_segment(segment):
            raise Error(f"{segment!r} is no segment; write e.g. soma(0.5)")
        attachment = self._by_section.get(segment.sec)
        if attachment is None:
            raise Error(f"no direction acts on the cell of {segment}")
        if not self.wiring.is_inserted:
            begin_change("this, for gradients that the last run went without,")
            self._readiness.look()
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
        self._readiness.check()

    @property
    def is_online(self) -> bool:
        """Whether they act on the run."""
        return self._readiness.is_online

    @property
    def remembers_steps(self) -> bool:
        """Whether the times of all steps are recorded, and must be those of one whole run."""
        return self._readiness.remembers_steps

    def _times(self) -> Floats:
        """[sample] times of the last run; raises unless the gradients of that run can be trusted.

        Recordings read them from here, which keeps these gradients attached.
        """
        return self._readiness.times()

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
        self._readiness.gone = f"these gradients were detached{': ' * bool(why)}{why}; call attach() again"
        self._readiness.stop()
        self.take_away()

    def take_away(self) -> None:
        """Take everything out of the model, but handlers of ``finitialize``; use :meth:`detach`."""
        if not self._attachments:
            return
        self._readiness.gone = self._readiness.gone or "these gradients were given up; call attach() again"
        self._by_section.clear()
        self._readiness.take_away()

    def __del__(self) -> None:
        if not sys.is_finalizing() and hasattr(self, "_readiness") and self._attachments:
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


def _node_of(attachment: Attachment, process: nrn.PointProcess) -> int:
    seg = process.get_segment()
    return attachment.cell.node(seg.sec, seg.x)
