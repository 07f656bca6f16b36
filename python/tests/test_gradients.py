"""Gradients against finite differences of the unmodified model, and against the reference numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gradmod
import numpy as np
import pytest
from gradmod import finite
from models import branched, everything, reference
from neuron import h

BASE = ("pas", "naf", "kdr", "ih", "cah", "capool", "sk")
EXTRA = ("cal_ghk", "kir", "leakc", "nap", "keul", "khand", "kmq10", "nacarry", "ktab", "state0")


@pytest.mark.parametrize("build", [reference.single, reference.branched])
def test_reference_models(build: Any) -> None:
    model = build()
    goal = reference.target(model)
    plain = reference.trace(model)
    grad = gradmod.attach(**{name: gradmod.Range(name, model.all) for name in reference.PARAMETERS})
    record = grad.record(model.soma(0.5))
    voltage = reference.trace(model)
    assert np.array_equal(voltage, plain)
    assert reference.loss(voltage, goal) == pytest.approx(model.expected.loss, rel=1e-9)
    for name, expected in model.expected.gradient.items():
        assert np.mean(2 * (voltage - goal) * record[name]) == pytest.approx(expected, rel=1e-7)
    grad.detach()


def deviations(
    monkeypatch: pytest.MonkeyPatch, extra: Sequence[str], dt: float, t_stop: float, tables: bool
) -> dict[str, finite.Comparison]:
    """Compare every parameter's gradient in the branched cell with differences; the voltage must not change."""
    cell = branched.reference(extra)
    branched.use_tables(tables)
    # Not on a grid point of a table, where it has a kink.
    monkeypatch.setattr(branched, "V_INIT", -70.3)
    directions = everything.of(cell, (*BASE, *extra))
    places = (
        (cell.soma(0.5), ("v", "m_naf", "h_naf", "n_kdr")),
        (cell.sections["trunk"](0.5), ("v", "cai")),
        (cell.sections["trunk"](1), ("v",)),
        (cell.sections["tuft_left"](0.9), ("v",)),
    )
    watched = [(segment, name) for segment, names in places for name in names if hasattr(segment, f"_ref_{name}")]
    vectors = {f"{seg}.{name}": h.Vector().record(getattr(seg, f"_ref_{name}")) for seg, name in watched}

    def run() -> dict[str, Any]:
        if tables:
            finite.rebuild_tables()
        branched.run(dt, t_stop)
        return {name: vector.as_numpy().copy() for name, vector in vectors.items()}

    plain = run()
    grad = gradmod.attach(**{name: wanted for name, (wanted, _, _) in directions.items()})
    records = {f"{seg}.{name}": grad.record(seg, name) for seg, name in watched}
    attached = run()
    assert all(np.array_equal(plain[name], attached[name]) for name in plain)
    gradients = {d: {name: np.array(record[d]) for name, record in records.items()} for d in directions}
    grad.detach()
    steps = (1e-3, 3e-4, 1e-4, 3e-5, 1e-5, 3e-6, 1e-6, 3e-7, 1e-7, 3e-8, 1e-8)
    return {
        d: finite.compare(gradients[d], finite.differentiate(run, shift, 0.0, scale=size, steps=steps))
        for d, (_, shift, size) in directions.items()
    }


@pytest.mark.parametrize(
    ("extra", "dt", "t_stop", "tables"),
    [
        ((), 0.025, 6.0, False),
        ((), 0.1, 6.0, False),
        ((), 0.05, 6.0, True),
        (EXTRA, 0.05, 6.0, False),
    ],
)
def test_every_parameter_of_a_branched_cell(
    monkeypatch: pytest.MonkeyPatch, extra: Sequence[str], dt: float, t_stop: float, tables: bool
) -> None:
    found = deviations(monkeypatch, extra, dt, t_stop, tables)
    # Differences across a kink (a table's grid point, a floor) are no better than their own estimated error.
    wrong = {d: str(c) for d, c in found.items() if not c.deviation <= max(1e-6, 5 * c.uncertainty)}
    assert not wrong
    # A parameter that hardly matters is lost in the rounding of the differences; most must be seen well.
    assert sum(c.deviation <= 1e-6 for c in found.values()) >= (0.5 if tables else 0.7) * len(found)
