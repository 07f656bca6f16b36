"""A myelinated axon as pyfibers ships it, in the package's own loop: some parameters beside differences of its runs."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

import gradmod
import numpy as np
import pytest
from gradmod import finite

pyfibers = pytest.importorskip("pyfibers")
sys.path.insert(0, str(Path(__file__).parents[2] / "benches"))
mrg = importlib.import_module("mrg")
WANTED = ["gnabar_axnode_myel", "cm", "Ra", "xraxial[0]", "vtraub_axnode_myel"]

pytestmark = pytest.mark.filterwarnings("ignore:APs detected at locations")


@pytest.fixture(scope="module", autouse=True)
def mechanisms() -> None:
    mrg.load()


def test_both_modes_against_differences() -> None:
    fibre = mrg.Fibre(13)
    fibre.amplitude = 1.05 * fibre.threshold(1e-4)
    fibre.run()
    before = np.array(fibre.voltage)
    at = int(np.argmax(before > -20))
    parameters = fibre.parameters(WANTED)
    asked = {name: one.direction for name, one in parameters.items()}
    back, by_amplitude = mrg.gradients(fibre, asked, at)
    grad = gradmod.attach(asked, quiet=True)
    record = grad.record(fibre.look)
    fibre.run()
    forward = {name: float(record[name][at]) for name in asked}
    grad.detach()
    assert np.array_equal(before, np.array(fibre.voltage))

    def run() -> dict[str, Any]:
        fibre.run()
        return {"v": float(fibre.voltage[at])}

    for name, one in parameters.items():
        theirs = finite.differentiate(run, one.shift, 0.0, scale=one.size, steps=(1e-3, 1e-4, 1e-5))
        assert abs(back[name] / theirs.value["v"] - 1) <= 1e-6, name
        assert back[name] == pytest.approx(forward[name], rel=1e-9)
    amplitude = fibre.amplitude
    theirs = finite.differentiate(run, lambda value: setattr(fibre, "amplitude", value), amplitude)
    assert abs(by_amplitude / theirs.value["v"] - 1) <= 1e-6

    # Its own loop begins with steps of 10 ms; a gradient is that of one time step.
    fibre.stimulation.__class__ = pyfibers.ScaledStim
    with gradmod.Reverse(g=gradmod.Range("gnabar_axnode_myel", fibre.nodes), quiet=True) as reverse:
        trace = reverse.record(fibre.look)
        with pytest.raises(gradmod.Error, match=r"(dt|t) (changed|was set) during the run"):
            reverse.run(mrg.DURATION, simulate=fibre.run)
            reverse.gradient({trace: np.ones(len(trace.values))})
