"""The gradient of a loss, as ``Reverse.gradient`` returns it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


class Gradient(Mapping[str, Any]):
    """The gradient of a loss: a number for each parameter; arrays for PerSegment, PerNetCon and PerPointProcess."""

    def __init__(self, values: dict[str, Any]) -> None:
        """Made by ``Reverse.gradient``."""
        self._values = values

    def __getitem__(self, name: str) -> Any:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"Gradient({self._values!r})"
