"""Point processes, and objects of NEURON by their names."""

from __future__ import annotations

import contextlib
from collections.abc import Generator
from typing import Any

from .interpreter import OWN_PREFIX, PointProcess, Section, Segment, h
from .mechanism import each_type, point_process_names


def point_processes() -> list[tuple[str, PointProcess]]:
    """(type name, object) of every point process of the user's that stands on a section."""
    found: list[tuple[str, PointProcess]] = []
    for name in point_process_names():
        if name.startswith(OWN_PREFIX):
            continue  # the companions that gradmod made
        for process in h.List(name):
            if process.has_loc():
                found.append((name, process))
    return found


def type_of_point_process(value: Any) -> str:
    """Type name of a point process ("IClamp"); empty if it is none."""
    if not hasattr(value, "hname") or not hasattr(value, "get_segment"):
        return ""
    return str(value.hname()).split("[")[0]


def type_of_artificial_cell(value: Any) -> str:
    """Type name of an ARTIFICIAL_CELL ("NetStim"), which stands on no section; empty if it is none."""
    name = str(value.hname()).split("[")[0] if hasattr(value, "hname") else ""
    return name if any(known == name and types.is_artificial(i) for i, known, types in each_type(True)) else ""


def name_of(process: PointProcess) -> str:
    """NEURON's own name of an object, e.g. "IClamp[0]"."""
    return str(process.hname())


#: Objects by kind and name, while :func:`one_look` lasts.
_seen: list[dict[str, dict[str, Any]]] = []


@contextlib.contextmanager
def one_look() -> Generator[None, None, None]:
    """Within, objects are listed once for all that ask for them by name: none must be made or deleted."""
    _seen.append({} if not _seen else _seen[0])
    try:
        yield
    finally:
        _seen.pop()


def by_name(kind: str) -> dict[str, Any]:
    """All objects of a kind, by their names."""
    if _seen and kind in _seen[0]:
        return _seen[0][kind]
    found = {name_of(one): one for one in h.List(kind)}
    if _seen:
        _seen[0][kind] = found
    return found


def find_point_process(name: str) -> PointProcess | None:
    """The point process with that name, if there is one."""
    kind = name.split("[")[0]
    if _seen:
        return by_name(kind).get(name)
    return next((process for process in h.List(kind) if name_of(process) == name), None)


def new_point_process(name: str, seg: Segment) -> PointProcess:
    """Create a point process at a segment."""
    return getattr(h, name)(seg)


def segment_of(process: PointProcess) -> Segment:
    """Where a point process stands."""
    return process.get_segment()


def section_of(place: Segment | PointProcess) -> Section:
    """The section of a segment, or the one that a point process stands on."""
    return place.get_segment().sec if type_of_point_process(place) else place.sec
