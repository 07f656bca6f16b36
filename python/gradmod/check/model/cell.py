"""A small branched cell with the mechanism in several places, whose voltage is led through its range."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import numpy as np

from ... import _neuron as nrn
from ..._model.cells import Floats
from ..._neuron.sections import new_section
from ...errors import Error
from .drive import LEAKS, PLAIN, Drive
from .instances import Instances
from .source import Declarations
from .values import Values

#: name, parent, where on it, length in um, diameters of the segments in um, axial resistance, capacitance of each
_SHAPE = (
    ("soma", None, 0.0, 15.0, (14.0,), 120.0, (1.0,)),
    ("dendrite", "soma", 1.0, 90.0, (2.2, 1.8), 103.0, (0.93, 1.07)),
    ("branch", "dendrite", 0.5, 60.0, (1.1,), 131.0, (1.12,)),
)
#: Where point processes stand: two beside each other, one elsewhere.
_STANDS = (("dendrite", 0.75), ("dendrite", 0.75), ("branch", 0.5))
#: Where those stand whose events set v: of two in one segment NEURON does not say which comes first.
_APART = (("dendrite", 0.75), ("dendrite", 0.25), ("branch", 0.5))
#: The resting potential of the leak over a run: (part of the run, mV). Slow and fast, below and above all thresholds.
_LEAD = (
    (0.0, -70.0), (0.05, -70.0), (0.15, -98.0), (0.28, -98.0), (0.45, 35.0),
    (0.58, 35.0), (0.70, -42.0), (0.85, -42.0), (1.0, -80.0)
)  # fmt: skip
#: The middle of that way.
_MIDDLE = -40.0
#: How far the voltage must move, and how far it may go, mV.
_SPAN, _LIMIT = 60.0, 400.0
#: A change of the initial voltage, mV, and by how much a run may amplify it: beyond that rounding decides what it does.
_NUDGE, _AMPLIFIED = 1e-9, 1e6
#: Weights of events that are tried until they move the voltage by so many mV.
_WEIGHTS, _ACTS = (2e-3, 2e-2, 0.2, 2.0, 20.0), 0.2
#: The same for each instance, relative.
_UNLIKE = (1.0, 1.4, 0.7)


class Model:
    """The cell, the mechanism, and the runs.

    Attributes:
        sections, segments: All of them.
        instances: Of the mechanism.
        values: Of its parameters.
        drive: The present drive; its numbers may be changed, for differences.
        traces: What is recorded: (place, variable) by name.
    """

    def __init__(self, declared: Declarations, companions: list[str]) -> None:
        self.sections: list[nrn.Section] = []
        by_name: dict[str, nrn.Section] = {}
        for name, parent, where, length, diameters, resistance, capacitances in _SHAPE:
            sec = new_section(name)
            by_name[name] = sec
            self.sections.append(sec)
            sec.L, sec.nseg, sec.Ra = length, len(diameters), resistance
            for seg, diameter, capacitance in zip(sec, diameters, capacitances, strict=True):
                seg.diam, seg.cm = diameter, capacitance
            if parent is not None:
                sec.connect(by_name[parent](where), 0)
        for sec in self.sections:
            sec.insert("pas")
            for name in companions:
                sec.insert(name)
            if declared.kind == "SUFFIX":
                sec.insert(declared.name)
        self.segments: list[nrn.Segment] = [seg for sec in self.sections for seg in sec]
        places = _APART if declared.sets_voltage else _STANDS
        stands = [by_name[name](x) for name, x in places] if declared.kind == "POINT_PROCESS" else []
        self.instances = Instances(
            declared, self.segments, [nrn.new_point_process(declared.name, seg) for seg in stands]
        )
        self._events = (
            [nrn.connect_events(process, place) for place, process in enumerate(self.instances.processes)]
            if declared.receives
            else []
        )
        self._lead: list[nrn.Vector] = []
        # Currents, which lead as moving reversal potentials of the leak would: reverse mode takes these as fixed.
        self._leads = [nrn.new_point_process("IClamp", seg) for seg in self.segments]
        for clamp in self._leads:
            clamp.delay, clamp.dur = 0.0, 1e9
        self._point()
        self.drive = PLAIN
        self.values = Values(self.instances)
        self._memory = self._remembered()
        self._streams = [nrn.random_stream(owner, name) for owner, name in self._random_owners()]
        self.traces = {f"{seg}.v": (seg, "v") for seg in self.segments}
        for seg in self.segments[:1] + self.segments[-1:]:
            self.traces |= {f"{seg}.{name}": (seg, name) for name in self._states_at(seg)}
        self._recorded = {name: nrn.record(nrn.ref(seg, of), seg.sec) for name, (seg, of) in self.traces.items()}

    @property
    def declared(self) -> Declarations:
        """What the mechanism's file declares."""
        return self.instances.declared

    def _states_at(self, seg: nrn.Segment) -> list[str]:
        names = nrn.variables_of(self.declared.name, 3) if self.declared.kind == "SUFFIX" else []
        written = [
            n for ion in self.declared.ions for n in sorted(ion.writes) if n != f"i{ion.name}" and n != f"e{ion.name}"
        ]
        return [name for name in [*names, *written] if nrn.is_number(seg, name)]

    def _remembered(self) -> list[tuple[object, str, float]]:
        """What the mechanism may carry from one run into the next, with its present value.

        ASSIGNED variables keep their values through ``finitialize``. A current that is set only IF something is so
        would else be what an earlier run with another parameter made of it. What the filling of a TABLE leaves in a
        GLOBAL belongs to that table, and stays.
        """
        here = [(owner, name, float(getattr(owner, name))) for owner, name in self.instances.assigned()]
        parameters = {f"{name}_{self.declared.name}" for name in self.declared.units}
        names = [
            name
            for name in nrn.variables_of(self.declared.name, -1)
            if not self.declared.has_table
            and name not in parameters
            and not name.startswith("usetable_")
            and nrn.is_number(nrn.h, name)
        ]
        return here + [(nrn.h, name, float(getattr(nrn.h, name))) for name in names]

    def _point(self) -> None:
        """Every POINTER sees a voltage in another place."""
        owners = (
            self.instances.processes or [getattr(seg, self.declared.name) for seg in self.segments]
            if self.declared.pointers
            else []
        )
        for i, owner in enumerate(owners):
            target = nrn.ref(self.segments[(i + 1) % len(self.segments)], "v")
            for name in self.declared.pointers:
                nrn.set_pointer(owner, name, target)

    def _random_owners(self) -> list[tuple[object, str]]:
        """All that has a stream of random numbers, with the name of the stream there."""
        owners = self.instances.processes or self.segments
        names = self.declared.randoms
        if not self.instances.processes and names:
            owners = [getattr(seg, self.declared.name) for seg in self.segments]
        return [(owner, name) for name in names for owner in owners]

    def vary(self, fixed: Collection[str]) -> None:
        """Give the parameters other values in every place, if the simulation stays finite so.

        Args:
            fixed: Parameters that stay alike.
        """
        alike = self.values.vary(fixed)
        self.values.settle(self.initialise)
        if not self.stays_finite(PLAIN):
            alike()
            self.values.settle(self.initialise)

    # --- runs -----------------------------------------------------------------------------------------------------

    def set_up(self, drive: Drive) -> None:
        """Prepare the model for a drive."""
        self.drive = drive
        self.values.set(raised=drive.raised, scaled=dict.fromkeys(drive.zeroed, 0.0))
        if self.declared.has_table:
            nrn.use_tables(self.declared.name, drive.tables)
        for old in self._lead:
            nrn.stop_recording(old)
        times = nrn.vector([part * drive.t_stop for part, _ in _LEAD])
        self._lead = [times]
        for clamp, seg in zip(self._leads, self.segments, strict=True):
            seg.pas.g, seg.pas.e, clamp.amp = drive.leak, drive.rests, 0.0
            if drive.free:
                continue
            # Less outside the soma, so that current flows between segments.
            part = 1.0 if seg.sec == self.sections[0] else 0.8
            per_mv = 1e-2 * part * drive.leak * seg.area()
            way = [_MIDDLE + drive.reach * (level - _MIDDLE) for _, level in _LEAD]
            levels = nrn.vector([per_mv * (level - drive.rests) for level in way])
            self._lead.append(nrn.play(levels, nrn.ref(clamp, "amp"), times))

    def change(self, **numbers: float) -> None:
        """Change numbers of the present drive."""
        self.drive = replace(self.drive, **numbers)

    def run(self) -> dict[str, Floats]:
        """Initialise and run.

        Returns:
            [sample] per trace.
        """
        self.forget()
        nrn.run(self.drive.dt, self.drive.t_stop, self.drive.v_init, self.drive.celsius)
        return self.traces_now()

    def traces_now(self) -> dict[str, Floats]:
        """[sample] per trace, of the last run."""
        return {name: nrn.values(vector) for name, vector in self._recorded.items()}

    def stays_finite(self, drive: Drive) -> bool:
        """Whether a drive has a run without NaN, infinity, and errors of NEURON."""
        self.set_up(drive)
        try:
            return _finite(self.run())
        except RuntimeError:
            return False

    def initialise(self) -> None:
        """Begin a run of the present drive."""
        self.forget()
        nrn.run(self.drive.dt, 0.0, self.drive.v_init, self.drive.celsius)

    def forget(self) -> None:
        """Set back what the mechanism may carry from one run into the next."""
        for owner, name, value in self._memory:
            setattr(owner, name, value)
        for number, stream in enumerate(self._streams):
            nrn.rewind(stream, number)

    def raise_events(self) -> None:
        """Raise the weights of events, other ones for every instance, until they move the voltage."""
        if not any(nrn.weight_count(connection) for _, connection in self._events):
            return
        self.set_up(PLAIN)
        self._weigh(0.0)
        without = self.voltages(self.run())
        for weight in (*_WEIGHTS, _WEIGHTS[0]):
            self._weigh(weight)
            moved = float(np.max(np.abs(self.voltages(self.run()) - without)))
            if moved >= _ACTS:
                return

    def _weigh(self, weight: float) -> None:
        for (_, connection), part in zip(self._events, _UNLIKE, strict=True):
            nrn.set_weight(connection, weight * part)

    def tuned(self, drive: Drive) -> Drive:
        """The drive with the smallest leak that leads the voltage through its range, not a chaotic one if possible.

        Raises:
            Error: With none of them the run stays finite.
        """
        best: tuple[bool, float, Drive] | None = None
        for leak in LEAKS:
            candidate = replace(drive, leak=leak)
            if not self.stays_finite(candidate):
                continue
            voltages = self.voltages(self.traces_now())
            span = float(np.ptp(voltages))
            if float(np.max(np.abs(voltages))) > _LIMIT:
                continue
            self.change(v_init=drive.v_init + _NUDGE)
            is_calm = bool(np.max(np.abs(self.voltages(self.run()) - voltages)) <= _AMPLIFIED * _NUDGE)
            if span >= _SPAN and is_calm:
                return candidate
            if best is None or (is_calm, span) > best[:2]:
                best = is_calm, span, candidate
        if best is None and self._fill():
            return self.tuned(drive)
        if best is None:
            raise Error("the simulation does not stay finite in the small cell")
        return best[2]

    def voltages(self, traces: dict[str, Floats]) -> Floats:
        """The values of all segments in one array."""
        return np.concatenate([traces[name] for name, (_, of) in self.traces.items() if of == "v"])

    def _fill(self) -> bool:
        """ASSIGNED variables that nobody sets are for the user to set, so make them 1; False if there are none."""
        empty = [(owner, name) for owner, name in self.instances.assigned() if getattr(owner, name) == 0.0]
        for owner, name in empty:
            setattr(owner, name, 1.0)
        filled = {(id(owner), name) for owner, name in empty}
        self._memory = [
            (owner, name, 1.0 if (id(owner), name) in filled else value) for owner, name, value in self._memory
        ]
        return bool(empty)


def _finite(traces: dict[str, Floats]) -> bool:
    return all(bool(np.all(np.isfinite(trace))) for trace in traces.values())
