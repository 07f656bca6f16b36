"""Ten cells that excite each other, each with its own target: `python examples/homeostasis_network.py`.

Each cell of squid axon has noise of its own and hears five others through an ExpSyn (tau 2 ms, e 0, weight 1e-4 uS,
delay 10 ms). Three networks run side by side: targets of 1 Hz, of 4 Hz, and one that is left alone. What cells do to
each other counts as given in each cell's gradient. A cell that once lost its gain would stay silent, and without a
gradient, for ever: so the gain is bounded. `examples/out/network.csv` grows while it runs; `--continue` goes on with a
run that was stopped, `--plot` draws what is there.
"""

from __future__ import annotations

import argparse
import csv
import random
from collections.abc import Iterator
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

NETWORKS = {"target 1 Hz": (1.0, 1e-7), "target 4 Hz": (4.0, 1e-7), "left alone": (0.0, 0.0)}  # Hz, alpha in 1/ms
CELLS, INPUTS = 10, 5


def connect(sections: list[Any], rng: random.Random) -> list[Any]:
    """A synapse on each cell, five sources for each."""
    made = []
    for section in sections:
        synapse = h.ExpSyn(section(0.5))
        synapse.tau, synapse.e = 2, 0
        made.append(synapse)
        for source in rng.sample([other for other in sections if other is not section], INPUTS):
            netcon = h.NetCon(source(0.5)._ref_v, synapse, sec=source)
            netcon.threshold, netcon.delay, netcon.weight[0] = -10, 10, 1e-4
            made.append(netcon)
    return made


def run(seconds: float, dt: float, seed: int, *, go_on: bool) -> None:
    squid.load(OUT)
    h.dt = dt
    sections = squid.cells(CELLS * len(NETWORKS), "net")
    groups = [sections[i * CELLS : (i + 1) * CELLS] for i in range(len(NETWORKS))]
    kept = [connect(group, random.Random(7 + seed)) for group in groups]
    settings = [pair for pair in NETWORKS.values() for _ in range(CELLS)]
    homeostat = gradmod.Homeostat(
        gradmod.Frequency("m_squid", "h_squid", tau=10_000),
        [section(0.5) for section in sections],
        target=[target for target, _ in settings],
        alpha=[alpha for _, alpha in settings],
        leak=1e-4,
        bounds=squid.BOUNDS,
        **squid.directions(sections),
    )
    histories = [controller.record(100.0) for controller in homeostat.controllers]
    counters = [squid.Counter(section) for section in sections]
    squid.freeze(sections, [long_run.SEEDS * seed + i % CELLS for i in range(len(sections))])

    def rows(t: float) -> Iterator[tuple[Any, ...]]:
        for i, (controller, history, counter) in enumerate(
            zip(homeostat.controllers, histories, counters, strict=True)
        ):
            f = float(np.mean(history.measure[-round(CHUNK * 10) :]))
            row = (list(NETWORKS)[i // CELLS], i % CELLS, t, f"{f:.4f}", counter.new())
            yield (*row, *(f"{value:.5g}" for value in controller.theta.values()))

    fields = ("network", "cell", "t", "f", "spikes", *squid.TUNED)
    long_run.run(long_run.name("network", seed), fields, rows, [homeostat], seconds, go_on=go_on)
    del kept


def cost(dt: float) -> None:
    squid.load(OUT)
    h.dt = dt
    sections = squid.cells(CELLS, "cost")
    kept = connect(sections, random.Random(7))
    measure = gradmod.Frequency("m_squid", "h_squid", tau=10_000)
    long_run.cost(
        f"a network of {CELLS} cells",
        lambda: squid.freeze(sections, list(range(CELLS))),
        lambda: gradmod.Homeostat(
            measure, [s(0.5) for s in sections], target=2, alpha=1e-7, leak=1e-4, **squid.directions(sections)
        ),
    )
    kept.clear()


def report(seed: int) -> None:
    """A table on the screen, and a picture."""
    results = OUT / f"{long_run.name('network', seed)}.csv"
    found: dict[str, dict[int, list[list[float]]]] = {}
    with results.open(newline="") as file:
        for row in csv.DictReader(file):
            cell = found.setdefault(row["network"], {}).setdefault(int(row["cell"]), [])
            cell.append([float(row[name]) for name in ("t", "f", "spikes", *squid.TUNED)])
    figure, axes = plt.subplots(1, len(found), figsize=(10, 3), sharey=True, layout="constrained")
    for axis, (name, cells) in zip(axes, found.items(), strict=True):
        rows = np.array(list(cells.values()))
        target = NETWORKS[name][0]
        late = rows[:, rows.shape[1] // 2 :].mean(axis=1)
        inside = np.sum(np.abs(late[:, 1] - target) < 0.2 * target) if target else 0
        print(
            f"{name}: mean f of the second half ({rows[0, -1, 0]:.0f} s) {late[:, 1].min():.2f} .. "
            f"{late[:, 1].max():.2f} Hz, {late[:, 2].mean() / CHUNK:.2f} spikes/s, "
            f"gain {late[:, 5].min():.3f} .. {late[:, 5].max():.3f}"
            + (f"; {inside} of {len(late)} within 20 % of the target" if target else "")
        )
        for cell in rows:
            axis.plot(cell[1:-1, 0], np.convolve(cell[:, 1], np.full(3, 1 / 3), "valid"), lw=0.8)
        if target:
            axis.axhline(target, color="0.2", lw=0.8, ls="--")
        axis.set_title(name, fontsize=10)
        axis.set_xlabel("t (s)")
        axis.spines[["top", "right"]].set_visible(False)
    axes[0].set_ylabel("f (Hz)")
    figure.savefig(results.with_suffix(".png"), dpi=90)
    plt.close(figure)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=2000.0)
    parser.add_argument("--dt", type=float, default=0.05, help="ms")
    parser.add_argument("--seed", type=int, default=0, help="of the connections and the noise")
    parser.add_argument("--continue", dest="go_on", action="store_true", help="a run that was stopped")
    parser.add_argument("--plot", action="store_true", help="only draw what is there")
    parser.add_argument("--cost", action="store_true", help="only measure what it costs")
    arguments = parser.parse_args()
    OUT.mkdir(exist_ok=True)
    if arguments.cost:
        cost(arguments.dt)
        return
    if not arguments.plot:
        run(arguments.seconds, arguments.dt, arguments.seed, go_on=arguments.go_on)
    report(arguments.seed)


if __name__ == "__main__":
    main()
