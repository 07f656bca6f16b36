"""What each way to a gradient supports, as the command tells it (``gradmod support``)."""

from __future__ import annotations

import enum
import functools
import json
import subprocess
from collections.abc import Collection

from .binary import find_binary


class Construct(enum.Enum):
    """What a model may contain, or a script ask for, that some ways do not support: those that Python looks for."""

    VOLTAGE_POINTER = "voltage-pointer"
    VARIABLE_POINTER = "variable-pointer"
    VOLTAGE_EVENTS = "voltage-events"
    DELAY = "delay"
    MANY_PARAMETERS = "many-parameters"
    WINDOWS = "windows"
    SPIKE_TIMES = "spike-times"
    ACTS_ON_RUN = "acts-on-run"
    SECOND_ORDER = "second-order"
    EXTRACELLULAR = "extracellular"


class Way(enum.Enum):
    """A way to a gradient."""

    FORWARD = "forward"
    FORWARD_THREADS = "forward-threads"
    SPIKE_TIMES = "spike-times"
    ONLINE = "online"
    REVERSE = "reverse"
    REVERSE_THREADS = "reverse-threads"
    VARIABLE = "variable"


def refused_construct(constructs: Collection[str], way: Way) -> str | None:
    """Say which of some constructs a way does not support, and what to do, as a sentence.

    Args:
        constructs: By their names in the table.
        way: The way.

    Returns:
        None if it supports all, as far as Python has to know.
    """
    found = (reason for (construct, of), reason in _refusals().items() if of == way.value and construct in constructs)
    return next(found, None)


def reason(construct: Construct, way: Way) -> str:
    """Say why a construct is refused: a sentence with what to do."""
    return _refusals()[construct.value, way.value]


@functools.cache
def _refusals() -> dict[tuple[str, str], str]:
    """(construct, way) -> sentence, in the order of the table."""
    command = [str(find_binary()), "support", "--message-format", "json"]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=True)
    cells = [json.loads(line) for line in done.stdout.splitlines()]
    return {(cell["construct"], cell["way"]): f"{cell['what']} is {cell['reason']}" for cell in cells}
