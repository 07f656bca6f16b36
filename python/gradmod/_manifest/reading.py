"""Manifests as files: read, and what was emitted for some mechanisms found in them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Protocol, TypeVar

from ..errors import Error


class _Emitted(Protocol):
    """What was emitted for a region or a point process, in either mode."""

    @property
    def kind(self) -> str: ...

    @property
    def mechanisms(self) -> tuple[str, ...]: ...


_R = TypeVar("_R", bound=_Emitted)
_T = TypeVar("_T")


def find_region(regions: Iterable[_R], kind: str, mechanisms: set[str]) -> _R:
    """What was emitted for these mechanisms, in whatever order.

    Raises:
        Error: Nothing was.
    """
    for region in regions:
        if region.kind == kind and set(region.mechanisms) == mechanisms:
            return region
    raise Error(f"the compiler emitted nothing for {', '.join(sorted(mechanisms)) or 'sections without mechanisms'}")


def read_json(path: Path, make: Callable[[dict[str, Any]], _T]) -> _T:
    """Read a manifest.

    Raises:
        Error: The file does not say what this version of the package expects.
    """
    data = json.loads(path.read_text(encoding="utf-8"))
    try:
        return make(data)
    except (KeyError, TypeError) as error:
        raise Error(
            f"{path} lacks {error}: the gradmod command and the gradmod package are of different versions"
        ) from error
