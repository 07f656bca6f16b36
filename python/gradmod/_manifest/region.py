"""One emitted mechanism of forward mode: what it is called and holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .events import EventTime
from .ions import IonFlags
from .pointers import Pointer, PointerGradient, SeenState
from .tables import SharedTable, StaleTable


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
class SpecialValue:
    """A value of a parameter that the code compares it with by ``==``."""

    parameter: str
    value: float

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> SpecialValue:
        """Read one element of ``special_values``."""
        return cls(data["parameter"], float(data["value"]))


@dataclass(frozen=True)
class Region:
    """One fused gradient mechanism: of a set of density mechanisms, or the companion of one point process."""

    name: str
    suffix: str
    kind: str
    mechanisms: tuple[str, ...]
    electrode: bool
    constructs: frozenset[str]
    pointers: tuple[Pointer, ...]
    pointer_gradients: tuple[PointerGradient, ...]
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
    event_time: EventTime
    sees_jumps: bool
    stale_tables: tuple[StaleTable, ...]
    special_values: tuple[SpecialValue, ...]
    stepwise: frozenset[str]
    shared_tables: tuple[SharedTable, ...]
    unfollowed: tuple[str, ...]
    set_at_begin: frozenset[str]
    writers: dict[str, frozenset[str]]
    constants: frozenset[str]

    @property
    def looks(self) -> tuple[str, ...]:
        """The POINTERs of the model that a gradient depends on, "gap.vgap"."""
        return tuple(pointer.source for pointer in self.pointer_gradients)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Region:
        """Read one element of ``regions``."""
        return cls(
            name=data["name"],
            suffix=data["suffix"],
            kind=data["kind"],
            mechanisms=tuple(data["mechanisms"]),
            electrode=bool(data["electrode"]),
            constructs=frozenset(data["constructs"]),
            pointers=tuple(Pointer(p["name"], p["source"], p["scope"]) for p in data["pointers"]),
            pointer_gradients=tuple(PointerGradient.from_json(one) for one in data["pointer_gradients"]),
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
            event_time=EventTime.from_json(data["event_time"]),
            sees_jumps=bool(data["sees_jumps"]),
            unfollowed=tuple(data["unfollowed"]),
            set_at_begin=frozenset(data["set_at_begin"]),
            writers={name: frozenset(written) for name, written in data["writers"].items()},
            constants=frozenset(data["constants"]),
            shared_tables=tuple(SharedTable.from_json(table) for table in data["shared_tables"]),
            stale_tables=tuple(StaleTable.from_json(table) for table in data["stale_tables"]),
            special_values=tuple(SpecialValue.from_json(one) for one in data["special_values"]),
            stepwise=frozenset(data["stepwise"]),
        )
