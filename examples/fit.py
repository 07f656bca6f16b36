"""Three conductances recovered from a voltage trace: SciPy's least squares with our Jacobian, and Adam."""

from __future__ import annotations

from pathlib import Path

import gradmod
import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from cell import Cell
from numpy.typing import NDArray
from scipy.optimize import least_squares

Floats = NDArray[np.float64]

START = np.log([1.3, 0.75, 1.6])  # logarithms of the factors by which the conductances are wrong
ADAM_STEPS = 250


class Problem:
    """The voltage of the cell as a function of the logarithms of three factors."""

    def __init__(self, channels: str) -> None:
        self.cell = Cell(channels)
        self.names = self.cell.conductances
        self.base = {name: [getattr(seg, name) for seg in self.cell.segments] for name in self.names}
        self.target = self.cell.run()
        # d/d(log factor) of a conductance g is g d/dg: the weight is the conductance itself, read before every run.
        self.grad = gradmod.attach(
            **{
                name: gradmod.Range(name, self.cell.all, weight=lambda seg, n=name: getattr(seg, n))
                for name in self.names
            }
        )
        self.record = self.grad.record(self.cell.soma(0.5))
        self.losses: list[float] = []

    def residual_and_jacobian(self, logs: Floats) -> tuple[Floats, Floats]:
        """(V - target) over the target's standard deviation, [samples], and its derivatives, [samples, 3]."""
        for name, log in zip(self.names, logs, strict=True):
            for segment, value in zip(self.cell.segments, self.base[name], strict=True):
                setattr(segment, name, np.exp(log) * value)
        scale = np.std(self.target) * np.sqrt(len(self.target))
        residual = (self.cell.run() - self.target) / scale
        self.losses.append(float(residual @ residual))
        return residual, self.record.jacobian() / scale

    def voltage(self, logs: Floats) -> Floats:
        """V at the soma in mV."""
        scale = np.std(self.target) * np.sqrt(len(self.target))
        return self.residual_and_jacobian(logs)[0] * scale + self.target


def by_least_squares(problem: Problem) -> Floats:
    last: dict[bytes, tuple[Floats, Floats]] = {}

    def at(logs: Floats) -> tuple[Floats, Floats]:
        key = logs.tobytes()
        if key not in last:
            last.clear()
            last[key] = problem.residual_and_jacobian(logs)
        return last[key]

    found = least_squares(lambda x: at(x)[0], START, jac=lambda x: at(x)[1], bounds=(-3, 3), xtol=1e-12)
    return found.x


def by_adam(problem: Problem, largest: float = 0.02, smallest: float = 2e-5) -> Floats:
    """Adam on the mean squared deviation; the rate falls from the largest to the smallest.

    It walks in coordinates in which J^T J at the start is the identity: in the conductances themselves the
    loss is a valley some hundred times longer than wide, in which Adam would take thousands of steps.
    """
    _, jacobian = problem.residual_and_jacobian(START)
    _, sizes, axes = np.linalg.svd(jacobian, full_matrices=False)
    to_logs = axes.T / sizes
    place, mean, square = np.zeros(3), np.zeros(3), np.zeros(3)
    for step in range(1, ADAM_STEPS + 1):
        residual, jacobian = problem.residual_and_jacobian(START + to_logs @ place)
        slope = 2 * to_logs.T @ (jacobian.T @ residual)
        mean = 0.9 * mean + 0.1 * slope
        square = 0.99 * square + 0.01 * slope**2
        rate = largest * (smallest / largest) ** (step / ADAM_STEPS)
        place = place - rate * (mean / (1 - 0.9**step)) / (np.sqrt(square / (1 - 0.99**step)) + 1e-15)
        if step % 50 == 0 or step == 1:
            factors = ", ".join(f"{factor:.5f}" for factor in np.exp(START + to_logs @ place))
            print(f"  Adam step {step:3}: loss {problem.losses[-1]:8.2e}, factors {factors}", flush=True)
    return START + to_logs @ place


def main(out: Path, channels: str) -> None:
    problem = Problem(channels)
    before = problem.voltage(START)
    print(f"  {', '.join(problem.names)}: factors {np.exp(START).round(2)} at the start, 1 is true")
    problem.losses.clear()
    found = by_least_squares(problem)
    squares = problem.losses.copy()
    print(f"  least_squares: factors {np.exp(found).round(8)} after {len(squares)} runs")
    problem.losses.clear()
    logs = by_adam(problem)
    descent = problem.losses.copy()
    print(f"  Adam:          factors {np.exp(logs).round(6)} after {len(descent)} runs")
    _draw(out / "fit.png", problem, (before, problem.voltage(found), problem.voltage(logs)), (squares, descent))
    problem.grad.detach()


def _draw(
    path: Path, problem: Problem, traces: tuple[Floats, Floats, Floats], losses: tuple[list[float], list[float]]
) -> None:
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.6), layout="constrained")
    left.semilogy(losses[0], "o-", ms=3, label="least_squares")
    left.semilogy(losses[1], label="Adam")
    left.set_xlabel("run")
    left.set_ylabel("mean squared deviation / variance")
    left.legend(frameon=False)
    time = problem.record.t
    right.plot(time, problem.target, "k", lw=3, alpha=0.3, label="target")
    right.plot(time, traces[0], color="tab:red", lw=1, label="start")
    right.plot(time, traces[1], color="tab:blue", lw=1, label="least_squares")
    right.plot(time, traces[2], "--", color="tab:orange", lw=1, label="Adam")
    right.set_xlabel("t (ms)")
    right.set_ylabel("V soma (mV)")
    right.legend(frameon=False, fontsize=8)
    for axis in (left, right):
        axis.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=110)
    plt.close(figure)
    print(f"  {path}")
