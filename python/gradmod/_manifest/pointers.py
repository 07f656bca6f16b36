"""POINTERs of emitted mechanisms, and what those of the model need."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


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
class PointerVariable:
    """What a POINTER of the model that may see a variable needs besides.

    Attributes:
        before: The POINTER to the gradient at the start of a step.
        start: RANGE array with that gradient.
        old: RANGE setting: 1 where states are advanced from the value at the start of a step.
        reaches_states, reaches_start: States are advanced from it, or start from it.
        seen_by_before_after: BEFORE or AFTER blocks may read it.
    """

    before: str
    start: str
    old: str
    reaches_states: bool
    reaches_start: bool
    seen_by_before_after: bool

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> PointerVariable:
        """Read ``variable``."""
        reaches = bool(data["reaches_states"]), bool(data["reaches_start"])
        return cls(data["before"], data["start"], data["old"], *reaches, bool(data["seen_by_before_after"]))


@dataclass(frozen=True)
class PointerGradient:
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
    variable: PointerVariable | None

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> PointerGradient:
        """Read one element of ``pointer_gradients``."""
        variable = None if data["variable"] is None else PointerVariable.from_json(data["variable"])
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
