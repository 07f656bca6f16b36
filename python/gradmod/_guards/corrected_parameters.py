"""PARAMETERs that INITIAL may change: where it does, the user's value has no derivative, and code may have read it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from .. import _neuron as nrn
from .._manifest.pointers import Pointer
from ..errors import Refused


class _Region(Protocol):
    @property
    def corrected(self) -> tuple[str, ...]: ...
    @property
    def pointers(self) -> Sequence[Pointer]: ...


class _Spot(Protocol):
    @property
    def segment(self) -> nrn.Segment: ...
    @property
    def mechanism(self) -> nrn.Mechanism: ...
    @property
    def process(self) -> str | None: ...
    @property
    def region(self) -> _Region: ...


class Corrected:
    """The values before INITIAL."""

    def __init__(self) -> None:
        """Nothing is known yet."""
        self._before: list[tuple[_Spot, str, float]] = []

    def remember(self, spots: Iterable[_Spot]) -> None:
        """Remember the present values, at the beginning of ``finitialize``."""
        self._before = [
            (spot, name, float(getattr(spot.mechanism, name))) for spot in spots for name in spot.region.corrected
        ]

    def check(self) -> None:
        """Look again after INITIAL.

        Raises:
            Refused: It changed one.
        """
        for spot, name, before in self._before:
            if getattr(spot.mechanism, name) != before:
                source = next(pointer.source for pointer in spot.region.pointers if pointer.name == name)
                raise Refused(
                    f"INITIAL changed {source} of {spot.process or spot.segment} from {before:g} to "
                    f"{getattr(spot.mechanism, name):g}: the gradient in it is not defined, and others may be of the "
                    "value before; set a value that it keeps"
                )

    def clear(self) -> None:
        """Forget."""
        self._before.clear()
