"""Twelve conductances of an inferior-olive cell tuned to a voltage: `python examples/inferior_olive.py [--seeds 3]`.

Experiment B of "Gradient Diffusion": the cell oscillates by itself; from its voltage at the soma in one second, Adam
finds its way from one set of conductances towards another, by the exact gradient in reverse mode. CMA-ES gets the same
starts and the same cost; least squares, with the exact Jacobian in forward mode, a few runs. Shorter searches by Adam
and CMA-ES have larger steps than the paper's. `--swc FILE` takes another morphology.

Results are written as the runs go, to `examples/out/inferior_olive`, a line for each run. It can be stopped, and goes
on where it was when started again (least squares from their start). `--plot` reports and draws what is there.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import cma
import gradmod
import numpy as np
import olive
from gradmod import finite
from gradmod.finite import Comparison
from gradmod.objective import ValueAndGrad
from neuron import h
from olive import Floats
from scipy import optimize

OUT = Path(__file__).parent / "out"
DECAY_MEAN, DECAY_SQUARE, TINY = 0.9, 0.999, 1e-8  # Adam's
RATE, POPULATION, SIGMA = 1e-2, 20, 0.1  # Adam's and those of CMA-ES, as in the paper
#: The same where they take larger steps, and how many iterations Adam has then.
FAST, WIDE, SHORT = 5e-2, 0.4, 60
SQUARES = 25  # runs of least squares
SPREAD = 0.05  # of the starts of all seeds but the first


def start(seed: int) -> Floats:
    """[parameter] in units of the paper's start, which is that of seed 0."""
    spread = np.random.default_rng(seed).normal(0.0, SPREAD, len(olive.PARAMETERS))
    return np.ones(len(olive.PARAMETERS)) + (spread if seed else 0.0)


class Log:
    """A file with a line for each run: loss, seconds, parameters, and the gradient if there is one."""

    def __init__(self, file: Path) -> None:
        """Read what is there."""
        self.name = file.stem
        self.rows: list[list[float]] = []
        if file.exists():
            lines = file.read_text().split("\n")
            # A line that was cut off has no end.
            self.rows = [[float(value) for value in line.split(",")] for line in lines[:-1]]
            file.write_text("".join(f"{line}\n" for line in lines[:-1]))
        self._file = file.open("a", newline="")
        self._writer = csv.writer(self._file, lineterminator="\n")

    def add(self, loss: float, seconds: float, *vectors: Floats) -> None:
        row = [loss, seconds, *(float(value) for vector in vectors for value in vector)]
        self.rows.append(row)
        self._writer.writerow(repr(value) for value in row)
        self._file.flush()
        best = min(row[0] for row in self.rows)
        print(f"\r{self.name} {len(self.rows):5}: loss {loss:10.4f}, best {best:10.4f}", end="", file=sys.stderr)


class Problem:
    """The cell, its target, and the loss."""

    def __init__(self, swc: Path | None, duration: float = olive.DURATION) -> None:
        self.cell = olive.build(swc)
        self.duration = duration
        self._voltage = h.Vector().record(self.cell.place._ref_v)
        self.target = self.voltage(olive.TARGET)
        self.loss = olive.HalfSquaredError(self.target)

    def voltage(self, x: Floats) -> Floats:
        """[sample] in mV, at every time step."""
        self.cell.set(x)
        olive.solve(self.duration)
        return np.array(self._voltage)

    def plain(self, x: Floats) -> float:
        """The loss alone."""
        value = self.loss.value(self.voltage(x))
        return value if np.isfinite(value) else 1e6

    def with_gradient(self) -> ValueAndGrad:
        where = self.cell.directions(), [self.cell.place], self.duration
        return gradmod.value_and_grad(self.loss, *where, simulate=self._solve, mode="reverse")

    def with_jacobian(self) -> gradmod.Residuals:
        where = self.cell.directions(), [self.cell.place], self.duration
        simulation = gradmod.Simulation(*where, simulate=self._solve, mode="forward")
        every = round(olive.SAMPLED / olive.DT)
        times = np.arange(0, len(self.target), every) * olive.DT
        return gradmod.Residuals(self.target[::every], times, olive.DT, simulation)

    def _solve(self) -> None:
        olive.solve(self.duration)


def check(problem: Problem, x: Floats, steps: tuple[float, ...] = (1e-2, 1e-3, 1e-4, 1e-5)) -> dict[str, Comparison]:
    """The gradient of the loss beside finite differences, by parameter."""
    function = problem.with_gradient()
    _, gradient = function(x)
    function.close()
    found: dict[str, Comparison] = {}
    for i, name in enumerate(olive.PARAMETERS):
        moved = x.copy()

        def run(moved: Floats = moved) -> dict[str, float]:
            return {"loss": problem.plain(moved)}

        difference = finite.differentiate(run, partial(moved.__setitem__, i), x[i], steps=steps)
        found[name] = finite.compare({"loss": gradient[i]}, difference)
    return found


def adam(
    function: Callable[[Floats], tuple[float, Floats]], x: Floats, iterations: int, log: Log, rate: float = RATE
) -> None:
    """Adam; what it remembers is made again of the gradients in the log."""
    mean, square = np.zeros(len(x)), np.zeros(len(x))
    for step in range(1, iterations + 2):
        if step > len(log.rows):
            begun = time.perf_counter()
            loss, gradient = function(x)
            log.add(loss, time.perf_counter() - begun, x, gradient)
        gradient = np.array(log.rows[step - 1][-len(x) :])
        mean = DECAY_MEAN * mean + (1 - DECAY_MEAN) * gradient
        square = DECAY_SQUARE * square + (1 - DECAY_SQUARE) * gradient**2
        root = np.sqrt(square / (1 - DECAY_SQUARE**step))
        x = x - rate * mean / (1 - DECAY_MEAN**step) / (root + TINY)


def evolve(
    function: Callable[[Floats], float], x: Floats, seed: int, runs: int, log: Log, sigma: float = SIGMA
) -> None:
    """CMA-ES, for so many runs; with the same seed and the losses in the log it goes the same way again."""
    search = cma.CMAEvolutionStrategy(x, sigma, {"popsize": POPULATION, "seed": seed + 1, "verbose": -9})
    done = 0
    while done < runs:
        candidates = search.ask()
        for candidate in candidates:
            if done == len(log.rows):
                begun = time.perf_counter()
                loss = function(candidate)
                log.add(loss, time.perf_counter() - begun, candidate)
            done += 1
        search.tell(candidates, [row[0] for row in log.rows[done - POPULATION : done]])


def least_squares(residuals: gradmod.Residuals, x: Floats, log: Log) -> None:
    """Gauss and Newton with a trusted region, and no negative conductance."""

    def function(x: Floats) -> Floats:
        begun = time.perf_counter()
        rest = residuals(x)
        residuals.jac(x)  # the gradients ran along
        log.add(float(np.mean(rest**2)) / 2, time.perf_counter() - begun, x)
        return rest

    optimize.least_squares(function, x, residuals.jac, (0, np.inf), max_nfev=SQUARES, ftol=None, xtol=None, gtol=1e-15)


def worth(problem: Problem, file: Path, repeats: int = 8) -> float:
    """How many plain runs one with the gradient of the loss costs: the fastest of each, measured once."""
    if not file.exists():
        x = np.ones(len(olive.PARAMETERS))

        def fastest(function: Callable[[Floats], object]) -> float:
            seconds = []
            for _ in range(repeats):
                begun = time.perf_counter()
                function(x)
                seconds.append(time.perf_counter() - begun)
            return min(seconds)

        before = fastest(problem.plain)
        function = problem.with_gradient()
        function(x)  # compiles what is not in the cache
        gradient = fastest(function)
        function.close()
        file.write_text(json.dumps({"plain": min(before, fastest(problem.plain)), "gradient": gradient}))
    seconds = json.loads(file.read_text())
    return seconds["gradient"] / seconds["plain"]


def tune(problem: Problem, out: Path, seeds: int, iterations: int) -> None:
    cost = worth(problem, out / "cost.json")

    def runs_of(iterations: int) -> int:
        return POPULATION * round(cost * (iterations + 1) / POPULATION)

    for seed in range(seeds):
        function = problem.with_gradient()
        adam(function, start(seed), iterations, Log(out / f"adam{seed}.csv"))
        print(file=sys.stderr)
        adam(function, start(seed), SHORT, Log(out / f"adam_fast{seed}.csv"), FAST)
        function.close()
        print(file=sys.stderr)
        evolve(problem.plain, start(seed), seed, runs_of(iterations), Log(out / f"cmaes{seed}.csv"))
        print(file=sys.stderr)
        evolve(problem.plain, start(seed), seed, runs_of(SHORT), Log(out / f"cmaes_wide{seed}.csv"), WIDE)
        print(file=sys.stderr)
        squares = out / f"least_squares{seed}.csv"
        if not squares.exists():
            part = squares.with_suffix(".part")
            part.unlink(missing_ok=True)
            residuals = problem.with_jacobian()
            least_squares(residuals, start(seed), Log(part))
            residuals.simulation.close()
            part.rename(squares)
            print(file=sys.stderr)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--iterations", type=int, default=300)
    parser.add_argument("--swc", type=Path, help="a morphology")
    parser.add_argument("--check", action="store_true", help="only compare the gradient with finite differences")
    parser.add_argument("--plot", action="store_true", help="only report and draw what is there")
    arguments = parser.parse_args()
    out = OUT / ("inferior_olive" if arguments.swc is None else f"inferior_olive_{arguments.swc.stem}")
    out.mkdir(parents=True, exist_ok=True)
    olive.load(OUT)
    problem = Problem(arguments.swc)
    if arguments.check:
        for name, found in check(problem, start(0)).items():
            print(f"{name:8} {found}", flush=True)
        return
    if not arguments.plot:
        tune(problem, out, arguments.seeds, arguments.iterations)
    import inferior_olive_report

    inferior_olive_report.main(problem, out)


if __name__ == "__main__":
    main()
