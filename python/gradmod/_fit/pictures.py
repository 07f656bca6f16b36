"""Pictures of fits, by Matplotlib."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .._model.cells import Floats
from .._problem.fittable import Seen
from .._problem.libraries import library
from .certainty import Certainty

#: So many traces have a panel each.
_PANELS = 8
#: A scale is logarithmic where it has a larger ratio than this.
_DECADE = 10.0
#: So few points of data are drawn large.
_PEAKS = 50


def _figure(**options: Any) -> Any:
    """A figure that notebooks show, whether or not ``pyplot`` was imported; it is none of ``pyplot``'s."""
    made: type[Any] = library("matplotlib.figure", "a picture").Figure

    class Picture(made):
        def _repr_png_(self) -> bytes:
            with io.BytesIO() as file:
                self.savefig(file, format="png")
                return file.getvalue()

    return Picture(**options)


def draw_fit(
    traces: Sequence[Seen], history: Sequence[tuple[int, float, Mapping[str, float]]], certainty: Certainty | None
) -> Any:
    """A figure of traces with what they were to be, the cost by evaluation, and the parameters.

    Args:
        traces: Of the best evaluation.
        history: (evaluation, cost, {name: value}) of all evaluations.
        certainty: At the end; None without a Jacobian.
    """
    shown = list(traces[:_PANELS])
    figure = _figure(figsize=(10, 1.4 * len(shown) + 3.2), layout="constrained")
    parts = figure.subfigures(2, 1, height_ratios=[1.4 * max(len(shown), 1), 3.2])
    panels: list[Any] = list(parts[0].subplots(len(shown), 1, squeeze=False)[:, 0])
    for axes, seen in zip(panels, shown, strict=True):
        axes.plot(seen.t, seen.values, color="C0", linewidth=1.2, label="model")
        for t, values in seen.data:
            axes.plot(t, values, ".", color="C1", markersize=2.5 if len(t) > _PEAKS else 8, label="data", zorder=0)
        axes.set_title(seen.name, fontsize=9, loc="left")
        axes.set_ylabel(seen.unit)
    panels[-1].set_xlabel("t (ms)")
    if any(seen.data for seen in shown):
        panels[0].legend(fontsize=8, loc="upper right")
    left, right = parts[1].subplots(1, 2)
    _draw_costs(left, [cost for _, cost, _ in history])
    _draw_parameters(right, history, certainty)
    return figure


def _scale(axes: Any, values: Sequence[float] | Floats) -> None:
    """Logarithmic, where values above 0 are decades apart."""
    if np.min(values) > 0.0 and np.max(values) > _DECADE * np.min(values):
        axes.set_yscale("log")


def _draw_costs(axes: Any, costs: Sequence[float]) -> None:
    count = np.arange(1, len(costs) + 1)
    axes.plot(count, costs, ".", color="C7", label="evaluation")
    axes.plot(count, np.minimum.accumulate(costs), color="C0", label="best so far")
    _scale(axes, costs)
    axes.set_xlabel("evaluation")
    axes.set_ylabel("cost")
    axes.legend(fontsize=8)


def _draw_parameters(
    axes: Any, history: Sequence[tuple[int, float, Mapping[str, float]]], certainty: Certainty | None
) -> None:
    """Each parameter over the evaluations, as a part of its best value."""
    best = min(history, key=lambda step: step[1])[2]
    errors = {} if certainty is None else dict(zip(certainty.names, certainty.errors, strict=True))
    for name in list(best)[:12]:
        scale = abs(best[name]) or 1.0
        label = f"{name} = {best[name]:.4g}"
        if np.isfinite(errors.get(name, np.nan)):
            label += f" (s.e. {errors[name]:.1g})"
        axes.plot([step[0] for step in history], [step[2][name] / scale for step in history], label=label)
    axes.set_xlabel("evaluation")
    axes.set_ylabel("parameter / best value")
    axes.legend(fontsize=7)


def draw_fits(ranked: Sequence[tuple[float, Mapping[str, float]]]) -> Any:
    """A figure of many fits: their costs in order, and their parameters, the best in colour.

    Args:
        ranked: (cost, {name: value}) of each, the best first.
    """
    figure = _figure(figsize=(10, 3.6), layout="constrained")
    left, right = figure.subplots(1, 2)
    costs, names = [cost for cost, _ in ranked], list(ranked[0][1])
    left.plot(np.arange(1, len(costs) + 1), costs, "o-", color="C0")
    _scale(left, costs)
    left.set_xticks(range(1, len(costs) + 1), minor=len(costs) > 12)
    left.set_xlabel("start, the best first")
    left.set_ylabel("cost")
    values = np.array([[x[name] for name in names] for _, x in ranked])
    scale = np.where(values[0] == 0.0, 1.0, np.abs(values[0]))
    for row in values[:0:-1]:
        right.plot(row / scale, ".-", color="C7", linewidth=0.6, alpha=0.6)
    right.plot(values[0] / scale, "o-", color="C0", label="best")
    _scale(right, (values / scale).ravel())
    right.set_xticks(range(len(names)), names, rotation=45, ha="right")
    right.set_ylabel("parameter / that of the best")
    right.legend(fontsize=8)
    return figure
