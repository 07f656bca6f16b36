"""Several protocols, each in a process of its own, summed to one loss."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from types import TracebackType
from typing import TypeAlias, TypeVar

import numpy as np
from numpy.typing import ArrayLike

from ._model.cells import Floats
from ._process.interrupts import reach_waits
from .errors import Error
from .objective import ValueAndGrad

#: Builds a model and its loss in the process that runs it; a function of a module, or a `functools.partial` of one.
Maker: TypeAlias = "Callable[[], ValueAndGrad]"

T = TypeVar("T")

_here: list[ValueAndGrad] = []


def _make(maker: Maker) -> None:
    _here.append(maker())


def _describe() -> tuple[list[str], Floats]:
    simulation = _here[0].simulation
    return simulation.names, simulation.x


def _evaluate(x: Floats) -> tuple[float, Floats]:
    return _here[0](x)


class Protocols:
    """The sum of several losses as a function of the same parameters, ``value, gradient = f(x)``.

        def step(amp):                             # in a module that can be imported
            cell, clamp = ...                      # build the model
            return gradmod.value_and_grad(..., keep=(cell, clamp))

        with gradmod.Protocols([partial(step, 0.2), partial(step, 0.5)]) as f:
            scipy.optimize.minimize(f, f.x, jac=True)

    All protocols run at the same time. A script that makes one must start it under ``if __name__ == "__main__":``.

    Attributes:
        names: Of the parameters; those of every protocol are the same.
        x: [parameter] the values that the first protocol started with.
    """

    def __init__(self, makers: Sequence[Maker]) -> None:
        """Start a process for each protocol.

        Raises:
            Error: The protocols do not have the same parameters.
            Exception: What a maker raised.
        """
        if not makers:
            raise Error("there are no protocols")
        self._process: int | None = os.getpid()
        context = get_context("spawn")
        self._workers = [ProcessPoolExecutor(1, context) for _ in makers]
        try:
            _all([worker.submit(_make, maker) for worker, maker in zip(self._workers, makers, strict=True)])
            described = _all([worker.submit(_describe) for worker in self._workers])
            for index, (names, _) in enumerate(described):
                if names != described[0][0]:
                    raise Error(f"protocol {index} has the parameters {names}, protocol 0 has {described[0][0]}")
        except BaseException:
            self.close()
            raise
        self.names, self.x = described[0]

    def __call__(self, x: ArrayLike) -> tuple[float, Floats]:
        """The sum of the losses at x, and its gradient.

        Raises:
            Error: These protocols were closed, or made by another process; or one of their processes died.
        """
        if self._process is None:
            raise Error("these protocols were closed: make new ones")
        if self._process != os.getpid():
            raise Error("these protocols were made by another process: make them in this one")
        values = np.asarray(x, dtype=np.float64)
        found = _all([worker.submit(_evaluate, values) for worker in self._workers])
        return sum(value for value, _ in found), np.sum([gradient for _, gradient in found], axis=0)

    def close(self) -> None:
        """End all processes."""
        if self._process != os.getpid():
            return
        self._process = None
        for worker in self._workers:
            worker.shutdown(cancel_futures=True)

    def __enter__(self) -> Protocols:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


def _all(futures: Sequence[Future[T]]) -> list[T]:
    try:
        reach_waits()
        return [future.result() for future in futures]
    except BrokenProcessPool as error:
        raise Error("the process of a protocol died: make the protocols again") from error
