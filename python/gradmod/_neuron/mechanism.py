"""Mechanisms: which there are, their variables, and calls of their functions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .interpreter import Mechanism, Section, Segment, Vector, h

#: NEURON keeps no reference to them.
_FILLED: list[Vector] = []


def fill_function_table(function: str, y: NDArray[np.float64], x: NDArray[np.float64]) -> None:
    """Set a FUNCTION_TABLE of one argument, by its name in HOC: straight lines through these points."""
    vectors = [h.Vector(y), h.Vector(x)]
    getattr(h, f"table_{function}")(*vectors)
    _FILLED.extend(vectors)


def mechanisms_of(sec: Section) -> list[str]:
    """Names of the density mechanisms and ions inserted in a section."""
    return [mechanism.name() for mechanism in sec(0.5)]


def each_type(point: bool) -> Iterator[tuple[int, str, Any]]:
    """Number and name of each density mechanism, or point process, and the ``MechanismType`` that stands at it."""
    types, name = h.MechanismType(int(point)), h.ref("")
    for i in range(int(types.count())):
        types.select(i)
        types.selected(name)
        yield i, name[0], types


def mechanism_order() -> dict[str, int]:
    """Every density mechanism that NEURON knows, with its place in NEURON's order."""
    return {name: i for i, name, _ in each_type(False)}


def point_process_names() -> list[str]:
    """Every point process that NEURON knows and that can stand on a section."""
    return [name for i, name, types in each_type(True) if not types.is_artificial(i)]


def known_mechanisms() -> set[str]:
    """Names of all density mechanisms and point processes that NEURON knows."""
    return {name for point in (False, True) for _, name, _ in each_type(point)}


def source_of(name: str, point: bool) -> tuple[str, str]:
    """(text, path) of the .mod file that a mechanism was compiled from; empty text if NEURON does not know."""
    types = h.MechanismType(int(point))
    types.select(name)
    return str(types.code() or ""), str(types.file() or "")


def values_everywhere(mechanism: str, point: bool, names: Sequence[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each instance of a mechanism in the whole model: its place and its values of some range variables."""
    if point:
        owners = list(h.List(mechanism))
        suffix = ""
    else:
        owners = [seg for sec in h.allsec() if sec.has_membrane(mechanism) for seg in sec]
        suffix = f"_{mechanism}"
    for owner in owners:
        values = {name: getattr(owner, name + suffix) for name in names}
        yield str(owner), {name: value if isinstance(value, float) else tuple(value) for name, value in values.items()}


def variables_of(mechanism: str, kind: int) -> list[str]:
    """Names of a mechanism's variables, with suffix: kind 1 PARAMETER, 2 ASSIGNED, 3 STATE, -1 GLOBAL."""
    standard, name = h.MechanismStandard(mechanism, kind), h.ref("")
    names: list[str] = []
    for i in range(int(standard.count())):
        standard.name(name, i)
        names.append(str(name[0]))
    return names


def global_value(name: str) -> float:
    """The present value of a global variable."""
    return float(getattr(h, name))


def ion_style(sec: Section, ion: str) -> int:
    """The style bits of an ion ("ca") in a section."""
    return int(h.ion_style(f"{ion}_ion", sec=sec))


def initial_concentration(concentration: str, ion: str) -> float:
    """What ``finitialize`` sets a concentration ("cai") to, in mM."""
    return float(getattr(h, f"{concentration}0_{ion}_ion"))


def ion_charge(ion: str) -> float:
    """The charge of an ion ("ca"), in elementary charges."""
    return float(h.ion_charge(f"{ion}_ion"))


def call_density(function: str, suffix: str, seg: Segment) -> float:
    """Call a FUNCTION or PROCEDURE of a density mechanism at a segment."""
    getattr(h, f"setdata_{suffix}")(seg.x, sec=seg.sec)
    return float(getattr(h, f"{function}_{suffix}")())


def call(function: str, *numbers: float) -> float:
    """Call a FUNCTION of a mechanism that has no instance."""
    return float(getattr(h, function)(*numbers))


def set_globals(mechanism: str, **values: float) -> None:
    """Set GLOBAL variables of a mechanism."""
    for name, value in values.items():
        setattr(h, f"{name}_{mechanism}", value)


def length(mechanism: Mechanism, name: str) -> int:
    """The number of elements of a RANGE array."""
    return len(getattr(mechanism, name))


def is_number(owner: Any, name: str) -> bool:
    """Whether a variable exists and is one number, not an array."""
    try:
        return isinstance(getattr(owner, name), float)
    except (AttributeError, TypeError, LookupError, ValueError):
        return False


def array_length(owner: Any, name: str) -> int:
    """How many elements a variable has; 0 if it does not exist, or is one number."""
    try:
        return len(getattr(owner, name))
    except (AttributeError, TypeError, LookupError, ValueError):
        return 0


def use_tables(mechanism: str, on: bool) -> None:
    """Switch the TABLEs of a mechanism on or off, if it has some."""
    if is_number(h, f"usetable_{mechanism}"):
        setattr(h, f"usetable_{mechanism}", int(on))
