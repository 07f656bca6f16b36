"""Tables that NEURON does not fill again, though something that they are made of has changed.

A TABLE is filled anew only when a variable of its DEPEND list changes. In one process the simulation then does not
follow the other variables, in a new process it does: there is no one gradient.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from .. import _neuron as nrn
from .._manifest.gradients import Manifest
from .._manifest.reverse import ReverseManifest
from .._manifest.tables import StaleTable
from .._manifest.variable import VariableManifest
from .._model.directions import Direction
from ..errors import Refused
from ..parameters import Global


class StaleTables:
    """The stale tables of one build, and the values of their variables at ``attach``."""

    def __init__(self, made: Manifest | ReverseManifest | VariableManifest, directions: Sequence[Direction]) -> None:
        """Remember the present values.

        Raises:
            Refused: A direction is one of the variables.
        """
        self._tables = list(dict.fromkeys(table for region in made.regions for table in region.stale_tables))
        self._values = {name: nrn.global_value(name) for table in self._tables for name in table.variables}
        self._directions = {d.parameter.name: d.name for d in directions if isinstance(d.parameter, Global)}
        self.check()

    def check(self) -> None:
        """Raise where a table that is in use is not what the model's code says.

        Raises:
            Refused: A table is not.
        """
        for table in self._in_use():
            for name in table.variables:
                if name in self._directions:
                    raise Refused(f"{self._directions[name]}: no gradient in {name}: {_reason(table, name)}")
                if nrn.global_value(name) != self._values[name]:
                    raise Refused(
                        f"{name} was changed from {self._values[name]:g} to {nrn.global_value(name):g} since attach(): "
                        f"{_reason(table, name)}"
                    )

    def _in_use(self) -> Iterable[StaleTable]:
        return [table for table in self._tables if nrn.global_value(table.switch) != 0.0]


def _reason(table: StaleTable, name: str) -> str:
    plain = name.removesuffix(f"_{table.mechanism}")
    return (
        f"the TABLE of {table.block} in {table.mechanism}.mod is made with it, but its DEPEND list lacks {plain}, so "
        f"NEURON keeps the old table; add {plain} to DEPEND and recompile, or set h.{table.switch} = 0"
    )
