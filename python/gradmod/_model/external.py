"""EXTERNAL: variables of one mechanism that another reads."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable

from .. import _neuron as nrn

_COMMENT = re.compile(r"(?s)\bCOMMENT\b.*?\bENDCOMMENT\b|\bVERBATIM\b.*?\bENDVERBATIM\b|[:?][^\n]*")
_EXTERNAL = re.compile(r"\bEXTERNAL\s+(\w+(?:\s*,\s*\w+)*)")


def without_comments(text: str) -> str:
    """A .mod file without comments and VERBATIM blocks."""
    return _COMMENT.sub(" ", text)


def declared_in(text: str) -> list[str]:
    """The EXTERNAL variables that a .mod file declares, in its order."""
    lists = _EXTERNAL.findall(without_comments(text))
    return [name for names in lists for name in re.split(r"\s*,\s*", names)]


@functools.cache
def read_by(mechanism: str) -> tuple[str, ...]:
    """The EXTERNAL variables of a density mechanism or a point process that NEURON knows."""
    kinds = [point for point in (False, True) if any(name == mechanism for _, name, _ in nrn.each_type(point))]
    return tuple(name for point in kinds for name in declared_in(nrn.source_of(mechanism, point)[0]))


def concerned_with(names: Iterable[str]) -> list[tuple[str, bool]]:
    """The mechanisms, and whether they are point processes, that own or see some of these variables."""
    wanted = set(names)
    if not wanted:
        return []
    every = [(name, point) for point in (False, True) for _, name, _ in nrn.each_type(point)]
    return [
        (name, point) for name, point in every if wanted.intersection((*nrn.variables_of(name, -1), *read_by(name)))
    ]
