"""gradmod: exact gradients of NEURON simulations, inside stock NEURON.

    import gradmod
    grad = gradmod.attach(gNa=gradmod.Range("gnabar_hh", soma), amp=gradmod.Stimulus(iclamp, "amp"))
    dv = grad.record(soma(0.5))
    h.finitialize(-65); h.continuerun(100)
    dv["gNa"]                                  # dv/dgnabar at every recorded time

The gradients are those of the discrete simulation that was run, at its own dt.
"""

from __future__ import annotations

from importlib import metadata as _metadata

from ._command.binary import find_binary
from .attach import attach
from .checkpoint import restore_run, save_run
from .errors import Diagnostic, Error, Refused
from .field_waveform import FieldWaveform
from .gradients import Gradients
from .homeostat import Homeostat
from .measures import Average, Frequency
from .membrane_currents import MembraneCurrents
from .objective import Residuals, SquaredError, value_and_grad
from .parameters import (
    Elsewhere,
    Global,
    InitialVoltage,
    NetConDelay,
    NetConWeight,
    PerNetCon,
    PerPointProcess,
    PerSegment,
    Range,
    Stimulus,
)
from .played import Played
from .profile import Profile
from .protocols import Protocols
from .recording import Recording
from .reverse import Reverse
from .simulation import Simulation
from .spikes import SpikeTimes
from .variable_step import VariableStep
from .waveform import Waveform

__all__ = [
    "Average",
    "Diagnostic",
    "Elsewhere",
    "Error",
    "FieldWaveform",
    "Frequency",
    "Global",
    "Gradients",
    "Homeostat",
    "InitialVoltage",
    "MembraneCurrents",
    "NetConDelay",
    "NetConWeight",
    "PerNetCon",
    "PerPointProcess",
    "PerSegment",
    "Played",
    "Profile",
    "Protocols",
    "Range",
    "Recording",
    "Refused",
    "Residuals",
    "Reverse",
    "Simulation",
    "SpikeTimes",
    "SquaredError",
    "Stimulus",
    "VariableStep",
    "Waveform",
    "attach",
    "find_binary",
    "restore_run",
    "save_run",
    "value_and_grad",
]

try:
    __version__ = _metadata.version("gradmod")
except _metadata.PackageNotFoundError:  # used from a checkout
    __version__ = "0+checkout"
