"""POINTERs of the user's mechanisms: which voltage or variable each of them sees, and which cells that couples.

NEURON says whether two references are the same, but not what a reference belongs to. So every node is given a voltage
of its own for a moment, and the POINTER is read.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any, Protocol

from .. import _neuron as nrn
from .._command.support import Construct, Way, reason
from .._neuron import pointers
from .._neuron.pointers import Variable
from .._neuron.sections import root_of, tree_of
from .._neuron.settings import has_transfer
from .._transfers.handed_on import Transfers
from ..errors import Error, Refused
from ..parameters import InitialVoltage
from .cells import Cell, Place
from .directions import Direction
from .pointer_link import Key, Link, owner_text


class Influence(Protocol):
    """How the voltage of one cell changes another cell.

    Attributes:
        root, seen: The roots of the changed cell, and of the one that changes it.
    """

    @property
    def root(self) -> nrn.Section: ...

    @property
    def seen(self) -> nrn.Section | None: ...

    @property
    def does(self) -> str: ...


class _Region(Protocol):
    @property
    def looks(self) -> Collection[str]: ...


class Links:
    """All POINTERs of the model as they were when the gradients were attached."""

    def __init__(self, transfers: Transfers | None = None) -> None:
        """Look now; at what NEURON hands on too, where it does."""
        self._transfers = transfers
        self._links: list[Link] = []
        #: Those that see what has no name. They are where it does not matter, or refused: not searched for again.
        self._nameless: set[Key] = set()
        self._links = self._find()
        self._affected: set[nrn.Section] = set()
        self.targets: dict[Key, Place] = {link.key: link.target for link in self._links if link.target is not None}

    def _find(self) -> list[Link]:
        found = [
            (mechanism, name, owner, place)
            for mechanism, (point, names) in pointers.mechanisms_with_pointers().items()
            for owner, place in pointers.instances(mechanism, point)
            for name in names
        ]
        targets = pointers.nodes_seen([(owner, name) for _, name, owner, _ in found])
        keys: list[Key] = [
            (nrn.name_of(owner) if nrn.type_of_point_process(owner) else place, mechanism, name)
            for mechanism, name, owner, place in found
        ]
        others = [i for i, target in enumerate(targets) if target is None and keys[i] not in self._nameless]
        known = {link.key: link.variable for link in self._links}
        looks = [(found[i][2], found[i][1]) for i in others]
        seen = pointers.variables_seen(looks, [known.get(keys[i]) for i in others])
        variables = dict(zip(others, seen, strict=True))
        if not self._links:
            nameless = [
                i for i, look in zip(others, looks, strict=True) if variables[i] is None and nrn.is_number(*look)
            ]
            self._nameless = {keys[i] for i in nameless}
        links: list[Link] = []
        for i, ((*_, place), key, target) in enumerate(zip(found, keys, targets, strict=True)):
            variable = variables.get(i)
            sec = target[0] if target is not None else None if variable is None else variable.place[0]
            links.append(Link(*key, place, target, variable, None if sec is None else root_of(sec)))
        return links + ([] if self._transfers is None else _transferred(self._transfers))

    def transferred(self) -> list[str]:
        """The variables that NEURON copies voltages into, as "Gap.vgap"."""
        return sorted({f"{link.mechanism}.{link.name}" for link in self._links if link.is_transfer})

    def check_initial(self, directions: Iterable[Direction]) -> None:
        """Look whether NEURON hands on initial voltages as they are, where these are directions.

        It does so before FInitializeHandlers of type 0 may set other ones.

        Raises:
            Refused: A direction is in the initial voltages of some places, or a handler has set one that is handed on.
        """
        links = [link for link in self._links if link.is_transfer and link.root in self._affected]
        for direction in directions if links else ():
            parameter = direction.parameter
            if not isinstance(parameter, InitialVoltage):
                continue
            if parameter.where is not None or callable(parameter.weight):
                raise Refused(
                    f"{direction.name}: the initial voltages of some places have no gradient beside {links[0]}: NEURON "
                    "hands voltages on before handlers of finitialize set them; use InitialVoltage() of all places"
                )
            for link in links:
                if link.target is not None and link.value() != link.target[0](link.target[1]).v:
                    raise Refused(
                        f"{direction.name}: {link} has another voltage at the start than its source: NEURON hands "
                        "voltages on before handlers of finitialize set them; set them by finitialize alone"
                    )

    def find(self, key: Key) -> Link | None:
        """The POINTER with this key."""
        return next((link for link in self._links if link.key == key), None)

    def is_affected(self, sec: nrn.Section) -> bool:
        """Whether a direction acts on the cell of a section."""
        return root_of(sec) in self._affected

    def to_variables(self) -> list[Link]:
        """The POINTERs on cells with gradients that see a variable."""
        return [link for link in self._links if link.variable is not None and link.root in self._affected]

    def read(self, regions: Iterable[_Region]) -> list[Link]:
        """The POINTERs that a gradient depends on, by what was emitted for the cells."""
        read = {source for region in regions for source in region.looks}
        return [link for link in self._links if link.root in self._affected and f"{link.mechanism}.{link.name}" in read]

    def spread(
        self, directions: Iterable[Direction], scope: Iterable[nrn.Section] | None, others: Iterable[Influence] = ()
    ) -> None:
        """Add to each direction the cells that see the voltage of its cells, and those that see theirs.

        Args:
            directions: All of them.
            scope: The sections whose cells may be touched; None for all.
            others: Other ways by which cells change cells.

        Raises:
            Error: Such a cell is not in the sections that the user named.
        """
        directions, ways = list(directions), [*self._links, *others]
        allowed = None if scope is None else {root_of(sec) for sec in scope}
        cells = {cell.root: cell for direction in directions for cell in direction.cells}
        for direction in directions:
            reached = {cell.root for cell in direction.cells}
            for link in _closure(ways, reached):
                if allowed is not None and link.root not in allowed:
                    raise Error(
                        f"{direction.name}: {link.does} a cell that it acts on, "
                        "but is not in the sections that attach was given"
                    )
                if link.root not in cells:
                    cells[link.root] = Cell(tree_of(link.root))
                direction.cells = [*direction.cells, cells[link.root]]
        self._affected = set(cells)

    def refuse_coupled(self) -> None:
        """Refuse cells that see the voltage of others.

        Raises:
            Refused: One that is differentiated does.
        """
        for link in self._links:
            if link.target is not None and link.root in self._affected:
                raise Refused(f"{link}: {reason(Construct.VOLTAGE_POINTER, Way.ONLINE)}")

    def check_targets(self, regions: Iterable[_Region], without: Way | None = None) -> None:
        """Refuse POINTERs that something depends on and that see nothing that can be followed.

        Args:
            regions: What was emitted for the cells.
            without: The way to the gradient, if it does not support POINTERs to variables.

        Raises:
            Refused: There is one.
        """
        for link in self.read(regions):
            if link.variable is not None and without is not None:
                raise Refused(f"{link} {_what(link)}; {reason(Construct.VARIABLE_POINTER, without)}")
            if link.is_transfer and link.seen is None:
                raise Refused(
                    f"{link} is no target of ParallelContext.setup_transfer(), as it is elsewhere: make it one too, or "
                    "use another mechanism there"
                )
            if link.seen is None:
                raise Refused(
                    f"{link} {_what(link) or _UNSET}; gradmod follows POINTERs to the v of a segment and to variables "
                    "of segments and point processes"
                )
        drivers = self._drivers()
        for link in self._links:
            if link.seen is not None:
                continue
            # Where it sees nothing, there is nothing that it depends on.
            if link.root in drivers and (what := _what(link)):
                raise Refused(
                    f"{link} {what}, which may depend on the cells that are differentiated; "
                    "the voltage of its own cell drives one of them"
                )

    def seen_mechanisms(self) -> list[tuple[str, bool]]:
        """The mechanisms whose variables POINTERs see, and whether they are point processes."""
        variables = [link.variable for link in self._links if link.variable is not None]
        found = {(one.mechanism, one.process is not None) for one in variables if not one.mechanism.endswith("_ion")}
        return sorted(found)

    def check_watchers(self, watchers: Mapping[str, Collection[str]], known: Collection[Variable] = ()) -> None:
        """Refuse mechanisms that set, through a POINTER, what a voltage may depend on.

        Args:
            watchers: All that can act on no membrane themselves, with the POINTERs that they set.
            known: Variables whose values are compared with what is known of them, in each step.

        Raises:
            Refused: There is one.
        """
        for link in self._links:
            if link.name not in watchers.get(link.mechanism, ()):
                continue
            what = f"{link} is set by the mechanism and"
            if link.target is not None:
                raise Refused(f"{what} sees a voltage: it changes the potential outside of NEURON's equations")
            if link.variable is None:
                if said := _what(link):
                    raise Refused(f"{what} {said}: what depends on that is not known")
                continue
            if link.variable in known:
                continue
            if link.variable.mechanism not in watchers:
                raise Refused(f"{what} sees {link.variable}, of a mechanism that acts on a membrane")
            for other in self._links:
                if other.variable == link.variable and other.mechanism not in watchers:
                    raise Refused(f"{what} sees {link.variable}, which {other} sees too and may act on a membrane")

    def _drivers(self) -> set[nrn.Section]:
        """Cells that no direction acts on, and whose voltage is seen where one does."""
        drivers: set[nrn.Section] = set()
        before = -1
        while len(drivers) != before:
            before = len(drivers)
            for link in self._links:
                if link.seen is not None and link.root in self._affected | drivers:
                    drivers.add(link.seen)
        return drivers - self._affected

    def check(self, again: str) -> None:
        """Look whether everything still sees what it saw.

        Args:
            again: What the user can do then.

        Raises:
            Refused: Something sees something else.
        """
        if self._transfers is None and has_transfer():
            raise Refused(f"ParallelContext.setup_transfer() was called since the gradients were attached; {again}")
        known = {link.key: link for link in self._links}
        now = {link.key: link for link in self._find()}
        for key in known.keys() | now.keys():
            before, after = known.get(key), now.get(key)
            if before != after and self._matters((before, after)):
                raise Refused(f"{after or before} sees something else than when the gradients were attached; {again}")

    def _matters(self, links: Collection[Link | None]) -> bool:
        """Whether a change of these can change a gradient: where one is, or by reading from there."""
        concerned = self._affected | self._drivers()
        present = (link for link in links if link is not None)
        return any(link.root in concerned or link.seen in self._affected for link in present)


def _transferred(transfers: Transfers) -> list[Link]:
    """What NEURON copies voltages into; and the same variables where it does not."""
    found = {(one.target.process or one.target.place, one.target.name): one for one in transfers.look()}
    kinds = {(one.target.mechanism, one.target.process is not None, one.target.name) for one in found.values()}
    links: list[Link] = []
    for mechanism, is_point, variable in sorted(kinds):
        name = variable if is_point else variable.removesuffix(f"_{mechanism}")
        for owner, place in pointers.instances(mechanism, is_point):
            own = nrn.name_of(owner) if is_point else place
            one = found.get((own, variable))
            source = None if one is None else one.source
            root = None if source is None else root_of(source[0])
            links.append(Link(own, mechanism, name, place, source, None, root, is_transfer=True))
    return links


def _closure(ways: Iterable[Influence], reached: set[nrn.Section]) -> list[Influence]:
    """The ways that lead to cells outside, one for each cell."""
    found: list[Influence] = []
    more = True
    while more:
        more = False
        for way in ways:
            if way.seen in reached and way.root not in reached:
                reached.add(way.root)
                found.append(way)
                more = True
    return found


_UNSET = "was not made to point to anything (h.setpointer)"


def place_of(process: str | None, segment: nrn.Segment, source: str, targets: Mapping[Key, Place]) -> Place:
    """Where the POINTER ``source`` ("gap.vgap") of a point process, or of a segment's mechanism, looks.

    Raises:
        Refused: It sees no voltage.
    """
    mechanism, _, name = source.partition(".")
    owner = (segment.sec, float(segment.x)) if process is None else process
    found = targets.get((owner, mechanism, name))
    if found is None:
        raise Refused(f"POINTER {name} of {owner_text(owner, mechanism)} sees no voltage")
    return found


def _what(link: Link) -> str:
    """What a POINTER that sees no voltage sees; empty if nothing."""
    place = link.owner
    owner: Any = (
        nrn.find_point_process(place) if isinstance(place, str) else getattr(place[0](place[1]), link.mechanism)
    )
    if not nrn.is_number(owner, link.name):
        return ""
    return f"sees {link.variable or 'something that is no variable of a segment or point process'}"
