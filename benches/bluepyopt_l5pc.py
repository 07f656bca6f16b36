"""BluePyOpt's layer 5 cell: a random individual polished, beside BluePyOpt's own optimiser, by the same fixed step.

    cd BluePyOpt/examples/l5pc                              # of BluePyOpt's repository
    nrnivmodl mechanisms
    python .../benches/bluepyopt_l5pc.py --seed 1 --runs 30 --own 500

Prints one line as JSON for each evaluation: which side, how many evaluations there were, the sum of the scores, the
lowest so far; and seconds of the processor, which are those of all evaluations for what is polished.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from bluepyopt import ephys
from bluepyopt.deapext.optimisations import DEAPOptimisation
from gradmod import bluepyopt


class Line:
    """Says each evaluation of one side."""

    def __init__(self, side: str) -> None:
        self.side, self.count, self.best = side, 0, float("inf")

    def say(self, total: float) -> None:
        self.count, self.best = self.count + 1, min(self.best, total)
        line = {"side": self.side, "evaluations": self.count, "score": round(total, 2), "best": round(self.best, 2)}
        print(json.dumps({**line, "seconds": round(time.process_time(), 1)}), flush=True)


def made(dt: float) -> Any:
    """The example's evaluator, by a fixed step, in this process."""
    sys.path.insert(0, str(Path.cwd()))
    evaluator: Any = __import__("l5pc_evaluator").create()
    evaluator.sim = ephys.simulators.NrnSimulator(dt=dt, cvode_active=False)
    evaluator.sim.initialize()
    evaluator.isolate_protocols = False
    return evaluator


def individual(evaluator: Any, seed: int) -> list[float]:
    """One drawn evenly between the bounds, as BluePyOpt draws its first generation."""
    random = np.random.default_rng(seed)
    return [random.uniform(*evaluator.cell_model.params[name].bounds) for name in evaluator.param_names]


def polish(dt: float, seed: int, runs: int, scouts: int) -> None:
    evaluator, line = made(dt), Line("polished")
    start = individual(evaluator, seed)
    polished = bluepyopt.polish(evaluator, start, runs=runs, scouts=scouts, seed=seed, own_scores=False)
    for scored in polished.scored:
        line.say(scored.total)
    print(polished, file=sys.stderr)


def own(dt: float, seed: int, evaluations: int, offspring: int = 10) -> None:
    evaluator, line = made(dt), Line("own optimiser")

    def evaluate(values: Sequence[float]) -> list[float]:
        scores = [float(score) for score in evaluator.evaluate_with_lists(list(values))]
        line.say(sum(scores))
        return scores

    def all_of(_: object, individuals: Sequence[Sequence[float]]) -> list[list[float]]:
        return [evaluate(values) for values in individuals]

    optimiser = DEAPOptimisation(evaluator=evaluator, offspring_size=offspring, seed=seed, map_function=all_of)
    optimiser.run(max_ngen=evaluations // offspring - 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--runs", type=int, default=30, help="evaluations for polishing")
    parser.add_argument("--scouts", type=int, default=0, help="how many of them are random individuals")
    parser.add_argument("--own", type=int, default=0, help="evaluations for BluePyOpt's own optimiser; none by default")
    parser.add_argument("--dt", type=float, default=0.1, help="the step in ms")
    given = parser.parse_args()
    if given.runs:
        polish(given.dt, given.seed, given.runs, given.scouts)
    if given.own:
        own(given.dt, given.seed, given.own)


if __name__ == "__main__":
    main()
