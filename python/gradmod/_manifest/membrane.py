"""The units of the membrane equation (src/step/linear_map/membrane.rs), as the manifest has them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Membrane:
    """What converts between the currents of an area and of a place.

    Attributes:
        capacitive: mA/cm2 that charge 1 uF/cm2 by 1 mV/ms.
        area: nA that 1 mA/cm2 makes of 1 um2.
    """

    capacitive: float
    area: float

    def capacitance(self, cm: float, area: float) -> float:
        """The capacitance of a segment in nF, of ``cm`` in uF/cm2 and its area in um2."""
        return self.capacitive * self.area * cm * area
