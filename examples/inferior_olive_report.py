"""What came out of inferior_olive.py: a table on the screen, and a picture."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradmod
import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import olive
from olive import Floats

if TYPE_CHECKING:
    from inferior_olive import Problem

#: By region, the states that are drawn.
STATES = {
    "axon": ("x_olk", "h_olna"),
    "soma": ("k_olcal", "l_olcal", "n_olkdr", "h_olna", "x_olk"),
    "dendrites": ("q_olh", "s_olcah", "r_olcah", "ca_olcah"),
}
#: The paper's seven phases, in ms from the peak of the fifth cycle of a cell whose period is 155 ms.
PHASES, PERIOD = np.array([-48.0, -33.0, -15.0, 0.0, 64.0, 109.0, 115.0]), 155.0


def read(out: Path, method: str) -> list[Floats]:
    """By seed: [run, (loss, seconds, parameters ...)]."""
    return [np.loadtxt(file, delimiter=",", ndmin=2) for file in sorted(out.glob(f"{method}*.csv"))]


def reached(rows: Floats, loss: float, each: float = 1.0) -> float:
    """The cost of getting down to a loss, in plain runs; nan if it never did."""
    below = np.flatnonzero(rows[:, 0] <= loss)
    return float((below[0] + 1) * each) if below.size else float("nan")


def main(problem: Problem, out: Path) -> None:
    seconds = json.loads((out / "cost.json").read_text())
    worth = seconds["gradient"] / seconds["plain"]
    adam, search = read(out, "adam"), read(out, "cmaes")
    print(f"a plain run {seconds['plain']:.2f} s, with gradient {seconds['gradient']:.2f} s: {worth:.2f} times")
    print(f"{'':28}{'Adam':>30}{'CMA-ES':>30}")
    for seed, (mine, other) in enumerate(zip(adam, search, strict=False)):
        first, last, best = mine[0, 0], mine[-1, 0], other[:, 0].min()
        print(f"seed {seed}: {'loss':22}{first:10.3f} -> {last:16.5f}{best:30.5f}")
        print(f"{'less':>12}{'':16}{100 * (1 - last / first):28.2f} %{100 * (1 - best / first):28.2f} %")
        print(f"{'runs':>12}{'':16}{len(mine):30}{len(other):30}")
        print(f"{'s':>12}{'':16}{mine[:, 1].sum():30.0f}{other[:, 1].sum():30.0f}")
        for part in (0.5, 0.1, 0.01, 0.001):
            a, b = reached(mine, part * first, worth), reached(other, part * first)
            print(f"{f'cell-seconds to -{100 * (1 - part):g} %':>28}{a:30.0f}{b:30.0f}")
        print(f"{'to the loss of Adam':>28}{reached(mine, last, worth):30.0f}{reached(other, last):30.0f}")
    draw(problem, adam, search, worth, out.parent / f"{out.name}.png")


def sensitivities(problem: Problem) -> tuple[Floats, Floats, Floats]:
    """[time] the seven phases, [sample] V, and [state, parameter, time] the gradients of the states at the start.

    Each gradient is divided by its standard deviation in time.
    """
    cell = problem.cell
    cell.set(np.ones(len(olive.PARAMETERS)))
    gradients = gradmod.attach(**cell.directions())
    dendrites = cell.dendrites
    places = {"axon": cell.axon[0](0.5), "soma": cell.place, "dendrites": dendrites[len(dendrites) // 2](0.5)}
    records = [gradients.record(places[region], state) for region, states in STATES.items() for state in states]
    voltage = problem.voltage(np.ones(len(olive.PARAMETERS)))
    every = round(olive.SAMPLED / olive.DT)
    v = voltage[::every]
    peaks = np.flatnonzero((v[1:-1] > v[:-2]) & (v[1:-1] >= v[2:]) & (v[1:-1] > v.mean())) + 1
    period = float(np.mean(np.diff(peaks[1:])))
    print(f"peaks at {', '.join(map(str, peaks))} ms, period {period:.1f} ms")
    times = np.rint(peaks[4] + PHASES * period / PERIOD).astype(int)
    traces = np.array([record.jacobian()[::every].T for record in records])
    gradients.detach()
    traces /= traces.std(axis=2, keepdims=True)
    return times, v, traces[:, :, times]


def draw(problem: Problem, adam: list[Floats], search: list[Floats], worth: float, picture: Path) -> None:
    figure = plt.figure(figsize=(10, 6.6), layout="constrained")
    above, below = figure.subfigures(2, 1, height_ratios=(1, 1.05))
    axes = above.subplots(1, 3, width_ratios=(1.2, 1, 1))
    count = len(olive.PARAMETERS)
    traces(axes[0], problem, adam[0], search[0])
    for seed, (mine, other) in enumerate(zip(adam, search, strict=False)):
        label = not seed
        runs = worth * np.arange(1, len(mine) + 1)
        axes[1].semilogy(runs, np.minimum.accumulate(mine[:, 0]), "tab:red", lw=1.2, label="Adam" if label else None)
        best = np.minimum.accumulate(other[:, 0])
        axes[1].semilogy(np.arange(1, len(best) + 1), best, "tab:blue", lw=1.2, label="CMA-ES" if label else None)
        shift = 0.2 * (seed - (len(adam) - 1) / 2)
        axes[2].plot(mine[-1, 2 : 2 + count], np.arange(count) + shift, ".", color="tab:red", ms=4)
        found = other[np.argmin(other[:, 0]), 2 : 2 + count]
        axes[2].plot(found, np.arange(count) + shift, ".", color="tab:blue", ms=4)
    axes[1].set(xlabel="simulated cell-seconds (a gradient counts for its cost)", title="best loss so far (mV$^2$)")
    axes[1].xaxis.label.set_fontsize(8)
    axes[2].plot(olive.TARGET, np.arange(count), "k|", ms=11, label="target")
    axes[2].axvline(1, color="0.8", lw=0.8, zorder=0)
    axes[2].set_yticks(np.arange(count), olive.PARAMETERS, fontsize=7)
    axes[2].invert_yaxis()
    axes[2].set(title="found, in units of the start")
    for axis in axes:
        axis.title.set_fontsize(10)
        axis.legend(frameon=False, fontsize=7)
        axis.spines[["top", "right"]].set_visible(False)
    heat(below, *sensitivities(problem))
    figure.savefig(picture, dpi=100)
    plt.close(figure)
    print(picture)


def traces(axis: Any, problem: Problem, mine: Floats, other: Floats) -> None:
    count = len(olive.PARAMETERS)
    rows = (
        ("start", mine[0, 2 : 2 + count], dict(color="0.75", lw=1)),
        ("target", olive.TARGET, dict(color="k", lw=2.5, alpha=0.4)),
        ("Adam", mine[-1, 2 : 2 + count], dict(color="tab:red", lw=1)),
        ("CMA-ES", other[np.argmin(other[:, 0]), 2 : 2 + count], dict(color="tab:blue", lw=1, ls="--")),
    )
    every = round(olive.SAMPLED / olive.DT)
    for label, x, style in rows:
        axis.plot(problem.voltage(x)[::every], label=label, **style)
    axis.set(xlabel="t (ms)", title="V at the soma (mV), first seed")


def heat(figure: Any, times: Floats, v: Floats, maps: Floats) -> None:
    axes = figure.subplots(1, len(times), sharey=True)
    limit = float(np.abs(maps).max())
    names = [f"{region[0]} {state.split('_')[0]}" for region, states in STATES.items() for state in states]
    for axis, i, time in zip(axes, range(len(times)), times, strict=True):
        image = axis.imshow(maps[:, :, i], cmap="RdBu", vmin=-limit, vmax=limit, aspect="auto")
        axis.set_xticks(np.arange(len(olive.PARAMETERS)), olive.PARAMETERS, fontsize=6, rotation=90)
        axis.set_title(f"{time} ms, {v[time]:.0f} mV", fontsize=8)
    axes[0].set_yticks(np.arange(len(names)), names, fontsize=7)
    figure.colorbar(image, ax=axes, fraction=0.02, pad=0.01).ax.tick_params(labelsize=7)
    figure.suptitle("gradients of the states of axon (a), soma (s), dendrite (d) over their deviation", fontsize=10)
