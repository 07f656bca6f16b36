"""Pictures of likelihood profiles, by matplotlib."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .._problem.libraries import library
from .._problem.scales import Scale
from .intervals import LikelihoodProfile

#: Panels side by side.
_ACROSS = 3
#: A logarithmic scale is drawn as one where the profile is wider than this factor.
_WIDE = 3.0


def draw_profiles(profiles: Sequence[LikelihoodProfile], rise: float, level: float, variance: float) -> Any:
    """A figure with a panel for each parameter.

    Args:
        profiles: One at least.
        rise: By how much the cost is higher at the ends of an interval.
        level: Of the interval.
        variance: Of the weighted residuals.
    """
    across = min(_ACROSS, len(profiles))
    down = -(-len(profiles) // across)
    figure = library("matplotlib.figure", "a picture").Figure(figsize=(3.6 * across, 3.0 * down), layout="constrained")
    panels = figure.subplots(down, across, squeeze=False)
    for axes, profile in zip(panels.flat, profiles, strict=False):
        _draw(axes, profile, rise, variance)
    for axes in panels.flat[len(profiles) :]:
        axes.remove()
    for row in panels:
        row[0].set_ylabel("cost above the lowest")
    first = panels[0, 0]
    across_it = first.get_yaxis_transform()
    first.text(0.98, rise, f"{100 * level:g} %", transform=across_it, fontsize=8, va="bottom", ha="right")
    told = [axes for axes, profile in zip(panels.flat, profiles, strict=False) if np.isfinite(profile.error)]
    (told or [first])[0].legend(fontsize=7, loc="upper center")
    return figure


def _draw(axes: Any, profile: LikelihoodProfile, rise: float, variance: float) -> None:
    own, best = profile.bounded[profile.number], float(profile.best[profile.number])
    walked = profile.u[:, profile.number]
    u = np.linspace(float(walked[0]), float(walked[-1]), 200)
    values = [own.outer(float(one)) for one in u]
    axes.plot(values, profile.costs_at(u), color="C0", linewidth=1.2, label="profile")
    axes.plot(profile.values, profile.costs - np.min(profile.costs), "o", color="C0", markersize=3)
    if np.isfinite(profile.error):
        parabola = 0.5 * variance * ((u - best) / profile.error) ** 2
        axes.plot(values, parabola, "--", color="C7", linewidth=1.0, label="by standard error")
    interval = profile.interval(rise)
    axes.axhline(rise, color="C3", linewidth=0.8)
    axes.axvspan(interval.low, interval.high, color="C2", alpha=0.12, linewidth=0)
    for end in (interval.lower, interval.upper):
        if end.is_bound or end.others:
            axes.axvline(end.value, color="black", linewidth=1.5, linestyle=":")
    axes.set_ylim(-0.1 * rise, 2.0 * rise)
    if own.scale is Scale.LOG and profile.values[-1] > _WIDE * profile.values[0]:
        axes.set_xscale("log")
        axes.tick_params(axis="x", which="both", labelsize=6.5, labelrotation=30)
    axes.set_title(f"{profile.name} = {profile.value:.4g}\n{interval}", fontsize=7, loc="left")
    axes.set_xlabel(profile.name)
