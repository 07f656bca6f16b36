"""Cells that keep their own firing rate: `python examples/homeostasis.py [--seconds 2000]`.

One compartment each, of squid axon, driven by noise; sodium, potassium and the drive's gain regulate themselves, by the
exact gradient of the run, so that the phase of m and h goes round as often as a target says. Three seeds and five
targets; with other rates of change; with gradients clipped as in the paper; and three cells left alone. All cells run
together, in one process. The gain is bounded where gradients are not: a cell that once lost all of it would stay
silent, and without a gradient, for ever.

Results are written as the run goes: `examples/out/homeostasis.csv`, a line for each cell and ten seconds. It can be
stopped, and continued with `--continue`, bit for bit. `--plot` draws what is there.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradmod
import long_run
import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import squid
from long_run import CHUNK, OUT
from neuron import h

TARGETS = (1.0, 2.0, 3.0, 4.0, 5.0)  # Hz
ALPHA, LEAK = 1e-7, 1e-4  # 1/ms
#: With gradients clipped at 1.
ALPHA_CLIPPED = 3e-5
FIELDS = ("kind", "target", "seed", "t", "f", "spikes", *squid.TUNED)


@dataclass(frozen=True)
class Plan:
    """One cell."""

    kind: str
    target: float
    seed: int
    alpha: float


def plans() -> list[Plan]:
    """Those that go by exact gradients; then those by clipped ones."""
    made = [Plan("exact", target, seed, ALPHA) for target in TARGETS for seed in range(3)]
    made += [Plan("free", 0.0, seed, 0.0) for seed in range(3)]
    made += [Plan(f"exact, {factor:g} times alpha", 4.0, 0, factor * ALPHA) for factor in (0.3, 3.0)]
    return made + [Plan("clipped", target, 0, ALPHA_CLIPPED) for target in TARGETS]


def regulate(sections: list[Any], chosen: list[Plan], clip: float | None) -> gradmod.Homeostat:
    return gradmod.Homeostat(
        gradmod.Frequency("m_squid", "h_squid", tau=10_000),
        [section(0.5) for section in sections],
        target=[plan.target for plan in chosen],
        alpha=[plan.alpha for plan in chosen],
        leak=LEAK,
        clip=clip,
        bounds={} if clip else squid.BOUNDS,
        **squid.directions(sections),
    )


def run(seconds: float, dt: float, *, go_on: bool) -> None:
    squid.load(OUT)
    chosen = plans()
    sections = squid.cells(len(chosen), "squid")
    h.dt = dt
    exact = [plan for plan in chosen if plan.kind != "clipped"]
    homeostats = [
        regulate(sections[: len(exact)], exact, None),
        regulate(sections[len(exact) :], chosen[len(exact) :], 1.0),
    ]
    controllers = [controller for homeostat in homeostats for controller in homeostat.controllers]
    histories = [controller.record(100.0) for controller in controllers]
    counters = [squid.Counter(section) for section in sections]
    squid.freeze(sections, [plan.seed for plan in chosen])

    def rows(t: float) -> Iterator[tuple[Any, ...]]:
        for plan, controller, history, counter in zip(chosen, controllers, histories, counters, strict=True):
            f = float(np.mean(history.measure[-round(CHUNK * 10) :]))
            row = (plan.kind, plan.target, plan.seed, t, f"{f:.4f}", counter.new())
            yield (*row, *(f"{value:.5g}" for value in controller.theta.values()))

    long_run.run("homeostasis", FIELDS, rows, homeostats, seconds, go_on=go_on)


def cost(dt: float) -> None:
    squid.load(OUT)
    h.dt = dt
    for count in (1, 10):
        sections = squid.cells(count, f"cost{count}_")
        plans = [Plan("exact", 3.0, 0, ALPHA)] * count
        long_run.cost(
            f"{count} cells",
            lambda sections=sections: squid.freeze(sections, list(range(len(sections)))),
            lambda sections=sections, plans=plans: regulate(sections, plans, None),
        )
        for section in sections:
            h.delete_section(sec=section)


def read() -> dict[Plan, Any]:
    """By cell: [sample, (t, f, spikes, gna, gk, gain)]."""
    found: dict[Plan, list[list[float]]] = {}
    with (OUT / "homeostasis.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            plan = Plan(row["kind"], float(row["target"]), int(row["seed"]), 0.0)
            found.setdefault(plan, []).append([float(row[name]) for name in FIELDS[3:]])
    return {plan: np.array(rows) for plan, rows in found.items()}


def settled(rows: Any, target: float) -> float:
    """After how many s the mean of 50 s comes within a tenth, or 0.15 Hz, of the target; nan if it does not."""
    smooth = np.convolve(rows[:, 1], np.full(5, 0.2), "valid")
    inside = np.flatnonzero(np.abs(smooth - target) < max(0.1 * target, 0.15))
    return float(rows[inside[0] + 4, 0] - rows[0, 0] + CHUNK) if inside.size else float("nan")


def report(picture: Path) -> None:
    """A table on the screen, and a picture."""
    found = read()
    half = max(rows[-1, 0] for rows in found.values()) / 2
    print(f"means from {half:.0f} to {2 * half:.0f} s")
    print(f"{'':24} target seed  f (Hz)  spikes/s  settled (s)     gna    gk   gain")
    for plan, rows in found.items():
        f, spikes, gna, gk, gain = rows[rows[:, 0] > half, 1:].mean(axis=0)
        print(
            f"{plan.kind:24} {plan.target:6g} {plan.seed:4} {f:7.2f} {spikes / CHUNK:9.2f} "
            f"{settled(rows, plan.target):12.0f} {gna:7.2f} {gk:5.2f} {gain:6.3f}"
        )
    plasticity(found)
    draw(found, picture)


def plasticity(found: dict[Plan, Any]) -> None:
    """What rule the cells seem to follow: how their gain moves in ten seconds, beside how far off they are."""
    moves: dict[str, list[Any]] = {"exact": [], "clipped": []}
    for plan, rows in found.items():
        if plan.kind in moves:
            error = np.zeros(len(rows))
            for i in range(1, len(rows)):  # as e remembers: for 1/leak = 10 s
                error[i] = np.exp(-1) * error[i - 1] + (1 - np.exp(-1)) * (plan.target - rows[i, 1])
            moves[plan.kind].append(np.column_stack([np.diff(rows[:, 5]), error[:-1], rows[:-1, 5] * error[:-1]]))
    for kind, parts in moves.items():
        gain, *rules = np.concatenate(parts).T
        for name, x in zip(("k (target - f)", "k gain (target - f)"), rules, strict=True):
            k = gain @ x / (x @ x)
            r2 = 1 - np.sum((gain - k * x) ** 2) / np.sum(gain**2)
            print(f"{kind}: change of the gain in 10 s as {name}: k {k:.3g}, R2 {r2:.2f}")
    for kind in moves:
        ends = np.array([rows[len(rows) // 2 :, 3:].mean(axis=0) for plan, rows in found.items() if plan.kind == kind])
        r = np.corrcoef(ends.T)
        print(f"{kind}: correlations of gna, gk; gna, gain; gk, gain: {r[0, 1]:.2f} {r[0, 2]:.2f} {r[1, 2]:.2f}")


def draw(found: dict[Plan, Any], picture: Path) -> None:
    figure, axes = plt.subplots(2, 2, figsize=(9, 5), sharex=True, layout="constrained")
    colours = dict(zip(TARGETS, plt.get_cmap("viridis")(np.linspace(0, 0.88, len(TARGETS))), strict=True))
    for plan, rows in found.items():
        if plan.kind not in ("exact", "clipped", "free") or len(rows) < 3:
            continue
        colour, width = colours.get(plan.target, "0.6"), 1.4 if plan.seed == 0 else 0.6
        axis = axes[0, 1] if plan.kind == "clipped" else axes[0, 0]
        smooth = np.convolve(rows[:, 1], np.full(3, 1 / 3), "same")
        axis.plot(rows[1:-1, 0], smooth[1:-1], color=colour, lw=width)
        if plan.kind == "exact":
            axes[1, 0].plot(rows[:, 0], rows[:, 5], color=colour, lw=width)
        if plan.kind == "clipped":
            axes[1, 1].plot(rows[:, 0], rows[:, 5], color=colour, lw=width)
            axes[1, 1].plot(rows[:, 0], rows[:, 4] / 360, color=colour, lw=width, ls=":")
    for axis in axes[0]:
        for target, colour in colours.items():
            axis.axhline(target, color=colour, lw=0.8, ls="--")
        axis.set_ylim(0, 7)
    axes[0, 0].set_title("exact gradients, three seeds (grey: left alone)", fontsize=10)
    axes[0, 1].set_title("gradients clipped at 1, as in the paper", fontsize=10)
    axes[0, 0].set_ylabel("f (Hz)")
    axes[1, 0].set_ylabel("gain of the drive (uA/cm2)")
    axes[1, 1].set_ylabel("gain; dotted: g_K / 360 mS")
    for axis in axes[1]:
        axis.set_xlabel("t (s)")
    for axis in axes.flat:
        axis.spines[["top", "right"]].set_visible(False)
    figure.savefig(picture, dpi=72)
    plt.close(figure)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=2000.0)
    parser.add_argument("--dt", type=float, default=0.05, help="ms")
    parser.add_argument("--continue", dest="go_on", action="store_true", help="a run that was stopped")
    parser.add_argument("--plot", action="store_true", help="only draw what is there")
    parser.add_argument("--cost", action="store_true", help="only measure what it costs")
    arguments = parser.parse_args()
    OUT.mkdir(exist_ok=True)
    if arguments.cost:
        cost(arguments.dt)
        return
    if not arguments.plot:
        run(arguments.seconds, arguments.dt, go_on=arguments.go_on)
    report(OUT / "homeostasis.png")


if __name__ == "__main__":
    main()
