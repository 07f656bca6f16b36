"""Where a mechanism stands in the cell, and the names of its parameters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ... import _neuron as nrn
from ..._model.external import read_by
from .source import Declarations


@dataclass(frozen=True)
class Instances:
    """All instances of the mechanism.

    Attributes:
        declared: What its file declares.
        segments: All segments of the cell; a density mechanism stands in each.
        processes: The instances of a point process; none of a density mechanism.
    """

    declared: Declarations
    segments: Sequence[nrn.Segment]
    processes: Sequence[nrn.PointProcess]

    def owners(self, name: str) -> list[object]:
        """What has a RANGE variable of the mechanism; ``name`` as NEURON spells it."""
        return list(self.processes) or [seg for seg in self.segments if hasattr(seg, name)]

    def range_parameters(self) -> list[str]:
        """RANGE PARAMETERs that are numbers, as NEURON spells them."""
        return self._numbers(1)

    def states(self) -> list[str]:
        """STATEs that are numbers, as NEURON spells them."""
        return self._numbers(3)

    def assigned(self) -> list[tuple[object, str]]:
        """Each ASSIGNED number: what has it, and its name there."""
        names = nrn.variables_of(self.declared.name, 2)
        return [(owner, name) for name in names for owner in self.owners(name) if nrn.is_number(owner, name)]

    def _numbers(self, kind: int) -> list[str]:
        names = nrn.variables_of(self.declared.name, kind)
        return [name for name in names if all(nrn.is_number(owner, name) for owner in self.owners(name))]

    def global_parameters(self) -> list[str]:
        """GLOBAL PARAMETERs that are numbers, as NEURON spells them."""
        known = set(nrn.variables_of(self.declared.name, -1))
        names = [f"{name}_{self.declared.name}" for name in self.declared.units]
        own = [name for name in names if name in known]
        return [name for name in (*own, *read_by(self.declared.name)) if nrn.is_number(nrn.h, name)]

    def ion_parameters(self) -> list[str]:
        """What the user may set of the ions that the mechanism reads and does not write."""
        fixed = "eoi" if self.processes else "eo"
        names = [f"e{ion.name}" if side == "e" else f"{ion.name}{side}" for ion in self.declared.ions for side in fixed]
        reads = {name for ion in self.declared.ions for name in ion.reads - ion.writes}
        return [name for name in names if name in reads]

    def having(self, name: str) -> list[nrn.Segment]:
        """The segments that have a variable of an ion: those of a point process need not be everywhere."""
        return [seg for seg in self.segments if nrn.is_number(seg, name)]

    def unit(self, name: str) -> str:
        """Unit of a parameter, as the file writes it; ``name`` as NEURON spells it."""
        return self.declared.units.get(name.removesuffix(f"_{self.declared.name}"), "")
