"""The times of events: whether they are differentiated, and what writes those of spikes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class EventTime:
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
    def from_json(cls, data: dict[str, Any]) -> EventTime:
        """Read ``event_time``."""
        return cls(bool(data["is"]), data["reason"], bool(data["watches"]), tuple(data["timed_by"]))


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
