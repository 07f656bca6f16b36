"""``extracellular``: gradients beside differences of the untouched run, and what is refused."""

from __future__ import annotations

from typing import Any

import gradmod
import numpy as np
import pytest
from models import comparing
from models.surrounded import Surrounded


def loss_of(model: Surrounded) -> tuple[dict[tuple[Any, str], np.ndarray], Any]:
    """Random weights of all samples, and the loss of traces."""
    random = np.random.default_rng(1)
    plain = model.run()
    weights = {look: random.normal(size=len(next(iter(plain.values())))) for look in model.looks}
    # vext and i_membrane are small beside v.
    for look in model.looks:
        weights[look] /= np.abs(plain[f"{look[0]}.{look[1]}"]).max()

    def loss(traces: dict[str, np.ndarray]) -> float:
        return float(sum(weights[look] @ traces[f"{look[0]}.{look[1]}"] for look in model.looks))

    return weights, loss


def gradient(model: Surrounded, asked: dict[str, Any], weights: dict[tuple[Any, str], np.ndarray]) -> dict[str, Any]:
    """In reverse mode, of a run that must be what it is without."""
    plain = model.run()
    with gradmod.Reverse(**asked) as reverse:
        traces = {look: reverse.record(*look) for look in model.looks}
        found: list[dict[str, np.ndarray]] = []
        reverse.run(4.0, simulate=lambda: found.append(model.run()))
        assert all(np.array_equal(plain[name], found[0][name]) for name in plain)
        for look, trace in traces.items():
            assert np.array_equal(trace.values, plain[f"{look[0]}.{look[1]}"])
        result = reverse.gradient({traces[look]: weights[look] for look in model.looks})
        return {name: result[name] for name in asked}


@pytest.mark.parametrize("myelin", [False, True])
@pytest.mark.parametrize("layers", [1, 2])
def test_reverse_against_differences(layers: int, myelin: bool) -> None:
    model = Surrounded(layers, myelin=myelin)
    model.watch(model.everywhere())
    directions = model.directions()
    weights, loss = loss_of(model)
    found = gradient(model, {name: wanted for name, (wanted, _, _) in directions.items()}, weights)

    def run() -> dict[str, np.ndarray]:
        return {"loss": np.array([loss(model.run())])}

    wrong = comparing.wrong({name: {"loss": np.array([value])} for name, value in found.items()}, directions, run)
    assert wrong == {}
