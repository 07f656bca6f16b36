"""Finite differences of whole simulations, with an estimate of how far they can be trusted.

This is the oracle that gradients are tested against, and it is public: check your own model with it.

    from gradmod import finite

    def run():
        h.finitialize(-65); h.continuerun(30)
        return {"v": trace.as_numpy()}

    def set_gbar(value):
        for seg in soma: seg.hh.gnabar = value

    difference = finite.differentiate(run, set_gbar, at=0.12)
    print(finite.compare({"v": dv["gNa"]}, difference))

Error model. A central difference with step h is off by C h^2 (truncation) plus about e/h, where e is the rounding error
of one run: the last bits of v, amplified by the model's own instability. Neither C nor e is known, so a whole sweep of
steps is made. Two neighbouring steps give an estimate that is free of the h^2 term (Richardson, fourth order). Where
neighbouring estimates agree best, truncation and rounding balance; the estimate there is the result, and its
disagreement with its neighbours, in the largest-value norm over the trace, is the error. Each output has its own step.

Where kinks leave only steps so small that rounding decides, no sweep helps; `fit` averages many differences instead.

What a difference cannot see: a kink or jump that lies inside the step (IF, floor, the grid of a TABLE, a spike on the
time grid, an implicit solver that stops one iteration earlier), which shows up as a large error; and a stale TABLE,
which does not show up at all: see `rebuild_tables`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._neuron import h, mechanisms_of, source_of
from ._neuron.sections import all_sections

__all__ = ["Comparison", "Difference", "Table", "best", "compare", "differentiate", "fit", "rebuild_tables", "tables"]

Array = NDArray[np.float64]

#: Default sweep: steps relative to the parameter.
STEPS = (1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8)


@dataclass(frozen=True)
class Difference:
    """The derivative of several outputs with respect to one parameter.

    Attributes:
        value: per output, an array of the shape of the output; unit of the output per unit of the parameter.
        error: per output, the estimated largest absolute error of `value`, in the same unit.
        step: per output, the (larger) step that `value` was made with, in the unit of the parameter.
        runs: the number of simulations that it took.
    """

    value: dict[str, Array]
    error: dict[str, float]
    step: dict[str, float]
    runs: int

    def scale(self, name: str) -> float:
        """The largest magnitude of one output's derivative."""
        return _largest(self.value[name])

    def uncertainty(self, name: str) -> float:
        """The estimated error relative to `scale`: the differences are only good to this. 0 for an exact zero."""
        return _ratio(self.error[name], self.scale(name))


def differentiate(
    run: Callable[[], Mapping[str, ArrayLike]],
    set_value: Callable[[float], object],
    at: float,
    *,
    steps: Sequence[float] = STEPS,
    scale: float | None = None,
) -> Difference:
    """Central differences over a sweep of steps, extrapolated, the best step chosen per output.

    Args:
        run: initialises and runs the model; returns named numbers or arrays of fixed shape (they are copied).
        set_value: sets the parameter, in everything that it stands for; called with values around `at`. If the
            parameter acts through a TABLE, it must end with `rebuild_tables()`. For a direction with weights,
            set `base + weight * value` and differentiate at 0 with `scale` = 1 or so.
        at: value of the parameter at which the derivative is wanted. It is set again at the end, also after an error.
        steps: step sizes relative to `scale`, at least three, all different.
        scale: what the steps are relative to, in the unit of the parameter: |at|, or 1 where that is 0.

    Returns:
        Derivatives with error estimates. Makes 2 * len(steps) simulations.

    Raises:
        ValueError: bad steps; outputs that change their names or shapes from run to run.
    """
    if scale is None:
        scale = abs(at) or 1.0
    widths = sorted((scale * step for step in steps), reverse=True)
    if len(set(widths)) < 3 or len(set(widths)) < len(widths) or widths[-1] <= 0:
        raise ValueError(f"need at least three different positive steps, not {list(steps)}")

    pairs = _sample(run, set_value, at, widths)
    value: dict[str, Array] = {}
    error: dict[str, float] = {}
    step: dict[str, float] = {}
    for name in pairs[0][1]:
        slopes = [(above[name] - below[name]) / width for width, above, below in pairs]
        rounding = [
            float(np.finfo(float).eps) * max(_largest(above[name]), _largest(below[name])) / width
            for width, above, below in pairs
        ]
        value[name], error[name], chosen = _best(slopes, widths, rounding)
        step[name] = widths[chosen]
    return Difference(value, error, step, 2 * len(widths))


def fit(
    run: Callable[[], Mapping[str, ArrayLike]],
    set_value: Callable[[float], object],
    at: float,
    *,
    width: float,
    pairs: int = 12,
) -> Difference:
    """A polynomial through many central differences whose steps all stay within `width`.

    For models with kinks: choose `width` so that no run crosses one (say, no v moves past a grid point of a TABLE).
    The slopes at steps between 0.3 and 1 times `width` are fitted by a polynomial of second or fourth degree in the
    step, whose value at 0 is the result. Rounding falls as the square root of `pairs`.

    The error of a fit is the disagreement of its two halves (every second step), or that with the fit of the next
    higher degree, whichever is larger; the constant or the parabola is chosen, per output, for the smaller error.

    Args:
        run, set_value, at: as for `differentiate`.
        width: the largest step, in the unit of the parameter.
        pairs: the number of differences, at least 8. Makes 2 * pairs simulations.
    """
    if not width > 0 or pairs < 8:
        raise ValueError(f"need a positive width and at least 8 pairs, not {width} and {pairs}")
    widths = [float(w) for w in np.linspace(1.0, 0.3, pairs) * width]
    samples = _sample(run, set_value, at, widths)
    relative = np.array([step for step, _, _ in samples]) / samples[0][0]
    value: dict[str, Array] = {}
    error: dict[str, float] = {}
    for name, output in samples[0][1].items():
        slopes = np.array([(above[name] - below[name]) / step for step, above, below in samples])
        value[name], error[name] = _fitted(slopes.reshape(pairs, -1), relative, output.shape)
    return Difference(value, error, dict.fromkeys(value, width), 2 * pairs)


def best(*differences: Difference) -> Difference:
    """Per output, the one with the smallest error of several derivatives by the same parameter."""
    chosen = {name: min(differences, key=lambda d: d.error[name]) for name in differences[0].value}
    return Difference(
        {name: d.value[name] for name, d in chosen.items()},
        {name: d.error[name] for name, d in chosen.items()},
        {name: d.step[name] for name, d in chosen.items()},
        sum(d.runs for d in differences),
    )


@dataclass(frozen=True)
class Comparison:
    """How far a gradient is from differences.

    Attributes:
        deviation: the worst of all outputs; largest |gradient - difference| / largest |difference| of that output.
        name: the output that is worst.
        index: where in it.
        uncertainty: how good the differences of that output are, on the same scale.
        each: the deviation of every output.
    """

    deviation: float
    name: str
    index: tuple[int, ...]
    uncertainty: float
    each: dict[str, float]

    def __str__(self) -> str:
        at = f"[{', '.join(map(str, self.index))}]" if self.index else ""
        return f"{self.deviation:.1e} in {self.name}{at} (differences good to {self.uncertainty:.0e})"


def compare(gradient: Mapping[str, ArrayLike], difference: Difference) -> Comparison:
    """Find the worst deviation of a gradient from differences, relative to the largest value of its trace.

    An output whose difference is zero everywhere deviates by 0 if the gradient is zero as well, else by infinity.
    NaN anywhere deviates by infinity.

    Args:
        gradient: per output, an array of the shape of the output. Outputs that only one side has are an error.
        difference: what `differentiate` returned for the same parameter and outputs.
    """
    if set(gradient) != set(difference.value):
        raise ValueError(f"outputs differ: {sorted(gradient)} and {sorted(difference.value)}")
    if not gradient:
        raise ValueError("nothing to compare")
    each: dict[str, float] = {}
    where: dict[str, tuple[int, ...]] = {}
    for name, reference in difference.value.items():
        mine = np.asarray(gradient[name], dtype=float)
        if mine.shape != reference.shape:
            raise ValueError(f"{name}: shape {mine.shape}, but the difference has {reference.shape}")
        gap = np.abs(mine - reference)
        gap = np.where(np.isnan(gap), math.inf, gap)
        each[name] = _ratio(_largest(gap), difference.scale(name))
        place = np.unravel_index(int(np.argmax(gap)), gap.shape) if gap.size else ()
        where[name] = tuple(int(i) for i in place)
    worst = max(each, key=lambda name: each[name])
    return Comparison(each[worst], worst, where[worst], difference.uncertainty(worst), each)


@dataclass(frozen=True)
class Table:
    """One TABLE statement: the mechanism that has it, and the variables that NEURON watches (DEPEND)."""

    mechanism: str
    depend: tuple[str, ...]


def tables() -> list[Table]:
    """The TABLEs of all density mechanisms that the model uses, read from NEURON's own copy of their sources."""
    used = sorted({name for section in all_sections() for name in mechanisms_of(section) if not name.endswith("_ion")})
    return [Table(name, depend) for name in used for depend in _table_statements(source_of(name, False)[0])]


def rebuild_tables() -> list[Table]:
    """Make every TABLE of the model agree with the present parameters.

    NEURON fills a TABLE again only when a variable of its DEPEND list differs from what it was when the table was
    filled, and it looks only at finitialize and when stepping. After a change of another parameter (a GLOBAL that
    is not in the list) the table silently stays what it was; switching usetable off and on does not help. This
    changes one watched variable of each table a little, initialises, and puts it back: the next finitialize
    fills the tables afresh. The state of the model is lost: initialise before you go on. **Measured**: works
    on NEURON 9.0.2 and 8.2.7.

    Returns:
        The tables that cannot be refilled: those without DEPEND, or whose DEPEND names nothing that can be set
        from outside. NEURON fills such a table once per process; differences by a parameter inside it
        are zero, whatever the model says. Switch it off (`usetable_X = 0`) or use a new process per value.
    """
    stuck: list[Table] = []
    saved: dict[str, float] = {}
    for table in tables():
        watched = next((name for name in _settable(table)), None)
        if watched is None:
            stuck.append(table)
        else:
            saved[watched] = float(getattr(h, watched))
    if saved:
        try:
            for name, value in saved.items():
                setattr(h, name, value * (1 + 1e-3) + 1e-6)
            h.finitialize()
        finally:
            for name, value in saved.items():
                setattr(h, name, value)
    return stuck


# --- details ------------------------------------------------------------------------------------------------------


def _sample(
    run: Callable[[], Mapping[str, ArrayLike]],
    set_value: Callable[[float], object],
    at: float,
    widths: Sequence[float],
) -> list[tuple[float, dict[str, Array], dict[str, Array]]]:
    """Per width, the distance of the two values as rounded, and the outputs above and below."""

    def sample(value: float) -> dict[str, Array]:
        set_value(value)
        return {name: np.array(output, dtype=float) for name, output in run().items()}

    pairs: list[tuple[float, dict[str, Array], dict[str, Array]]] = []
    try:
        for width in widths:
            above, below = at + width, at - width
            pairs.append((above - below, sample(above), sample(below)))
    finally:
        set_value(at)
    _check_shapes([outputs for _, above, below in pairs for outputs in (above, below)])
    return pairs


def _fitted(slopes: Array, widths: Array, shape: tuple[int, ...]) -> tuple[Array, float]:
    """Return the slope at width 0 and its error; `slopes` is [pair, sample], `widths` at most 1."""

    def at_zero(part: slice, degree: int) -> Array:
        w = widths[part]
        powers = np.stack([w ** (2 * k) for k in range(degree + 1)], axis=1)
        # The rounding of a slope goes as 1/w: weigh it by w.
        return (np.linalg.pinv(powers * w[:, None])[0] * w) @ slopes[part]

    if not np.isfinite(slopes).all():
        return np.full(shape, math.nan), math.inf
    everything, even, odd = slice(None), slice(0, None, 2), slice(1, None, 2)
    whole = [at_zero(everything, degree) for degree in range(3)]
    found: list[tuple[float, int]] = []
    for degree in range(2):
        halves = _largest(at_zero(even, degree) - at_zero(odd, degree))
        found.append((max(halves, _largest(whole[degree + 1] - whole[degree])), degree))
    error, degree = min(found)
    return whole[degree].reshape(shape), error


def _best(slopes: list[Array], widths: list[float], rounding: list[float]) -> tuple[Array, float, int]:
    """Return the best estimate, its error, and the index of its step.

    Candidates are the extrapolation of each two neighbouring steps and the plain slopes. The error of a candidate is
    its disagreement with *both* its neighbours in the sweep (one agreement alone may be chance), and never less
    than what the rounding of the outputs themselves must cause.
    """
    extrapolated: list[Array] = []
    for k in range(len(slopes) - 1):
        ratio = (widths[k] / widths[k + 1]) ** 2
        extrapolated.append(slopes[k + 1] + (slopes[k + 1] - slopes[k]) / (ratio - 1))
    found: list[tuple[float, int, Array]] = []
    for shift, series in ((1, extrapolated), (0, slopes)):
        for k, candidate in enumerate(series):
            neighbours = [series[j] for j in (k - 1, k + 1) if 0 <= j < len(series)]
            disagreement = max(_largest(candidate - other) for other in neighbours)
            if math.isnan(disagreement):
                disagreement = math.inf
            found.append((max(disagreement, rounding[k + shift]), k, candidate))
    error, chosen, value = min(found, key=lambda item: item[0])
    return value, error, chosen


def _largest(values: Array) -> float:
    return float(np.max(np.abs(values), initial=0.0))


def _ratio(part: float, whole: float) -> float:
    if part == 0:
        return 0.0
    return part / whole if whole > 0 else math.inf


def _check_shapes(runs: list[dict[str, Array]]) -> None:
    shapes = [{name: output.shape for name, output in outputs.items()} for outputs in runs]
    for other in shapes[1:]:
        if other != shapes[0]:
            raise ValueError(f"run() returned {shapes[0]} and then {other}: outputs must not change")


_COMMENT = re.compile(r"(?s)\bCOMMENT\b.*?\bENDCOMMENT\b|\bVERBATIM\b.*?\bENDVERBATIM\b|[:?][^\n]*")
_TABLE = re.compile(r"\bTABLE\b(?P<names>[\w\s,]*?)(?:\bDEPEND\b(?P<depend>[\w\s,]*?))?\bFROM\b")
_NAME = re.compile(r"\w+")


@cache
def _table_statements(source: str) -> list[tuple[str, ...]]:
    return [tuple(_NAME.findall(found["depend"] or "")) for found in _TABLE.finditer(_COMMENT.sub(" ", source))]


def _settable(table: Table) -> list[str]:
    """NEURON's names of those watched variables that can be set from outside, `dt` last."""
    names = [name if name == "celsius" else f"{name}_{table.mechanism}" for name in table.depend if name != "dt"]
    return [name for name in names if hasattr(h, name)] + ["dt"] * ("dt" in table.depend)
