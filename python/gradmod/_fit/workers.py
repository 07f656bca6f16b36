"""Processes that fits are made in, each of which builds its model once."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable
from concurrent.futures import Executor, Future
from types import TracebackType
from typing import Any, TypeAlias

from .._problem.libraries import library
from .._problem.problem import Problem

#: Builds a model and what is fitted to it, in the process that runs it.
Maker: TypeAlias = "Callable[[], Problem]"

#: In a worker: the problem that it has built, by what it was built for.
_built: dict[str, Problem] = {}


def new_purpose() -> str:
    """A name that no other has: workers that live on build their model anew for it."""
    return uuid.uuid4().hex


def built(purpose: str, make: Maker) -> Problem:
    """In a worker: the problem, made by the first that asks."""
    if purpose not in _built:
        # What was built for another purpose must not be in the same NEURON.
        while _built:
            _built.popitem()[1].close()
        _built[purpose] = make()
    return _built[purpose]


class Workers:
    """Processes of an executor; of loky's, which are ended with this, if none is given."""

    def __init__(self, given: Executor | None, jobs: int | None) -> None:
        """Start them when they are needed.

        Args:
            given: The user's executor.
            jobs: How many processes loky may start.

        Raises:
            Error: Loky is not installed.
        """
        self._own: Any = None
        if given is None:
            loky = library("loky", "a fit in several processes")
            self._own = loky.ProcessPoolExecutor(max_workers=jobs)
        self.executor: Executor = given or self._own

    def end(self, *, at_once: bool = False) -> None:
        """End our own processes.

        Args:
            at_once: Do not wait for what they are doing.
        """
        own, self._own = self._own, None
        if own is not None:
            own.shutdown(wait=True, kill_workers=at_once)

    def abandon(self, futures: Iterable[Future[Any]]) -> None:
        """Nobody will ask for these: end our own processes; those of a user's executor go on with what they began."""
        if self._own is not None:
            # Loky must not be told of each: it stumbles over what is cancelled while it kills.
            self.end(at_once=True)
            return
        for future in futures:
            future.cancel()

    def __enter__(self) -> Workers:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        # After an interrupt, nobody asks for what they are doing.
        self.end(at_once=error is not None)
