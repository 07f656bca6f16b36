"""Draws how it works, docs/how.png: `python docs/figure.py`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

BLUE, GREEN, ORANGE = "#2b5f8a", "#3b7d4f", "#b35c1e"


def box(axes: Any, place: tuple[float, float], size: tuple[float, float], colour: str, title: str, text: str) -> None:
    axes.add_patch(
        FancyBboxPatch(place, *size, boxstyle="round,pad=0,rounding_size=0.12", fc=colour + "14", ec=colour, lw=1.4)
    )
    x, top = place[0] + size[0] / 2, place[1] + size[1]
    axes.text(x, top - 0.2, title, ha="center", va="top", fontsize=11, weight="bold", color=colour)
    axes.text(x, top - 0.62, text, ha="center", va="top", fontsize=9.5, linespacing=1.5)


def arrow(axes: Any, start: tuple[float, float], end: tuple[float, float], text: str, above: bool = True) -> None:
    axes.add_patch(FancyArrowPatch(start, end, arrowstyle="-|>", mutation_scale=14, lw=1.3, color="0.25"))
    x, y = (start[0] + end[0]) / 2, (start[1] + end[1]) / 2
    offset, align = (0.1, "bottom") if above else (-0.1, "top")
    axes.text(x, y + offset, text, ha="center", va=align, fontsize=9, color="0.25")


def main() -> None:
    figure, axes = plt.subplots(figsize=(11, 3.9), layout="constrained")
    axes.set_xlim(0, 12.4)
    axes.set_ylim(0.8, 5.1)
    axes.axis("off")
    box(axes, (0.1, 3.7), (2.9, 1.3), BLUE, "the model's .mod files", "as NEURON compiled them")
    box(
        axes,
        (4.6, 3.7),
        (3.2, 1.3),
        GREEN,
        "gradmod transform",
        "derivative of one time step,\nwritten as new .mod files",
    )
    arrow(axes, (3.0, 4.35), (4.6, 4.35), "read")
    box(
        axes,
        (0.1, 0.9),
        (2.9, 1.9),
        BLUE,
        "your cell",
        "V and states\n(not touched: voltages stay\nbit for bit what they were)",
    )
    box(
        axes,
        (4.6, 0.9),
        (3.2, 1.9),
        GREEN,
        "row",
        "one per region, in your segments:\nsources S[k], gradients of all\nstates, W[k] = dV/d(parameter k)",
    )
    box(
        axes,
        (9.4, 0.9),
        (2.9, 1.9),
        ORANGE,
        "solver",
        "one per cell: substitutes in\nNEURON's own matrix,\nas its solve has left it",
    )
    arrow(axes, (6.2, 3.7), (6.2, 2.8), "")
    axes.text(6.3, 3.25, "nrnivmodl, loaded", fontsize=9, color="0.25", va="center")
    arrow(axes, (1.55, 3.7), (1.55, 2.8), "")
    arrow(axes, (3.0, 1.7), (4.6, 1.7), "V, states")
    arrow(axes, (7.8, 2.0), (9.4, 2.0), "S[k]")
    arrow(axes, (9.4, 1.4), (7.8, 1.4), "W[k]", above=False)
    figure.savefig(Path(__file__).with_name("how.png"), dpi=110)


if __name__ == "__main__":
    main()
