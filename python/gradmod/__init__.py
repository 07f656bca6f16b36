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

from ._binary import find_binary
from .attach import attach
from .errors import Diagnostic, Error, Refused
from .gradients import Gradients
from .parameters import Global, InitialVoltage, Range, Stimulus
from .recording import Recording

__all__ = [
    "Diagnostic",
    "Error",
    "Global",
    "Gradients",
    "InitialVoltage",
    "Range",
    "Recording",
    "Refused",
    "Stimulus",
    "attach",
    "find_binary",
]

try:
    __version__ = _metadata.version("gradmod")
except _metadata.PackageNotFoundError:  # used from a checkout
    __version__ = "0+checkout"
