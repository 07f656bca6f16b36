"""Calls into NEURON about the POINTERs of the user's mechanisms; see :mod:`._neuron`."""

# pyright: basic

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from . import _neuron as nrn

#: What :func:`mechanisms_with_pointers` found, by how many mechanisms NEURON then knew.
_pointers: dict[tuple[int, int], dict[str, tuple[bool, list[str]]]] = {}


def mechanisms_with_pointers() -> dict[str, tuple[bool, list[str]]]:
    """The user's mechanisms that have POINTERs: whether it is a point process, and their names."""
    count = int(nrn.h.MechanismType(0).count()), int(nrn.h.MechanismType(1).count())
    if count not in _pointers:
        found: dict[str, tuple[bool, list[str]]] = {}
        for point in (False, True):
            for i, name, types in nrn.each_type(point):
                if name.startswith(nrn.OWN_PREFIX) or (point and types.is_artificial(i)):
                    continue
                if "POINTER" not in nrn.source_of(name, point)[0]:
                    continue
                others = {other for kind in (1, 2, 3) for other in nrn.variables_of(name, kind)}
                names = [other for other in nrn.variables_of(name, 0) if other not in others]
                if names:
                    found[name] = point, [other.removesuffix("" if point else f"_{name}") for other in names]
        _pointers[count] = found
    return _pointers[count]


def instances(mechanism: str, point: bool) -> Iterator[tuple[Any, tuple[nrn.Section, float]]]:
    """Each point process, or segment's mechanism, of a kind, and where it is; gradient cables are left out."""
    if point:
        for process in nrn.h.List(mechanism):
            if process.has_loc():
                seg = process.get_segment()
                yield process, (seg.sec, float(seg.x))
    else:
        for sec in nrn.all_sections():
            if sec.has_membrane(mechanism):
                for seg in sec:
                    yield getattr(seg, mechanism), (sec, float(seg.x))


#: Voltages that no run reaches, mV.
_MARK = 1e9


def nodes_seen(pointers: Sequence[tuple[Any, str]]) -> list[tuple[nrn.Section, float] | None]:
    """The node (section, x) whose v a POINTER of a mechanism or point process sees; None if it is no v."""
    if not pointers:
        return []
    nodes = [(sec, x) for sec in nrn.all_sections() for x in (0.0, *(float(seg.x) for seg in sec), 1.0)]
    kept = [sec(x).v for sec, x in nodes]
    try:
        for i, (sec, x) in enumerate(nodes):
            sec(x).v = _MARK + i
        read = [getattr(owner, name) - _MARK if nrn.is_number(owner, name) else -1.0 for owner, name in pointers]
    finally:
        for (sec, x), v in zip(nodes, kept, strict=True):
            sec(x).v = v
    found = []
    for (owner, name), number in zip(pointers, read, strict=True):
        node = nodes[int(number)] if 0 <= number < len(nodes) else None
        is_it = node is not None and nrn.same_target(owner, name, node[0](node[1]), "v")
        found.append(node if is_it else None)
    return found


def name_of_target(owner: Any, name: str) -> str:
    """What a POINTER sees, if it is a variable of a segment or point process: "cai at soma(0.5)"; else empty."""
    pointing = mechanisms_with_pointers()
    for sec in nrn.all_sections():
        for mechanism in nrn.mechanisms_of(sec):
            if mechanism not in ("morphology", "capacitance"):
                others = [f"{pointer}_{mechanism}" for pointer in pointing.get(mechanism, (False, []))[1]]
                for variable in (variable for variable in nrn.variables_of(mechanism, 0) if variable not in others):
                    for seg in sec:
                        if nrn.same_target(owner, name, seg, variable):
                            return f"{variable} at {seg}"
    for kind, process in nrn.point_processes():
        for variable in (variable for kinds in (1, 2, 3) for variable in nrn.variables_of(kind, kinds)):
            if nrn.same_target(owner, name, process, variable):
                return f"{variable} of {nrn.name_of(process)}"
    return ""
