"""Tables that NEURON fills for all segments with RANGE variables of one segment.

Where these variables have one value in all segments, the simulation is what the model's code says. There is no gradient
in them, as a change in one segment would change all or none.
"""

from __future__ import annotations

from collections.abc import Sequence

from .. import _neuron as nrn
from .._manifest.gradients import Manifest
from .._manifest.reverse import ReverseManifest
from .._manifest.tables import SharedTable
from .._manifest.variable import VariableManifest
from .._model.directions import Direction
from ..errors import Refused


class SharedTables:
    """The shared tables of one build, and the values of their variables at ``attach``."""

    def __init__(self, made: Manifest | ReverseManifest | VariableManifest, directions: Sequence[Direction]) -> None:
        """Remember the present values.

        Raises:
            Refused: A direction is one of the variables, or one of them differs between segments.
        """
        self._tables = list(dict.fromkeys(table for region in made.regions for table in region.shared_tables))
        self._directions = {d.wrt: d.name for d in directions if d.wrt is not None}
        self._values = {table: self._present(table) for table in self._tables if _in_use(table)}
        self.check()

    def check(self) -> None:
        """Raise where a table that is in use is not what the model's code says.

        Raises:
            Refused: A table is not.
        """
        for table in filter(_in_use, self._tables):
            for name in table.variables:
                if table.public(name) in self._directions:
                    raise Refused(
                        f"{self._directions[table.public(name)]}: no gradient in {table.public(name)}: {_reason(table)}"
                    )
            present = self._present(table)
            before = self._values.setdefault(table, present)
            for name in table.unwatched:
                if present[name] != before[name]:
                    raise Refused(
                        f"{table.public(name)} was changed since attach(), but the DEPEND list of the TABLE of "
                        f"{table.block} in {table.mechanism}.mod lacks it, so NEURON keeps the old table; "
                        f"set h.{table.switch} = 0"
                    )

    def _present(self, table: SharedTable) -> dict[str, object]:
        found: dict[str, object] = {}
        places: dict[str, str] = {}
        for place, values in nrn.values_everywhere(table.mechanism, table.point, table.variables):
            for name, value in values.items():
                if found.setdefault(name, value) != value:
                    both = f"{found[name]} in {places[name]} and {value} in {place}"
                    raise Refused(f"{table.public(name)} is {both}: {_reason(table)}")
                places.setdefault(name, place)
        return found


def _in_use(table: SharedTable) -> bool:
    return nrn.global_value(table.switch) != 0.0


def _reason(table: SharedTable) -> str:
    return (
        f"the TABLE of {table.block} in {table.mechanism}.mod is made with it, and NEURON fills the table with the "
        f"values of one segment for all; set h.{table.switch} = 0"
    )
