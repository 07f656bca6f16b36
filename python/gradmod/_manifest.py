"""The compiler's manifest (gradmod.json) as typed data: what each emitted mechanism is called and holds."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

from .errors import Error


@dataclass(frozen=True)
class Pointer:
    """A POINTER of an emitted mechanism.

    ``scope`` says where ``source`` lives: "range" (the segment, or the point process itself), "segment" (that of a
    point process) or "global"; or "pointed": it is what POINTER ``source`` ("gap.vgap") of the model sees.
    """

    name: str
    source: str
    scope: str


@dataclass(frozen=True)
class FarVariable:
    """What a POINTER of the model that may see a variable needs besides.

    Attributes:
        before: The POINTER to the gradient at the start of a step.
        start: RANGE array with that gradient.
        old: RANGE setting: 1 where states are advanced from the value at the start of a step.
        reaches_states, reaches_start: States are advanced from it, or start from it.
        hooked: BEFORE or AFTER blocks may read it.
    """

    before: str
    start: str
    old: str
    reaches_states: bool
    reaches_start: bool
    hooked: bool

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> FarVariable:
        """Read ``variable``."""
        reaches = bool(data["reaches_states"]), bool(data["reaches_start"])
        return cls(data["before"], data["start"], data["old"], *reaches, bool(data["hooked"]))


@dataclass(frozen=True)
class Far:
    """A POINTER of the model that sees a voltage, or a variable.

    Attributes:
        source: The POINTER, "gap.vgap".
        gradient: The POINTER of the row to the first of the gradients of what it sees.
        rest: RANGE array that it sees where there are none.
        variable: Where POINTERs may see variables.
    """

    source: str
    gradient: str
    rest: str
    variable: FarVariable | None

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Far:
        """Read one element of ``far``."""
        variable = None if data["variable"] is None else FarVariable.from_json(data["variable"])
        return cls(f"{data['mechanism']}.{data['name']}", data["gradient"], data["rest"], variable)


@dataclass(frozen=True)
class SeenState:
    """What a POINTER that sees a state must know.

    Attributes:
        trial: RANGE array [K]: the gradient at the end of a step, before that of a late mechanism is set.
        early: It changes while others run their BREAKPOINTs.
        through, started_through: POINTERs ("gap.vgap") from which it is advanced, and from which it starts.
    """

    trial: str | None
    early: bool
    through: tuple[str, ...]
    started_through: tuple[str, ...]

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> SeenState:
        """Read ``seen``."""
        sources = tuple(data["through"]), tuple(data["started_through"])
        return cls(data["trial"], bool(data["early"]), *sources)


@dataclass(frozen=True)
class State:
    """A state or concentration of the user's model and the RANGE array [K] that holds its gradient."""

    name: str
    gradient: str
    seen: SeenState | None

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> State:
        """Read one element of ``states``."""
        seen = None if data["seen"] is None else SeenState.from_json(data["seen"])
        return cls(data["name"], data["gradient"], seen)


@dataclass(frozen=True)
class Stream:
    """A stream of random numbers.

    Attributes:
        name: The RANDOM of the emitted mechanism.
        mechanism, source: The model's.
        start: RANGE variable: the place in the stream before INITIAL.
        own, index: RANGE array and index: the place of the next number, as the emitted mechanism sees it.
    """

    name: str
    mechanism: str
    source: str
    start: str
    own: str
    index: int


@dataclass(frozen=True)
class IonFlags:
    """RANGE settings of an emitted mechanism that follow an ion of its section.

    ``starts`` has (concentration, setting) where the concentration before INITIAL matters.
    """

    ion: str
    nernst: str
    nernst_init: str
    conc_init: str
    valence: str
    written: tuple[str, ...]
    reads_concentration: bool
    reads_reversal: bool
    starts: tuple[tuple[str, str], ...]

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> IonFlags:
        """Read one element of ``ions``."""
        return cls(
            data["ion"],
            data["nernst"],
            data["nernst_init"],
            data["conc_init"],
            data["valence"],
            tuple(data["written"]),
            bool(data["reads_concentration"]),
            bool(data["reads_reversal"]),
            tuple((concentration, setting) for concentration, setting in data["starts"]),
        )


@dataclass(frozen=True)
class StaleTable:
    """A TABLE, and the global variables whose change does not make NEURON fill it again."""

    mechanism: str
    block: str
    variables: tuple[str, ...]

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> StaleTable:
        """Read one element of ``stale_tables``."""
        return cls(data["mechanism"], data["block"], tuple(data["variables"]))

    @property
    def switch(self) -> str:
        """The variable that switches the mechanism's tables off."""
        return f"usetable_{self.mechanism}"


@dataclass(frozen=True)
class Isolated:
    """A value of a parameter that the code compares it with by ``==``."""

    parameter: str
    value: float

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Isolated:
        """Read one element of ``isolated``."""
        return cls(data["parameter"], float(data["value"]))


@dataclass(frozen=True)
class SharedTable:
    """A TABLE for all segments that NEURON fills with RANGE variables of one segment."""

    mechanism: str
    point: bool
    block: str
    variables: tuple[str, ...]
    unwatched: tuple[str, ...]

    @property
    def switch(self) -> str:
        """The variable that switches the mechanism's tables off."""
        return f"usetable_{self.mechanism}"

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> SharedTable:
        """Read one element of ``shared_tables``."""
        variables, unwatched = tuple(data["variables"]), tuple(data["unwatched"])
        return cls(data["mechanism"], data["point"], data["block"], variables, unwatched)

    def public(self, variable: str) -> str:
        """The name of a parameter that is one of the variables."""
        return f"{self.mechanism}.{variable}" if self.point else f"{variable}_{self.mechanism}"


@dataclass(frozen=True)
class Moved:
    """Whether the times of a point process's events are differentiated.

    Attributes:
        is_possible: They are.
        reason: Why they cannot be.
        watches: It has WATCH statements, whose times never are.
        timed_by: Parameters that change when events come that it sends to itself.
    """

    is_possible: bool
    reason: str | None
    watches: bool
    timed_by: tuple[str, ...]

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Moved:
        """Read ``moved``."""
        return cls(bool(data["is"]), data["reason"], bool(data["watches"]), tuple(data["timed_by"]))


@dataclass(frozen=True)
class Region:
    """One fused gradient mechanism: of a set of density mechanisms, or the companion of one point process."""

    name: str
    suffix: str
    kind: str
    mechanisms: tuple[str, ...]
    pointers: tuple[Pointer, ...]
    far: tuple[Far, ...]
    parameters: dict[str, str]
    states: tuple[State, ...]
    ions: tuple[IonFlags, ...]
    currents_read: frozenset[str]
    currents_written: frozenset[str]
    corrected: tuple[str, ...]
    streams: tuple[Stream, ...]
    function_tables: tuple[str, ...]
    weights: int | None
    voltage: str | None
    inert: bool
    sets_voltage: bool
    moved: Moved
    sees_jumps: bool
    stale_tables: tuple[StaleTable, ...]
    isolated: tuple[Isolated, ...]
    stepwise: frozenset[str]
    shared_tables: tuple[SharedTable, ...]
    unfollowed: tuple[str, ...]
    set_at_begin: frozenset[str]
    writers: dict[str, frozenset[str]]
    constants: frozenset[str]

    @property
    def looks(self) -> tuple[str, ...]:
        """The POINTERs of the model that a gradient depends on, "gap.vgap"."""
        return tuple(far.source for far in self.far)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Region:
        """Read one element of ``regions``."""
        return cls(
            name=data["name"],
            suffix=data["suffix"],
            kind=data["kind"],
            mechanisms=tuple(data["mechanisms"]),
            pointers=tuple(Pointer(p["name"], p["source"], p["scope"]) for p in data["pointers"]),
            far=tuple(Far.from_json(far) for far in data["far"]),
            parameters={p["name"]: p["seed"] for p in data["parameters"]},
            states=tuple(State.from_json(state) for state in data["states"]),
            ions=tuple(IonFlags.from_json(ion) for ion in data["ions"]),
            currents_read=frozenset(data["currents_read"]),
            currents_written=frozenset(data["currents_written"]),
            corrected=tuple(data["corrected"]),
            streams=tuple(
                Stream(s["name"], s["mechanism"], s["source"], s["start"], s["own"], int(s["index"]))
                for s in data["streams"]
            ),
            function_tables=tuple(data["function_tables"]),
            weights=data["weights"],
            voltage=data["voltage"],
            inert=bool(data["inert"]),
            sets_voltage=bool(data["sets_voltage"]),
            moved=Moved.from_json(data["moved"]),
            sees_jumps=bool(data["sees_jumps"]),
            unfollowed=tuple(data["unfollowed"]),
            set_at_begin=frozenset(data["set_at_begin"]),
            writers={name: frozenset(written) for name, written in data["writers"].items()},
            constants=frozenset(data["constants"]),
            shared_tables=tuple(SharedTable.from_json(table) for table in data["shared_tables"]),
            stale_tables=tuple(StaleTable.from_json(table) for table in data["stale_tables"]),
            isolated=tuple(Isolated.from_json(one) for one in data["isolated"]),
            stepwise=frozenset(data["stepwise"]),
        )


@dataclass(frozen=True)
class Solver:
    """Point processes: the solver, rows of axial resistances and of places without membrane."""

    name: str
    axial: str
    end: str


@dataclass(frozen=True)
class SpikeNotes:
    """A point process that writes the table of the spikes of a place.

    Attributes:
        table, room, threshold: RANGE variables: the table's address, for how many spikes it has room, mV.
    """

    name: str
    table: str
    room: str
    threshold: str

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> SpikeNotes:
        """Read ``spikes``."""
        return cls(data["name"], data["table"], data["room"], data["threshold"])


@dataclass(frozen=True)
class Manifest:
    """All that one run of ``gradmod transform`` emitted.

    Attributes:
        passed_over: Mechanisms that act on no membrane: nothing was emitted for them.
        watchers: All given mechanisms that can act on no membrane, with the POINTERs that they set.
        spikes: Where the times of events are differentiated.
    """

    directions: int
    regions: tuple[Region, ...]
    passed_over: frozenset[str]
    watchers: dict[str, frozenset[str]]
    spikes: SpikeNotes | None
    solver: Solver

    @classmethod
    def read(cls, path: Path) -> Manifest:
        """Read gradmod.json.

        Raises:
            Error: The file does not say what this version of the package expects.
        """
        return read_json(path, cls.from_json)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Manifest:
        """Read the whole."""
        return cls(
            directions=int(data["directions"]),
            regions=tuple(Region.from_json(region) for region in data["regions"]),
            passed_over=frozenset(data["passed_over"]),
            watchers={name: frozenset(set_) for name, set_ in data["watchers"].items()},
            spikes=None if data["spikes"] is None else SpikeNotes.from_json(data["spikes"]),
            solver=Solver(**data["solver"]),
        )

    @property
    def emitted(self) -> frozenset[str]:
        """What NEURON calls all that was emitted."""
        spikes = [] if self.spikes is None else [self.spikes.name]
        own = [self.solver.name, self.solver.axial, self.solver.end, *spikes]
        return frozenset([*own, *(region.suffix for region in self.regions)])

    def density(self, mechanisms: tuple[str, ...]) -> Region:
        """The fused mechanism of a set of density mechanisms, given in NEURON's order."""
        return find_region(self.regions, "density", set(mechanisms) - self.passed_over)

    def point(self, mechanism: str) -> Region:
        """The companion of a point process."""
        return find_region(self.regions, "point", {mechanism})


class _Emitted(Protocol):
    """What was emitted for a region or a point process, in either mode."""

    @property
    def kind(self) -> str: ...

    @property
    def mechanisms(self) -> tuple[str, ...]: ...


_R = TypeVar("_R", bound=_Emitted)
_T = TypeVar("_T")


def find_region(regions: Iterable[_R], kind: str, mechanisms: set[str]) -> _R:
    """What was emitted for these mechanisms, in whatever order.

    Raises:
        Error: Nothing was.
    """
    for region in regions:
        if region.kind == kind and set(region.mechanisms) == mechanisms:
            return region
    raise Error(f"the compiler emitted nothing for {', '.join(sorted(mechanisms)) or 'sections without mechanisms'}")


def read_json(path: Path, make: Callable[[dict[str, Any]], _T]) -> _T:
    """Read a manifest.

    Raises:
        Error: The file does not say what this version of the package expects.
    """
    data = json.loads(path.read_text(encoding="utf-8"))
    try:
        return make(data)
    except (KeyError, TypeError) as error:
        raise Error(
            f"{path} lacks {error}: the gradmod command and the gradmod package are of different versions"
        ) from error
