"""What is recorded of a run."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any, TypeAlias, cast

from .. import _neuron as nrn
from .._neuron.sections import is_segment
from ..membrane_currents import VARIABLE, MembraneCurrents

#: A segment (its voltage), or (segment or point process, variable).
Place: TypeAlias = Any


@dataclass(frozen=True)
class Look:
    """A variable of something.

    Attributes:
        of: A segment, a point process, or a sum of membrane currents.
        variable: As NEURON spells it.
    """

    of: Any
    variable: str

    @classmethod
    def at(cls, place: Place) -> Look:
        """Take apart what a user has given; whether it can be recorded is for others to say."""
        if isinstance(place, tuple) and len(cast("tuple[Any, ...]", place)) == 2:
            of, variable = cast("tuple[Any, Any]", place)
            return cls(of, str(variable))
        return cls(place, VARIABLE if isinstance(place, MembraneCurrents) else "v")

    @property
    def key(self) -> Hashable:
        """The same for two that are the same."""
        if is_segment(self.of):
            return self.of.sec, float(self.of.x), self.variable
        if nrn.type_of_point_process(self.of):
            return nrn.name_of(self.of), self.variable
        return id(self.of), self.variable

    @property
    def unit(self) -> str:
        """The variable with its unit, for people."""
        if isinstance(self.of, MembraneCurrents):
            return "sum of membrane currents"
        kind = nrn.type_of_point_process(self.of)
        unit = str(nrn.h.units(f"{kind}.{self.variable}" if kind else self.variable))
        return f"{self.variable} ({unit})" if unit else self.variable

    def __str__(self) -> str:
        if isinstance(self.of, MembraneCurrents):
            return repr(self.of)
        return str(self.of) if self.variable == "v" else f"{self.variable} of {self.of}"
