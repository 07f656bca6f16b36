"""Reverse mode in the runs of a check: beside forward mode, or beside differences where forward mode refuses."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from .. import _neuron as nrn
from .._model.cells import Floats
from ..errors import Refused
from ..reverse import Reverse
from ..trace import Trace
from .candidates import Candidate, candidates
from .differences import compare
from .forward import Forward, Traces, run
from .forward import forward as forward_of
from .judge import Finding
from .model.cell import Model
from .model.drive import Drive

#: How far both may differ, relative to the sum of the absolute addends: they are the same numbers, added otherwise.
AGREE = 1e-9
#: Besides, relative to the largest change of the loss that any parameter makes if it changes by its size: going
#: backwards, all parameters take from the same adjoints, and one that does next to nothing takes their rounding.
ROUNDING = 1e-14
#: By how much a run is begun elsewhere to see what rounding does to its gradients, in mV: some ten roundings of v.
#: Where a scheme is nearly singular, or errors grow along the run, that is more than both modes differ by.
SHAKE = 1e-13
#: A trace that moves by less than this part of its size counts as if it moved by that.
_STILL = 1e-3


@dataclass
class Backwards:
    """What reverse mode did.

    Attributes:
        verdict: "exact" (it agrees with forward mode, or with differences), "refused" or "mismatch".
        worst: Largest difference from forward mode, relative to the sum of the absolute addends.
        codes: Of the diagnostics, where it was refused.
        message: Why it was refused.
        mismatches: One sentence for each parameter that is wrong.
    """

    verdict: str = "exact"
    worst: float = 0.0
    codes: list[str] = field(default_factory=list[str])
    message: str = ""
    mismatches: list[str] = field(default_factory=list[str])

    def compare(self, parameter: str, drive: str, mine: float, products: Floats, rounding: float) -> None:
        """Compare one gradient of a weighted sum of traces.

        Args:
            parameter: Its name.
            drive: Which run.
            mine: By reverse mode.
            products: [trace, sample] forward mode's gradients times the weights.
            rounding: What may be off besides.
        """
        scale = float(np.sum(np.abs(products)))
        difference = abs(mine - float(np.sum(products)))
        if not np.isfinite(scale) or difference == 0.0:
            return  # forward mode is judged by itself
        relative = difference / scale if scale > 0.0 else np.inf
        if relative > AGREE and difference <= rounding:
            return
        self.worst = max(self.worst, relative)
        if not relative <= AGREE:
            self.wrong(f"{parameter}: reverse mode off by {relative:.1e} from forward mode ({drive} drive)")

    def wrong(self, sentence: str) -> None:
        """Something is."""
        self.verdict = "mismatch"
        self.mismatches.append(sentence)

    def refuse(self, refused: Refused) -> None:
        """A run is, and nothing was wrong before."""
        if self.verdict == "exact":
            self.verdict, self.worst = "refused", 0.0
            self.codes, self.message = sorted({one.code for one in refused.diagnostics}), str(refused)


class _Runs:
    """Reverse mode with all parameters; made afresh after a refusal."""

    def __init__(self, model: Model, asked: Sequence[Candidate]) -> None:
        self._model = model
        self.directions = {f"d{i}": c for i, c in enumerate(asked) if c.direction is not None}
        self._reverse: Reverse | None = None
        self._traces: dict[str, Trace] = {}

    def _ready(self) -> Reverse:
        if self._reverse is None:
            directions = {name: c.direction for name, c in self.directions.items() if c.direction is not None}
            self._reverse = Reverse(directions, sections=self._model.sections, quiet=True)
            self._traces = {name: self._reverse.record(seg, of) for name, (seg, of) in self._model.traces.items()}
        return self._reverse

    def run(self, drive: Drive, weights: Mapping[str, Floats]) -> tuple[Traces, dict[str, float]]:
        """The traces, and the gradient of their weighted sum by direction.

        Raises:
            Refused: As it says.
        """
        try:
            reverse = self._ready()
            self._model.set_up(drive)
            nrn.h.dt = drive.dt
            reverse.run(drive.t_stop, simulate=self._model.run)
            traces = {name: np.array(trace.values) for name, trace in self._traces.items()}
            gradient = reverse.gradient({trace: weights[name] for name, trace in self._traces.items()})
            return traces, {name: float(gradient[name]) for name in self.directions}
        except Refused:
            self.close()
            raise

    def close(self) -> None:
        if self._reverse is not None:
            self._reverse.close()
            self._reverse = None


def backwards(
    model: Model,
    drives: Sequence[Drive],
    asked: Sequence[Candidate],
    forward: Forward,
    before: Sequence[Traces],
    timed: Collection[str],
    known: set[str],
) -> Backwards:
    """Go through the runs backwards, and through the first one again at the end.

    Args:
        model: The cell.
        drives: The runs.
        asked: All parameters.
        forward: What forward mode did.
        before: [drive] the traces of the model alone.
        timed: Parameters that only forward mode has gradients in.
        known: The parameters that something depends on, as the manifest names them.
    """
    found = Backwards()
    runs = _Runs(model, [candidate for candidate in asked if candidate.name not in timed])
    first: dict[str, float] = {}
    alone: list[tuple[Drive, Traces, dict[str, float]]] = []
    both: list[_Both] = []
    try:
        for k, (drive, plain) in enumerate(zip(drives, before, strict=True)):
            weights = _weights(plain)
            try:
                traces, gradient = runs.run(drive, weights)
            except Refused as refused:
                if drive.free:
                    continue
                found.refuse(refused)
                break
            if not all(np.array_equal(traces[name], plain[name]) for name in plain):
                found.wrong("the simulation is not what it was without reverse mode")
                return found
            first = first or gradient
            of_forward = forward.gradients[k]
            if of_forward is not None:
                both.append(_Both(drive, runs.directions, gradient, of_forward, weights))
            else:
                alone.append((drive, plain, {runs.directions[name].key: of for name, of in gradient.items()}))
        else:
            _again(found, runs, drives[0], first, _weights(before[0]))
    finally:
        runs.close()
    for one in both:
        one.compare(found, model, asked)
    for drive, plain, of_drive in alone:
        _beside_differences(found, model, drive, plain, of_drive, known)
    return found


def _again(
    found: Backwards, runs: _Runs, drive: Drive, first: Mapping[str, float], weights: Mapping[str, Floats]
) -> None:
    if len(first) == 0:
        return
    _, again = runs.run(drive, weights)
    for name, value in first.items():
        if not np.array_equal(again[name], value, equal_nan=True):
            found.wrong(f"{runs.directions[name].key}: another gradient in a second run of reverse mode")


@dataclass
class _Both:
    """A run that both modes have gradients of."""

    drive: Drive
    directions: Mapping[str, Candidate]
    gradient: Mapping[str, float]
    forward: Mapping[str, Traces]
    weights: Mapping[str, Floats]

    def _products(self, forward: Mapping[str, Traces]) -> dict[str, Floats]:
        return {
            name: np.array([self.weights[trace] * forward[c.key][trace] for trace in self.weights])
            for name, c in self.directions.items()
        }

    def compare(self, found: Backwards, model: Model, asked: Sequence[Candidate]) -> None:
        """Compare both; where they differ, by no more than what rounding does to this run."""
        products = self._products(self.forward)
        changes = [float(np.sum(np.abs(products[name]))) * c.size for name, c in self.directions.items()]
        largest = max((change for change in changes if np.isfinite(change)), default=0.0)
        rounding = {name: ROUNDING * largest / c.size for name, c in self.directions.items()}
        first = Backwards()
        self._compare(first, products, rounding)
        if first.verdict == "mismatch":
            shaken = self._shaken(model, asked)
            if shaken is not None:
                noise = self._products(shaken)
                rounding = {name: r + abs(float(np.sum(noise[name] - products[name]))) for name, r in rounding.items()}
        self._compare(found, products, rounding)

    def _compare(self, found: Backwards, products: Mapping[str, Floats], rounding: Mapping[str, float]) -> None:
        for name, candidate in self.directions.items():
            found.compare(candidate.key, self.drive.name, self.gradient[name], products[name], rounding[name])

    def _shaken(self, model: Model, asked: Sequence[Candidate]) -> Mapping[str, Traces] | None:
        """Forward mode's gradients of the run that begins an immeasurable bit elsewhere; None if it refuses that."""
        drive = replace(self.drive, v_init=self.drive.v_init + SHAKE)
        return forward_of(model, [drive], asked, [run(model, drive)]).gradients[0]


def _beside_differences(
    found: Backwards, model: Model, drive: Drive, plain: Traces, gradient: Mapping[str, float], known: set[str]
) -> None:
    """Compare with the differences of the weighted sum."""
    weights = _weights(plain)

    def loss(traces: Traces) -> Traces:
        return {"the sum": np.array([sum(float(np.dot(weights[name], traces[name])) for name in weights)])}

    model.set_up(drive)
    for candidate in candidates(model, known):
        if candidate.key not in gradient:
            continue
        judgement = compare(model, candidate, {"the sum": np.array([gradient[candidate.key]])}, plain, loss)
        if judgement.finding is Finding.MISMATCH:
            found.wrong(
                f"{candidate.key}: reverse mode off by {judgement.deviation:.1e}, differences good to "
                f"{judgement.uncertainty:.0e} ({drive.name} drive, which forward mode refuses)"
            )


def _weights(traces: Traces) -> dict[str, Floats]:
    """Random weights with which all traces count alike, those that only rounding moves by their size."""
    random = np.random.default_rng(1)
    spans = {n: max(float(np.ptp(trace)), _STILL * float(np.max(np.abs(trace)))) or 1.0 for n, trace in traces.items()}
    return {name: random.normal(size=len(trace)) / spans[name] for name, trace in traces.items()}
