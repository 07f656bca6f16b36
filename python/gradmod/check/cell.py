"""A small branched cell with the mechanism in all of it, whose voltage is led through its range."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from .. import _neuron as nrn
from .._catalogue import NAMES_OF_TIMES
from .._external import read_by
from .._neuron_sections import new_section
from ..cells import Floats
from ..errors import Error
from .source import Declarations

#: name, parent, where on it, nseg, length and diameter in um
_SHAPE = (
    ("soma", None, 0.0, 1, 15.0, 14.0),
    ("dendrite", "soma", 1.0, 2, 90.0, 2.2),
    ("branch", "dendrite", 0.5, 1, 60.0, 1.1),
)
#: The resting potential of the leak over a run: (part of the run, mV). Slow and fast, below and above all thresholds.
_LEAD = (
    (0.0, -70.0), (0.05, -70.0), (0.15, -98.0), (0.28, -98.0), (0.45, 35.0),
    (0.58, 35.0), (0.70, -42.0), (0.85, -42.0), (1.0, -80.0)
)  # fmt: skip
#: Leak conductances that are tried, S/cm2, until the voltage follows.
_LEAKS = (3e-4, 3e-3, 3e-2, 0.3, 3.0)
#: How far the voltage must move, and how far it may go, mV.
_SPAN, _LIMIT = 60.0, 400.0
#: A change of the initial voltage, mV, and by how much a run may amplify it: beyond that rounding decides what it does.
_NUDGE, _AMPLIFIED = 1e-9, 1e6
#: What stands in for a strength that is 0 by default, by its unit: with 0 nothing would happen.
_STRENGTH = {
    "S/cm2": 1e-3, "mho/cm2": 1e-3, "siemens/cm2": 1e-3, "mS/cm2": 1.0, "pS/um2": 10.0, "pS/micron2": 10.0,
    "uS": 1e-3, "umho": 1e-3, "microsiemens": 1e-3, "nS": 1.0, "pS": 1e3, "S": 1e-9, "mho": 1e-9,
    "nA": 0.05, "mA/cm2": 3e-3, "cm/s": 1e-5,
}  # fmt: skip


@dataclass(frozen=True)
class Drive:
    """One kind of run.

    Attributes:
        dt, t_stop: ms.
        v_init: mV.
        celsius: degrees.
        tables: Whether TABLEs are used.
        raised: Whether parameters that are 0 by default are given another value.
        leak: Conductance of the leak that leads the voltage, S/cm2.
    """

    name: str
    dt: float
    t_stop: float
    v_init: float
    celsius: float
    tables: bool = False
    raised: bool = False
    leak: float = _LEAKS[0]


class Model:
    """The cell, the mechanism, and the runs.

    Attributes:
        sections: All sections.
        process: The point process, if the mechanism is one.
        drive: The present drive; its numbers may be changed, for differences.
        traces: What is recorded: (place, variable) by name.
    """

    def __init__(self, declared: Declarations, companions: list[str]) -> None:
        self.declared = declared
        self.sections: list[nrn.Section] = []
        by_name: dict[str, nrn.Section] = {}
        for name, parent, where, nseg, length, diameter in _SHAPE:
            sec = new_section(name)
            by_name[name] = sec
            self.sections.append(sec)
            sec.L, sec.diam, sec.nseg, sec.Ra, sec.cm = length, diameter, nseg, 120.0, 1.0
            if parent is not None:
                sec.connect(by_name[parent](where), 0)
        self.process: nrn.PointProcess | None = None
        for sec in self.sections:
            sec.insert("pas")
            for name in companions:
                sec.insert(name)
            if declared.kind == "SUFFIX":
                sec.insert(declared.name)
        if declared.kind == "POINT_PROCESS":
            self.process = nrn.new_point_process(declared.name, by_name["dendrite"](0.75))
        self._connections = nrn.connect_events(self.process) if self.process and declared.receives else None
        self.segments: list[nrn.Segment] = [seg for sec in self.sections for seg in sec]
        self._lead: list[nrn.Vector] = []
        # Currents, which lead as moving reversal potentials of the leak would: reverse mode takes these as fixed.
        self._leads = [nrn.new_point_process("IClamp", seg) for seg in self.segments]
        for clamp, seg in zip(self._leads, self.segments, strict=True):
            clamp.delay, clamp.dur = 0.0, 1e9
            seg.pas.e = _LEAD[0][1]
        self._point()
        self._defaults: list[tuple[object, str, float]] = []
        self._raise_strengths()
        self._memory = self._remembered()
        self._streams = [nrn.random_stream(owner, name) for owner, name in self._random_owners()]
        self.drive = Drive("none", 0.025, 1.0, -70.0, 23.0)
        self._settle()
        self.traces = {f"{seg}.v": (seg, "v") for seg in self.segments}
        for seg in self.segments[:1] + self.segments[-1:]:
            self.traces |= {f"{seg}.{name}": (seg, name) for name in self._states_at(seg)}
        self._recorded = {name: nrn.record(nrn.ref(seg, of), seg.sec) for name, (seg, of) in self.traces.items()}

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
        here = [
            (owner, name, float(getattr(owner, name)))
            for name in nrn.variables_of(self.declared.name, 2)
            for owner in self.owners(name)
            if nrn.is_number(owner, name)
        ]
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
        for i, seg in enumerate(self.segments):
            target = nrn.ref(self.segments[(i + 1) % len(self.segments)], "v")
            owner = getattr(seg, self.declared.name) if self.declared.kind == "SUFFIX" else self.process
            for name in self.declared.pointers:
                if owner is not None:
                    nrn.set_pointer(owner, name, target)

    def _random_owners(self) -> list[tuple[object, str]]:
        """All that has a stream of random numbers, with the name of the stream there."""
        if self.process is not None:
            return [(self.process, name) for name in self.declared.randoms]
        return [(getattr(seg, self.declared.name), name) for name in self.declared.randoms for seg in self.segments]

    def owners(self, name: str) -> list[object]:
        """What has a RANGE variable of the mechanism; ``name`` as NEURON spells it."""
        return [self.process] if self.process is not None else [seg for seg in self.segments if hasattr(seg, name)]

    def range_parameters(self) -> list[str]:
        """RANGE PARAMETERs that are numbers, as NEURON spells them."""
        names = nrn.variables_of(self.declared.name, 1)
        return [name for name in names if all(nrn.is_number(owner, name) for owner in self.owners(name))]

    def global_parameters(self) -> list[str]:
        """GLOBAL PARAMETERs that are numbers, as NEURON spells them."""
        known = set(nrn.variables_of(self.declared.name, -1))
        names = [f"{name}_{self.declared.name}" for name in self.declared.units]
        own = [name for name in names if name in known]
        return [name for name in (*own, *read_by(self.declared.name)) if nrn.is_number(nrn.h, name)]

    def unit(self, name: str) -> str:
        """Unit of a parameter, as the file writes it; ``name`` as NEURON spells it."""
        return self.declared.units.get(name.removesuffix(f"_{self.declared.name}"), "")

    def _stand_in(self, name: str) -> float | None:
        """What is used for a parameter that is 0: a strength, or what the file leaves to the script."""
        unit, plain = self.unit(name), name.removesuffix(f"_{self.declared.name}")
        unset = sorted(self.declared.unset)
        if unit in _STRENGTH:
            return _STRENGTH[unit]
        if plain in unset and unit in ("", "1", "ms"):
            # No two alike: their differences may stand below a fraction.
            return (2.0 if unit == "ms" else 0.6) + 0.3 * unset.index(plain)
        return None

    def _raise_strengths(self) -> None:
        for name in self.range_parameters():
            for owner in self.owners(name):
                value = float(getattr(owner, name))
                if value == 0.0 and self._stand_in(name) is not None:
                    setattr(owner, name, self._stand_in(name))
                elif self.process is not None and name in NAMES_OF_TIMES:
                    setattr(owner, name, 1.0 if name in ("delay", "del", "onset", "start") else 9.0)
                self._defaults.append((owner, name, float(getattr(owner, name))))
        for name in self.global_parameters():
            if float(getattr(nrn.h, name)) == 0.0 and self._stand_in(name) is not None:
                setattr(nrn.h, name, self._stand_in(name))
            self._defaults.append((nrn.h, name, float(getattr(nrn.h, name))))

    def _settle(self) -> None:
        """Where INITIAL corrects a parameter, there is no gradient in it: take a value near by that it keeps."""
        for factor in (0.9, 1.1, 0.5, 2.0):
            nrn.run(self.drive.dt, 0.0, self.drive.v_init, self.drive.celsius)
            settled = [(owner, name, value, float(getattr(owner, name))) for owner, name, value in self._defaults]
            if all(now == value for _, _, value, now in settled):
                return
            self._defaults = [
                (owner, name, now if now == value else factor * now) for owner, name, value, now in settled
            ]
            for owner, name, value in self._defaults:
                setattr(owner, name, value)

    # --- runs -----------------------------------------------------------------------------------------------------

    def set_up(self, drive: Drive) -> None:
        """Prepare the model for a drive."""
        self.drive = drive
        for owner, name, value in self._defaults:
            raised = {"mV": 3.0, "ms": 0.5}.get(self.unit(name), 0.1) if drive.raised and value == 0.0 else value
            setattr(owner, name, raised)
        if self.declared.has_table:
            nrn.use_tables(self.declared.name, drive.tables)
        times = nrn.vector([part * drive.t_stop for part, _ in _LEAD])
        for old in self._lead:
            nrn.stop_recording(old)
        self._lead = [times]
        for clamp, seg in zip(self._leads, self.segments, strict=True):
            seg.pas.g = drive.leak
            # Less outside the soma, so that current flows between segments.
            part = 1.0 if seg.sec == self.sections[0] else 0.8
            per_mv = 1e-2 * part * drive.leak * seg.area()
            levels = nrn.vector([per_mv * (level - _LEAD[0][1]) for _, level in _LEAD])
            self._lead.append(nrn.play(levels, nrn.ref(clamp, "amp"), times))

    def change(self, **numbers: float) -> None:
        """Change numbers of the present drive."""
        self.drive = replace(self.drive, **numbers)

    def run(self) -> dict[str, Floats]:
        """Initialise and run.

        Returns:
            [sample] per trace.
        """
        for owner, name, value in self._memory:
            setattr(owner, name, value)
        for number, stream in enumerate(self._streams):
            nrn.rewind(stream, number)
        nrn.run(self.drive.dt, self.drive.t_stop, self.drive.v_init, self.drive.celsius)
        return {name: nrn.values(vector) for name, vector in self._recorded.items()}

    def tuned(self, drive: Drive) -> Drive:
        """The drive with the smallest leak that leads the voltage through its range, not a chaotic one if possible.

        Raises:
            Error: With none of them the run stays finite.
        """
        best: tuple[bool, float, Drive] | None = None
        for leak in _LEAKS:
            candidate = replace(drive, leak=leak)
            self.set_up(candidate)
            traces = self.run()
            if not all(np.all(np.isfinite(trace)) for trace in traces.values()):
                continue
            voltages = self._voltages(traces)
            span = float(np.ptp(voltages))
            if float(np.max(np.abs(voltages))) > _LIMIT:
                continue
            self.change(v_init=drive.v_init + _NUDGE)
            is_calm = bool(np.max(np.abs(self._voltages(self.run()) - voltages)) <= _AMPLIFIED * _NUDGE)
            if span >= _SPAN and is_calm:
                return candidate
            if best is None or (is_calm, span) > best[:2]:
                best = is_calm, span, candidate
        if best is None and self._fill():
            return self.tuned(drive)
        if best is None:
            raise Error("the simulation does not stay finite in the small cell")
        return best[2]

    def _voltages(self, traces: dict[str, Floats]) -> Floats:
        return np.concatenate([traces[name] for name, (_, of) in self.traces.items() if of == "v"])

    def _fill(self) -> bool:
        """ASSIGNED variables that nobody sets are for the user to set, so make them 1; False if there are none."""
        empty = [
            (owner, name)
            for name in nrn.variables_of(self.declared.name, 2)
            for owner in self.owners(name)
            if nrn.is_number(owner, name) and getattr(owner, name) == 0.0
        ]
        for owner, name in empty:
            setattr(owner, name, 1.0)
        filled = {(id(owner), name) for owner, name in empty}
        self._memory = [
            (owner, name, 1.0 if (id(owner), name) in filled else value) for owner, name, value in self._memory
        ]
        return bool(empty)


def size_of(value: float, unit: str) -> float:
    """What the steps of the differences are relative to."""
    if value != 0.0 and math.isfinite(value):
        return abs(value)
    return _STRENGTH.get(unit, 10.0 if unit == "mV" else 1.0)
