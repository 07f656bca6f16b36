"""The settings of an emitted mechanism that follow an ion."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class IonFlags:
    """RANGE settings of an emitted mechanism that follow an ion of its section.

    ``sets_reversal``: some mechanism sets the reversal potential. ``starts`` has (variable, setting) where the
    concentration, or such a reversal potential, before INITIAL matters; ``reversal_at_start`` says
    that INITIAL makes something of the reversal potential.
    """

    ion: str
    nernst: str
    nernst_init: str
    conc_init: str
    valence: str
    written: tuple[str, ...]
    reads_concentration: bool
    reads_reversal: bool
    sets_reversal: bool
    reversal_at_start: bool
    starts: tuple[tuple[str, str], ...]

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> IonFlags:
        """Read one element of ``ions``."""
        return cls(
            data["ion"],
            data["nernst"],
            data["nernst_init"],
            data["conc_init"],
            data["valence"],
            tuple(data["written"]),
            bool(data["reads_concentration"]),
            bool(data["reads_reversal"]),
            bool(data["sets_reversal"]),
            bool(data["reversal_at_start"]),
            tuple((concentration, setting) for concentration, setting in data["starts"]),
        )
