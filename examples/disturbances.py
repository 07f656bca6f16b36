"""Cells that keep their firing rate when something changes: `python examples/disturbances.py`.

The cells of `homeostasis.py`, at 2 and at 4 Hz, for 300 s; then the potassium potential rises by 5 mV, or the leak
doubles, or the drive grows by half. They have 600 s to find their rate again; the same cells without control do not.
`examples/out/disturbances.csv` grows while it runs; `--plot` draws it.
"""

from __future__ import annotations

import argparse
import csv
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


def potassium(section: Any) -> None:
    section(0.5).squid.ek += 5


def leak(section: Any) -> None:
    section(0.5).squid.gl *= 2


def drive(section: Any) -> None:
    section(0.5).drive.sigma *= 1.5**0.25


DISTURBANCES: dict[str, Callable[[Any], None]] = {"E_K + 5 mV": potassium, "g_L x 2": leak, "drive x 1.5": drive}


def run(seconds: float, dt: float, *, go_on: bool) -> None:
    squid.load(OUT)
    h.dt = dt
    chosen = [(what, target, alpha) for what in DISTURBANCES for target in GAIN for alpha in (homeostasis.ALPHA, 0.0)]
    sections = squid.cells(len(chosen), "disturbed")
    for section, (_, target, _) in zip(sections, chosen, strict=True):
        section(0.5).drive.gain = GAIN[target]
    plans = [homeostasis.Plan("exact", target, 0, alpha) for _, target, alpha in chosen]
    homeostat = homeostasis.regulate(sections, plans, None)
    histories = [controller.record(100.0) for controller in homeostat.controllers]
    squid.freeze(sections, [5] * len(sections))

    def rows(t: float) -> Iterator[tuple[Any, ...]]:
        for plan, section, history in zip(chosen, sections, histories, strict=True):
            f = float(np.mean(history.measure[-round(CHUNK * 10) :]))
            yield (*plan, t, f"{f:.4f}", f"{section(0.5).drive.gain:.5g}")

    def disturb() -> None:
        for section, (what, _, _) in zip(sections, chosen, strict=True):
            DISTURBANCES[what](section)

    fields = ("what", "target", "alpha", "t", "f", "gain")
    long_run.run("disturbances", fields, rows, [homeostat], seconds, go_on=go_on, change=(CHANGE, disturb))


def report(picture: Path) -> None:
    """A table on the screen, and a picture."""
    found: dict[tuple[str, float, float], list[list[float]]] = {}
    with (OUT / "disturbances.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            key = row["what"], float(row["target"]), float(row["alpha"])
            found.setdefault(key, []).append([float(row[name]) for name in ("t", "f", "gain")])
    figure, axes = plt.subplots(1, len(DISTURBANCES), figsize=(10, 3), sharey=True, layout="constrained")
    panels = dict(zip(DISTURBANCES, axes, strict=True))
    print(f"{'':12} target  control   f before   f after (second half of what follows)   again after (s)   gain")
    for (what, target, alpha), listed in found.items():
        rows = np.array(listed)
        after = rows[rows[:, 0] > CHANGE]
        before = rows[(rows[:, 0] > CHANGE / 3) & (rows[:, 0] <= CHANGE), 1].mean()
        late = after[len(after) // 2 :]
        again = homeostasis.settled(after, target) if alpha else float("nan")
        print(
            f"{what:12} {target:6g} {'on' if alpha else 'off':>8} {before:10.2f} {late[:, 1].mean():10.2f} "
            f"{again:45.0f} {late[:, 2].mean():10.3f}"
        )
        colour = "tab:blue" if target == min(GAIN) else "tab:orange"
        smooth = np.convolve(rows[:, 1], np.full(3, 1 / 3), "same")[1:-1]
        panels[what].plot(rows[1:-1, 0], smooth, color=colour, lw=1.4 if alpha else 0.8, ls="-" if alpha else ":")
        panels[what].axhline(target, color=colour, lw=0.6, ls="--")
    for what, axis in panels.items():
        axis.axvline(CHANGE, color="0.4", lw=0.8)
        axis.set_title(f"{what} (dotted: no control)", fontsize=10)
        axis.set_xlabel("t (s)")
        axis.set_ylim(0, 8)
        axis.spines[["top", "right"]].set_visible(False)
    axes[0].set_ylabel("f (Hz)")
    figure.savefig(picture, dpi=80)
    plt.close(figure)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=900.0)
    parser.add_argument("--dt", type=float, default=0.05, help="ms")
    parser.add_argument("--continue", dest="go_on", action="store_true", help="a run that was stopped")
    parser.add_argument("--plot", action="store_true", help="only draw what is there")
    arguments = parser.parse_args()
    OUT.mkdir(exist_ok=True)
    if not arguments.plot:
        run(arguments.seconds, arguments.dt, go_on=arguments.go_on)
    report(OUT / "disturbances.png")


if __name__ == "__main__":
    main()
