"""A gradient while NEURON runs."""

from __future__ import annotations

from dataclasses import dataclass

from .. import _neuron as nrn


@dataclass(frozen=True)
class Present:
    """The gradient of v at one place in one direction, as NEURON has it now.

    Attributes:
        ref: NEURON's reference to it, for ``Vector.record`` and ``h.setpointer``: a RANGE variable.
    """

    ref: nrn.Ref

    @property
    def value(self) -> float:
        """At the end of the last step, in mV per unit of the parameter."""
        return float(self.ref[0])
