"""Depolarisation block: a cell that has spiked, and whose voltage stays where spikes begin, or higher."""

from __future__ import annotations

import numpy as np

from .extraction import Extraction, MissingFeature, feature
from .linear import Linear
from .onset import begin_voltages
from .subthreshold import steady_state_voltage_stimend


@feature("depolarization_block", "mV")
def depolarization_block(of: Extraction) -> list[Linear]:
    """How far above where the last spike began the voltage stays: in the last tenth of the stimulus. Not in eFEL."""
    depth = of.get(steady_state_voltage_stimend)[0] - _onset(of)
    if depth.value <= 0.0:
        raise MissingFeature("the voltage ends below where the last spike began")
    return [depth]


def _onset(of: Extraction) -> Linear:
    """Where the last spike of the stimulus, or before it, began; where the trace does, if it begins with that spike."""
    trace, settings = of.trace, of.settings
    v = trace.v[: of.after(settings.stim_end)]
    ups = np.flatnonzero((v[1:] > settings.threshold) & (v[:-1] <= settings.threshold))
    if not len(ups):
        raise MissingFeature("there is no spike before the stimulus ends")
    flat = np.flatnonzero(trace.slope[: ups[-1] + 1] < settings.derivative_threshold)
    return begin_voltages(of, flat[-1:] + 1)[0] if len(flat) else trace.at(0)
