"""One POINTER of the user's mechanisms: whose it is, and what it sees."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from .. import _neuron as nrn
from .._neuron.pointers import Variable
from .._neuron.sections import root_of
from .cells import Place

#: A POINTER: the point process (by its name) or the place where it is, its mechanism, its name.
Key: TypeAlias = tuple[str | Place, str, str]


@dataclass(frozen=True)
class Link:
    """A POINTER.

    Attributes:
        owner: The point process by its name, or the place where the mechanism is.
        mechanism, name: Of which mechanism, and the POINTER's own name.
        place: Where that is.
        target: The node whose voltage it sees; None if it is no voltage.
        variable: What else it sees, if it can be named.
        seen: The root of the cell where that is.
        is_transfer: It is no POINTER, but NEURON copies the voltage into it (``ParallelContext.setup_transfer``).
    """

    owner: str | Place
    mechanism: str
    name: str
    place: Place
    target: Place | None
    variable: Variable | None
    seen: nrn.Section | None
    is_transfer: bool = False

    @property
    def root(self) -> nrn.Section:
        """The root of the cell where the mechanism is."""
        return root_of(self.place[0])

    def value(self) -> float:
        """What it sees now."""
        owner = nrn.find_point_process(self.owner) if isinstance(self.owner, str) else self.owner[0](self.owner[1])
        name = own_variable(f"{self.mechanism}.{self.name}", self.owner if isinstance(self.owner, str) else None)
        return nrn.number(owner, name)

    @property
    def key(self) -> Key:
        """What the POINTER is found by."""
        return self.owner, self.mechanism, self.name

    @property
    def does(self) -> str:
        """What it does, to be followed by whose cell."""
        return f"{self} sees the voltage of" if self.variable is None else f"{self} sees {self.variable}, of"

    def __str__(self) -> str:
        return f"{'' if self.is_transfer else 'POINTER '}{self.name} of {owner_text(self.owner, self.mechanism)}"


def own_variable(source: str, process: str | None) -> str:
    """What NEURON calls the variable ``source`` ("Gap.vgap") of a point process, or of a segment's mechanism."""
    mechanism, _, name = source.partition(".")
    return f"{name}_{mechanism}" if process is None else name


def owner_text(owner: str | Place, mechanism: str) -> str:
    """How messages name the owner of a POINTER."""
    return owner if isinstance(owner, str) else f"{mechanism} at {owner[0](owner[1])}"
