"""TABLEs that NEURON may fill with other values than a gradient needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class StaleTable:
    """A TABLE, and the global variables whose change does not make NEURON fill it again."""

    mechanism: str
    block: str
    variables: tuple[str, ...]

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> StaleTable:
        """Read one element of ``stale_tables``."""
        return cls(data["mechanism"], data["block"], tuple(data["variables"]))

    @property
    def switch(self) -> str:
        """The variable that switches the mechanism's tables off."""
        return f"usetable_{self.mechanism}"


@dataclass(frozen=True)
class SharedTable:
    """A TABLE for all segments that NEURON fills with RANGE variables of one segment."""

    mechanism: str
    point: bool
    block: str
    variables: tuple[str, ...]
    unwatched: tuple[str, ...]

    @property
    def switch(self) -> str:
        """The variable that switches the mechanism's tables off."""
        return f"usetable_{self.mechanism}"

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> SharedTable:
        """Read one element of ``shared_tables``."""
        variables, unwatched = tuple(data["variables"]), tuple(data["unwatched"])
        return cls(data["mechanism"], data["point"], data["block"], variables, unwatched)

    def public(self, variable: str) -> str:
        """The name of a parameter that is one of the variables."""
        return f"{self.mechanism}.{variable}" if self.point else f"{variable}_{self.mechanism}"
