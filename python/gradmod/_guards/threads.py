"""NEURON's threads: the rows of a cell are run in the thread of that cell."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from .._manifest.gradients import Manifest
from .._neuron.settings import thread_count
from ..errors import Refused


class _Region(Protocol):
    @property
    def pointer_gradients(self) -> tuple[str, ...]: ...
    @property
    def weights(self) -> int | None: ...


def obstacle(made: Manifest, *, online: bool) -> str | None:
    """Why gradients can't be had with several threads, if they can't."""
    regions = made.regions
    reasons = {
        "gradients that act on the run": online,
        "gradients of spike times": made.spikes is not None,
        "gradients that go through a POINTER": any(region.pointer_gradients for region in regions),
        "gradients that go through a FUNCTION_TABLE": any(region.function_tables for region in regions),
        "events that set v": any(region.sets_voltage for region in regions),
    }
    found = [reason for reason, holds in reasons.items() if holds]
    return f"{found[0]} are had in one thread only" if found else None


def obstacle_in_reverse(regions: Iterable[_Region], *, windows: int) -> str | None:
    """Why reverse mode can't be had with them: events have one log, and a process with threads can't be copied."""
    regions = tuple(regions)
    reasons = {
        "gradients that go through a POINTER": any(region.pointer_gradients for region in regions),
        "gradients of events in reverse mode": any(region.weights is not None for region in regions),
        "runs in several windows (raise `memory`)": windows > 1,
    }
    found = [reason for reason, holds in reasons.items() if holds]
    return f"{found[0]} are had in one thread only" if found else None


def check_threads(obstacle: str | None) -> None:
    """Raise where there are several threads and these gradients can't be had with them.

    Args:
        obstacle: Why not, if so.

    Raises:
        Refused: There are.
    """
    count = thread_count()
    if count > 1 and obstacle is not None:
        what = f"NEURON runs {count} threads, and {obstacle}"
        raise Refused(f"no exact gradient: {what}; use h.ParallelContext().nthread(1)")
