"""What gradmod raises, and the located messages of its compiler."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

#: Why a gradient that is no number is not handed out.
NOT_FINITE = (
    "it is infinite or not a number: a derivative of the model is (the square root or the logarithm of 0, a division "
    "by 0), or a value is too large"
)


class Error(Exception):
    """Something is wrong: a name, a call, the build. The message says what and what to do."""


class Refused(Error):
    """What was asked for is valid in NEURON, but gradmod cannot differentiate it exactly.

    Attributes:
        diagnostics: The compiler's messages, if it was the compiler that refused.
    """

    def __init__(self, message: str, diagnostics: tuple[Diagnostic, ...] = ()) -> None:
        super().__init__(message)
        self.diagnostics = diagnostics


class NoCompiler(Error):
    """What compiles mechanisms is missing here."""

    def __init__(self, missing: str) -> None:
        super().__init__(f"{missing} was not found: to compile mechanisms takes nrnivmodl, bash, make and a compiler")
        self.missing = missing


def as_error(error: Exception) -> Error:
    """One of ours: the same, or a new one that says what another has said."""
    if isinstance(error, Error):
        return error
    made = Error(f"{type(error).__name__}: {error}")
    made.__cause__ = error
    return made


@dataclass(frozen=True)
class Diagnostic:
    """One message of ``gradmod transform``, located in a .mod source."""

    file: str
    line: int
    column: int
    code: str
    level: str
    message: str
    label: str = ""
    help: str = ""

    @classmethod
    def from_json(cls, data: Mapping[str, Any], origin: Mapping[str, str]) -> Diagnostic:
        """Read one JSON line.

        Args:
            data: The decoded line.
            origin: What to call each file, by the name under which the compiler saw it.
        """
        file = str(data.get("file") or "")
        return cls(
            file=origin.get(file, file),
            line=int(data.get("line") or 0),
            column=int(data.get("column") or 0),
            code=str(data.get("code") or ""),
            level=str(data.get("level") or "error"),
            message=str(data.get("message") or ""),
            label=str(data.get("label") or ""),
            help=str(data.get("help") or ""),
        )

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}:{self.column}: " if self.line else f"{self.file}: " if self.file else ""
        code = f"[{self.code}]" if self.code else ""
        lines = [f"{where}{self.level}{code}: {self.message}"]
        if self.label and self.label != self.message:
            lines.append(f"    {self.label}")
        if self.help:
            lines.append(f"    help: {self.help}")
        return "\n".join(lines)
