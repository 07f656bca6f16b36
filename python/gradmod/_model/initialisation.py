"""What is to be done at the stages of ``finitialize``, and how far it came."""

from __future__ import annotations

import enum
from collections.abc import Callable
from typing import TypeVar
from weakref import ref

T = TypeVar("T")


#: Why a potential that is set between INITIAL and the first step has no derivative in what it began with.
SET_AFTER_INITIAL = (
    "v, or a state, was set between INITIAL and the first step (by an FInitializeHandler of type 1 or 2, or by the "
    "script), where a direction has changed it or what the run starts with: nobody knows whether it was set to "
    "that value or by that much. Set it in finitialize(v_init), or in an FInitializeHandler of type 0: INITIAL finds "
    "it there"
)


class Stage(enum.Enum):
    """How far the last ``finitialize`` came."""

    NEVER = enum.auto()
    BEGUN = enum.auto()
    READY = enum.auto()


def handler(
    owner: ref[T], run: Callable[[T, Callable[[T], None]], None], step: Callable[[T], None]
) -> Callable[[], None]:
    """A handler for ``finitialize`` that does not keep its owner alive."""

    def handle() -> None:
        alive = owner()
        if alive is not None:
            run(alive, step)

    return handle
