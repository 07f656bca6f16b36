"""What Python let go of while NEURON was in the middle of a run: it is taken out of the model after it."""

from __future__ import annotations

from typing import Protocol

from .. import _neuron as nrn
from .._neuron.callbacks import check_between_runs, inside


class Removable(Protocol):
    """Something that stands in the model."""

    def take_away(self) -> None:
        """Take it out of the model. Handlers of ``finitialize`` stay: NEURON may be going through their list."""
        ...


#: To be taken away; and those that were, whose handlers NEURON may still be going through.
_left: list[Removable] = []
_gone: list[Removable] = []


def let_go(owner: Removable) -> None:
    """Take something away that nobody refers to any more: now, or before the next run."""
    if inside():
        _left.append(owner)
    else:
        owner.take_away()


def begin_change(call: str) -> None:
    """Before the structure of the model is changed: what was left is taken away first.

    Args:
        call: What was called, e.g. "detach()".

    Raises:
        Error: NEURON is in the middle of something.
    """
    check_between_runs(call)
    _take_away()
    _gone.clear()


def _take_away() -> None:
    while _left:
        owner = _left.pop()
        _gone.append(owner)
        owner.take_away()


_handler = nrn.on_finitialize(3, _take_away)
