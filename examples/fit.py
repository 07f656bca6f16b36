"""Three conductances recovered from a voltage trace: SciPy's least squares with our Jacobian, and Adam."""

from __future__ import annotations

from pathlib import Path

import gradmod
import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from cell import Cell
from neuron import h
from numpy.typing import NDArray
from scipy.optimize import least_squares

NAMES = ("gnabar_hh", "gkbar_hh", "gl_hh")
START = np.array([1.25, 0.8, 1.6])  # times the true values
ADAM_STEPS = 400


class Problem:
    """The traces of the cell as a function of three factors."""

    def __init__(self) -> None:
        h.usetable_hh = 0
        self.cell = Cell()
        self.base = {name: [getattr(seg, name) for sec in self.cell.all for seg in sec] for name in NAMES}
        self.target = self.cell.run()
        weight = {name: dict(zip(map(str, self._segments()), values, strict=True)) for name, values in self.base.items()}
        self.grad = gradmod.attach(
            **{name: gradmod.Range(name, self.cell.all, weight=lambda seg, n=name: weight[n][str(seg)]) for name in NAMES}
        )
        self.record = self.grad.record(self.cell.soma(0.5))
        self.losses: list[float] = []

    def _segments(self) -> list[object]:
        return [seg for sec in self.cell.all for seg in sec]

    def residual_and_jacobian(self, factors: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """V - target in mV, [samples], and its derivative by the factors, [samples, 3]."""
        for name, factor in zip(NAMES, factors, strict=True):
            for segment, value in zip(self._segments(), self.base[name], strict=True):
                setattr(segment, name, factor * value)
        residual = self.cell.run() - self.target
        self.losses.append(float(np.mean(residual**2)))
        return residual, np.stack([np.array(self.record[name]) for name in NAMES], axis=1)


def adam(problem: Problem, rate: float = 0.05) -> NDArray[np.float64]:
    factors = START.copy()
    mean, square = np.zeros(3), np.zeros(3)
    for step in range(1, ADAM_STEPS + 1):
        residual, jacobian = problem.residual_and_jacobian(factors)
        slope = 2 * jacobian.T @ residual / len(residual)
        mean = 0.9 * mean + 0.1 * slope
        square = 0.999 * square + 0.001 * slope**2
        step_size = rate * 0.5 * (1 + np.cos(np.pi * step / ADAM_STEPS))
        factors = factors - step_size * (mean / (1 - 0.9**step)) / (np.sqrt(square / (1 - 0.999**step)) + 1e-12)
        if step % 50 == 0:
            print(f"  Adam step {step}: loss {problem.losses[-1]:.3g} mV2", flush=True)
    return factors


def main(out: Path) -> None:
    problem = Problem()
    before = problem.residual_and_jacobian(START)[0] + problem.target
    problem.losses.clear()
    last: dict[bytes, tuple[NDArray[np.float64], NDArray[np.float64]]] = {}

    def at(x: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        key = x.tobytes()
        if key not in last:
            last.clear()
            last[key] = problem.residual_and_jacobian(x)
        return last[key]

    found = least_squares(lambda x: at(x)[0], START, jac=lambda x: at(x)[1], bounds=(0.1, 10), xtol=1e-12)
    squares = problem.losses.copy()
    print(f"least_squares: factors {np.round(found.x, 8)} after {len(squares)} runs (true: 1, 1, 1)")
    problem.losses.clear()
    factors = adam(problem)
    descent = problem.losses.copy()
    print(f"Adam:          factors {np.round(factors, 4)} after {len(descent)} runs")
    fitted = problem.residual_and_jacobian(factors)[0] + problem.target
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.6), layout="constrained")
    left.semilogy(squares, "o-", ms=3, label="least_squares")
    left.semilogy(descent, label="Adam")
    left.set_xlabel("run")
    left.set_ylabel("mean squared deviation (mV²)")
    left.legend(frameon=False)
    time = np.array(problem.record.t)
    right.plot(time, problem.target, "k", lw=3, alpha=0.3, label="target")
    right.plot(time, before, lw=1, label="start")
    right.plot(time, fitted, "--", lw=1, label="Adam")
    right.set_xlabel("t (ms)")
    right.set_ylabel("V soma (mV)")
    right.legend(frameon=False)
    for axis in (left, right):
        axis.spines[["top", "right"]].set_visible(False)
    figure.savefig(out / "fit.png", dpi=110)
    plt.close(figure)
    print(out / "fit.png")
    problem.grad.detach()
