"""MPI ranks that run a model together: how many, and what they tell each other.

All ranks must call what is *collective*, and in the same order.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from ..errors import Error
from .interpreter import h

T = TypeVar("T")


def ranks() -> int:
    """How many there are."""
    return int(h.ParallelContext().nhost())


def gather(value: T) -> list[T]:
    """What each rank gave, in the order of the ranks; collective."""
    return list(h.ParallelContext().py_allgather(value))


def agree(over_ranks: bool, step: Callable[[], T]) -> T:
    """Do something that may fail on some ranks only; with ``over_ranks`` it then fails on all, and is collective.

    Raises:
        Error: It failed here, or on another rank.
    """
    if not over_ranks:
        return step()
    results: list[T] = []
    failure: Exception | None = None
    try:
        results.append(step())
    except Exception as error:
        failure = error
    failures = gather(None if failure is None else str(failure))
    if failure is not None:
        raise failure
    for rank, message in enumerate(failures):
        if message is not None:
            raise Error(f"on MPI rank {rank}: {message}")
    return results[0]
