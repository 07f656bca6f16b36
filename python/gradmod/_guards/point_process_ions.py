"""What a point process must not have to do with the ions of its segment: the equations of both are kept apart."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

from .. import _neuron as nrn
from .._manifest.ions import IonFlags
from ..errors import Refused


class _Region(Protocol):
    @property
    def ions(self) -> Sequence[IonFlags]: ...
    @property
    def currents_read(self) -> frozenset[str]: ...
    @property
    def currents_written(self) -> frozenset[str]: ...


class _Spot(Protocol):
    @property
    def node(self) -> int: ...
    @property
    def segment(self) -> nrn.Segment: ...
    @property
    def process(self) -> str | None: ...
    @property
    def region(self) -> _Region: ...


def check_ions(spots: Collection[_Spot]) -> None:
    """Look at all mechanisms of one cell.

    Raises:
        Refused: A point process shares the current or the concentration of an ion with another mechanism.
    """
    at_node: dict[int, dict[int, list[_Spot]]] = {}
    for spot in spots:
        at_node.setdefault(spot.node, {}).setdefault(id(spot.region), []).append(spot)
    for kinds in at_node.values():
        for here in kinds.values():
            process = here[0].process
            if process is not None:
                for there in kinds.values():
                    # Of the same kind, the next one; there may be none.
                    for other in there[:2]:
                        if other is not here[0]:
                            _check(process, here[0], other)


def _check(process: str, spot: _Spot, other: _Spot) -> None:
    what = "a mechanism" if other.process is None else other.process
    for ion in sorted(spot.region.currents_written & other.region.currents_read):
        raise Refused(
            f"{process} adds to the current of {ion} at {spot.segment}, where {what} reads it: not differentiated"
        )
    for ion in sorted(spot.region.currents_read & other.region.currents_written):
        raise Refused(
            f"{process} reads the current of {ion} at {spot.segment}, to which {what} adds: not differentiated"
        )
    written = {flags.ion for flags in other.region.ions if flags.written or flags.sets_reversal}
    for ion in sorted({flags.ion for flags in spot.region.ions} & written):
        raise Refused(
            f"{process} uses the ion {ion} at {spot.segment}, where {what} changes its concentration or "
            "reversal potential: not differentiated"
        )
