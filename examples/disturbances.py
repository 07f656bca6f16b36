"""Cells that keep their firing rate when something changes: `python examples/disturbances.py`.

The cells of `homeostasis.py`, at 2 and at 4 Hz, for 300 s; then the potassium potential rises by 5 mV, or the leak
doubles, or the drive grows by half; and each cell of a network of ten, at 2 Hz, loses two of its five inputs. They have
600 s to find their rate again; the same cells without control do not. `examples/out/disturbances.csv` grows while it
runs; `--continue` goes on with a run that was stopped, `--plot` draws what is there.
"""

from __future__ import annotations

import argparse
import csv
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import homeostasis
import long_run
import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import squid
from long_run import CHUNK, OUT
from neuron import h

CHANGE = 300.0  # s
#: Where cells of these targets end up, in uA/cm2; those without control start there.
GAIN = {2.0: 0.092, 4.0: 0.143}
#: The network: where its cells end up at 2 Hz; how strongly they hear each other, in uS.
INPUTS, IN_NETWORK, WEIGHT = "2 of 5 inputs removed", (2.0, 0.115), 6e-4
CELLS = 10


def potassium(section: Any) -> None:
    section(0.5).squid.ek += 5


def leak(section: Any) -> None:
    section(0.5).squid.gl *= 2


def drive(section: Any) -> None:
    section(0.5).drive.sigma *= 1.5**0.25


DISTURBANCES: dict[str, Callable[[Any], None]] = {"E_K + 5 mV": potassium, "g_L x 2": leak, "drive x 1.5": drive}


class Network:
    """Cells that hear five others each, through gates and an ExpSyn (tau 2 ms, e 0); 10 ms from cell to cell."""

    def __init__(self, sections: list[Any], rng: random.Random) -> None:
        self._gates: list[list[Any]] = []
        self._kept: list[Any] = []
        for section in sections:
            synapse = h.ExpSyn(section(0.5))
            synapse.tau, synapse.e = 2, 0
            gates = []
            for source in rng.sample([other for other in sections if other is not section], 5):
                gate = h.Gate()
                heard, passed = h.NetCon(source(0.5)._ref_v, gate, sec=source), h.NetCon(gate, synapse)
                heard.threshold, heard.delay, passed.delay, passed.weight[0] = -10, 5, 5, WEIGHT
                gates.append(gate)
                self._kept += [heard, passed]
            self._gates.append(gates)
            self._kept.append(synapse)

    def remove_two(self) -> None:
        """Of the inputs of each cell."""
        for gates in self._gates:
            for gate in gates[:2]:
                gate.open = 0


def run(seconds: float, dt: float, seed: int, *, go_on: bool) -> None:
    squid.load(OUT)
    h.dt = dt
    rates = (homeostasis.ALPHA, 0.0)
    single = [(what, target, alpha, 0) for what in DISTURBANCES for target in GAIN for alpha in rates]
    target, gain = IN_NETWORK
    joined = [(INPUTS, target, alpha, cell) for alpha in rates for cell in range(CELLS)]
    chosen = [*single, *joined]
    sections = squid.cells(len(chosen), "disturbed")
    for section, (what, target, _, _) in zip(sections, chosen, strict=True):
        section(0.5).drive.gain = gain if what == INPUTS else GAIN[target]
    ends = len(single)
    networks = [Network(sections[i : i + CELLS], random.Random(7 + seed)) for i in (ends, ends + CELLS)]
    plans = [homeostasis.Plan("exact", target, 0, alpha) for _, target, alpha, _ in chosen]
    homeostat = homeostasis.regulate(sections, plans, None)
    histories = [controller.record(100.0) for controller in homeostat.controllers]
    squid.freeze(sections, [long_run.SEEDS * seed + (5 if what != INPUTS else cell) for what, _, _, cell in chosen])

    def rows(t: float) -> Iterator[tuple[Any, ...]]:
        for plan, section, history in zip(chosen, sections, histories, strict=True):
            f = float(np.mean(history.measure[-round(CHUNK * 10) :]))
            yield (*plan, t, f"{f:.4f}", f"{section(0.5).drive.gain:.5g}")

    def disturb() -> None:
        for section, (what, *_) in zip(sections, single, strict=False):
            DISTURBANCES[what](section)
        for network in networks:
            network.remove_two()

    fields = ("what", "target", "alpha", "cell", "t", "f", "gain")
    name = long_run.name("disturbances", seed)
    long_run.run(name, fields, rows, [homeostat], seconds, go_on=go_on, change=(CHANGE, disturb))


def read(results: Path) -> dict[tuple[str, float, float], Any]:
    """By disturbance, target and alpha: [cell, sample, (t, f, gain)]."""
    found: dict[tuple[str, float, float], dict[str, list[list[float]]]] = {}
    with results.open(newline="") as file:
        for row in csv.DictReader(file):
            cells = found.setdefault((row["what"], float(row["target"]), float(row["alpha"])), {})
            cells.setdefault(row["cell"], []).append([float(row[name]) for name in ("t", "f", "gain")])
    return {key: np.array(list(cells.values())) for key, cells in found.items()}


def report(results: Path) -> None:
    """A table on the screen, and a picture."""
    found = read(results)
    figure, axes = plt.subplots(1, len(DISTURBANCES) + 1, figsize=(12, 3), sharey=True, layout="constrained")
    panels = dict(zip((*DISTURBANCES, INPUTS), axes, strict=True))
    print(f"{'':21} target  control   f before   f after (second half of what follows)   again after (s)   gain")
    for (what, target, alpha), cells in found.items():
        rows = cells.mean(axis=0)
        after = rows[rows[:, 0] > CHANGE]
        before = rows[(rows[:, 0] > CHANGE / 3) & (rows[:, 0] <= CHANGE), 1].mean()
        late = after[len(after) // 2 :]
        again = homeostasis.settled(after, target) if alpha else float("nan")
        each = cells[:, -len(late) :, 1].mean(axis=1)
        inside = f"; {np.sum(np.abs(each - target) < 0.1 * target)} of {len(each)} cells" if len(each) > 1 else ""
        print(
            f"{what:21} {target:6g} {'on' if alpha else 'off':>8} {before:10.2f} {late[:, 1].mean():10.2f} "
            f"{again:45.0f} {late[:, 2].mean():10.3f}{inside}"
        )
        colour = "tab:blue" if target == min(GAIN) else "tab:orange"
        smooth = np.convolve(rows[:, 1], np.full(3, 1 / 3), "same")[1:-1]
        panels[what].plot(rows[1:-1, 0], smooth, color=colour, lw=1.4 if alpha else 0.8, ls="-" if alpha else ":")
        panels[what].axhline(target, color=colour, lw=0.6, ls="--")
    for what, axis in panels.items():
        axis.axvline(CHANGE, color="0.4", lw=0.8)
        axis.set_title(f"{what} (dotted: no control)", fontsize=9)
        axis.set_xlabel("t (s)")
        axis.set_ylim(0, 8)
        axis.spines[["top", "right"]].set_visible(False)
    axes[0].set_ylabel("f (Hz)")
    figure.savefig(results.with_suffix(".png"), dpi=80)
    plt.close(figure)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=900.0)
    parser.add_argument("--dt", type=float, default=0.05, help="ms")
    parser.add_argument("--seed", type=int, default=0, help="of the connections and the noise")
    parser.add_argument("--continue", dest="go_on", action="store_true", help="a run that was stopped")
    parser.add_argument("--plot", action="store_true", help="only draw what is there")
    arguments = parser.parse_args()
    OUT.mkdir(exist_ok=True)
    if not arguments.plot:
        run(arguments.seconds, arguments.dt, arguments.seed, go_on=arguments.go_on)
    report(OUT / f"{long_run.name('disturbances', arguments.seed)}.csv")


if __name__ == "__main__":
    main()
