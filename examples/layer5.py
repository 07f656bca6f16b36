"""Twenty numbers of a layer 5 pyramidal cell found by exact gradients: `python examples/layer5.py [--starts 10]`.

What is compared is what Jaxley's example compares: the mean and the standard deviation of the voltage at the soma, in
two windows. From starts at random between the bounds, steps of gradient descent are made as there: the gradient
(reverse mode) over its norm to the power of 0.9, times the loss, times a rate. Least squares get the same starts, the
same four differences with their Jacobian (forward mode), and as many runs.

`--swc FILE` takes another morphology, such as Jaxley's (see layer5_cell.py). Some minutes. Results are written as the
runs go, to `examples/out/layer5`, a line for each start; stopped, it goes on where it was. Needs optax.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import layer5_cell as layer5
import matplotlib as mpl
import numpy as np
import optax
from gradmod import fit
from layer5_cell import Cell, Floats
from neuron import h

mpl.use("Agg")
import matplotlib.pyplot as plt

OUT = Path(__file__).parent / "out" / "layer5"
#: How often Jaxley's example looks at the loss, and the numbers of its rule.
STEPS, POWER, RATE = 10, 0.9, 0.1
#: That example, as it is published: the loss before each step.
PUBLISHED = (10.0732, 2.3877, 5.3513, 1.0662, 1.3743, 0.9470, 1.1267, 0.9565, 0.8096, 0.8362)
#: What it ends with.
AIM = 0.84

Row = dict[str, Any]


class Statistics(fit.FeatureTarget):
    """The differences of the four statistics from those of the target, over their sizes; it keeps what it has seen.

    Attributes:
        losses: Of each run, Jaxley's: the mean of the absolute differences.
        traces: Of each run.
        times: When each was looked at, in seconds of the processor.
    """

    def __init__(self, target: Floats) -> None:
        """Of the target: [sample] in mV."""
        asked = layer5.asked()
        found = asked.of(np.arange(len(target)) * layer5.DT, target)
        sizes = dict(zip(asked.names, layer5.STATISTICS.values(), strict=True))
        super().__init__(asked, {name: found[name] for name in asked.names}, sizes)
        self.losses: list[float] = []
        self.traces: list[Floats] = []
        self.times: list[float] = []

    def rows(self, t: Floats, v: Floats) -> fit.Rows:
        """One residual for each."""
        rows = super().rows(t, v)
        self.losses.append(float(np.mean(np.abs(rows.values))))
        self.traces.append(v.copy())
        self.times.append(time.process_time())
        return rows


class Loss:
    """Jaxley's loss as one residual: that whose half square it is."""

    def __init__(self, statistics: Statistics) -> None:
        """Of these."""
        self.statistics = statistics

    def rows(self, t: Floats, v: Floats) -> fit.Rows:
        """This one."""
        rows = self.statistics.rows(t, v)
        root = np.sqrt(2.0 * self.statistics.losses[-1])
        slope = np.sign(rows.values) @ rows.slopes / len(rows.values) / root
        return fit.Rows(["loss"], np.array([root]), slope[None])


def rule(count: int) -> optax.GradientTransformationExtraArgs:
    """Jaxley's steps for so many parameters: not only the direction of the gradient counts, but the loss."""

    def update(gradient: Any, state: Any, _: Any = None, *, value: Any, **others: Any) -> tuple[Any, Any]:
        return -RATE * np.sqrt(count) * value * gradient / np.linalg.norm(gradient) ** POWER, state

    return optax.GradientTransformationExtraArgs(lambda _: optax.EmptyState(), update)


def descend(cell: Cell, seen: Statistics, start: dict[str, float], runs: int) -> None:
    """Jaxley's descent."""
    sweep = fit.Sweep("step", cell.place, layer5.DURATION, [Loss(seen)], v_init=layer5.V_INIT)
    with fit.Problem(cell.free(), [sweep], mode="reverse", memory=4096, keep=cell) as problem:
        fit.descend(problem, rule(len(start)), start, runs=runs, progress=False)


def squares(cell: Cell, seen: Statistics, start: dict[str, float], runs: int) -> None:
    """Least squares of the same differences."""
    sweep = fit.Sweep("step", cell.place, layer5.DURATION, [seen], v_init=layer5.V_INIT)
    with fit.Problem(cell.free(), [sweep], keep=cell) as problem:
        fit.least_squares(problem, start, runs=runs, progress=False)


METHODS: dict[str, Callable[[Cell, Statistics, dict[str, float], int], None]] = {
    "gradient descent": descend,
    "least squares": squares,
}


def run(name: str, cell: Cell, target: Floats, seed: int, runs: int) -> Row:
    """One start."""
    seen = Statistics(target)
    METHODS[name](cell, seen, dict(zip(cell.free(), layer5.start(seed).tolist(), strict=True)), runs)
    losses = seen.losses[:runs]  # the best is run again at the end
    return {
        "method": name,
        "seed": seed,
        "losses": losses,
        "spikes": [spikes(trace) for trace in seen.traces[:runs]],
        "CPU, s": float(np.min(np.diff(seen.times[:runs]))),
        "before": seen.traces[0].tolist(),
        "after": seen.traces[int(np.argmin(losses[:STEPS]))].tolist(),
    }


def spikes(v: Floats) -> int:
    """How often a trace rises above 0 mV."""
    return int(np.sum((v[1:] > 0.0) & (v[:-1] <= 0.0)))


def plain(cell: Cell) -> tuple[Floats, float]:
    """[sample] the voltage of the present model, and CPU seconds of a run of NEURON alone: the least of three."""
    trace, seconds = h.Vector().record(cell.place._ref_v), list[float]()
    for _ in range(3):
        begin = time.process_time()
        layer5.simulate()
        seconds.append(time.process_time() - begin)
    return trace.as_numpy().copy(), min(seconds)


def report(rows: list[Row], runs: int) -> None:
    """Say what came out."""
    for name in METHODS:
        own = [row for row in rows if row["method"] == name]
        for row in own:
            print(f"{name}, start {row['seed']}: loss " + " ".join(f"{loss:.3g}" for loss in row["losses"]))
        for count in sorted({STEPS, runs}):
            best = np.array([min(row["losses"][:count]) for row in own])
            there = int(np.sum(best <= AIM))
            print(f"{name}, {count} runs: {there} of {len(own)} starts at most {AIM}; median {np.median(best):.3g}")
        steps = [pair for row in own for pair in _steps(row)]
        worse = [changed for changed, is_worse in steps if is_worse]
        better = [changed for changed, is_worse in steps if not is_worse]
        print(
            f"{name}: the number of spikes is another one after {sum(worse)} of {len(worse)} steps that made it worse, "
            f"and {sum(better)} of the other {len(better)}; CPU time of a step {min(r['CPU, s'] for r in own):.2f} s"
        )


def _steps(row: Row) -> list[tuple[bool, bool]]:
    """Of each run after the first, against the best before it: whether it has other spikes, whether it is worse."""
    found, best = list[tuple[bool, bool]](), 0
    for i in range(1, len(row["losses"])):
        found.append((row["spikes"][i] != row["spikes"][best], row["losses"][i] > row["losses"][best]))
        best = i if row["losses"][i] < row["losses"][best] else best
    return found


def draw(rows: list[Row], target: Floats, file: Path) -> None:
    """Traces of the first start, and losses of all."""
    figure, axes = plt.subplots(2, 2, figsize=(10, 6.2), layout="constrained", sharex="row", sharey="row")
    t = np.arange(len(target)) * layer5.DT
    colors = dict(zip(METHODS, ("tab:red", "tab:blue"), strict=True))
    for (above, below), name in zip(axes.T, METHODS, strict=True):
        own = [row for row in rows if row["method"] == name]
        above.plot(t, own[0]["before"], color="0.7", label=f"start {own[0]['seed']}: loss {own[0]['losses'][0]:.3g}")
        above.plot(t, target, color="k", label="target")
        lowest = min(own[0]["losses"][:STEPS])
        above.plot(t, own[0]["after"], color=colors[name], label=f"best of {STEPS} runs: loss {lowest:.2g}")
        above.set(title=name, xlabel="time (ms)")
        above.legend(frameon=False, fontsize=8, loc="upper right")
        for row in own:
            below.semilogy(np.minimum.accumulate(row["losses"]), color=colors[name], alpha=0.4, lw=1)
        below.semilogy(own[0]["losses"], "o-", color=colors[name], ms=3, label=f"start {own[0]['seed']}, each run")
        below.plot([], [], color=colors[name], alpha=0.4, label="all starts, the best so far")
        below.semilogy(PUBLISHED, "k--", lw=1, label="Jaxley's example as published, each run")
        below.axhline(AIM, color="0.6", lw=0.8, label=f"{AIM}, with which it ends")
        below.set(xlabel="steps before the run")
        below.legend(frameon=False, fontsize=8, loc="lower left")
    axes[0, 0].set(ylabel="voltage at the soma (mV)", ylim=(-90, 85))
    axes[1, 0].set(ylabel="loss (no unit)")
    for axis in axes.flat:
        axis.spines[["top", "right"]].set_visible(False)
    figure.savefig(file, dpi=110)
    plt.close(figure)


def main() -> None:
    """Run what is not there yet, report, draw."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--starts", type=int, default=10)
    arguments.add_argument("--runs", type=int, default=30)
    arguments.add_argument("--swc", type=Path)
    given = arguments.parse_args()
    OUT.mkdir(parents=True, exist_ok=True)
    log = OUT / f"{'own' if given.swc is None else given.swc.stem}_{given.runs}.jsonl"
    lines = log.read_text().split("\n")[:-1] if log.exists() else []  # a line that was cut off has no end
    log.write_text("".join(f"{line}\n" for line in lines))
    rows: list[Row] = [json.loads(line) for line in lines]
    done = {(row["method"], row["seed"]) for row in rows}
    cell = layer5.build(given.swc)
    target, seconds = plain(cell)
    print(
        f"{cell.segments} segments in {len(cell.all)} sections, {len(layer5.truth())} parameters, "
        f"{layer5.DURATION:g} ms, {spikes(target)} spikes; a run of NEURON takes {seconds:.2f} s",
        flush=True,
    )
    for seed in range(given.starts):
        for name in METHODS:
            if (name, seed) not in done:
                rows.append(run(name, cell, target, seed, given.runs))
                with log.open("a") as file:
                    file.write(json.dumps(rows[-1]) + "\n")
                print(f"{name}, start {seed}: {min(rows[-1]['losses']):.3g}", flush=True)
    chosen = sorted((row for row in rows if row["seed"] < given.starts), key=lambda row: row["seed"])
    report(chosen, given.runs)
    draw(chosen, target, log.with_suffix(".png"))


if __name__ == "__main__":
    main()
