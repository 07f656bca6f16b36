"""Losses of several protocols, each in a process of its own."""

from __future__ import annotations

from functools import partial

import gradmod
import numpy as np
import pytest
from models.steps import broken, step


def test_the_sum_of_two_protocols() -> None:
    parts = [partial(step, 1.0), partial(step, 1.7)]
    with gradmod.Protocols(parts) as f:
        assert f.names == ["gnabar_hh", "gkbar_hh", "gl_hh"]
        x = f.x * 1.01
        value, gradient = f(x)
        assert f(x) == (value, pytest.approx(gradient, rel=1e-12))
        for index, step_size in enumerate(1e-5 * x):
            above, below = x.copy(), x.copy()
            above[index] += step_size
            below[index] -= step_size
            slope = (f(above)[0] - f(below)[0]) / (above[index] - below[index])
            assert gradient[index] == pytest.approx(slope, rel=1e-5)
    alone = []
    for part in parts:
        function = part()
        alone.append(function(x))
        function.close()
    assert value == pytest.approx(sum(v for v, _ in alone), rel=1e-12)
    assert gradient == pytest.approx(np.sum([g for _, g in alone], axis=0), rel=1e-9)


def test_what_does_not_fit() -> None:
    with pytest.raises(gradmod.Error, match="no such cell"):
        gradmod.Protocols([broken])
    with pytest.raises(gradmod.Error, match="protocol 1 has the parameters"):
        gradmod.Protocols([partial(step, 1.0), partial(step, 1.0, ("gl_hh",))])
    with pytest.raises(gradmod.Error, match="no protocols"):
        gradmod.Protocols([])
