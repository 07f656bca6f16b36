"""Sweeps that run at the same time, in processes that each build their model once."""

from __future__ import annotations

from concurrent.futures import Executor

import numpy as np

from .._model.cells import Floats
from .._problem.fittable import Evaluated, Fittable
from .._problem.free import Bounded
from .._process.interrupts import reach_waits
from ..errors import Error
from .workers import Maker, Workers, built, new_purpose


class Parallel(Fittable):
    """A problem whose sweeps are run by several processes.

        with fit.Parallel(make_problem, jobs=4) as problem:
            fit.least_squares(problem, start)

    The models are those of the workers: that of this process, if there is one, is not touched.
    """

    def __init__(self, make: Maker, *, executor: Executor | None = None, jobs: int | None = None) -> None:
        """Start the workers, and build the problem in one of them.

        Args:
            make: Builds the model and its :class:`Problem`. It may be defined in a notebook.
            executor: Any of :mod:`concurrent.futures`, mpi4py or Dask, with processes and not threads; loky's by
                default.
            jobs: How many processes loky starts; as many as there are processors by default.

        Raises:
            Error: Loky is not installed.
            Exception: What ``make`` raised.
        """
        self._make, self._purpose = make, new_purpose()
        self._workers = Workers(executor, jobs)
        self._is_closed = False
        try:
            reach_waits()
            described = self._workers.executor.submit(_described, self._purpose, make).result()
        except BaseException:
            self._workers.end(at_once=True)
            raise
        names, bounded, self._x, self._sweeps, self._has_jacobian = described
        super().__init__(names, bounded)

    @property
    def x(self) -> Floats:
        """[parameter] the values of the last evaluation; in the beginning those that the model was built with."""
        return self._x.copy()

    @property
    def has_jacobian(self) -> bool:
        """Whether evaluations have a Jacobian: in forward mode, and not in reverse mode."""
        return self._has_jacobian

    def _evaluate(self, u: Floats) -> Evaluated:
        if self._is_closed:
            raise Error("this problem was closed: make a new one")
        futures = [
            self._workers.executor.submit(_evaluated, self._purpose, self._make, u, number)
            for number in range(self._sweeps)
        ]
        try:
            reach_waits()
            found = [future.result() for future in futures]
        except BaseException as error:
            if not isinstance(error, Exception):
                self._is_closed = True
                self._workers.abandon(futures)
            raise
        self._x = self.outer(u)
        return Evaluated.joined([part for part in found if part is not None])

    def close(self) -> None:
        """End the workers, unless they are those of an executor that was given."""
        self._is_closed = True
        self._workers.end()


def _described(purpose: str, make: Maker) -> tuple[list[str], list[Bounded], Floats, int, bool]:
    problem = built(purpose, make)
    return problem.names, problem.bounded, problem.x, len(problem.sweeps), problem.has_jacobian


def _evaluated(purpose: str, make: Maker, u: Floats, number: int) -> Evaluated | None:
    return built(purpose, make).evaluate_sweep(np.asarray(u), number)
