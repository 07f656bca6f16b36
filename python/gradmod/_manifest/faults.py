"""What emitted mechanisms say of a run without a gradient: numbers in NEURON, names here; the manifest has both."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias


class Fault(enum.Enum):
    """What ``fault`` of a row or of the solver says."""

    TIME_STEP = "time_step"
    TIME = "time"
    UNSOLVED = "unsolved"
    MISSED = "missed"
    STATE = "state"
    VOLTAGE = "voltage"
    TEMPERATURE = "temperature"
    ORDER = "order"
    UNKNOWN_SPIKE = "unknown_spike"
    TOO_MANY_SENT = "too_many_sent"
    UNFLAGGED = "unflagged"
    NOT_WIRED = "not_wired"
    DIRECTION = "direction"
    AFTER_INITIAL = "after_initial"
    EQUATIONS = "equations"


#: By number.
Faults: TypeAlias = Mapping[int, Fault]


def faults_from_json(table: Mapping[str, int]) -> Faults:
    """Read ``faults``.

    Raises:
        ValueError: It has a name that this version does not know.
    """
    return {int(number): Fault(name) for name, number in table.items()}


class Seen(enum.Enum):
    """What the mechanisms of reverse mode have seen change along a run."""

    TIME_STEP = "time_step"
    #: The point process had an event that did not come to the recorder.
    MISSED = "missed"
    #: There was no room for an event.
    FULL = "full"
    #: Events came at one time, and their order matters.
    ORDER = "order"
    #: An event set v before the first step.
    EARLY = "early"
    TIME = "time"
    TEMPERATURE = "temperature"
    VOLTAGE = "voltage"
    #: What drives a point process, in one of several threads.
    DRIVEN = "driven"


@dataclass(frozen=True)
class SeenNumbers:
    """Which number says what; above 0 it is that of a fixed value, plus 1.

    Attributes:
        named: What is one thing.
        state: Where a state was set after finitialize, or where a window begins; less the index of the state.
    """

    named: Mapping[int, Seen]
    state: int

    @classmethod
    def from_json(cls, table: Mapping[str, int]) -> SeenNumbers:
        """Read ``seen``.

        Raises:
            ValueError: It has a name that this version does not know.
        """
        named = {int(number): Seen(name) for name, number in table.items() if name != "state"}
        return cls(named, int(table["state"]))
