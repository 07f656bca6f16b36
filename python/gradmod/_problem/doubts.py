"""Targets that look as if they were in volts or seconds, where NEURON has mV and ms."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from .._model.cells import Floats
from ..features import units
from .targets import FeatureTarget, TraceTarget

#: No membrane gets so far from 0 V, in V.
_VOLTS = 0.2
#: Below this a voltage of a model is one of a membrane, in mV.
_AT_REST = -10.0
#: A factor between model and data that no parameter explains, but 1,000 does.
_FAR = 100.0


def doubt(target: object, t: Floats, values: Floats) -> Iterator[str]:
    """What is doubtful about a target, beside a trace of the model.

    Args:
        target: Of a :class:`~gradmod.fit.Sweep`.
        t: [sample] in ms.
        values: [sample] in mV, if it is a voltage.
    """
    is_voltage = bool(np.min(values) < _AT_REST)
    if isinstance(target, TraceTarget):
        low, high = float(np.min(target.target)), float(np.max(target.target))
        if is_voltage and -_VOLTS < low < -_VOLTS / 20 and high < _VOLTS:
            yield f"the target of a voltage is between {low:g} and {high:g}: is it in volts? NEURON's v is in mV"
        last = float(np.max(target.times, initial=0.0))
        if len(target.times) > 2 and last > 0.0 and last < float(t[-1]) / _FAR and _is_crowded(target.times, t):
            yield f"the times of the target end at {last:g}: are they in seconds? NEURON's t is in ms"
    elif isinstance(target, FeatureTarget):
        for name, wanted in target.wanted.items():
            size = float(np.max(np.abs(wanted), initial=0.0))
            unit = units().get(name)
            if unit == "ms" and name.endswith("time") and 0.0 < size < float(t[-1]) / _FAR / 10.0:
                yield f"the target of {name} is {size:g} ms: is it in seconds? NEURON's t is in ms"
            if unit == "mV" and is_voltage and 0.0 < size < _VOLTS and name.startswith(("voltage", "peak_v", "min_")):
                yield f"the target of {name} is {size:g} mV: is it in volts? NEURON's v is in mV"


def _is_crowded(times: Floats, t: Floats) -> bool:
    """Whether there are more times than time steps between them."""
    steps = float(np.max(times) - np.min(times)) / max(float(t[1] - t[0]), 1e-12)
    return len(times) > 2.0 * steps + 2.0
