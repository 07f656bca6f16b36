"""What came out of inferior_olive.py: a table on the screen, and a picture."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

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


@dataclass(frozen=True)
class Method:
    """One way of finding the parameters."""

    file: str
    title: str
    colour: str
    #: What its runs compute, which is what they cost: "gradient" of the loss, "plain", or "Jacobian".
    kind: str


METHODS = (
    Method("adam", "Adam", "tab:red", "gradient"),
    Method("adam_fast", "Adam, 0.05", "tab:orange", "gradient"),
    Method("cmaes", "CMA-ES", "tab:blue", "plain"),
    Method("cmaes_wide", "CMA-ES, 0.4", "tab:cyan", "plain"),
    Method("least_squares", "least squares", "tab:green", "Jacobian"),
)
#: By method: by seed: [run, (loss, seconds, parameters ...)].
Found: TypeAlias = "dict[Method, list[Floats]]"
LEVELS = (0.5, 0.1, 0.02, 0.01, 0.001)


def read(out: Path) -> Found:
    return {
        method: [np.loadtxt(file, delimiter=",", ndmin=2) for file in sorted(out.glob(f"{method.file}[0-9].csv"))]
        for method in METHODS
    }


def best(rows: Floats) -> Floats:
    """The parameters with the smallest loss."""
    return rows[np.argmin(rows[:, 0]), 2 : 2 + len(olive.PARAMETERS)]


def main(problem: Problem, out: Path) -> None:
    """Report and draw; costs are in plain runs, each a simulated cell-second, by the fastest run of each method."""
    found = read(out)
    costs: dict[Method, float] = {}
    taken = {
        kind: np.concatenate([rows[:, 1] for m, each in found.items() if m.kind == kind for rows in each])
        for kind in ("plain", "gradient", "Jacobian")
    }
    for quantile, name in ((0.5, "median"), (0.0, "fastest")):
        seconds = {kind: float(np.quantile(each, quantile)) for kind, each in taken.items()}
        costs = {method: seconds[method.kind] / seconds["plain"] for method in METHODS}
        print(f"{name} plain run: {seconds['plain']:.2f} s; in plain runs, ", end="")
        print(", ".join(f"a {kind} costs {seconds[kind] / seconds['plain']:.2f}" for kind in ("gradient", "Jacobian")))
    levels = "".join(f"{f'-{100 * (1 - level):g} %':>9}" for level in LEVELS)
    print(f"seed{'':16} runs   cost      s  first loss       last       best      less{levels}")
    for seed in range(max(map(len, found.values()))):
        for method, each in found.items():
            if seed < len(each):
                print(f"{seed:4} {method.title:14}", _line(each[seed], costs[method], found[METHODS[0]][seed][0, 0]))
    draw(problem, found, costs, out.parent / f"{out.name}.png")


def _line(rows: Floats, cost: float, first: float) -> str:
    """What one search came to, and what it cost to get down to each level."""
    loss = rows[:, 0]
    text = f"{len(rows):6}{len(rows) * cost:7.0f}{rows[:, 1].sum():7.0f}{first:12.2f}{loss[-1]:11.4f}{loss.min():11.4f}"
    text += f"{100 * (1 - loss.min() / first):8.2f} %"
    for level in LEVELS:
        below = np.flatnonzero(loss <= level * first)
        text += f"{(below[0] + 1) * cost:9.0f}" if below.size else f"{'-':>9}"
    return text


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


def draw(problem: Problem, found: Found, costs: dict[Method, float], picture: Path) -> None:
    """Voltages, losses and parameters; below, the gradients of the states at the start."""
    figure = plt.figure(figsize=(10, 6.6), layout="constrained")
    above, below = figure.subfigures(2, 1, height_ratios=(1, 1.05))
    axes = above.subplots(1, 3, width_ratios=(1.2, 1, 1))
    traces(axes[0], problem, found)
    count = np.arange(len(olive.PARAMETERS))
    for offset, (method, each) in zip(np.linspace(-0.3, 0.3, len(found)), found.items(), strict=True):
        for seed, rows in enumerate(each):
            label = None if seed else method.title
            cost = costs[method] * np.arange(1, len(rows) + 1)
            axes[1].loglog(cost, np.minimum.accumulate(rows[:, 0]), color=method.colour, lw=1.1, label=label)
            axes[2].semilogx(best(rows), count + offset, ".", color=method.colour, ms=4, label=label)
    axes[1].set(xlabel="cost in plain runs (cell-seconds)", title="best loss so far (mV$^2$)")
    axes[2].plot(olive.TARGET, count, "k|", ms=11, label="target")
    axes[2].set_yticks(count, olive.PARAMETERS, fontsize=7)
    axes[2].axvline(1, color="0.8", lw=0.8, zorder=0)
    axes[2].set(xlim=(0.01, 300), title="found, in units of the start")
    axes[2].invert_yaxis()
    for axis in axes:
        axis.title.set_fontsize(10)
        axis.legend(frameon=False, fontsize=7)
        axis.spines[["top", "right"]].set_visible(False)
    heat(below, *sensitivities(problem))
    figure.savefig(picture, dpi=100)
    plt.close(figure)
    print(picture)


def traces(axis: Any, problem: Problem, found: Found) -> None:
    every = round(olive.SAMPLED / olive.DT)

    def plot(x: Floats, label: str, **style: Any) -> None:
        axis.plot(problem.voltage(x)[::every], label=label, **style)

    plot(np.ones(len(olive.PARAMETERS)), "start", color="0.8", lw=1)
    plot(olive.TARGET, "target", color="k", lw=2.5, alpha=0.4)
    for method, each in found.items():
        if each:
            plot(best(each[0]), method.title, color=method.colour, lw=1, ls="-" if method.kind == "gradient" else "--")
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
