"""Concentrations and currents that NEURON's reaction-diffusion module makes: gradmod has no equations of these."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from .. import _neuron as nrn
from .._manifest.ions import IonFlags
from .._neuron.reaction_diffusion import driven
from ..errors import Refused


class _Region(Protocol):
    @property
    def ions(self) -> Sequence[IonFlags]: ...


class _Spot(Protocol):
    @property
    def segment(self) -> nrn.Segment: ...
    @property
    def region(self) -> _Region: ...


def check_rxd(spots: Iterable[_Spot]) -> None:
    """Look at all mechanisms of a cell.

    Raises:
        Refused: rxd drives an ion that one of them uses, or the membrane.
    """
    found = list(driven())
    if not found:
        return
    ions: dict[nrn.Section, set[str]] = {}
    for spot in spots:
        ions.setdefault(spot.segment.sec, set()).update(flags.ion for flags in spot.region.ions)
    for sec, used in ions.items():
        for ion, what, where in found:
            if (where is None or sec in where) and (not ion or ion in used):
                by = f", and mechanisms there use the ion {ion}" if ion else ""
                raise Refused(
                    f"no exact gradient: rxd drives {what} in {sec.name()}{by}; gradmod does not differentiate rxd: "
                    "write the pool as a .mod file"
                )
