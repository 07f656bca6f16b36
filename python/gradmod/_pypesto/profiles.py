"""How certain parameters are where the model is not linear: profiles of the likelihood."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .._fit.certainty import certainty
from .._fit.result import Fit
from .._problem.fittable import Fittable
from .._problem.libraries import library
from ..errors import Error
from .intervals import Interval, LikelihoodProfile
from .pictures import draw_profiles
from .walk import walks

#: Costs of one problem at the same parameters differ by less than this, and this part of them.
_SAME = 1e-3, 1e-6
#: A lower cost than the fit's is told if it is lower by more than this: it would move the end of an interval.
_LOWER = 0.02


@dataclass(frozen=True)
class LikelihoodProfiles:
    """How the lowest cost depends on each of some parameters.

    Attributes:
        profiles: By name of the parameter.
        level: Up to which they were made: .95 for 95 %.
        evaluations: How often all sweeps were run.
        better: Parameters with a lower cost than the fit's, if such were found, by name, in their units: fit again from
            there, and make the profiles again.
    """

    profiles: dict[str, LikelihoodProfile]
    level: float
    evaluations: int
    better: dict[str, float] | None
    _variance: float = field(repr=False)
    _freedom: int | None = field(repr=False)

    def rise(self, level: float | None = None) -> float:
        """By how much the cost is higher at the ends of an interval.

        Args:
            level: Of the interval; that of the profiles by default.

        Raises:
            Error: The level is not between 0 and that of the profiles.
        """
        asked = self.level if level is None else level
        if not 0.0 < asked <= self.level:
            raise Error(f"the level is {asked:g}: it must be above 0, and at most {self.level:g}, that of the profiles")
        return _rise(asked, self._variance, self._freedom)

    def intervals(self, level: float | None = None) -> dict[str, Interval]:
        """Of each parameter, where it is with some confidence, by name, in its unit.

        Args:
            level: .95 for 95 %; that of the profiles by default.

        Raises:
            Error: The level is not between 0 and that of the profiles.
        """
        rise = self.rise(level)
        return {name: profile.interval(rise) for name, profile in self.profiles.items()}

    def untold(self, level: float | None = None) -> list[str]:
        """Parameters that are practically not identifiable: a bound ends their interval, of themselves or of another.

        Args:
            level: As for :meth:`intervals`.
        """
        return [name for name, interval in self.intervals(level).items() if not interval.is_told]

    def plot(self, level: float | None = None) -> Any:
        """A figure of all profiles, with intervals, and with the parabolas that standard errors take them for.

        Args:
            level: As for :meth:`intervals`.

        Returns:
            A ``matplotlib`` figure; nothing is shown or written.
        """
        asked = self.level if level is None else level
        return draw_profiles(list(self.profiles.values()), self.rise(level), asked, self._variance)

    def __str__(self) -> str:
        lines = [f"{100 * self.level:g} % intervals of likelihood profiles, {self.evaluations} evaluations"]
        lines += [f"  {name} = {self.profiles[name].value:.6g}: {one}" for name, one in self.intervals().items()]
        if untold := self.untold():
            lines.append(f"not told by the data: {', '.join(untold)}")
        if self.better is not None:
            lines.append("the fit was not at its best: fit again from")
            lines += [f"  {name} = {value:.6g}" for name, value in self.better.items()]
        return "\n".join(lines)


def likelihood_profiles(
    problem: Fittable,
    fit: Fit,
    names: Sequence[str] | None = None,
    *,
    level: float = 0.95,
    scaled: bool = False,
    progress: bool = True,
) -> LikelihoodProfiles:
    """Move each parameter away from its best value, all others fitted anew, until the data exclude it.

    Standard errors take the model for linear; profiles do not, and find parameters that the data tell at one side only.
    A parameter takes 30 to 80 evaluations. The walk is pyPESTO's (``parameter_profile``), with ``ls_trf`` of SciPy
    at each step, and steps of up to one standard error. The model has the parameters of the fit in the end.

    Args:
        problem: What was fitted; in forward mode.
        fit: What came of it.
        names: Of the parameters; all by default.
        level: Of the intervals.
        scaled: The uncertainties are known up to a factor only, as for :func:`least_squares`.
        progress: Show a bar.

    Raises:
        Error: pyPESTO is not installed, the problem is in reverse mode, the fit is of another problem, or there is no
            such parameter.

    Source: A. Raue et al., "Structural and practical identifiability analysis of partially observed dynamical models by
    exploiting the profile likelihood", Bioinformatics 25 (2009). An interval ends where twice the rise of the cost is
    the quantile of the chi-squared distribution with one degree of freedom; if the size of the uncertainties is of the
    residuals (``scaled``), that of F with one and their degrees of freedom. Errors are taken for normal ones:
    weights of sweeps other than 1 and robust losses make intervals of something else.
    """
    library("pypesto", "a likelihood profile")
    if not 0.0 < level < 1.0:
        raise Error(f"the level is {level:g}: it must be between 0 and 1, such as 0.95")
    if not problem.has_jacobian:
        raise Error("likelihood profiles are made by least squares, in forward mode: Problem(..., mode='forward')")
    asked = list(problem.names if names is None else dict.fromkeys(names))
    for name in asked:
        if name not in problem.names:
            raise Error(f"there is no parameter {name}; there are {', '.join(problem.names)}")
    before = problem.evaluations
    best = problem.begin(fit.x)
    evaluated = problem.evaluate(best)
    if abs(evaluated.cost - fit.cost) > _SAME[0] + _SAME[1] * fit.cost:
        raise Error(
            f"the fit is of another problem, or the model was changed: its cost was {fit.cost:g}, here it is "
            f"{evaluated.cost:g}"
        )
    freedom = max(len(evaluated.values) - len(problem.names), 1) if scaled else None
    variance = 1.0 if freedom is None else 2.0 * evaluated.cost / freedom
    if not variance > 0.0:
        raise Error("all residuals are 0: there is nothing to tell the size of the uncertainties (scaled) by")
    told = certainty(problem.names, evaluated.jacobian, variance)
    along = [problem.names.index(name) for name in asked]
    # A little further than the end of the interval, which is then between two points.
    limit = 1.01 * _rise(level, 1.0, freedom)
    found = walks(problem, best, evaluated.cost, told.errors, along, limit, float(np.sqrt(variance)), progress=progress)
    problem.evaluate(best)
    names, bounded = tuple(problem.names), tuple(problem.bounded)
    profiles = {
        names[k]: LikelihoodProfile(names[k], float(told.errors[k]), names, bounded, best, walk.u, walk.costs)
        for k, walk in zip(along, found, strict=True)
    }
    lowest = min(profiles.values(), key=lambda profile: float(np.min(profile.costs)))
    is_lower = float(np.min(lowest.costs)) < evaluated.cost - _LOWER * variance
    better = lowest.x[int(np.argmin(lowest.costs))] if is_lower else None
    return LikelihoodProfiles(
        profiles=profiles,
        level=level,
        evaluations=problem.evaluations - before,
        better=None if better is None else dict(zip(problem.names, map(float, better), strict=True)),
        _variance=variance,
        _freedom=freedom,
    )


def _rise(level: float, variance: float, freedom: int | None) -> float:
    stats = library("scipy.stats", "a likelihood profile")
    quantile = stats.chi2.ppf(level, 1) if freedom is None else stats.f.ppf(level, 1, freedom)
    return 0.5 * variance * float(quantile)
