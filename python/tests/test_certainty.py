"""What a fit says of its certainty: beside noisy data, and on a model that cannot tell two parameters."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from gradmod._fit.certainty import certainty
from gradmod.fit import Problem, Scale, Sweep, TraceTarget, least_squares
from models import fitted, product


@pytest.mark.parametrize("scale", [Scale.LOG, Scale.LINEAR])
def test_a_product_is_named(scale: Scale) -> None:
    """Two parameters of a channel that act only as a product: the report of the fit names them, and no other."""
    with product.Leaky().problem(0.3, scale=scale) as problem:
        found = least_squares(problem, product.START, progress=False)
    assert found.x["g"] * found.x["factor"] == pytest.approx(2e-4, rel=0.05)
    told = found.certainty
    assert told is not None
    (untold,) = told.untold
    assert set(untold.parts) == {"g", "factor"}
    errors = dict(zip(told.names, told.errors, strict=True))
    assert np.isinf(errors["g"]) and np.isinf(errors["factor"])
    assert 0.0 < errors["cm"] < 0.1 and 0.0 < errors["e"] < 1.0
    (line,) = [line for line in str(found).splitlines() if "not told by the data" in line]
    assert "g" in line and "factor" in line and "cm" not in line
    if scale is Scale.LOG:
        # What one gains, the other loses.
        assert sorted(untold.parts.values()) == pytest.approx([-np.sqrt(0.5), np.sqrt(0.5)], rel=1e-3)


@pytest.mark.thorough
def test_standard_errors_are_those_of_noisy_data() -> None:
    """A spiking cell, fitted to many noisy traces.

    Of 50 traces a deviation is known to 10 % only, twice of which is the tolerance: 200 tell it to 5 %.
    """
    cell = fitted.Cell()
    cell.set(**fitted.TRUTH)
    t, v = cell.trace(0.12)
    random = np.random.default_rng(1)
    noise, points = 0.4, slice(0, None, 20)
    target = TraceTarget(v[points], t[points], noise)
    sweep = Sweep("trace", cell.soma(0.5), fitted.DURATION, [target], before=partial(cell.amp, 0.12))

    def fit(data: np.ndarray) -> tuple[list[float], np.ndarray]:
        target.target = data
        found = least_squares(problem, fitted.TRUTH, runs=15, progress=False)
        assert found.certainty is not None
        return list(found.x.values()), found.certainty.errors

    with Problem(cell.free(), [sweep], keep=cell) as problem:
        fits = [fit(v[points] + random.normal(0, noise, len(t[points]))) for _ in range(200)]
        said = fit(v[points])[1]
    spread = np.std(np.log([x for x, _ in fits]), axis=0, ddof=1)
    # Each fit tells its own errors, at its own parameters; and that of the data without noise.
    for errors in (np.mean([one for _, one in fits], axis=0), said):
        assert np.all(np.abs(errors / spread - 1) < 0.2), errors / spread


def test_units_do_not_count() -> None:
    """On linear scales, S/cm2 beside Ohm cm: what is told of each, and of a pair, is what it is in other units."""
    random = np.random.default_rng(5)
    jacobian = random.normal(size=(40, 4))
    jacobian[:, 3] = jacobian[:, 2]
    units = np.array([1e7, 1e-4, 1e5, 1e-3])
    plain = certainty(["a", "b", "c", "d"], jacobian, 1.0)
    scaled = certainty(["a", "b", "c", "d"], jacobian * units, 1.0)
    assert np.allclose(scaled.errors[:2] * units[:2], plain.errors[:2], rtol=1e-9)
    assert np.all(np.isinf(scaled.errors[2:]))
    for told in (plain, scaled):
        (untold,) = told.untold
        assert set(untold.parts) == {"c", "d"}
    covariance = np.linalg.inv(jacobian[:, :3].T @ jacobian[:, :3])
    three = certainty(["a", "b", "c"], jacobian[:, :3] * units[:3], 1.0)
    assert np.allclose(three.errors * units[:3], np.sqrt(np.diag(covariance)), rtol=1e-9)
    assert np.allclose(three.correlations, covariance / np.sqrt(np.outer(np.diag(covariance), np.diag(covariance))))
    for direction in three.directions:
        step = np.array([direction.parts.get(name, 0.0) for name in three.names])
        if len(direction.parts) == 3:
            strength = np.linalg.norm(jacobian[:, :3] * units[:3] @ step)
            assert direction.strength == pytest.approx(strength, rel=1e-6)


def test_a_parameter_without_effect() -> None:
    jacobian = np.random.default_rng(6).normal(size=(30, 3))
    jacobian[:, 1] *= 1e-15
    told = certainty(["a", "nothing", "b"], jacobian, 1.0)
    (untold,) = told.untold
    assert untold.parts == {"nothing": 1.0}
    assert np.isinf(told.errors[1]) and np.all(np.isfinite(told.errors[[0, 2]]))
