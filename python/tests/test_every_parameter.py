"""Every parameter of every mechanism, traces of V and of every state, against finite differences: 1e-6 everywhere.

The differences are made to be far better than that, by their own estimate: the run stays away from kinks (tables'
grid points among them), no difference crosses one, and rounding is averaged away.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import gradmod
import numpy as np
import pytest
from gradmod import finite
from models import branched, everything, kinks, package
from neuron import h

BASE = ("pas", "naf", "kdr", "ih", "cah", "capool", "sk")
EXTRA = ("cal_ghk", "kir", "leakc", "nap", "keul", "khand", "kmq10", "nacarry", "ktab", "state0")
T_STOP = 9.0  # ms; two spikes
#: The largest deviation, of the largest value of the trace.
BOUND = 1e-6
#: Differences that are not as good as this, by their own estimate, are made again from more runs.
GOOD = 3e-7


@dataclass
class Subject:
    """A cell, the directions to test, how far its voltage stays from kinks, and which directions have no influence."""

    cell: branched.Cell
    directions: everything.Everything
    distance: kinks.Distance
    idle: Sequence[str] = ()


def compare(subject: Subject, dt: float, tables: bool) -> dict[tuple[str, str], tuple[float, float]]:
    """Per direction and output, the deviation and the error of the differences, both relative to the largest value."""
    cell = subject.cell
    places = (cell.soma(0.5), *(cell.sections[name](x) for name, x in (("trunk", 0.5), ("tuft_left", 0.9))))
    watched = [(place, name) for place in places for name in ("v", *everything.states(place))]
    watched.append((cell.sections["basal_left"](1), "v"))
    vectors = {f"{place}.{name}": h.Vector().record(getattr(place, f"_ref_{name}")) for place, name in watched}
    voltages = kinks.Voltages(cell)

    def run() -> dict[str, Any]:
        if tables:
            finite.rebuild_tables()
        branched.run(dt, T_STOP)
        return {name: vector.as_numpy().copy() for name, vector in vectors.items()}

    plain = run()
    grad = gradmod.attach(**{d: wanted for d, (wanted, _, _) in subject.directions.items() if d not in subject.idle})
    records = {f"{place}.{name}": grad.record(place, name) for place, name in watched}
    attached = run()
    assert all(np.array_equal(plain[name], attached[name]) for name in plain)
    gradients = {d: {name: np.array(record[d]) for name, record in records.items()} for d in grad.directions}
    gradients |= {d: {name: np.zeros_like(trace) for name, trace in plain.items()} for d in subject.idle}
    grad.detach()
    found = {}
    for direction, (_, shift, size) in subject.directions.items():
        slope = _slope(run, shift, 1e-5 * size, voltages)
        width = min(subject.distance.step(slope, direction), 0.1 * size)
        difference = _differences(run, shift, width)
        each = finite.compare(gradients[direction], difference).each
        found |= {(direction, name): (deviation, difference.uncertainty(name)) for name, deviation in each.items()}
    return found


def _slope(run: Callable[[], object], shift: everything.Setter, step: float, voltages: kinks.Voltages) -> float:
    """The largest change of any voltage, mV per unit of the parameter."""
    ends = []
    for by in (step, -step):
        shift(by)
        run()
        ends.append(voltages())
    shift(0.0)
    return float(np.max(np.abs(ends[0] - ends[1]))) / (2 * step)


def _differences(run: Callable[[], Any], shift: everything.Setter, width: float) -> finite.Difference:
    """Fits of more and more differences, until they are good for every output."""

    def worst(difference: finite.Difference) -> float:
        return max(map(difference.uncertainty, difference.value))

    fits: dict[float, finite.Difference] = {}
    for step in (width, width / 4):
        fits[step] = finite.fit(run, shift, 0.0, width=step)
        difference = finite.best(*fits.values())
        if worst(difference) <= GOOD:
            return difference
    step = min(fits, key=lambda step: worst(fits[step]))
    for pairs in (36, 100):
        difference = finite.best(difference, finite.fit(run, shift, 0.0, width=step, pairs=pairs))
        if worst(difference) <= GOOD:
            break
    return difference


def check(found: dict[tuple[str, str], tuple[float, float]]) -> None:
    """Every deviation within the bound, and every difference good enough to tell."""
    assert {key: value for key, value in found.items() if not value[0] <= BOUND} == {}
    assert {key: value for key, value in found.items() if not value[1] <= BOUND} == {}


MODELS: dict[str, tuple[tuple[str, ...], float]] = {
    "0.1": ((), 0.1),
    "0.05": ((), 0.05),
    "0.025": ((), 0.025),
    "all 0.05": (EXTRA, 0.05),
    "alike 0.05": (("alike",), 0.05),
}
#: Which of them are tried each time, and whether tables are on; the others: make test-thorough.
OFTEN = {("0.1", False), ("0.1", True), ("alike 0.05", False)}


@pytest.mark.parametrize(
    ("extra", "dt", "tables"),
    [
        pytest.param(
            *model, tables,
            id=f"{name}-tables {'on' if tables else 'off'}",
            marks=() if (name, tables) in OFTEN else pytest.mark.thorough,
        )
        for name, model in MODELS.items()
        for tables in (False, True)
    ],
)  # fmt: skip
def test_own_channels(monkeypatch: pytest.MonkeyPatch, extra: Sequence[str], dt: float, tables: bool) -> None:
    cell = branched.reference(extra)
    branched.use_tables(tables)
    start, distance = kinks.avoiding(cell, dt, T_STOP, tables)
    monkeypatch.setattr(branched, "V_INIT", start)
    subject = Subject(cell, everything.of(cell, (*BASE, *extra)), distance)
    check(compare(subject, dt, tables))


@pytest.mark.thorough
@pytest.mark.parametrize("dt", [0.05, 0.1, 0.025])
def test_channels_of_a_package(monkeypatch: pytest.MonkeyPatch, dt: float) -> None:
    cell = package.cell()
    start, distance = kinks.avoiding(cell, dt, T_STOP, tables=False)
    monkeypatch.setattr(branched, "V_INIT", start)
    directions = everything.of(cell, ("pas", *package.MECHANISMS))
    check(compare(Subject(cell, directions, distance, package.IDLE), dt, tables=False))
