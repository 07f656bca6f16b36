"""Sections and segments that a user has named."""

from __future__ import annotations

from collections.abc import Iterable

from .. import _neuron as nrn
from .._neuron.sections import is_segment
from ..errors import Error


def section_of(place: nrn.Section | nrn.Segment) -> nrn.Section:
    """The section of a place."""
    return place.sec if is_segment(place) else place


def segments_of(where: Iterable[nrn.Section | nrn.Segment]) -> list[nrn.Segment]:
    """All segments of some places, each once, as seen at their centres.

    Raises:
        Error: A place is an end of a section.
    """
    found: dict[tuple[nrn.Section, int], nrn.Segment] = {}
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
