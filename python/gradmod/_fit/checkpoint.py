"""A fit on disk, so that it goes on where it was interrupted."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from ..errors import Error

_FORMAT = 1
#: Numbers that an optimiser remembers: (type, shape, values).
Leaf: TypeAlias = tuple[str, list[int], list[Any]]


@dataclass
class Checkpoint:
    """What is known of a fit.

    Attributes:
        method: What minimises.
        parameters: By name: their bounds and scales.
        start: [parameter] where it began, on the scales of the parameters.
        at: [parameter] where the optimiser is, on these scales.
        best: [parameter] where the cost was lowest.
        history: [evaluation] (cost, [parameter] in their units).
        why: Why it stopped; empty if it was interrupted.
        is_over: Its optimiser came to its end.
        state: What the optimiser remembers.
    """

    method: str
    parameters: dict[str, list[Any]]
    start: list[float]
    at: list[float]
    best: list[float]
    history: list[tuple[float, list[float]]] = field(default_factory=list[tuple[float, list[float]]])
    why: str = ""
    is_over: bool = False
    state: list[Leaf] = field(default_factory=list[Leaf])

    def write(self, path: Path) -> None:
        """Write all of it or nothing; whoever reads it at the same time finds the one before.

        Raises:
            Error: It cannot be written.
        """
        text = json.dumps({"format": _FORMAT, **asdict(self)})
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(
                "w", dir=path.parent, prefix=f".{path.name}-", delete=False, encoding="utf-8"
            ) as file:
                try:
                    file.write(text)
                    file.flush()
                    os.fsync(file.fileno())
                    os.replace(file.name, path)
                except BaseException:
                    os.unlink(file.name)
                    raise
        except OSError as error:
            raise Error(f"the checkpoint {path} cannot be written: {error.strerror or error}") from error

    @classmethod
    def read(cls, path: Path, method: str, parameters: Mapping[str, list[Any]]) -> Checkpoint | None:
        """Read it; None if there is none.

        Raises:
            Error: It is of another fit, or no checkpoint.
        """
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise Error(f"the checkpoint {path} cannot be read ({error}): remove it to begin anew") from error
        try:
            if found.pop("format") != _FORMAT:
                raise Error(f"the checkpoint {path} is of another version of gradmod: remove it to begin anew")
            read = cls(**found)
        except (AttributeError, KeyError, TypeError) as error:
            raise Error(f"{path} is no checkpoint of a fit: remove it to begin anew") from error
        for what, before, now in (("method", read.method, method), ("parameters", read.parameters, dict(parameters))):
            if before != now:
                raise Error(
                    f"the checkpoint {path} is of a fit with other {what} ({before}, now {now}): name another file, or "
                    "remove it to begin anew"
                )
        return read
