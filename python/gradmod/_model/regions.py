"""Regions: the sections of the affected cells, grouped by the set of density mechanisms in them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from .. import _neuron as nrn
from ..errors import Error
from . import external
from .cells import Cell

#: Point processes of NEURON's own that only listen: no current, nothing to differentiate.
LISTENERS = frozenset({"APCount", "PointProcessMark"})


@dataclass
class Region:
    """Sections with the same density mechanisms.

    Attributes:
        name: Made of the mechanisms' names.
        mechanisms: In NEURON's order, ions left out.
        sections: In order of the cells.
    """

    name: str
    mechanisms: tuple[str, ...]
    sections: list[nrn.Section] = field(default_factory=list[nrn.Section])


@dataclass(frozen=True)
class Source:
    """The text of a .mod file that NEURON compiled; ``path`` is where it then was."""

    name: str
    text: str
    path: str


def density_mechanisms(sec: nrn.Section, order: dict[str, int]) -> tuple[str, ...]:
    """The user's density mechanisms in a section, in NEURON's order; ``extracellular`` is none, but what is outside."""
    names = nrn.mechanisms_of(sec)
    mine = [
        name
        for name in names
        if not name.endswith("_ion")
        and not name.startswith(nrn.OWN_PREFIX)
        and name not in ("morphology", "capacitance", "extracellular")
    ]
    return tuple(sorted(mine, key=order.__getitem__))


def group(cells: Iterable[Cell], others: Iterable[nrn.Section] = ()) -> list[Region]:
    """Group the sections of these cells. The result does not depend on names or order of the sections.

    Args:
        cells: These cells.
        others: Sections of other cells, for whose mechanisms there is to be a region too, maybe one without sections.
    """
    order = nrn.mechanism_order()
    found: dict[tuple[str, ...], list[nrn.Section]] = {}
    for cell in cells:
        for sec in cell.sections:
            found.setdefault(density_mechanisms(sec, order), []).append(sec)
    for sec in others:
        found.setdefault(density_mechanisms(sec, order), [])
    regions: list[Region] = []
    taken: set[str] = set()
    for mechanisms in sorted(found):
        name = _name(mechanisms, taken)
        taken.add(name)
        regions.append(Region(name, mechanisms, found[mechanisms]))
    return regions


def _name(mechanisms: Sequence[str], taken: set[str]) -> str:
    full = "_".join(mechanisms) or "bare"
    short = full if len(full) <= 24 else f"{full[:20].rstrip('_')}_{len(mechanisms)}"
    name, i = short, 2
    while name in taken:
        name, i = f"{short}_{i}", i + 1
    return name


def point_processes_on(cells: Iterable[Cell]) -> list[tuple[str, nrn.PointProcess]]:
    """(type, object) of the user's point processes that stand on these cells, mere listeners left out."""
    sections = {sec for cell in cells for sec in cell.sections}
    return [
        (name, process)
        for name, process in nrn.point_processes()
        if name not in LISTENERS and process.get_segment().sec in sections
    ]


def sources(regions: Iterable[Region], points: Iterable[str], others: Iterable[tuple[str, bool]] = ()) -> list[Source]:
    """The sources of all mechanisms of these regions and of these point processes, each once.

    With those of the mechanisms whose variables they read as EXTERNAL, and of others that see the same; and those of
    ``others``, named with whether they are point processes, as far as NEURON knows them.

    Raises:
        Error: NEURON does not know the source of one.
    """
    densities = sorted({name for region in regions for name in region.mechanisms})
    found: list[Source] = []
    for name, point in [(name, False) for name in densities] + [(name, True) for name in sorted(set(points))]:
        text, path = nrn.source_of(name, point)
        if not text.strip():
            raise Error(f"NEURON does not know the source of the mechanism {name}; recompile it with nrnivmodl")
        found.append(Source(name, text, path))
    known = {source.name for source in found}
    concerned = external.concerned_with(name for source in found for name in external.declared_in(source.text))
    for name, point in dict.fromkeys([*concerned, *others]):
        text, path = nrn.source_of(name, point)
        if name not in known and text.strip():
            found.append(Source(name, text, path))
    return found
