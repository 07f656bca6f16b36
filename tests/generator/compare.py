"""Forward mode, reverse mode and differences of the untouched run: do they agree?"""

from __future__ import annotations

import re
from collections.abc import Mapping

import gradmod
import numpy as np
from gradmod.check.backwards import AGREE, ROUNDING

from .built import Built, Traces
from .differences import judge_group
from .direction import Direction
from .result import Result

#: Printed after the first run, without gradients: what a process does not survive before is NEURON's.
RAN = "ran"
#: What is said of a run that something has changed on its way. Nothing here does.
_TOUCHED = re.compile(
    "from outside|was set between finitialize|the membrane equation makes|changed by something|"
    "(changed|set) during the run"
)
#: Owners of parameters that are compared after the first that failed.
_FAILURES = 1


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
        judge_group(built, owner, {name: directions[name] for name in names}, forward, backward, weights, plain, result)


def _same(one: Traces, other: Traces) -> bool:
    return one.keys() == other.keys() and all(np.array_equal(one[name], other[name], equal_nan=True) for name in one)


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
    if "cannot be compiled" in message:
        result.fail("error", f"{mode}: {message[:300]}")
    codes = ",".join(sorted({d.code for d in getattr(error, "diagnostics", ())}))
    lines = {line.partition(": ")[0]: line for line in message.splitlines()}

    def code(text: str) -> str:
        if not isinstance(error, gradmod.Refused):
            return f"{mode} Error: {text[:300]}"
        return f"{mode}: {codes or re.sub(r'[0-9.]+', '#', text)[:160]}"

    if _TOUCHED.search(message) and not (built.model.moves and "the model was changed" in message):
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
    """What gradmod says to have no influence has none, where it says so."""
    directions = built.directions()
    for name, code in result.refused:
        if "no influence" not in code or name not in directions:
            continue
        built.settle()
        by = 0.01 * directions[name].size
        place = re.search(r"no influence at (\S+)$", code)
        seg = built.segment(place[1]) if place is not None else None
        before = None if seg is None else float(getattr(seg, name))
        if before is None:
            directions[name].shift(by)
        else:
            setattr(seg, name, before + by)
        try:
            if not _same(plain, built.run()):
                result.fail("influence", f"{name} is refused, but the run depends on it: {code}")
        finally:
            if before is None:
                directions[name].shift(0.0)
            else:
                setattr(seg, name, before)


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
            built.run()
            if not all(_same(found[d], {name: np.array(records[name][d]) for name in records}) for d in directions):
                result.fail("again", "forward mode: another gradient in the second run")
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
    few = {} if built.model.memory is None else {"memory": built.model.memory}
    for _ in range(12):
        try:
            with gradmod.Reverse(quiet=True, **few, **{name: d.parameter for name, d in left.items()}) as reverse:
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
            if "too little for a single time step" in str(error):
                # The smallest windows that there are, nearly.
                few = {"memory": 1.5 * few["memory"]}
            elif not _refusal(error, built, left, result, "reverse"):
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
