"""A fit from many starts, in processes that each build their model once."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .._problem.free import Bounded, Free
from .._process.interrupts import reach_waits
from ..errors import Error
from .least_squares import least_squares
from .pictures import draw_fits
from .progress import bar
from .result import Fit
from .workers import Maker, Workers, built, new_purpose


def random_starts(parameters: Mapping[str, Free], count: int, seed: int = 0) -> list[dict[str, float]]:
    """Values between the bounds, evenly spread on the scale of each parameter.

    Args:
        parameters: As for :class:`Problem`.
        count: How many.
        seed: The same seed gives the same values.
    """
    random = np.random.default_rng(seed)
    return [
        {name: _between(free.bounded, float(random.uniform(0.0, 1.0))) for name, free in parameters.items()}
        for _ in range(count)
    ]


def _between(bounded: Bounded, part: float) -> float:
    low, high = bounded.bounds
    if not (np.isfinite(low) and np.isfinite(high)):
        return bounded.low + part * (bounded.high - bounded.low)
    return bounded.outer(low + part * (high - low))


@dataclass(frozen=True)
class Fits:
    """What came of the starts.

    Attributes:
        fits: In the order of the starts; None where a fit failed.
        errors: Why, by number of the start.
    """

    fits: list[Fit | None]
    errors: dict[int, str]

    @property
    def ranked(self) -> list[Fit]:
        """Those that did not fail, the best first."""
        return sorted((fit for fit in self.fits if fit is not None), key=lambda fit: fit.cost)

    @property
    def best(self) -> Fit:
        """The one with the lowest cost.

        Raises:
            Error: All failed.
        """
        if not self.ranked:
            raise Error("no fit came to an end: " + "; ".join(dict.fromkeys(self.errors.values())))
        return self.ranked[0]

    def plot(self) -> Any:
        """A figure of all costs in order (a waterfall), and of the parameters of each fit.

        Returns:
            A ``matplotlib`` figure; nothing is shown or written.

        Raises:
            Error: Matplotlib is not installed, or all fits failed.
        """
        _ = self.best
        return draw_fits([(fit.cost, fit.x) for fit in self.ranked])

    def __str__(self) -> str:
        costs = " ".join(f"{fit.cost:.3g}" for fit in self.ranked)
        lines = [f"{len(self.ranked)} of {len(self.fits)} starts came to an end; costs: {costs}", str(self.best)]
        return "\n".join([*lines, *(f"start {number} failed: {why}" for number, why in self.errors.items())])


def from_starts(
    make: Maker,
    starts: Sequence[Mapping[str, float]],
    *,
    by: Callable[..., Fit] = least_squares,
    executor: Executor | None = None,
    jobs: int | None = None,
    progress: bool = True,
    folder: str | os.PathLike[str] | None = None,
    **options: Any,
) -> Fits:
    """Minimise from each start.

    Args:
        make: Builds the model and its problem, in each worker once. It may be defined in a notebook.
        starts: By name, in the units of the parameters.
        by: :func:`least_squares`, :func:`minimise` or :func:`descend`, or a function of yours that is called as they
            are, ``by(problem, start=start, progress=False, **options)``.
        executor: Any of :mod:`concurrent.futures`, mpi4py or Dask, with processes and not threads; loky's by default.
        jobs: How many processes loky starts; as many as there are processors by default.
        progress: Show a bar, where tqdm is installed.
        folder: Where each fit has its checkpoint: called again, those that were interrupted go on, and those that had
            come to their end are not made again.
        options: Of ``by``.

    Raises:
        Error: There are no starts, or loky is not installed.
    """
    if not starts:
        raise Error("there are no starts")
    if "checkpoint" in options:
        raise Error("many fits have a checkpoint each: name a folder instead of checkpoint")
    purpose = new_purpose()
    fits: list[Fit | None] = [None] * len(starts)
    errors: dict[int, str] = {}
    shown = bar(len(starts), "start", progress)
    try:
        with Workers(executor, jobs) as started:
            waiting = {
                started.executor.submit(
                    _fit, purpose, make, by, {**options, **_kept(folder, n), "start": dict(start)}
                ): n
                for n, start in enumerate(starts)
            }
            try:
                reach_waits()
                for done in as_completed(waiting):
                    number, failure = waiting[done], done.exception()
                    if failure is None:
                        fits[number] = done.result()
                    else:
                        errors[number] = f"{type(failure).__name__}: {failure}"
                    costs = [fit.cost for fit in fits if fit is not None]
                    shown.show(len(costs) + len(errors), min(costs) if costs else None)
            except BaseException:
                started.abandon(waiting)
                raise
    finally:
        shown.close()
    return Fits(fits, dict(sorted(errors.items())))


def _kept(folder: str | os.PathLike[str] | None, number: int) -> dict[str, Path]:
    return {} if folder is None else {"checkpoint": Path(folder).resolve() / f"start-{number:04}.json"}


def _fit(purpose: str, make: Maker, by: Callable[..., Fit], options: dict[str, Any]) -> Fit:
    return by(built(purpose, make), progress=False, **options)
