"""The compiler's homeostat.json as typed data."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .reading import read_json


@dataclass(frozen=True)
class Input:
    """A variable of the measure: the POINTER that sees it, and for each direction the one that sees its gradient."""

    name: str
    pointer: str
    gradients: tuple[str, ...]


@dataclass(frozen=True)
class HomeostatManifest:
    """What one run of ``gradmod homeostat`` emitted.

    Attributes:
        name: The point process that measures and regulates.
        follow: The one that takes a parameter to one more place.
        parameters: For each direction the POINTER to its parameter.
    """

    name: str
    follow: str
    inputs: tuple[Input, ...]
    parameters: tuple[str, ...]

    @classmethod
    def read(cls, path: Path) -> HomeostatManifest:
        """Read homeostat.json.

        Raises:
            Error: The file does not say what this version of the package expects.
        """
        return read_json(path, cls.from_json)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> HomeostatManifest:
        """Read the whole."""
        inputs = tuple(Input(i["name"], i["pointer"], tuple(i["gradients"])) for i in data["inputs"])
        return cls(data["name"], data["follow"], inputs, tuple(data["parameters"]))
