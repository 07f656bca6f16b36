"""What came out of one model."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass
class Result:
    """What came out, as one line of JSON.

    Attributes:
        failures: Kind and sentence: "forward", "reverse", "backwards" (both disagree), "nan", "voltage", "again",
            "influence", "untrue" (a refusal for what did not happen), "error".
        refused: What was refused (mechanism, direction or "model"), and the code.
        exact, undecided, still: How many groups of parameters.
    """

    seed: int
    verdict: str = ""
    worst: float = 0.0
    mechanisms: int = 0
    exact: int = 0
    undecided: list[str] = field(default_factory=list)
    still: int = 0
    failures: list[tuple[str, str]] = field(default_factory=list)
    refused: list[tuple[str, str]] = field(default_factory=list)
    seconds: float = 0.0

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)

    def fail(self, kind: str, sentence: str) -> None:
        """Note a failure."""
        self.failures.append((kind, sentence))

    def conclude(self) -> None:
        """From all that was found to one word."""
        kinds = {kind for kind, _ in self.failures}
        if kinds:
            self.verdict = "nan" if kinds == {"nan"} else "error" if kinds == {"error"} else "mismatch"
        elif self.verdict == "":
            self.verdict = (
                "exact" if self.exact else "undecided" if self.undecided else "refused" if self.refused else "still"
            )
