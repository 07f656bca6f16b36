"""Processes that fits are made in, each of which builds its model once."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Callable, Generator
from concurrent.futures import Executor
from typing import TypeAlias

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


@contextlib.contextmanager
def workers(given: Executor | None, jobs: int | None) -> Generator[Executor]:
    """An executor; loky's if none is given. What is interrupted leaves none of its processes.

    Raises:
        Error: Loky is not installed.
    """
    if given is not None:
        yield given
        return
    made: Executor = library("loky", "a fit in several processes").ProcessPoolExecutor(max_workers=jobs)
    try:
        yield made
    except BaseException:
        # Without this, it would wait for runs that nobody asks for any more.
        made.shutdown(wait=True, kill_workers=True)  # pyright: ignore[reportCallIssue]
        raise
    made.shutdown(wait=True)
