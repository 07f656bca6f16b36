"""Runs all benches and writes what they say: docs/benchmarks.md, and how costs grow to docs/benchmarks.png.

    make bench              some minutes on a quiet machine

Nothing is asserted: these are figures of this machine, now. Each ratio is to the plain run of the same process.
"""

from __future__ import annotations

import argparse
import datetime
import json
import platform
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("Agg")
import matplotlib.pyplot as plt

HERE = Path(__file__).resolve().parent
DOCS = HERE.parent / "docs"


@dataclass(frozen=True)
class Row:
    """One figure.

    Attributes:
        model, mode: What ran, and how.
        parameters: How many gradients there are.
        ratio: In plain runs.
        aim: What was hoped for, if anything.
        parts: Of it, in words.
    """

    model: str
    mode: str
    parameters: int
    ratio: float
    aim: float | None
    parts: str = ""

    def __str__(self) -> str:
        aim = "" if self.aim is None else f"{self.aim:g}"
        figures = f"{self.parameters:,} | **{self.ratio:.2f}** | {aim} | {2 * self.parameters:,}"
        return f"| {self.model} | {self.mode} | {figures} | {self.parts} |"


def said(python: str, script: str, *options: str) -> list[dict[str, Any]]:
    """The JSON lines of a bench."""
    command = [python, str(HERE / script), "--json", *options]
    print(" ".join(command[1:]), flush=True)
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def parts_of(row: dict[str, Any]) -> str:
    """What was remembered, and the way back."""
    return f"recording {row['recording']:.2f}, back {row['back']:.2f}" if "back" in row else ""


def rows(python: str) -> Iterator[Row]:
    """All ratios on one NEURON."""
    for row in said(python, "hh.py", "--rounds", "3"):
        yield Row(f"hh, {row['segments']} segments", row["mode"], row["K"], row["ratio"], row["aim"], parts_of(row))
    for row in said(python, "forward.py", "--rounds", "3"):
        yield Row("seven channels, 39 segments", "forward", row["K"], row["ratio"], row["aim"])
    (found,) = said(python, "reverse.py", "--rounds", "3")
    for name, case in found["cases"].items():
        parts = f"run {case['run'] / case['plain']:.2f}, back {case['back'] / case['plain']:.2f}; with finitialize"
        yield Row(name, "reverse", int(case["parameters"]), case["ratio"], found["aim"][0], parts)
    for row in said(python, "ring.py", "--rounds", "3"):
        yield Row("ring, 20 cells, 200 synapses", row["mode"], row["K"], row["ratio"], row["aim"], parts_of(row))
    for row in said(python, "tutorials.py"):
        yield Row(row["model"], row["mode"], row["K"], row["ratio"], row["aim"], parts_of(row))
    for row in said(python, "l5pc.py", "--costs"):
        yield Row(f"layer 5 cell, {row['segments']} segments", row["mode"], row["K"], row["ratio"], row["aim"])
    for row in said(python, "graded.py", "--t-stop", "50", "--memory", "1300"):
        parts = f"prepare {row['prepare s']} s, {row['GiB']} GiB"
        yield Row(
            f"{row['cells']} cells, graded synapses", "reverse", row["synapses"], row["ratio"], row["aim"][1], parts
        )


def jaxley(python: str) -> list[str]:
    """The lines about Jaxley."""
    lines = [
        "",
        "## Beside Jaxley",
        "",
        "One loss and its 99 derivatives, hh reference, float64, the same processor.",
        "",
    ]
    lines += ["| | ms | plain runs of NEURON | first call, s |", "|---|---:|---:|---:|"]
    for row in said(python, "jaxley_hh.py"):
        lines.append(f"| {row['name']} | {row['ms']:.1f} | {row['ratio']:.2f} | {row['cold']:.1f} |")
    return lines


def machine() -> str:
    """The processor."""
    for line in (
        Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines() if Path("/proc/cpuinfo").exists() else ()
    ):
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def draw(found: Sequence[Row], path: Path) -> None:
    """Plain runs over the number of gradients: a colour for each model, a marker for each mode."""
    figure, axes = plt.subplots(figsize=(7.5, 4), layout="constrained")
    counts = [1, 100_000]
    axes.loglog(counts, [2 * count for count in counts], color="0.6", linestyle=":", label="central differences")
    models = list(dict.fromkeys(row.model for row in found))
    for color, model in zip(plt.get_cmap("tab20").colors, models, strict=False):
        axes.plot([], [], color=color, linewidth=4, label=model)
        for mode, marker in (("forward", "o"), ("reverse", "s")):
            own = [row for row in found if (row.model, row.mode) == (model, mode)]
            xs, ys = [row.parameters for row in own], [row.ratio for row in own]
            axes.loglog(xs, ys, color=color, marker=marker, markersize=5, linewidth=1)
    for mode, marker in (("forward mode", "o"), ("reverse mode", "s")):
        axes.plot([], [], color="0.3", marker=marker, linestyle="none", label=mode)
    axes.set_xlabel("gradients")
    axes.set_ylabel("plain runs")
    axes.set_ylim(1, 60)
    axes.set_yticks([1, 2, 5, 10, 20, 50], ["1", "2", "5", "10", "20", "50"], minor=False)
    axes.minorticks_off()
    axes.grid(visible=True, which="major", alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(fontsize=8, frameon=False, loc="upper left", bbox_to_anchor=(1.01, 1.0))
    figure.savefig(path, dpi=160)


def main() -> None:
    """Measure, print and write."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--jaxley", help="a Python that has Jaxley")
    given = arguments.parse_args()
    found: list[Row] = []
    for row in rows(sys.executable):
        found.append(row)
        print(row, flush=True)
    first = [
        f"| {row['model']}, {row['mode']}, {row['cache']} | {row['seconds']:.2f} | {row['aim']:g} |"
        for row in said(sys.executable, "attach.py", "--rounds", "1")
    ]
    import neuron

    lines = [
        "# Benchmarks",
        "",
        "Written by `make bench`; do not edit. A ratio is the processor time of a run with gradients over that of the",
        "plain run before it, in one process (where *with finitialize* is said, the wall time of all one waits for).",
        "An aim that is missed stays in the table. Central differences cost two plain runs for each parameter.",
        "",
        f"{datetime.date.today():%Y-%m-%d}, {machine()}, NEURON {neuron.__version__}.",
        "",
        "![Plain runs over the number of gradients](benchmarks.png)",
        "",
        "| model | mode | gradients | plain runs | aim | differences | |",
        "|---|---|---:|---:|---:|---:|---|",
        *map(str, found),
        "",
        "## From the call to the first gradient",
        "",
        "| model, mode, cache | s | aim |",
        "|---|---:|---:|",
        *first,
        *(jaxley(given.jaxley) if given.jaxley else []),
    ]
    (DOCS / "benchmarks.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    draw(found, DOCS / "benchmarks.png")


if __name__ == "__main__":
    main()
