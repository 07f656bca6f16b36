"""Sections, segments, and the trees that they make."""

from __future__ import annotations

from collections.abc import Iterable

from ..errors import Error
from .interpreter import Section, Segment, h


def is_section(value: object) -> bool:
    """Whether this is an ``h.Section``."""
    return type(value).__name__ == "Section" and hasattr(value, "nseg")


def is_segment(value: object) -> bool:
    """Whether this is a segment, such as ``soma(0.5)``."""
    return type(value).__name__ == "Segment" and hasattr(value, "sec")


def all_sections() -> list[Section]:
    """All sections."""
    return list(h.allsec())


def root_of(sec: Section) -> Section:
    """The root of the tree that a section belongs to."""
    return h.SectionRef(sec=sec).root


def tree_of(sec: Section) -> list[Section]:
    """All sections connected to this one, every parent before its children."""
    order: list[Section] = []
    stack = [root_of(sec)]
    while stack:
        here = stack.pop()
        order.append(here)
        stack.extend(reversed(here.children()))
    return order


def orientation(sec: Section) -> int:
    """0 if the section's x = 0 end is the one nearer to the root, else 1."""
    return int(h.section_orientation(sec=sec))


def parent_place(sec: Section) -> tuple[Section, float] | None:
    """(section, x) where this section is connected; None for a root."""
    seg = sec.parentseg()
    return None if seg is None else (seg.sec, float(seg.x))


def new_section(name: str) -> Section:
    """Create a section."""
    return h.Section(name=name)


def exists(sec: Section) -> bool:
    """Whether a section was not deleted."""
    try:
        return bool(sec.name())
    except ReferenceError:
        return False


def section_of(place: Section | Segment) -> Section:
    """The section of a place."""
    return place.sec if is_segment(place) else place


def segments_of(where: Iterable[Section | Segment]) -> list[Segment]:
    """All segments of some places, each once, as seen at their centres.

    Raises:
        Error: A place is an end of a section.
    """
    found: dict[tuple[Section, int], Segment] = {}
    for place in where:
        if is_segment(place):
            if not 0.0 < place.x < 1.0:
                raise Error(f"{place} is an end without membrane; name a segment inside the section")
            count = int(place.sec.nseg)
            j = min(int(place.x * count), count - 1)
            found[place.sec, j] = place.sec((j + 0.5) / count)
        else:
            for j, seg in enumerate(place):
                found[place, j] = seg
    return list(found.values())
