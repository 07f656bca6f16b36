"""What is to be done at the stages of ``finitialize``, and how far it came."""

from __future__ import annotations

import enum
from collections.abc import Callable
from typing import TypeVar
from weakref import ref

T = TypeVar("T")


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
