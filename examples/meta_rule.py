"""A local rule of plasticity, learned by the gradient of what it does: `python examples/meta_rule.py`.

The gain of a noisy drive follows a rule with two numbers: `level' = integral (target - sense)`,
`gain = level + proportional (target - sense)`, where `sense` is the cell's own leaky average of how often it is above
0 mV. The loss is the mean of (sense - target)^2/2 over 20 s and eight cells, each with frozen noise of its own. Its
gradient in both numbers is exact, through every spike and every change of the gain; Adam goes by it. Then the rule is
tried with other noise, and in cells that are disturbed.

A gradient through noise and spikes is now and then very large: a cell's part counts at most 1.
"""

from __future__ import annotations

import argparse
import csv
import sys
from pathlib import Path
from typing import Any

import gradmod
import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import squid
from neuron import h

OUT = Path(__file__).parent / "out"
CELLS, SECONDS, TARGET, RATE = 8, 20.0, 4.0, 0.3
RULE = ("integral", "proportional")


class Cells:
    """Eight cells with one rule."""

    def __init__(self) -> None:
        self.sections = []
        for number in range(CELLS):
            section = h.Section(name=f"learner{number}")
            section.L, section.diam, section.cm = 10, 2, 1
            section.insert("squid")
            section.insert("learner")
            self.sections.append(section)
        self.sense = [h.Vector().record(section(0.5)._ref_sense_learner) for section in self.sections]

    def set(self, rule: Any) -> None:
        for section in self.sections:
            for name, value in zip(RULE, rule, strict=True):
                setattr(section(0.5).learner, name, value)

    def run(self, seed: int) -> Any:
        """[cell, sample] what the cells sense."""
        for number, section in enumerate(self.sections):
            section(0.5).learner.xi.set_ids(seed + number, 9, 1).set_seq(0)
        context = h.ParallelContext()
        context.set_maxstep(10)
        h.finitialize(-53)
        context.psolve(SECONDS * 1000)
        return np.array([vector.as_numpy() for vector in self.sense])

    def disturb(self, what: str, sign: int) -> None:
        for section in self.sections:
            place = section(0.5)
            if what == "E_K + 5 mV":
                place.squid.ek += 5 * sign
            elif what == "g_L x 2":
                place.squid.gl *= 2.0**sign
            elif what == "drive x 1.5":
                place.learner.sigma *= 1.5 ** (0.25 * sign)


def loss(sense: Any) -> float:
    return float(np.mean((sense - TARGET) ** 2) / 2)


def learn(cells: Cells, iterations: int) -> tuple[Any, Any]:
    """The first and the best rule; Adam on the logarithms."""
    rule = np.array([getattr(cells.sections[0](0.5).learner, name) for name in RULE])
    first, best = rule.copy(), (np.inf, rule.copy())
    # A weight that is the value itself: the derivative in its logarithm.
    grad = gradmod.attach(
        **{
            name: gradmod.Range(
                f"{name}_learner", cells.sections, weight=lambda segment, name=name: getattr(segment.learner, name)
            )
            for name in RULE
        }
    )
    records = [grad.record(section(0.5), "sense_learner") for section in cells.sections]
    mean, square = np.zeros(2), np.zeros(2)
    with (OUT / "meta_rule.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("iteration", "loss", *RULE))
        for iteration in range(1, iterations + 1):
            cells.set(rule)
            sense = cells.run(0)
            now = loss(sense)
            if now < best[0]:
                best = now, rule.copy()
            writer.writerow((iteration, f"{now:.5f}", *(f"{value:.4g}" for value in rule)))
            file.flush()
            print(f"\r{iteration} of {iterations}: loss {now:.3f}, rule {rule}", end="", file=sys.stderr, flush=True)
            slope = np.zeros(2)
            for trace, record in zip(sense, records, strict=True):
                own = (trace - TARGET) @ record.jacobian() / len(trace)
                slope += own / max(1.0, float(np.linalg.norm(own))) / CELLS
            mean, square = 0.8 * mean + 0.2 * slope, 0.95 * square + 0.05 * slope**2
            step = mean / (1 - 0.8**iteration) / (np.sqrt(square / (1 - 0.95**iteration)) + 1e-8)
            rule = rule * np.exp(-RATE * step)
    print(file=sys.stderr)
    grad.detach()
    return first, best[1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--iterations", type=int, default=20)
    parser.add_argument("--dt", type=float, default=0.05, help="ms")
    arguments = parser.parse_args()
    OUT.mkdir(exist_ok=True)
    squid.load(OUT)
    h.dt = arguments.dt
    cells = Cells()
    first, learned = learn(cells, arguments.iterations)
    figure, axes = plt.subplots(1, 3, figsize=(10, 3), layout="constrained")
    rows = np.loadtxt(OUT / "meta_rule.csv", delimiter=",", skiprows=1)
    axes[0].plot(rows[:, 0], rows[:, 1], color="0.2")
    axes[0].set_xlabel("iteration")
    axes[0].set_ylabel("loss")
    print(f"first rule {first}, learned {learned}; losses:")
    for what, seed in (("noise it learned with", 0), ("other noise", 1000), *((d, 2000) for d in DISTURBANCES)):
        cells.disturb(what, 1)
        found = []
        for rule, axis in zip((first, learned), axes[1:], strict=True):
            cells.set(rule)
            sense = cells.run(seed)
            found.append(loss(sense))
            if what == "other noise":
                times = np.arange(sense.shape[1]) * h.dt / 1000
                for trace in sense:
                    axis.plot(times[::200], trace[::200], lw=0.7)
        cells.disturb(what, -1)
        print(f"  {what:22} {found[0]:.3f} -> {found[1]:.3f} ({100 * (found[1] / found[0] - 1):+.0f} %)")
    for axis, title in zip(axes[1:], ("other noise, first rule", "other noise, learned rule"), strict=True):
        axis.axhline(TARGET, color="0.2", lw=0.8, ls="--")
        axis.set_ylim(0, 10)
        axis.set_title(title, fontsize=10)
        axis.set_xlabel("t (s)")
    axes[1].set_ylabel("sense (about Hz)")
    for axis in axes:
        axis.spines[["top", "right"]].set_visible(False)
    figure.savefig(OUT / "meta_rule.png", dpi=90)
    plt.close(figure)


DISTURBANCES = ("E_K + 5 mV", "g_L x 2", "drive x 1.5")

if __name__ == "__main__":
    main()
