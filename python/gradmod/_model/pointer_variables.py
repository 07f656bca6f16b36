"""POINTERs that see a variable of a mechanism: which gradient they need, and of which moment.

In a step NEURON runs the BREAKPOINTs of all mechanisms, then advances the states of one mechanism after another. So
currents see a variable as it was before the step. States see it so too if their mechanism comes first (``old``), and
else as it is after the step.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from .. import _neuron as nrn
from .._manifest.gradients import Manifest
from .._manifest.pointers import SeenState
from .._manifest.region import Region
from .._neuron import pointers
from .._neuron.pointers import Variable
from ..errors import Refused
from .cells import Place
from .directions import Direction
from .pointer_link import Key, Link
from .pointers import Links, place_of
from .regions import LISTENERS, density_mechanisms


@dataclass(frozen=True)
class Seen:
    """What a POINTER that sees no voltage needs.

    Attributes:
        variable: What it sees.
        gradient: RANGE array of its mechanism's companion: its gradient at the end of a step; None if that is 0.
        kept: Where that one has it; None if ``gradient`` is.
        old: States are advanced from its value before the step.
        waits: They are advanced from that after the step, and it has a gradient.
        starts: INITIAL depends on it.
    """

    variable: Variable
    gradient: str | None
    kept: SeenState | None
    old: bool
    waits: bool
    starts: bool


#: What a POINTER of the model sees: the v of a place, or something else.
Target: TypeAlias = Place | Seen


def resolve(
    links: Links,
    made: Manifest,
    directions: Sequence[Direction],
) -> dict[Key, Target]:
    """Find out what the POINTERs that a gradient depends on need.

    Args:
        links: All POINTERs, spread over the cells.
        made: What the compiler emitted, with regions for the mechanisms that are seen on other cells.
        directions: All of them.

    Raises:
        Refused: The gradient of what one of them sees is not kept, or not of the moment at which it is seen.
    """
    found: dict[Key, Target] = dict(links.targets)
    order = nrn.mechanism_order()
    for link in links.read(made.regions):
        if link.variable is not None:
            found[link.key] = _Look(link, link.variable, links, made, order).seen(directions)
    return found


def sections_seen(links: Collection[Link]) -> set[nrn.Section]:
    """The sections whose density mechanisms some POINTERs see."""
    variables = [link.variable for link in links if link.variable is not None]
    return {variable.place[0] for variable in variables if variable.process is None}


def kinds_seen(links: Collection[Link]) -> set[str]:
    """The point processes that some POINTERs see."""
    variables = [link.variable for link in links if link.variable is not None]
    return {variable.mechanism for variable in variables if variable.process is not None} - LISTENERS


class _Look:
    """One POINTER that sees a variable, and what was emitted for both sides."""

    def __init__(self, link: Link, variable: Variable, links: Links, made: Manifest, order: dict[str, int]) -> None:
        self.link, self.variable, self.links, self.made, self.order = link, variable, links, made, order
        self.reader = self._region(link.owner if isinstance(link.owner, str) else None, link.mechanism, link.place)
        self.pointer = next(
            one for one in self.reader.pointer_gradients if one.source == f"{link.mechanism}.{link.name}"
        )
        if variable.mechanism in made.passed_over | LISTENERS:
            raise self._refuse(f"{variable.mechanism} acts on no membrane, so its gradients are not kept")
        self.region = self._region(variable.process, variable.mechanism, variable.place)
        name = variable.name if variable.process is None else f"{variable.mechanism}.{variable.name}"
        self.public = name
        self.state = next((state for state in self.region.states if state.name == name), None)

    def _region(self, process: str | None, mechanism: str, place: Place) -> Region:
        if process is not None:
            return self.made.point(mechanism)
        return self.made.density(density_mechanisms(place[0], self.order))

    def _refuse(self, why: str) -> Refused:
        return Refused(f"{self.link} sees {self.variable}: {why}")

    def seen(self, directions: Sequence[Direction]) -> Seen:
        seen = self.pointer.variable
        assert seen is not None
        if seen.seen_by_before_after:
            raise self._refuse(f"{self.link.mechanism} has BEFORE or AFTER blocks, which may see another value than it")
        if self.reader.sets_voltage or self.region.sets_voltage:
            raise self._refuse("events set v there")
        if self.state is None:
            self._check_constant(directions)
            return Seen(self.variable, None, None, old=False, waits=False, starts=False)
        if self.state.seen is None or self.state.seen.early:
            raise self._refuse(
                "it is set in BREAKPOINT, where some mechanisms have read it already and others have not"
            )
        has_gradient = self.links.is_affected(self.variable.place[0])
        old = seen.reaches_states and self._comes_first()
        waits = seen.reaches_states and not old
        if waits and has_gradient:
            for source in self.state.seen.through:
                self._check_chain(source)
        if seen.reaches_start:
            self._check_start(self.state.seen)
        if not has_gradient:
            return Seen(self.variable, None, None, old, waits=False, starts=False)
        return Seen(self.variable, self.state.gradient, self.state.seen, old, waits, seen.reaches_start)

    def _check_constant(self, directions: Sequence[Direction]) -> None:
        """Raise unless nothing changes it but the user."""
        ion = self.variable.mechanism.removesuffix("_ion")
        is_concentration = self.variable.mechanism.endswith("_ion") and self.public in (f"{ion}i", f"{ion}o")
        if not is_concentration and self.public not in self.region.constants:
            raise self._refuse(
                "gradmod follows POINTERs to v, to STATEs and concentrations, and to what no code changes"
            )
        for direction in directions:
            if direction.wrt is not None and direction.wrt in (self.public, f"{self.public}0_{ion}_ion"):
                raise self._refuse(f"that is what the direction {direction.name} changes")

    def _places(self) -> list[tuple[int, int]]:
        """Where the mechanisms that advance it come in NEURON's order."""
        if not self.variable.mechanism.endswith("_ion"):
            return [_place(self.variable.mechanism, self.region)]
        return [_place(pool, self.region) for pool, written in self.region.writers.items() if self.public in written]

    def _comes_first(self) -> bool:
        """Whether the mechanism that looks is advanced before what it sees.

        Raises:
            Refused: It is advanced with it.
        """
        own, others = _place(self.link.mechanism, self.reader), self._places()
        if all(own < other for other in others):
            return True
        if all(own > other for other in others):
            return False
        raise self._refuse(
            "its states are advanced from a variable that is advanced with them; which of the two comes first depends "
            "on where they are"
        )

    def _check_chain(self, source: str) -> None:
        """Raise if what is seen waits, in the same step, for what a POINTER of its own sees."""
        mechanism, _, name = source.partition(".")
        owner = self.variable.process or self.variable.place
        own = self.links.find((owner, mechanism, name))
        if own is None or own.variable is None:
            return
        if _Look(own, own.variable, self.links, self.made, self.order).seen(()).waits:
            raise self._refuse(f"which is advanced itself from what {own} sees")

    def _check_start(self, seen: SeenState) -> None:
        if self._comes_first():
            raise self._refuse("INITIAL reads it before it is set; it would depend on the run before")
        if self.reader.weights is not None or self.region.weights is not None:
            raise self._refuse("INITIAL reads it, and events may change it before the first step")
        owner = self.variable.process or self.variable.place
        for source in seen.started_through:
            mechanism, _, name = source.partition(".")
            own = self.links.find((owner, mechanism, name))
            if own is not None and own.variable is not None:
                raise self._refuse(f"INITIAL reads it, and it starts itself from what {own} sees")


def _place(mechanism: str, region: Region) -> tuple[int, int]:
    """NEURON's order: mechanisms that write concentrations first, the last of them first; then the others."""
    number = pointers.type_number(mechanism)
    return (0, -number) if mechanism in region.writers else (1, number)


def target_of(process: str | None, segment: nrn.Segment, source: str, targets: Mapping[Key, Target]) -> Target:
    """What the POINTER ``source`` ("gap.vgap") of a point process, or of a segment's mechanism, sees.

    Raises:
        Refused: It sees nothing that is followed.
    """
    mechanism, _, name = source.partition(".")
    found = targets.get(((segment.sec, float(segment.x)) if process is None else process, mechanism, name))
    return place_of(process, segment, source, {}) if found is None else found
