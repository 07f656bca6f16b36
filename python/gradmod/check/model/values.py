"""What values the parameters have: others in every place, and none that nothing comes of."""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace

from ... import _neuron as nrn
from ..._model.catalogue import NAMES_OF_TIMES
from .instances import Instances

#: What stands in for a strength that is 0 by default, by its unit: with 0 nothing would happen.
_STRENGTH = {
    "S/cm2": 1e-3, "mho/cm2": 1e-3, "siemens/cm2": 1e-3, "mS/cm2": 1.0, "pS/um2": 10.0, "pS/micron2": 10.0,
    "uS": 1e-3, "umho": 1e-3, "microsiemens": 1e-3, "nS": 1.0, "pS": 1e3, "S": 1e-9, "mho": 1e-9,
    "nA": 0.05, "mA/cm2": 3e-3, "cm/s": 1e-5,
}  # fmt: skip
#: When a point process begins, and for how long it acts, ms.
BEGINNINGS = ("delay", "del", "onset", "start")
_BEGINS, _LASTS = 1.0, 9.0
#: How far values are apart between places, relative: at least, and at most.
_APART = (0.03, 0.12)
#: Successive places get values that are far from each other.
_GOLDEN = (math.sqrt(5) - 1) / 2


def size_of(value: float, unit: str) -> float:
    """What the steps of the differences are relative to."""
    if value != 0.0 and math.isfinite(value):
        return abs(value)
    return _STRENGTH.get(unit, 10.0 if unit == "mV" else 1.0)


def apart(name: str, place: int) -> float:
    """By what a parameter's value in a place is multiplied; 1 in the first place."""
    if place == 0:
        return 1.0
    part = (zlib.crc32(name.encode()) / 2**32 + place * _GOLDEN) % 1.0
    least, most = _APART
    size = least + (most - least) * abs(2 * part - 1)
    return 1 + math.copysign(size, part - 0.5)


@dataclass(frozen=True)
class _Entry:
    owner: object
    name: str
    value: float
    place: int = 0
    of_ion: bool = False

    def read(self) -> float:
        return float(getattr(self.owner, self.name))

    def write(self, value: float) -> None:
        setattr(self.owner, self.name, value)


class Values:
    """The values that the runs start from."""

    def __init__(self, instances: Instances) -> None:
        """Take those of the file, with something in the place of strengths that are 0."""
        self._instances = instances
        self._entries: list[_Entry] = []
        for name in instances.range_parameters():
            for place, owner in enumerate(instances.owners(name)):
                self._entries.append(_Entry(owner, name, self._usual(name, float(getattr(owner, name)), place), place))
        for name in instances.global_parameters():
            value = float(getattr(nrn.h, name))
            self._entries.append(_Entry(nrn.h, name, self._stand_in(name) if value == 0.0 else value))
        self.set()

    def _usual(self, name: str, value: float, place: int) -> float:
        if value == 0.0 and self._stand_in(name) != 0.0:
            return self._stand_in(name)
        if self._instances.processes and name in NAMES_OF_TIMES:
            # Whole steps of all drives.
            return _BEGINS + 0.4 * place if name in BEGINNINGS else _LASTS - 1.2 * place
        return value

    def _stand_in(self, name: str) -> float:
        """What is used for a parameter that is 0: a strength, or what the file leaves to the script."""
        declared = self._instances.declared
        unit, plain = self._instances.unit(name), name.removesuffix(f"_{declared.name}")
        unset = sorted(declared.unset)
        if unit in _STRENGTH:
            return _STRENGTH[unit]
        if plain in unset and unit in ("", "1", "ms"):
            # No two alike: their differences may stand below a fraction.
            return (2.0 if unit == "ms" else 0.6) + 0.3 * unset.index(plain)
        return 0.0

    def set(self, *, raised: bool = False, scaled: Mapping[str, float] | None = None) -> None:
        """Set all parameters.

        Args:
            raised: Give those that are 0 another value.
            scaled: What some are multiplied by.
        """
        for entry in self._entries:
            value = entry.value
            if raised and value == 0.0:
                usual = {"mV": 3.0, "ms": 0.5}.get(self._instances.unit(entry.name), 0.1)
                value = usual * apart(entry.name, entry.place)
            entry.write(value * (scaled or {}).get(entry.name, 1.0))

    def vary(self, fixed: Collection[str]) -> Callable[[], None]:
        """Give RANGE parameters, and what the user may set of ions, other values in every place but the first.

        Args:
            fixed: Parameters that stay alike.

        Returns:
            Makes them alike again.
        """
        before = list(self._entries)
        kept = {*fixed, *(NAMES_OF_TIMES if self._instances.processes else ())}
        self._entries = [
            entry if entry.name in kept else replace(entry, value=entry.value * apart(entry.name, entry.place))
            for entry in before
        ]
        ions = [
            _Entry(seg, name, float(getattr(seg, name)), place, of_ion=True)
            for name in self._instances.ion_parameters()
            for place, seg in enumerate(self._instances.having(name))
        ]
        self._entries += [replace(entry, value=entry.value * apart(entry.name, entry.place)) for entry in ions]
        self.set()

        def alike() -> None:
            self._entries = [*before, *ions]
            self.set()

        return alike

    def settle(self, initialise: Callable[[], None]) -> None:
        """Where INITIAL corrects a parameter, there is no gradient in it: take a value near by that it keeps.

        What NEURON itself computes of an ion is left to it.
        """
        for factor in (0.9, 1.1, 0.5, 2.0):
            initialise()
            settled = [(entry, entry.read()) for entry in self._entries]
            if all(now == entry.value for entry, now in settled):
                return
            self._entries = [
                entry if now == entry.value else replace(entry, value=factor * now)
                for entry, now in settled
                if now == entry.value or not entry.of_ion
            ]
            self.set()

    def own(self) -> list[str]:
        """Names of the mechanism's own parameters."""
        return [*self._instances.range_parameters(), *self._instances.global_parameters()]
