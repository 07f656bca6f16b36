"""What the current of an electrode depends on."""

from __future__ import annotations

from enum import Enum


class Electrode(Enum):
    """Of a mechanism with an ELECTRODE_CURRENT."""

    #: Nothing that has a gradient.
    GIVEN = "given"
    #: Parameters of its own, and nothing else.
    PARAMETERS = "parameters"
    #: The voltage, states, or what a POINTER sees.
    MODEL = "model"
