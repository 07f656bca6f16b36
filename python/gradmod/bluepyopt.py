"""Fits of BluePyOpt's cell models, from its own evaluators.

    from gradmod import bluepyopt

    polished = bluepyopt.polish(evaluator, individual, runs=30)
    print(polished)                        # scores before and after, by the evaluator's own runs
    individual = polished.individual       # in the order of evaluator.param_names

Or, with everything that :mod:`gradmod.fit` has:

    with bluepyopt.problem(evaluator) as problem:
        result = fit.least_squares(problem, dict(zip(evaluator.param_names, individual)), runs=30)

docs/bluepyopt.md says what is translated to what, and what is refused.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ._bluepyopt import protocols, scores
from ._bluepyopt.cell import Cell
from ._bluepyopt.freedom import free_parameters
from ._bluepyopt.individuals import Individual, named
from ._bluepyopt.library import ephys
from ._bluepyopt.objectives import Kept, kept
from ._bluepyopt.protocols import Single
from ._bluepyopt.stimuli import Stimuli
from ._model.cells import Floats
from ._simulation.backends import Mode
from .errors import Error
from .fit import Evaluated, Fit, Free, MeanTarget, Problem, Robust, Sweep, least_squares, random_starts

__all__ = ["EvaluatorProblem", "Polished", "Scored", "polish", "problem"]


@dataclass(frozen=True)
class Scored:
    """The scores of one evaluation.

    Attributes:
        individual: In the order of ``evaluator.param_names``.
        scores: By objective, of the problem's own runs.
    """

    individual: list[float]
    scores: dict[str, float]

    @property
    def total(self) -> float:
        """The sum of the scores, by which BluePyOpt's optimisers rank."""
        return scores.total(self.scores)


class EvaluatorProblem(Problem):
    """What is fitted, from an evaluator; its cell is instantiated in this process until :meth:`close`.

    Attributes:
        free: The parameters with their bounds, by BluePyOpt's names.
        scored: The scores of all evaluations so far, as eFEL gives them for the traces of the runs.
    """

    def __init__(self, parts: _Parts, *, robust: Robust, quiet: bool) -> None:
        """Made by :func:`problem`."""
        self._parts = parts
        self.free = parts.free
        self.scored: list[Scored] = []
        mode: Mode = "variable" if parts.cell.is_variable else "forward"
        super().__init__(parts.free, parts.sweeps(robust), mode=mode, every=parts.cell.dt, quiet=quiet)

    def individual(self, x: Mapping[str, float] | ArrayLike) -> list[float]:
        """Values in the order of ``evaluator.param_names``, of values by name or in that order."""
        if isinstance(x, Mapping):
            return [float(x[name]) for name in self.names]
        return [float(value) for value in np.asarray(x, dtype=np.float64)]

    def _evaluate(self, u: Floats) -> Evaluated:
        evaluated = super()._evaluate(u)
        found = self._parts.scores([(seen.t, seen.values) for seen in evaluated.traces])
        self.scored.append(Scored(self.individual(self.outer(u)), found))
        if len(self.scored) == 1:
            self._parts.tell_difference(found)
        return evaluated

    def close(self) -> None:
        """Take away what was put into the model, and destroy the cell."""
        super().close()
        self._parts.close()


@dataclass
class _Parts:
    """An evaluator in gradmod's words."""

    kept: Sequence[Kept]
    cell: Cell
    stimuli: Stimuli
    singles: Sequence[Single]
    free: dict[str, Free]

    def sweeps(self, robust: Robust) -> list[Sweep]:
        targets: dict[str, list[MeanTarget]] = {}
        for one in self.kept:
            for recording, target in one.targets:
                targets.setdefault(recording, []).append(target)
        found: list[Sweep] = []
        for single in self.singles:
            first, *others = ((place.look, targets[place.recording]) for place in single.places)
            found.append(
                Sweep(
                    str(single.protocol.name), first[0], float(single.protocol.total_duration), first[1],
                    before=partial(self.stimuli.turn_on, single.stimuli), robust=robust, others=others,
                )
            )  # fmt: skip
        return found

    def scores(self, traces: Sequence[tuple[Floats, Floats]]) -> dict[str, float]:
        names = [place.recording for single in self.singles for place in single.places]
        responses = {name: {"time": t, "voltage": v} for name, (t, v) in zip(names, traces, strict=True)}
        return scores.of_traces(self.kept, responses)

    def tell_difference(self, here: dict[str, float]) -> None:
        """Warn where the evaluator's own runs are by another step: by how much its scores of this cell differ."""
        steps = {self.cell.own_step(single.protocol) for single in self.singles} - {""}
        if not steps:
            return
        own = "the variable step" if self.cell.is_variable else f"steps of {self.cell.dt:g} ms"
        by = f"this problem runs by {own}, the evaluator by {' and '.join(sorted(steps))}"
        try:
            said = scores.difference(here, self.scores([trace for one in self.singles for trace in self._own_run(one)]))
        except Exception as error:
            said = f"the evaluator's own run of the first individual failed ({type(error).__name__}: {error})"
        warnings.warn(f"{by}: Of the first individual {said}", stacklevel=2)

    def _own_run(self, single: Single) -> list[tuple[Floats, Floats]]:
        names = {place.recording for place in single.places}
        recordings = [one for one in single.protocol.recordings if one.name in names]
        self.stimuli.turn_on(single.stimuli)
        try:
            for recording in recordings:
                recording.instantiate(sim=self.cell.sim, icell=self.cell.model.icell)
            self.cell.run_as_evaluator(single.protocol)
            found = {one.name: one.response for one in recordings}
        finally:
            for recording in recordings:
                recording.destroy(sim=self.cell.sim)
        return [
            (np.array(found[place.recording]["time"]), np.array(found[place.recording]["voltage"]))
            for place in single.places
        ]

    def close(self) -> None:
        self.stimuli.close()
        self.cell.close()


def problem(
    evaluator: Any,
    individual: Individual | None = None,
    *,
    dt: float | None = None,
    variable_step: bool = False,
    leave_out: Sequence[str] = (),
    robust: Robust = Robust.SOFT_L1,
    quiet: bool = True,
) -> EvaluatorProblem:
    """What an evaluator asks for, as a problem of :mod:`gradmod.fit`: its names are ``evaluator.param_names``.

    The cell is instantiated in this process, whether the evaluator isolates its protocols or not; the evaluator can
    be used again when the problem is closed.

    Args:
        evaluator: A ``CellEvaluator`` of ``bluepyopt.ephys``, with ``NrnSimulator``.
        individual: Where the cell begins; the middle of the bounds by default.
        dt: The step in ms; by default the evaluator's own, and 0.025 where that is variable. If it is another one, the
            first evaluation warns, and says how far the scores are apart.
        variable_step: Run by the variable step, as evaluators do unless told otherwise, with ``h.cvode.atol()`` as it
            is: see :class:`gradmod.VariableStep`. Then ``dt`` is the time between two samples of a trace.
        leave_out: Names of objectives, or of their features, that are left out.
        robust: What replaces the squares of residuals. By default about twice their size, so that the cost is about the
            sum of the scores.
        quiet: As for :class:`gradmod.Simulation`.

    Raises:
        Refused: Something has no counterpart here, or no derivative; the message names it, and a way out.
        Error: BluePyOpt is not installed, or a name or a value is wrong.
    """
    ephys("evaluators")
    kept_ones = kept(evaluator, leave_out)
    singles = protocols.flat(evaluator.fitness_protocols.values())
    cell = Cell(evaluator, named(evaluator, individual), dt, is_variable=variable_step)
    try:
        wanted = frozenset(recording for one in kept_ones for recording, _ in one.targets)
        found = [one for protocol in singles if (one := protocols.single(protocol, wanted, cell)) is not None]
        protocols.check_names(wanted, found)
        stimuli = Stimuli([stimulus for one in found for stimulus in one.stimuli], cell)
    except BaseException:
        cell.close()
        raise
    try:
        free = free_parameters(list(evaluator.param_names), cell, stimuli.clamps)
        return EvaluatorProblem(_Parts(kept_ones, cell, stimuli, found, free), robust=robust, quiet=quiet)
    except BaseException:
        stimuli.close()
        cell.close()
        raise


@dataclass(frozen=True)
class Polished:
    """What came of an individual.

    Attributes:
        individual: That with the lowest sum of scores by the problem's own runs, in the order of
            ``evaluator.param_names``.
        scored: The scores of all evaluations by the problem's own runs, in their order.
        fit: What the optimiser came to, with what the features tell of the parameters.
        before, after: The evaluator's own scores, by its own runs, of the individual given and of ``individual``; None
            if they were not asked for.
    """

    individual: list[float]
    scored: list[Scored]
    fit: Fit = field(repr=False)
    before: dict[str, float] | None
    after: dict[str, float] | None

    def __str__(self) -> str:
        first, best = self.scored[0].total, min(one.total for one in self.scored)
        lines = [f"scores: {first:.4g} -> {best:.4g} in {len(self.scored)} evaluations"]
        if self.before is not None and self.after is not None:
            lines += [f"by the evaluator's own runs: {scores.total(self.before):.4g} -> {scores.total(self.after):.4g}"]
            lines += [f"  {name}: {self.before[name]:.4g} -> {score:.4g}" for name, score in self.after.items()]
        names = list(self.fit.x)
        lines += [f"  {name} = {value:.6g}" for name, value in zip(names, self.individual, strict=True)]
        return "\n".join(lines)


def polish(
    evaluator: Any,
    individual: Individual,
    *,
    runs: int = 30,
    scouts: int = 0,
    seed: int = 0,
    dt: float | None = None,
    variable_step: bool = False,
    leave_out: Sequence[str] = (),
    robust: Robust = Robust.SOFT_L1,
    own_scores: bool = True,
    quiet: bool = True,
    **options: Any,
) -> Polished:
    """Lower the scores of an individual by :func:`gradmod.fit.least_squares`.

    Args:
        evaluator: As for :func:`problem`.
        individual: Values in the order of ``evaluator.param_names``, or by these names.
        runs: How often all protocols may be run.
        scouts: How many of these runs go to random individuals first; the fit begins with the best of them and of
            ``individual``. For individuals that hardly fire: their gradients say little of those that do.
        seed: Of the random individuals.
        dt, variable_step: As for :func:`problem`.
        leave_out: As for :func:`problem`.
        robust: As for :func:`problem`.
        own_scores: Let the evaluator score the individual before and after, by runs of its own.
        quiet: As for :func:`problem`.
        options: Of :func:`gradmod.fit.least_squares`.

    Raises:
        Refused, Error: As :func:`problem`; or the individual is out of its bounds, or no run is left after the scouts.
    """
    if scouts and not 0 < scouts < runs - 1:
        raise Error(f"there are {scouts} scouts and {runs} runs: give 2 more runs at least")
    start = named(evaluator, individual)
    before = scores.own(evaluator, start) if own_scores else None
    with problem(
        evaluator, start, dt=dt, variable_step=variable_step, leave_out=leave_out, robust=robust, quiet=quiet
    ) as made:
        if scouts:
            for one in (start, *random_starts(made.free, scouts, seed)):
                made.evaluate(made.begin(one))
            start = named(evaluator, min(made.scored, key=lambda one: one.total).individual)
        fit = least_squares(made, start, runs=runs - len(made.scored), **options)
        best = min(made.scored, key=lambda one: one.total)
    after = scores.own(evaluator, dict(zip(start, best.individual, strict=True))) if own_scores else None
    chosen = [None if found is None else {name: found[name] for name in best.scores} for found in (before, after)]
    return Polished(best.individual, made.scored, fit, *chosen)
