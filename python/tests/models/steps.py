"""A protocol of the reference cell that another process can build."""

from __future__ import annotations

import gradmod
import numpy as np
from neuron import h

from . import reference


def step(factor: float, names: tuple[str, ...] = tuple(reference.PARAMETERS)) -> gradmod.objective.ValueAndGrad:
    """The loss of the reference cell against silence, with its stimulus times a factor."""
    h.celsius, h.dt = reference.CELSIUS, reference.DT
    if hasattr(h, "usetable_hh"):  # NEURON 9
        h.usetable_hh = 0
    model = reference.single()
    model.stimulus.amp *= factor
    parameters = {name: gradmod.Range(name, model.all) for name in names}
    looks = gradmod.SquaredError(np.full(101, -65.0), np.arange(101) * 0.1, 0.025)
    return gradmod.value_and_grad(looks, parameters, [model.soma(0.5)], 10.0, keep=model, quiet=True)


def broken() -> gradmod.objective.ValueAndGrad:
    """A protocol that cannot be built."""
    raise gradmod.Error("no such cell")
