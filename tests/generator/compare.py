"""Forward mode, reverse mode and differences of the untouched run: do they agree?"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import gradmod
import numpy as np
from gradmod import finite
from gradmod.check.backwards import AGREE, ROUNDING
from gradmod.check.judge import MARGIN, MARGIN_TABLES, Finding, judge
from gradmod.check.sides import Sides

from .built import Built, Direction, Traces

#: Most gradients need the first only; the second finds a step where one is hard to find, the third is between kinks.
_SWEEPS = (
    (1e-3, 1e-4, 1e-5, 1e-6),
    tuple(10.0 ** (-k / 2) for k in range(4, 19)),
    tuple(10.0 ** (-k / 2) for k in range(10, 16)),
)
#: Printed after the first run, without gradients: what a process does not survive before is NEURON's.
RAN = "ran"
#: Owners of parameters that are compared after the first that failed.
_FAILURES = 1


@dataclass
class Result:
    """What came out, as one line of JSON.

    Attributes:
        failures: Kind and sentence: "forward", "reverse", "backwards" (both disagree), "nan", "voltage", "influence",
            "untrue" (a refusal for what did not happen), "error".
        refused: What was refused (mechanism, direction or "model"), and the code.
        exact, undecided, still: How many groups of parameters.
    """

    seed: int
    verdict: str = ""
    worst: float = 0.0
    mechanisms: int = 0
    exact: int = 0
    undecided: list[str] = field(default_factory=list)
    still: int = 0
    failures: list[tuple[str, str]] = field(default_factory=list)
    refused: list[tuple[str, str]] = field(default_factory=list)
    seconds: float = 0.0

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)

    def fail(self, kind: str, sentence: str) -> None:
        """Note a failure."""
        self.failures.append((kind, sentence))

    def conclude(self) -> None:
        """From all that was found to one word."""
        kinds = {kind for kind, _ in self.failures}
        if kinds:
            self.verdict = "nan" if kinds == {"nan"} else "error" if kinds == {"error"} else "mismatch"
        elif self.verdict == "":
            self.verdict = (
                "exact" if self.exact else "undecided" if self.undecided else "refused" if self.refused else "still"
            )


def compare(built: Built, result: Result) -> None:
    """Compare all gradients of a model."""
    built.settle()
    try:
        plain = built.run()
    except RuntimeError:
        # Nothing of gradmod is there yet: an iteration that does not converge, for example.
        result.verdict = "NEURON gives up"
        return
    print(RAN, flush=True)
    if not built.is_finite() or not all(np.isfinite(trace).all() for trace in plain.values()):
        result.verdict = "not finite"
        return
    if not _same(plain, built.run()):
        result.verdict = "goes on"
        return
    directions = built.directions()
    forward = _forward(built, directions, result) if built.model.forward else None
    plain = built.run()
    _without_influence(built, plain, result)
    directions = {name: d for name, d in built.directions().items() if name in directions}
    result.mechanisms = len(built.mechanisms)
    weights = _weights(plain, built.model.seed)
    backward = _reverse(built, directions, weights, plain, result) if built.model.reverse else None
    if forward is not None and backward is not None:
        _agree(forward, backward, weights, directions, result)
    if forward is None and backward is None:
        return
    groups: dict[str, list[str]] = {}
    for name, direction in directions.items():
        if forward is None or name in forward:
            groups.setdefault(direction.owner, []).append(name)
    for owner, names in groups.items():
        if len(result.failures) > _FAILURES:
            break
        _group(built, owner, {name: directions[name] for name in names}, forward, backward, weights, plain, result)


def _same(one: Traces, other: Traces) -> bool:
    return one.keys() == other.keys() and all(np.array_equal(one[name], other[name]) for name in one)


def _weights(plain: Traces, seed: int) -> Traces:
    random = np.random.default_rng(seed)
    return {
        name: random.normal(size=len(t)) / (np.ptp(t) + 1e-3 * np.max(np.abs(t)) or 1.0) / len(t)
        for name, t in plain.items()
    }


# --- gradients ----------------------------------------------------------------------------------------------------


def _refusal(error: gradmod.Error, built: Built, directions: dict[str, Direction], result: Result, mode: str) -> bool:
    """Drop what is refused; False if nothing can be dropped."""
    message = str(error)
    codes = ",".join(sorted({d.code for d in getattr(error, "diagnostics", ())}))
    lines = {line.partition(": ")[0]: line for line in message.splitlines()}

    def code(text: str) -> str:
        if not isinstance(error, gradmod.Refused):
            return f"{mode} Error: {text[:300]}"
        return f"{mode}: {codes or re.sub(r'[0-9.]+', '#', text)[:160]}"

    if "from outside" in message:
        # Nothing here touches a run.
        result.fail("untrue", f"{mode}: {message[:300]}")
    named = [name for name in directions if name in lines]
    for name in named:
        result.refused.append((name, code(lines[name])))
        del directions[name]
    if named:
        return bool(directions)
    # A place is told with all its mechanisms, code with its own.
    its_own = re.search(r"is not differentiated: (\w+): ", message)
    about = its_own[1] if its_own is not None else message
    found = [name for name in built.mechanisms if re.search(rf"\b(\w+_)?{name}\b", about)]
    if not found or mode == "reverse":
        result.refused.append((found[0] if found else "model", code(message)))
        return False
    for name in found:
        result.refused.append((name, code(message)))
        built.drop(name)
    directions.clear()
    directions.update(built.directions())
    return bool(built.mechanisms)


def _without_influence(built: Built, plain: Traces, result: Result) -> None:
    """What gradmod says to have no influence has none."""
    directions = built.directions()
    for name, code in result.refused:
        if "no influence" not in code or name not in directions:
            continue
        built.settle()
        directions[name].shift(0.01 * directions[name].size)
        try:
            if not _same(plain, built.run()):
                result.fail("influence", f"{name} is refused, but the run depends on it: {code}")
        finally:
            directions[name].shift(0.0)


def _forward(built: Built, directions: dict[str, Direction], result: Result) -> dict[str, Traces] | None:
    for _ in range(12):
        built.settle()
        plain = built.run()
        attached = None
        try:
            attached = gradmod.attach(quiet=True, **{name: d.parameter for name, d in directions.items()})
            records = {name: attached.record(seg, of) for name, (seg, of) in built.watched.items()}
            if not _same(plain, built.run()):
                result.fail("voltage", "forward mode changed the run")
            found = {d: {name: np.array(records[name][d]) for name in records} for d in directions}
            bad = [d for d in found if not all(np.isfinite(trace).all() for trace in found[d].values())]
            if bad:
                result.fail("nan", f"forward: {', '.join(bad)}")
            return {d: traces for d, traces in found.items() if d not in bad}
        except gradmod.Error as error:
            if attached is not None:
                attached.detach()
                attached = None
            if not _refusal(error, built, directions, result, "forward"):
                return None
        except RuntimeError as error:
            result.fail("error", f"forward: {type(error).__name__}: {error}")
            return None
        finally:
            if attached is not None:
                attached.detach()
    return None


def _reverse(
    built: Built, directions: Mapping[str, Direction], weights: Traces, plain: Traces, result: Result
) -> dict[str, float] | None:
    left = dict(directions)
    for _ in range(4):
        try:
            with gradmod.Reverse(quiet=True, **{name: d.parameter for name, d in left.items()}) as reverse:
                traces = {name: reverse.record(seg, of) for name, (seg, of) in built.watched.items()}
                if built.model.way == "twice":
                    built.run()
                reverse.run(built.model.t_stop, v_init=built.v_init, simulate=built.run_once)
                if not all(np.array_equal(trace.values, plain[name]) for name, trace in traces.items()):
                    result.fail("voltage", "reverse mode changed the run")
                gradient = reverse.gradient({trace: weights[name] for name, trace in traces.items()})
                found = {name: float(np.sum(gradient[name])) for name in left}
            bad = [name for name, value in found.items() if not np.isfinite(value)]
            if bad:
                result.fail("nan", f"reverse: {', '.join(bad)}")
            return {name: value for name, value in found.items() if name not in bad}
        except gradmod.Error as error:
            if not _refusal(error, built, left, result, "reverse"):
                return None
        except RuntimeError as error:
            result.fail("error", f"reverse: {type(error).__name__}: {error}")
            return None
    return None


def _agree(
    forward: dict[str, Traces],
    backward: dict[str, float],
    weights: Traces,
    directions: Mapping[str, Direction],
    result: Result,
) -> None:
    names = [name for name in backward if name in forward]
    sums = {d: float(sum(np.sum(weights[n] * forward[d][n]) for n in weights)) for d in names}
    scales = {d: float(sum(np.sum(np.abs(weights[n] * forward[d][n])) for n in weights)) for d in names}
    largest = max((scales[d] * directions[d].size for d in names), default=0.0)
    for d in names:
        gap = abs(sums[d] - backward[d])
        if gap > max(AGREE * scales[d], ROUNDING * largest / directions[d].size):
            result.fail(
                "backwards",
                f"{d}: reverse {backward[d]:.9g}, forward {sums[d]:.9g}, off by {gap / (scales[d] or 1e-300):.1e}",
            )


# --- differences --------------------------------------------------------------------------------------------------


def _group(
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
