"""References to variables, and what the POINTERs of the user's mechanisms see."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from .interpreter import OWN_PREFIX, Ref, Section, Segment, h
from .mechanism import array_length, each_type, is_number, mechanisms_of, source_of, variables_of
from .point_process import find_point_process, name_of, point_processes
from .sections import all_sections


def set_pointer(owner: Any, name: str, target: Ref) -> None:
    """Let POINTER ``name`` of a mechanism or point process see ``target``."""
    setattr(owner, f"_ref_{name}", target)


def ref(owner: Any, name: str, index: int | None = None) -> Ref:
    """A reference to a variable, or to an element of an array: by ``index``, or as in ``name`` "x_hh[1]"."""
    plain, _, element = name.partition("[")
    if plain == "vext":
        return _vext(owner, int(element.removesuffix("]")))
    found = getattr(owner, f"_ref_{plain}")
    if element:
        found = found[int(element.removesuffix("]"))]
    return found if index is None else found[index]


def number(owner: Any, name: str) -> float:
    """A variable, or an element of an array as in "xg[1]"."""
    plain, _, element = name.partition("[")
    found = getattr(owner, plain)
    return float(found[int(element.removesuffix("]"))] if element else found)


def has_number(owner: Any, name: str) -> bool:
    """Whether there is such a variable or element."""
    return hasattr(owner, name.partition("[")[0])


def set_number(owner: Any, name: str, value: float) -> None:
    """Set a variable, or an element of an array as in "xg[1]"."""
    plain, _, element = name.partition("[")
    if element:
        getattr(owner, plain)[int(element.removesuffix("]"))] = value
    else:
        setattr(owner, plain, value)


def _vext(segment: Segment, layer: int) -> Ref:
    """The potential of a layer of ``extracellular``. Python itself sees the first one only, whatever the index."""
    if layer == 0:
        return segment._ref_vext[0]
    segment.sec.push()
    try:
        return h.Pointer(f"vext[{layer}]({float(segment.x)!r})")._ref_val
    finally:
        h.pop_section()


def same_target(owner: Any, name: str, source: Any, variable: str) -> bool:
    """Whether POINTER ``name`` of a mechanism sees a variable of something else."""
    try:
        return bool(getattr(owner, f"_ref_{name}") == ref(source, variable))
    except Exception:
        return False


@dataclass(frozen=True)
class Variable:
    """A variable of a segment or point process, other than v.

    Attributes:
        mechanism: Whose it is; "ca_ion" for what belongs to an ion.
        name: As it is called there: "m_hh", "cai"; "g" of a point process.
        place: Where.
        process: The point process by its name; None for a variable of the segment.
    """

    mechanism: str
    name: str
    place: tuple[Section, float]
    process: str | None

    def __str__(self) -> str:
        return f"{self.name} {f'of {self.process}' if self.process else f'at {self.segment()}'}"

    def segment(self) -> Segment:
        """The segment where it is."""
        return self.place[0](self.place[1])

    def owner(self) -> Any:
        """The segment or point process; None if it is gone."""
        return self.segment() if self.process is None else find_point_process(self.process)


#: What :func:`mechanisms_with_pointers` found, by how many mechanisms NEURON then knew.
_pointers: dict[tuple[int, int], dict[str, tuple[bool, list[str]]]] = {}


def mechanisms_with_pointers() -> dict[str, tuple[bool, list[str]]]:
    """The user's mechanisms that have POINTERs: whether it is a point process, and their names."""
    count = int(h.MechanismType(0).count()), int(h.MechanismType(1).count())
    if count not in _pointers:
        found: dict[str, tuple[bool, list[str]]] = {}
        for point in (False, True):
            for i, name, types in each_type(point):
                if name.startswith(OWN_PREFIX) or (point and types.is_artificial(i)):
                    continue
                if "POINTER" not in source_of(name, point)[0]:
                    continue
                others = {other for kind in (1, 2, 3) for other in variables_of(name, kind)}
                names = [other for other in variables_of(name, 0) if other not in others]
                if names:
                    found[name] = point, [other.removesuffix("" if point else f"_{name}") for other in names]
        _pointers[count] = found
    return _pointers[count]


def instances(mechanism: str, point: bool) -> Iterator[tuple[Any, tuple[Section, float]]]:
    """Each point process, or segment's mechanism, of a kind, and where it is."""
    if point:
        for process in h.List(mechanism):
            if process.has_loc():
                seg = process.get_segment()
                yield process, (seg.sec, float(seg.x))
    else:
        for sec in all_sections():
            if sec.has_membrane(mechanism):
                for seg in sec:
                    yield getattr(seg, mechanism), (sec, float(seg.x))


#: Voltages that no run reaches, mV.
_MARK = 1e9


def nodes_seen(pointers: Sequence[tuple[Any, str]]) -> list[tuple[Section, float] | None]:
    """The node (section, x) whose v a POINTER of a mechanism or point process sees; None if it is no v."""
    if not pointers:
        return []
    nodes = [(sec, x) for sec in all_sections() for x in (0.0, *(float(seg.x) for seg in sec), 1.0)]
    kept = [sec(x).v for sec, x in nodes]
    try:
        for i, (sec, x) in enumerate(nodes):
            sec(x).v = _MARK + i
        read = [getattr(owner, name) - _MARK if is_number(owner, name) else -1.0 for owner, name in pointers]
    finally:
        for (sec, x), v in zip(nodes, kept, strict=True):
            sec(x).v = v
    found: list[tuple[Section, float] | None] = []
    for (owner, name), number in zip(pointers, read, strict=True):
        node = nodes[int(number)] if 0 <= number < len(nodes) else None
        is_it = node is not None and same_target(owner, name, node[0](node[1]), "v")
        found.append(node if is_it else None)
    return found


def variables_seen(pointers: Sequence[tuple[Any, str]], known: Sequence[Variable | None]) -> list[Variable | None]:
    """The variable that each POINTER of a mechanism or point process sees; None if it is none that gradmod can name.

    As for voltages, each that it may be is given a value of its own for a moment.

    Args:
        pointers: Those that see no v, each with what it belongs to.
        known: For each what it saw before, to be looked at first.
    """
    processes = {name_of(process): process for _, process in point_processes()} if any(known) else {}
    found: list[Variable | None] = []
    for (owner, name), before in zip(pointers, known, strict=True):
        place = (
            None if before is None else before.segment() if before.process is None else processes.get(before.process)
        )
        is_same = before is not None and same_target(owner, name, place, before.name)
        found.append(before if is_same else None)
    open_ones = [i for i, (owner, name) in enumerate(pointers) if found[i] is None and is_number(owner, name)]
    if not open_ones:
        return found
    wanted = {getattr(*pointers[i]) for i in open_ones}
    candidates = [(place, each) for place, each in variables() if getattr(place, each.name) in wanted]
    kept = [getattr(place, each.name) for place, each in candidates]
    try:
        for number, (place, each) in enumerate(candidates):
            setattr(place, each.name, _MARK + number)
        read = [getattr(*pointers[i]) - _MARK for i in open_ones]
    finally:
        for (place, each), value in zip(candidates, kept, strict=True):
            setattr(place, each.name, value)
    for i, number in zip(open_ones, read, strict=True):
        if 0 <= number < len(candidates):
            place, each = candidates[int(number)]
            if same_target(*pointers[i], place, each.name):
                found[i] = each
    return found


def variables(*, arrays: bool = False) -> Iterator[tuple[Any, Variable]]:
    """All variables of the model that are one number each, but POINTERs and v; with ``arrays`` their elements too."""
    names: dict[str, list[str]] = {}

    def names_of(mechanism: str) -> list[str]:
        if mechanism not in names:
            names[mechanism] = [name for kind in (1, 2, 3) for name in variables_of(mechanism, kind)]
        return names[mechanism]

    def elements(owner: Any, name: str) -> list[str]:
        if is_number(owner, name):
            return [name]
        return [f"{name}[{i}]" for i in range(array_length(owner, name))] if arrays else []

    for sec in all_sections():
        for mechanism in mechanisms_of(sec):
            if mechanism in ("morphology", "capacitance") or mechanism.startswith(OWN_PREFIX):
                continue
            for seg in sec:
                for name in names_of(mechanism):
                    for one in elements(seg, name):
                        yield seg, Variable(mechanism, one, (sec, float(seg.x)), None)
    for kind, process in point_processes():
        for name in names_of(kind):
            for one in elements(process, name):
                seg = process.get_segment()
                yield process, Variable(kind, one, (seg.sec, float(seg.x)), name_of(process))


@cache
def type_number(mechanism: str) -> int:
    """The number by which NEURON orders mechanisms, density mechanisms and point processes together."""
    for point in (False, True):
        for _, name, types in each_type(point):
            if name == mechanism:
                return int(types.internal_type())
    raise ValueError(mechanism)
