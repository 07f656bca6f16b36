"""Gradients of the reference models against their numbers."""

from __future__ import annotations

from typing import Any

import gradmod
import numpy as np
import pytest
from models import reference


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
