"""Values of parameters that the code treats as cases of their own, ``IF (tau == 0)``: there is no derivative there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from .. import _neuron as nrn
from .._manifest.region import SpecialValue
from .._model.directions import Direction
from ..errors import Refused
from ..parameters import Global, NetConWeight, PerNetCon, Range, Stimulus


class _Region(Protocol):
    @property
    def special_values(self) -> tuple[SpecialValue, ...]: ...


class _Made(Protocol):
    @property
    def regions(self) -> Sequence[_Region]: ...


class IsolatedValues:
    """The directions that may come upon such a value."""

    def __init__(self, made: _Made, directions: Iterable[Direction]) -> None:
        """Look now.

        Raises:
            Refused: A parameter has such a value where it is a direction.
        """
        self._values: dict[str, set[float]] = {}
        for one in (one for region in made.regions for one in region.special_values):
            self._values.setdefault(one.parameter, set()).add(one.value)
        self._directions = [d for d in directions if self._may_have(d)]
        self.check()

    def _may_have(self, direction: Direction) -> bool:
        is_weight = isinstance(direction.parameter, (NetConWeight, PerNetCon))
        return bool(self._values) if is_weight else str(direction.wrt) in self._values

    def check(self) -> None:
        """Look again.

        Raises:
            Refused: One has such a value.
        """
        with nrn.one_look():
            for direction in self._directions:
                for public, place, value in _present(direction):
                    if value in self._values.get(public, ()):
                        raise Refused(
                            f"{direction.name}: {direction.parameter.name} is {value:g} {place}, which the mechanism "
                            "treats as a case of its own (==), so there is no derivative in it; set another value"
                        )


def _present(direction: Direction) -> list[tuple[str, str, float]]:
    """The name in the manifest, where it is, and the value, of all that a direction changes."""
    parameter, public = direction.parameter, str(direction.wrt)
    if isinstance(parameter, Range):
        if direction.is_axial:  # of a section, and no mechanism reads it
            return []
        return [(public, f"in {seg}", float(getattr(seg, parameter.name))) for seg, _ in direction.weights()]
    if isinstance(parameter, Global):
        return [(public, "everywhere", nrn.global_value(parameter.name))]
    if isinstance(parameter, Stimulus):
        found = ((name, nrn.find_point_process(name)) for name in parameter.processes)
        return [(public, f"in {name}", float(getattr(one, parameter.name))) for name, one in found if one is not None]
    if isinstance(parameter, (NetConWeight, PerNetCon)):
        names = [parameter.netcon] if isinstance(parameter, NetConWeight) else parameter.netcons
        netcons = nrn.netcons()
        return [
            (f"{kind}.{parameter.name}", f"in {name}", float(netcons[name].weight[parameter.index]))
            for name in names
            if name in netcons and (kind := nrn.type_of_point_process(netcons[name].syn()))
        ]
    return []
