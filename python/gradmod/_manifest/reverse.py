"""The compiler's manifest of reverse mode as typed data."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .electrode import Electrode
from .faults import SeenNumbers
from .ions import IonFlags
from .membrane import Membrane
from .pointers import Pointer
from .reading import find_region, read_json
from .region import SpecialValue, Stream
from .tables import SharedTable, StaleTable


@dataclass(frozen=True)
class ReverseRegion:
    """Recorder and adjoint of a set of density mechanisms, or of one point process.

    Attributes:
        settings: 0/1 settings and charges, and the ids of streams, which the adjoint has one of for each place.
        streams: Of random numbers.
        waiting: How many numbers of the adjoint wait for that of the voltage at each place.
        landed: How many states the log of events has the values of.
        elements: How many elements of arrays have adjoints at each place.
        kept: How many numbers are computed once for each place.
        gathered: Its recorder only tells where to read.
        watched: Which numbers of a place in a frame are states that nothing but steps changes, and which states.
        moving: How many numbers a place has in a frame; the voltage is the first.
        fixed: What does not change along a run, in NEURON's words.
        settled: Which of it INITIAL has made.
        states: Names of the states, in the order of the adjoint's arrays.
        set_at_begin: Those of them that BEFORE BREAKPOINT sets.
        checks: The states that each check of a step is about.
        parameters: Names of the parameters, in the order of the results; the initial voltage comes after them.
        at_start: Those of the parameters that the states after INITIAL depend on.
        sets_weights: INITIAL of NET_RECEIVE sets weights.
        pointer_gradients: The model's POINTERs that see voltages ("gap.vgap"); what these add to the initial voltages
            comes last.
        of_ions: Those of the parameters that belong to the segment, also in a point process.
        currents_read, currents_written: Ions whose total current a mechanism reads, and those to which one adds.
        unfollowed: Code that was left out, and why: a run that enters it has no gradient.
        corrected: POINTERs of the recorder to PARAMETERs that INITIAL must not change in a run.
        weights: How many weights its NetCons have, for a point process that takes events.
        electrode: What the current of its electrode depends on.
        sets_voltage, sees_jumps: Whether its events set the potential; whether it can't be where others do.
    """

    name: str
    kind: str
    mechanisms: tuple[str, ...]
    constructs: frozenset[str]
    recorder: str
    adjoint: str
    pointers: tuple[Pointer, ...]
    settings: tuple[str, ...]
    streams: tuple[Stream, ...]
    waiting: int
    landed: int
    elements: int
    kept: int
    gathered: bool
    watched: tuple[tuple[int, int], ...]
    moving: int
    fixed: tuple[str, ...]
    settled: frozenset[int]
    states: tuple[str, ...]
    set_at_begin: frozenset[str]
    checks: tuple[str, ...]
    parameters: tuple[str, ...]
    at_start: frozenset[str]
    sets_weights: bool
    pointer_gradients: tuple[str, ...]
    ions: tuple[IonFlags, ...]
    of_ions: frozenset[str]
    currents_read: frozenset[str]
    currents_written: frozenset[str]
    unfollowed: tuple[str, ...]
    corrected: tuple[str, ...]
    weights: int | None
    electrode: Electrode | None
    sets_voltage: bool
    sees_jumps: bool
    shared_tables: tuple[SharedTable, ...]
    stale_tables: tuple[StaleTable, ...]
    special_values: tuple[SpecialValue, ...]
    stepwise: frozenset[str]
    timed_by: tuple[str, ...]
    seen: SeenNumbers

    @property
    def looks(self) -> tuple[str, ...]:
        """The POINTERs of the model that a gradient depends on."""
        return self.pointer_gradients

    @property
    def writes_arrays(self) -> bool:
        """Whether its events write arrays, the elements of which are among what is fixed."""
        return bool(self.constructs & {"event-array", "active-event-array"})

    @property
    def out_size(self) -> int:
        """How many numbers an adjoint hands back.

        Of parameters, of the initial voltage, whether it failed, which check did and at which step, of the voltages
        that POINTERs see.
        """
        return len(self.parameters) + 4 + len(self.pointer_gradients)

    @classmethod
    def from_json(cls, data: dict[str, Any], seen: SeenNumbers) -> ReverseRegion:
        """Read one element of ``regions``."""
        return cls(
            name=data["name"],
            kind=data["kind"],
            mechanisms=tuple(data["mechanisms"]),
            constructs=frozenset(data["constructs"]),
            recorder=data["recorder"],
            adjoint=data["adjoint"],
            pointers=tuple(Pointer(p["name"], p["source"], p["scope"]) for p in data["pointers"]),
            settings=tuple(data["settings"]),
            streams=tuple(Stream.from_json(stream) for stream in data["streams"]),
            waiting=int(data["waiting"]),
            landed=int(data["landed"]),
            elements=int(data["elements"]),
            kept=int(data["kept"]),
            gathered=bool(data["gathered"]),
            watched=tuple((int(number), int(state)) for number, state in data["watched"]),
            moving=int(data["moving"]),
            fixed=tuple(data["fixed"]),
            settled=frozenset(data["settled"]),
            states=tuple(data["states"]),
            set_at_begin=frozenset(data["set_at_begin"]),
            checks=tuple(data["checks"]),
            parameters=tuple(p["name"] for p in data["parameters"]),
            at_start=frozenset(data["at_start"]),
            sets_weights=bool(data["sets_weights"]),
            pointer_gradients=tuple(data["pointer_gradients"]),
            ions=tuple(IonFlags.from_json(ion) for ion in data["ions"]),
            of_ions=frozenset(p["name"] for p in data["parameters"] if p["scope"] == "ion"),
            currents_read=frozenset(data["currents_read"]),
            currents_written=frozenset(data["currents_written"]),
            unfollowed=tuple(data["unfollowed"]),
            corrected=tuple(data["corrected"]),
            weights=data["weights"],
            electrode=None if data["electrode"] is None else Electrode(data["electrode"]),
            sets_voltage=bool(data["sets_voltage"]),
            sees_jumps=bool(data["sees_jumps"]),
            shared_tables=tuple(SharedTable.from_json(table) for table in data["shared_tables"]),
            stale_tables=tuple(StaleTable.from_json(table) for table in data["stale_tables"]),
            special_values=tuple(SpecialValue.from_json(one) for one in data["special_values"]),
            stepwise=frozenset(data["stepwise"]),
            timed_by=tuple(data["timed_by"]),
            seen=seen,
        )


@dataclass(frozen=True)
class ReverseManifest:
    """All that one run of ``gradmod transform --mode reverse`` emitted."""

    regions: tuple[ReverseRegion, ...]
    passed_over: frozenset[str]
    watchers: dict[str, frozenset[str]]
    recorder_node: str
    gather: str
    descent: str
    recorder_layers: str | None
    membrane: Membrane
    secondorder: int

    @classmethod
    def read(cls, path: Path) -> ReverseManifest:
        """Read gradmod.json.

        Raises:
            Error: The file does not say what this version of the package expects.
        """
        return read_json(path, cls.from_json)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> ReverseManifest:
        """Read the whole."""
        seen = SeenNumbers.from_json(data["seen"])
        return cls(
            regions=tuple(ReverseRegion.from_json(region, seen) for region in data["regions"]),
            passed_over=frozenset(data["passed_over"]),
            watchers={name: frozenset(set_) for name, set_ in data["watchers"].items()},
            recorder_node=data["recorder_node"],
            gather=data["gather"],
            descent=data["descent"],
            recorder_layers=data["recorder_layers"],
            membrane=Membrane(**data["membrane"]),
            secondorder=int(data["secondorder"]),
        )

    @property
    def seldom(self) -> set[str]:
        """Mechanisms that do nothing while a simulation runs."""
        silent = (region.recorder for region in self.regions if region.gathered and region.weights is None)
        layers = () if self.recorder_layers is None else (self.recorder_layers,)
        return {self.recorder_node, *layers, *silent}

    def density(self, mechanisms: tuple[str, ...]) -> ReverseRegion:
        """What belongs to a set of density mechanisms."""
        return find_region(self.regions, "density", set(mechanisms) - self.passed_over)

    def point(self, mechanism: str) -> ReverseRegion:
        """What belongs to a point process."""
        return find_region(self.regions, "point", {mechanism})
