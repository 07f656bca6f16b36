"""Every call into NEURON that its lack of types would spread: the only file that pyright cannot check."""

# pyright: basic

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeAlias

import neuron
import numpy as np
from numpy.typing import NDArray

h: Any = neuron.h

Section: TypeAlias = Any
Segment: TypeAlias = Any
PointProcess: TypeAlias = Any
Mechanism: TypeAlias = Any
Ref: TypeAlias = Any
Vector: TypeAlias = Any

#: Prefix of the suffix of every mechanism that the compiler emits.
OWN_PREFIX = "gm_"
#: Prefix of the name of every section of a gradient cable.
CABLE_PREFIX = "gradmod_"


def version() -> str:
    """NEURON's version, e.g. "9.0.2"."""
    return str(neuron.__version__)


# --- sections, segments and trees ---------------------------------------------------------------------------------


def is_section(value: object) -> bool:
    """Whether this is an ``h.Section``."""
    return type(value).__name__ == "Section" and hasattr(value, "nseg")


def is_segment(value: object) -> bool:
    """Whether this is a segment, such as ``soma(0.5)``."""
    return type(value).__name__ == "Segment" and hasattr(value, "sec")


def is_cable(sec: Section) -> bool:
    """Whether this section belongs to a gradient cable."""
    return sec.name().startswith(CABLE_PREFIX)


def all_sections() -> list[Section]:
    """The user's sections: all that are no gradient cable."""
    return [sec for sec in h.allsec() if not is_cable(sec)]


def tree_of(sec: Section) -> list[Section]:
    """All sections connected to this one, every parent before its children."""
    root = h.SectionRef(sec=sec).root
    order, stack = [], [root]
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


def points_3d(sec: Section) -> list[list[float]]:
    """The section's 3-D points as [xs, ys, zs, diameters] in um."""
    count = range(sec.n3d())
    return [[get(i) for i in count] for get in (sec.x3d, sec.y3d, sec.z3d, sec.diam3d)]


def arcs_3d(sec: Section) -> list[float]:
    """Arc length at each 3-D point in um."""
    return [float(sec.arc3d(i)) for i in range(sec.n3d())]


def set_points_3d(sec: Section, points: list[list[float]]) -> None:
    """Replace the section's 3-D points, from [xs, ys, zs, diameters] in um."""
    h.pt3dclear(sec=sec)
    h.pt3dadd(*(h.Vector(column) for column in points), sec=sec)


def new_section(name: str) -> Section:
    """Create a section."""
    return h.Section(name=name)


def delete_section(sec: Section) -> None:
    """Delete a section, unless that was done already."""
    if exists(sec):
        h.delete_section(sec=sec)


def exists(sec: Section) -> bool:
    """Whether a section was not deleted."""
    try:
        return bool(sec.name())
    except ReferenceError:
        return False


# --- mechanisms ---------------------------------------------------------------------------------------------------


def mechanisms_of(sec: Section) -> list[str]:
    """Names of the density mechanisms and ions inserted in a section."""
    return [mechanism.name() for mechanism in sec(0.5)]


def _types(point: bool) -> Iterator[tuple[int, str, Any]]:
    types, name = h.MechanismType(int(point)), h.ref("")
    for i in range(int(types.count())):
        types.select(i)
        types.selected(name)
        yield i, name[0], types


def mechanism_order() -> dict[str, int]:
    """Every density mechanism that NEURON knows, with its place in NEURON's order."""
    return {name: i for i, name, _ in _types(False)}


def point_process_names() -> list[str]:
    """Every point process that NEURON knows and that can stand on a section."""
    return [name for i, name, types in _types(True) if not types.is_artificial(i)]


def known_mechanisms() -> set[str]:
    """Names of all density mechanisms and point processes that NEURON knows."""
    return {name for point in (False, True) for _, name, _ in _types(point)}


def source_of(name: str, point: bool) -> tuple[str, str]:
    """(text, path) of the .mod file that a mechanism was compiled from; empty text if NEURON does not know."""
    types = h.MechanismType(int(point))
    types.select(name)
    return str(types.code() or ""), str(types.file() or "")


def variables_of(mechanism: str, kind: int) -> list[str]:
    """Names of a mechanism's variables, with suffix: kind 1 PARAMETER, 2 ASSIGNED, 3 STATE, -1 GLOBAL."""
    standard, name = h.MechanismStandard(mechanism, kind), h.ref("")
    names = []
    for i in range(int(standard.count())):
        standard.name(name, i)
        names.append(str(name[0]))
    return names


def point_processes() -> list[tuple[str, PointProcess]]:
    """(type name, object) of every point process of the user's that stands on a section."""
    found = []
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


def name_of(process: PointProcess) -> str:
    """NEURON's own name of an object, e.g. "IClamp[0]"."""
    return str(process.hname())


def find_point_process(name: str) -> PointProcess | None:
    """The point process with that name, if there is one."""
    return next((process for process in h.List(name.split("[")[0]) if name_of(process) == name), None)


def linear_mechanisms() -> int:
    """How many LinearMechanism objects there are."""
    return len(list(h.List("LinearMechanism")))


def ion_style(sec: Section, ion: str) -> int:
    """The style bits of an ion ("ca") in a section."""
    return int(h.ion_style(f"{ion}_ion", sec=sec))


def set_ion_style(sec: Section, ion: str, style: int) -> None:
    """Set an ion's style from bits that :func:`ion_style` returned."""
    h.ion_style(f"{ion}_ion", style & 3, style >> 3 & 3, style >> 5 & 1, style >> 6 & 1, style >> 2 & 1, sec=sec)


def ion_charge(ion: str) -> float:
    """The charge of an ion ("ca"), in elementary charges."""
    return float(h.ion_charge(f"{ion}_ion"))


def load_library(path: str) -> bool:
    """Load a compiled library of mechanisms."""
    return bool(h.nrn_load_dll(path))


# --- wiring -------------------------------------------------------------------------------------------------------


def set_pointer(owner: Any, name: str, target: Ref) -> None:
    """Let POINTER ``name`` of a mechanism or point process see ``target``."""
    setattr(owner, f"_ref_{name}", target)


def ref(owner: Any, name: str, index: int | None = None) -> Ref:
    """A reference to a variable, or to an element of an array."""
    found = getattr(owner, f"_ref_{name}")
    return found if index is None else found[index]


def points_at(seg: Segment, suffix: str, name: str, target: Segment) -> bool:
    """Whether POINTER ``name`` of a segment's mechanism sees v of another segment."""
    try:
        return bool(getattr(getattr(seg, suffix), f"_ref_{name}") == target._ref_v)
    except Exception:  # the mechanism is gone, or "was not made to point to anything"
        return False


def same_target(owner: Any, name: str, source: Any, variable: str) -> bool:
    """Whether POINTER ``name`` of a mechanism sees a variable of something else."""
    try:
        return bool(getattr(owner, f"_ref_{name}") == getattr(source, f"_ref_{variable}"))
    except Exception:
        return False


def values(vector: Vector) -> NDArray[np.float64]:
    """A copy of what a Vector holds."""
    return np.array(vector.as_numpy()) if vector.size() else np.empty(0)


def call_density(procedure: str, suffix: str, seg: Segment) -> None:
    """Call a PROCEDURE of a density mechanism at a segment."""
    getattr(h, f"setdata_{suffix}")(seg.x, sec=seg.sec)
    getattr(h, f"{procedure}_{suffix}")()


def new_point_process(name: str, seg: Segment) -> PointProcess:
    """Create a point process at a segment."""
    return getattr(h, name)(seg)


def record(reference: Ref, sec: Section | None = None) -> Vector:
    """A new Vector that records a variable at every step."""
    return h.Vector().record(reference) if sec is None else h.Vector().record(reference, sec=sec)


def stop_recording(vector: Vector) -> None:
    """Stop a Vector from recording."""
    vector.play_remove()


def on_finitialize(kind: int, function: Callable[[], None]) -> Any:
    """Call a function at every ``finitialize``; lives as long as what is returned."""
    return h.FInitializeHandler(kind, function)


# --- settings -----------------------------------------------------------------------------------------------------

_cvode: list[Any] = []


def unsupported_settings() -> Iterable[str]:
    """The simulation settings under which gradients are refused for now, each as a sentence."""
    if not _cvode:
        _cvode.extend((h.CVode(), h.ParallelContext()))
    cvode, context = _cvode
    if cvode.active():
        yield "the variable step is on (h.CVode().active(1)); turn it off with h.CVode().active(0)"
    if int(h.secondorder) != 0:
        yield f"h.secondorder is {int(h.secondorder)}; set it to 0"
    if int(context.nthread()) > 1:
        yield f"NEURON runs {int(context.nthread())} threads; use h.ParallelContext().nthread(1)"
    if linear_mechanisms():
        yield "the model has a LinearMechanism, whose equations gradmod cannot see"
