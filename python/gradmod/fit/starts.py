"""A fit from many starts, in processes that each build their model once."""

from __future__ import annotations

import contextlib
import importlib
import uuid
from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import Executor, as_completed
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import Error
from .minimise import Fit, least_squares
from .problem import Free, Problem

#: Builds a model and what is fitted to it, in the process that runs it.
Maker = Callable[[], Problem]

#: In a worker: the problem that it has built, by the call of :func:`from_starts` that it belongs to.
_built: dict[str, Problem] = {}


def random_starts(parameters: Mapping[str, Free], count: int, seed: int = 0) -> list[dict[str, float]]:
    """Values between the bounds, evenly spread on the scale of each parameter.

    Args:
        parameters: As for :class:`Problem`.
        count: How many.
        seed: The same seed gives the same values.
    """
    random = np.random.default_rng(seed)
    return [
        {name: _between(free, float(random.uniform(0.0, 1.0))) for name, free in parameters.items()}
        for _ in range(count)
    ]


def _between(free: Free, part: float) -> float:
    low, high = free.bounds
    if not (np.isfinite(low) and np.isfinite(high)):
        return free.low + part * (free.high - free.low)
    return free.outer(low + part * (high - low))


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

    def __str__(self) -> str:
        costs = " ".join(f"{fit.cost:.3g}" for fit in self.ranked)
        lines = [f"{len(self.ranked)} of {len(self.fits)} starts came to an end; costs: {costs}", str(self.best)]
        return "\n".join([*lines, *(f"start {number} failed: {why}" for number, why in self.errors.items())])


def from_starts(
    make: Maker,
    starts: Sequence[Mapping[str, float]],
    *,
    executor: Executor | None = None,
    jobs: int | None = None,
    progress: bool = True,
    **options: Any,
) -> Fits:
    """Minimise from each start by :func:`least_squares`.

    Args:
        make: Builds the model and its problem, in each worker once. It may be defined in a notebook.
        starts: By name, in the units of the parameters.
        executor: Any of :mod:`concurrent.futures`, mpi4py or Dask, with processes and not threads; loky's by default.
        jobs: How many processes loky starts; as many as there are processors by default.
        progress: Show a bar, where tqdm is installed.
        options: Of :func:`least_squares`.

    Raises:
        Error: There are no starts, or loky is not installed.
    """
    if not starts:
        raise Error("there are no starts")
    call = uuid.uuid4().hex
    fits: list[Fit | None] = [None] * len(starts)
    errors: dict[int, str] = {}
    with _workers(executor, jobs) as workers, _bar(len(starts), progress) as advance:
        waiting = {
            workers.submit(_fit, call, make, dict(start), options): number for number, start in enumerate(starts)
        }
        try:
            for done in as_completed(waiting):
                number, failure = waiting[done], done.exception()
                if failure is None:
                    fits[number] = done.result()
                else:
                    errors[number] = f"{type(failure).__name__}: {failure}"
                advance()
        finally:
            for future in waiting:
                future.cancel()
    return Fits(fits, dict(sorted(errors.items())))


def _fit(call: str, make: Maker, start: dict[str, float], options: dict[str, Any]) -> Fit:
    if call not in _built:
        # A worker may live on: what it has built for other calls must not be in the same NEURON.
        while _built:
            _built.popitem()[1].close()
        _built[call] = make()
    return least_squares(_built[call], start, **options)


@contextlib.contextmanager
def _workers(given: Executor | None, jobs: int | None) -> Generator[Executor]:
    if given is not None:
        yield given
        return
    try:
        loky: Any = importlib.import_module("loky")
    except ImportError as error:
        raise Error("fits from many starts need loky (pip install loky), or an executor") from error
    with loky.ProcessPoolExecutor(max_workers=jobs) as made:
        yield made


@contextlib.contextmanager
def _bar(total: int, is_wanted: bool) -> Generator[Callable[[], object]]:
    if is_wanted:
        try:
            tqdm: Any = importlib.import_module("tqdm.auto")
        except ImportError:
            is_wanted = False
        else:
            with tqdm.tqdm(total=total, unit="start") as bar:
                yield bar.update
    if not is_wanted:
        yield lambda: None
