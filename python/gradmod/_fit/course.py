"""The course of a fit: what was evaluated, when it stops, and what is shown and kept of it."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from .._model.cells import Floats
from .._problem.fittable import Evaluated, Fittable
from ..errors import Error
from .certainty import certainty
from .checkpoint import Checkpoint, Leaf
from .progress import Bar, bar
from .result import Fit

#: What is called with each evaluation: (evaluation, cost, {name: value}); the fit stops if it returns True.
Callback: TypeAlias = "Callable[[int, float, dict[str, float]], object]"

#: Why a fit stops that was not at its end.
OUT_OF_RUNS = "as many evaluations as allowed"
#: A cost is another problem's if it differs by more than this, relatively.
_SAME = 1e-9
#: An improvement by less than this, relatively, is none.
_BETTER = 1e-3


class Stopped(Exception):
    """A fit was stopped; the text says why."""


class Course:
    """One fit of one problem by one method.

    Attributes:
        problem: What is fitted.
        saved: What is known of it.
        why: Why there is nothing to do any more; empty if there is.
    """

    def __init__(
        self,
        problem: Fittable,
        start: Mapping[str, float] | None,
        method: str,
        runs: int,
        *,
        callback: Callback | None,
        enough: float,
        patience: int | None,
        progress: bool,
        checkpoint: str | os.PathLike[str] | None,
    ) -> None:
        """Begin, or go on where the checkpoint is; :func:`gradmod.fit.least_squares` says what the arguments are.

        Raises:
            Error: The start is out of bounds, or the checkpoint is of another fit.
        """
        if runs < 1:
            raise Error(f"a fit has {runs} runs: it needs one at least")
        if patience is not None and patience < 1:
            raise Error(f"the patience is {patience} evaluations: it must be one at least")
        self.problem = problem
        self._runs, self._callback, self._enough, self._patience = runs, callback, enough, patience
        self._path = None if checkpoint is None else Path(checkpoint)
        parameters = {
            name: [bounded.low, bounded.high, bounded.scale.value]
            for name, bounded in zip(problem.names, problem.bounded, strict=True)
        }
        begun = None if self._path is None else Checkpoint.read(self._path, method, parameters)
        u = problem.begin(start) if begun is None or start is not None else np.array(begun.start)
        if begun is not None and not np.array_equal(u, begun.start):
            raise Error(
                f"the checkpoint {self._path} is of a fit that began elsewhere ({problem.outer(begun.start)}): name "
                "another file, or remove it to begin anew"
            )
        self.saved = begun or Checkpoint(method, parameters, u.tolist(), u.tolist(), u.tolist())
        self._costs = [cost for cost, _ in self.saved.history]
        self._checked: Evaluated | None = None
        self.why = self._ended()
        if self._costs:
            self._check()
        self._bar: Bar = bar(runs, "evaluation", progress)
        self._show()

    def _ended(self) -> str:
        """Why there is nothing to do any more; empty if there is."""
        if self.saved.is_over or not self._costs:
            return self.saved.why
        return OUT_OF_RUNS if self.left <= 0 else self._reason()

    def _check(self) -> None:
        """Look whether the problem is that of the checkpoint."""
        best = np.array(self.saved.best)
        evaluated, before = self.problem.evaluate(best), min(self._costs)
        if abs(evaluated.cost - before) > _SAME * max(abs(evaluated.cost), abs(before)):
            raise Error(
                f"the checkpoint {self._path} is of another problem: the cost of its best parameters was {before:g}, "
                f"here it is {evaluated.cost:g}; name another file, or remove it to begin anew"
            )
        self._checked = evaluated

    def _show(self) -> None:
        self._bar.show(len(self._costs), min(self._costs) if self._costs else None)

    @property
    def left(self) -> int:
        """How often all sweeps may still be run."""
        return self._runs - len(self.saved.history)

    def evaluate(self, u: ArrayLike) -> Evaluated:
        """Run all sweeps, and keep what comes of it.

        Raises:
            Stopped: This is the end of the fit.
        """
        at: Floats = np.array(u, dtype=np.float64)
        if self._checked is not None and np.array_equal(at, self.saved.best):
            # The first that an optimiser asks for that goes on from there.
            checked, self._checked = self._checked, None
            return checked
        if self.left <= 0:
            raise Stopped(OUT_OF_RUNS)
        evaluated = self.problem.evaluate(at)
        cost, x = evaluated.cost, self.problem.outer(at)
        if not self._costs or cost < min(self._costs):
            self.saved.best = at.tolist()
        self._costs.append(cost)
        self.saved.history.append((cost, x.tolist()))
        self._show()
        is_enough = self._callback is not None and self._callback(len(self._costs), cost, self._named(x)) is True
        if reason := "the callback stopped it" if is_enough else self._reason():
            raise Stopped(reason)
        return evaluated

    def _reason(self) -> str:
        """Why to stop now; empty if there is no reason."""
        if min(self._costs) <= self._enough:
            return f"the cost is not above {self._enough:g}"
        count = self._patience
        if count is not None and len(self._costs) > count:
            before = min(self._costs[:-count])
            if min(self._costs[-count:]) > (1.0 - _BETTER) * before:
                return f"no improvement in {count} evaluations"
        return ""

    def remember(self, at: Floats | None = None, state: Sequence[Leaf] = ()) -> None:
        """Keep on disk what there was, and for those who go on, where an optimiser is and what it remembers."""
        if at is not None:
            self.saved.at, self.saved.state = at.tolist(), list(state)
        if self._path is not None:
            self.saved.write(self._path)

    def end(self, why: str, *, is_over: bool, scaled: bool = False) -> Fit:
        """What came of it; the model has the best parameters.

        Args:
            why: Why it stopped.
            is_over: The optimiser came to its end; with more runs it would not go on.
            scaled: Uncertainties are known up to a factor only.
        """
        self.saved.why, self.saved.is_over = why, is_over
        problem, best = self.problem, np.array(self.saved.best)
        evaluated = problem.last(best)
        self.remember()
        freedom = max(len(evaluated.values) - len(problem.names), 1)
        told = None
        if evaluated.rows is not None:
            told = certainty(problem.names, evaluated.rows, 2 * evaluated.cost / freedom if scaled else 1.0)
        return Fit(
            x=self._named(problem.outer(best)),
            cost=evaluated.cost,
            evaluations=len(self._costs),
            why=why,
            residuals={name: float(value) for name, value in zip(evaluated.names, evaluated.values, strict=True)},
            certainty=told,
            history=[(n, cost, self._named(x)) for n, (cost, x) in enumerate(self.saved.history, 1)],
            traces=evaluated.traces,
        )

    def _named(self, x: ArrayLike) -> dict[str, float]:
        return {name: float(value) for name, value in zip(self.problem.names, np.asarray(x), strict=True)}

    def __enter__(self) -> Course:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._bar.close()
