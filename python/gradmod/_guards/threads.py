"""NEURON's threads: the rows of a cell are run in the thread of that cell."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from .._command.support import Construct, Way, refused_construct
from .._neuron.settings import thread_count
from ..errors import Refused


class _Region(Protocol):
    @property
    def constructs(self) -> frozenset[str]: ...


def check_threads(regions: Iterable[_Region], way: Way, *asked: Construct) -> None:
    """Raise where there are several threads and these gradients can't be had with them.

    Args:
        regions: Of the model.
        way: In several threads.
        asked: What the script asks for besides.

    Raises:
        Refused: There are.
    """
    count = thread_count()
    if count < 2:
        return
    constructs = {
        *(construct.value for construct in asked),
        *(name for region in regions for name in region.constructs),
    }
    obstacle = refused_construct(constructs, way)
    if obstacle is not None:
        raise Refused(f"no exact gradient: NEURON runs {count} threads, and {obstacle}")
