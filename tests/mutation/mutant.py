"""A mutant: one wrong line.

Each is (name, file, what stands there once, what the mutant has instead). White space does not count, nor a comma
before a closing bracket: a formatter may break lines as it likes.
"""

from __future__ import annotations

import re
from typing import NamedTuple


class Mutant(NamedTuple):
    """One change of the compiler, and the tests that must notice it."""

    name: str
    file: str
    old: str
    new: str
    #: Files of tests in Rust or for pytest, if not the usual.
    tests: tuple[str, ...] = ()

    def places(self, text: str) -> list[tuple[int, int]]:
        """Where `old` stands in the text of the file: beginnings and ends."""
        letters = _letters(text)
        packed = "".join(text[index] for index in letters)
        old = "".join(self.old[index] for index in _letters(self.old))
        starts = [index for index in range(len(packed)) if packed.startswith(old, index)]
        return [(letters[start], letters[start + len(old) - 1] + 1) for start in starts]

    def applied(self, text: str) -> str:
        """The text of the file with `new` for `old`.

        Raises:
            ValueError: `old` does not stand there once.
        """
        places = self.places(text)
        if len(places) != 1:
            raise ValueError(f"{self.name}: {self.file} holds this {len(places)} times, not once: {self.old!r}")
        (start, end), new = places[0], self.new.strip()
        return text[:start] + new + text[end:]


def _letters(text: str) -> list[int]:
    """Where what counts stands in a text."""
    ignored = {index for match in re.finditer(r"\s+|,(?=\s*[)\]}])", text) for index in range(*match.span())}
    return [index for index in range(len(text)) if index not in ignored]
