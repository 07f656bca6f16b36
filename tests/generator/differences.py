"""Gradients beside finite differences of the untouched run, parameters of one owner together."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from gradmod import finite
from gradmod.check.judge import MARGIN, MARGIN_TABLES, Finding, judge
from gradmod.check.sides import Sides

from .built import Built, Traces
from .direction import Direction
from .result import Result

#: Most gradients need the first only; the second finds a step where one is hard to find, the third is between kinks.
_SWEEPS = (
    (1e-3, 1e-4, 1e-5, 1e-6),
    tuple(10.0 ** (-k / 2) for k in range(4, 19)),
    tuple(10.0 ** (-k / 2) for k in range(10, 16)),
)


def judge_group(
    built: Built, owner: str, directions: Mapping[str, Direction], forward: dict[str, Traces] | None,
    backward: dict[str, float] | None, weights: Traces, plain: Traces, result: Result,
) -> None:  # fmt: skip
    """Differences of all parameters of one owner at once, each moved so far that all count alike."""
    moves = _moves(directions, forward, backward)
    finding, deviation, where, uncertainty = _judge(built, directions, moves, forward, backward, weights, plain)
    if finding is Finding.MISMATCH and len(directions) > 1:
        # Which one? And is it one by itself?
        for name, direction in directions.items():
            one = _judge(built, {name: direction}, {name: direction.size}, forward, backward, weights, plain)
            if one[0] is Finding.MISMATCH:
                result.fail("reverse" if one[2] == "loss" else "forward", _sentence(name, *one))
                return
        result.undecided.append(f"{owner} (together off by {deviation:.1e}, good to {uncertainty:.0e})")
    elif finding is Finding.MISMATCH:
        name = next(iter(directions))
        result.fail(
            "reverse" if where == "loss" else "forward", _sentence(name, finding, deviation, where, uncertainty)
        )
    elif finding is Finding.UNDECIDED:
        result.undecided.append(owner)
    elif finding is Finding.STILL:
        result.still += 1
    else:
        result.exact += 1
        result.worst = max(result.worst, deviation)


def _sentence(name: str, _: Finding, deviation: float, where: str, uncertainty: float) -> str:
    return f"{name}: off by {deviation:.1e} in {where}, differences good to {uncertainty:.0e}"


def _moves(
    directions: Mapping[str, Direction], forward: dict[str, Traces] | None, backward: dict[str, float] | None
) -> dict[str, float]:
    effects: dict[str, float] = {}
    for name, direction in directions.items():
        if forward is not None:
            effect = max(
                (float(np.max(np.abs(trace))) for t, trace in forward[name].items() if t.endswith(".v")), default=0.0
            )
        else:
            effect = abs((backward or {}).get(name, 0.0))
        effects[name] = effect * direction.size
    acting = sorted(effect for effect in effects.values() if effect > 0)
    common = acting[len(acting) // 3] if acting else 1.0
    signs = [1.0, -1.0, 0.7]
    return {
        name: signs[i % 3] * d.size * (min(1.0, common / effects[name]) if effects[name] > 0 else 1.0)
        for i, (name, d) in enumerate(directions.items())
    }


def _judge(
    built: Built, directions: Mapping[str, Direction], moves: Mapping[str, float], forward: dict[str, Traces] | None,
    backward: dict[str, float] | None, weights: Traces, plain: Traces,
) -> tuple[Finding, float, str, float]:  # fmt: skip
    names = list(directions)
    gradient: Traces = {}
    if forward is not None:
        gradient |= {t: sum(moves[d] * forward[d][t] for d in names) for t in plain}
    if backward is not None and all(d in backward for d in names):
        gradient["loss"] = np.array([sum(moves[d] * backward[d] for d in names)])
    if not gradient:
        return Finding.STILL, 0.0, "", 0.0
    uses_tables = built.model.tables and any(m.has_table for m in built.mechanisms.values())

    def run() -> Traces:
        if uses_tables:
            finite.rebuild_tables()
        traces = built.run()
        traces["loss"] = np.array([sum(float(np.sum(weights[n] * traces[n])) for n in weights)])
        return {name: traces[name] for name in gradient}

    def shift(by: float) -> None:
        for name in names:
            directions[name].shift(by * moves[name])
        built.settle()

    middle = {**plain, "loss": np.array([sum(float(np.sum(weights[n] * plain[n])) for n in weights)])}
    found = (Finding.UNDECIDED, 0.0, "", 0.0)
    try:
        for steps in _SWEEPS:
            sides = Sides({name: middle[name] for name in gradient})
            difference = finite.differentiate(sides.ran(run), sides.moved(shift), 0.0, steps=steps, scale=1.0)
            judged = judge(gradient, difference, sides, MARGIN_TABLES if uses_tables else MARGIN)
            if judged.finding in (Finding.STILL, Finding.EXACT):
                return judged.finding, judged.deviation, judged.where, judged.uncertainty
            found = (judged.finding, judged.deviation, judged.where, judged.uncertainty)
            if steps == _SWEEPS[1] and judged.finding is Finding.UNDECIDED:
                break
    finally:
        shift(0.0)
    return found
