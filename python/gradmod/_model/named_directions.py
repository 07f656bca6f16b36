"""Directions by name: as keywords, or as a mapping where a name is that of an option."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from ..errors import Error
from ..parameters import Parameter

T = TypeVar("T")


def named_directions(
    first: T | Mapping[str, Parameter], keywords: Mapping[str, Parameter], options: Mapping[str, object]
) -> tuple[T | None, dict[str, Parameter]]:
    """Take apart what was given.

    Args:
        first: The first argument: directions, or something else.
        keywords: Directions.
        options: What else may be given by name.

    Returns:
        What was first and no directions, and all directions.

    Raises:
        Error: A direction was given in place of an option, or twice.
    """
    for name, value in options.items():
        if isinstance(value, Parameter):
            raise Error(f"{name} is an option; for a direction of that name give a mapping: {{{name!r}: {value!r}}}")
    if not isinstance(first, Mapping):
        return first, dict(keywords)
    given: Mapping[str, Parameter] = first  # pyright: ignore[reportUnknownVariableType]
    for name in given:
        if name in keywords:
            raise Error(f"the direction {name} is named twice, in the mapping and as a keyword")
    return None, {**given, **keywords}
