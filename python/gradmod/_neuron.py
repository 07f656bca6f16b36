"""Calls into NEURON that its lack of types would spread; like ``_neuron_*``, its siblings, not checked by pyright."""

# pyright: basic

from __future__ import annotations

import contextlib
import signal
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import neuron
import numpy as np
from numpy.typing import NDArray

h: Any = neuron.h

Section: TypeAlias = Any
Segment: TypeAlias = Any
NetCon: TypeAlias = Any
PointProcess: TypeAlias = Any
Mechanism: TypeAlias = Any
Ref: TypeAlias = Any
Vector: TypeAlias = Any
RandomStream: TypeAlias = Any

#: Prefix of the suffix of every mechanism that the compiler emits.
OWN_PREFIX = "gm_"


def version() -> str:
    """NEURON's version, e.g. "9.0.2"."""
    return str(neuron.__version__)


#: NEURON keeps no reference to them.
_FILLED: list[Vector] = []


def fill_function_table(function: str, y: NDArray[np.float64], x: NDArray[np.float64]) -> None:
    """Set a FUNCTION_TABLE of one argument, by its name in HOC: straight lines through these points."""
    vectors = [h.Vector(y), h.Vector(x)]
    getattr(h, f"table_{function}")(*vectors)
    _FILLED.extend(vectors)


def installed() -> tuple[str, int]:
    """Where NEURON is and when it came there, in ns."""
    place = Path(neuron.__file__)
    return str(place), place.stat().st_mtime_ns


# --- mechanisms ---------------------------------------------------------------------------------------------------


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
    names = []
    for i in range(int(standard.count())):
        standard.name(name, i)
        names.append(str(name[0]))
    return names


def global_value(name: str) -> float:
    """The present value of a global variable."""
    return float(getattr(h, name))


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


#: Objects by kind and name, while :func:`one_look` lasts.
_seen: list[dict[str, dict[str, Any]]] = []


@contextlib.contextmanager
def one_look() -> Iterator[None]:
    """Within, objects are listed once for all that ask for them by name: none must be made or deleted."""
    _seen.append({} if not _seen else _seen[0])
    try:
        yield
    finally:
        _seen.pop()


def _named(kind: str) -> dict[str, Any]:
    """All objects of a kind by their names."""
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
        return _named(kind).get(name)
    return next((process for process in h.List(kind) if name_of(process) == name), None)


def netcons_by_target() -> dict[str, list[NetCon]]:
    """Every NetCon, by the name of its target."""
    found: dict[str, list[NetCon]] = {}
    for netcon in h.List("NetCon"):
        target = netcon.syn()
        if target is not None:
            found.setdefault(name_of(target), []).append(netcon)
    return found


#: What ``NetCon.preloc()`` says where the source is no place of a section.
_NO_SECTION = -1.0


def copy_netcon(netcon: NetCon, target: PointProcess) -> NetCon:
    """A NetCon from the same source to another point process; threshold and weights stay as they are.

    Raises:
        ValueError: Its source is a variable other than v.
    """
    source, segment = netcon.pre(), netcon.preseg()
    threshold = netcon.threshold
    if source is not None:
        made = h.NetCon(source, target)
    elif segment is not None:
        made = h.NetCon(segment._ref_v, target, sec=segment.sec)
    elif netcon.srcgid() >= 0:
        made = h.ParallelContext().gid_connect(netcon.srcgid(), target)
    elif netcon.preloc() == _NO_SECTION:
        made = h.NetCon(None, target)
    else:
        h.pop_section()  # preloc() pushed it
        raise ValueError("the source of a NetCon is a variable other than v")
    if netcon.threshold != threshold:
        netcon.threshold = threshold
    return made


def netcons() -> dict[str, NetCon]:
    """Every NetCon by its name."""
    return _named("NetCon")


def ion_style(sec: Section, ion: str) -> int:
    """The style bits of an ion ("ca") in a section."""
    return int(h.ion_style(f"{ion}_ion", sec=sec))


def initial_concentration(concentration: str, ion: str) -> float:
    """What ``finitialize`` sets a concentration ("cai") to, in mM."""
    return float(getattr(h, f"{concentration}0_{ion}_ion"))


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
    """A reference to a variable, or to an element of an array: by ``index``, or as in ``name`` "x_hh[1]"."""
    plain, _, element = name.partition("[")
    found = getattr(owner, f"_ref_{plain}")
    if element:
        found = found[int(element.removesuffix("]"))]
    return found if index is None else found[index]


def same_target(owner: Any, name: str, source: Any, variable: str) -> bool:
    """Whether POINTER ``name`` of a mechanism sees a variable of something else."""
    try:
        return bool(getattr(owner, f"_ref_{name}") == ref(source, variable))
    except Exception:
        return False


def values(vector: Vector) -> NDArray[np.float64]:
    """A copy of what a Vector holds."""
    return np.array(vector.as_numpy()) if vector.size() else np.empty(0)


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


def new_point_process(name: str, seg: Segment) -> PointProcess:
    """Create a point process at a segment."""
    return getattr(h, name)(seg)


def segment_of(process: PointProcess) -> Segment:
    """Where a point process stands."""
    return process.get_segment()


def section_of(place: Segment | PointProcess) -> Section:
    """The section of a segment, or the one that a point process stands on."""
    return place.get_segment().sec if type_of_point_process(place) else place.sec


def record(reference: Ref, sec: Section | None = None) -> Vector:
    """A new Vector that records a variable at every step."""
    return h.Vector().record(reference) if sec is None else h.Vector().record(reference, sec=sec)


def record_time(sec: Section | None, interval: float | None = None) -> Vector:
    """A new Vector that records t, at every step or every so many ms.

    Args:
        sec: NEURON records t no more when this section goes; without it, when that goes which is accessed now.
    """
    arguments = () if interval is None else (interval,)
    return h.Vector().record(h._ref_t, *arguments, **({} if sec is None else {"sec": sec}))


def record_every(reference: Ref, interval: float) -> Vector:
    """A new Vector that records a variable every so many ms."""
    return h.Vector().record(reference, interval)


def stop_recording(vector: Vector) -> None:
    """Stop a Vector from recording or being played."""
    vector.play_remove()


def fill(vector: Vector, numbers: NDArray[np.float64]) -> None:
    """Replace what a Vector holds."""
    vector.resize(len(numbers))
    if len(numbers):
        vector.as_numpy()[:] = numbers


def vector(numbers: Iterable[float]) -> Vector:
    """A new Vector with these numbers."""
    return h.Vector(list(numbers))


def play(levels: Vector, reference: Ref, times: Vector) -> Vector:
    """Play (times, levels) into a variable, with straight lines between; lives as long as what is returned."""
    played = levels.c()
    played.play(reference, times, True)
    return played


def connect_events(process: PointProcess, place: int = 0) -> tuple[Any, NetCon]:
    """Events for a point process, others in each ``place``, with weights of 0.002; for as long as both are kept."""
    source = h.NetStim()
    source.start, source.interval, source.number, source.noise = 1.013 + 0.731 * place, 1.497 + 0.2 * place, 3, 0
    connection = h.NetCon(source, process)
    connection.delay = 0.3
    for i in range(weight_count(connection)):
        connection.weight[i] = 2e-3
    return source, connection


def weight_count(netcon: NetCon) -> int:
    """The number of elements of a NetCon's weight."""
    return int(netcon.wcnt())


def set_weight(netcon: NetCon, weight: float) -> None:
    """Set the first element of a NetCon's weight."""
    netcon.weight[0] = weight


def random_stream(owner: Any, name: str) -> RandomStream:
    """A stream of random numbers of a point process, or of a segment's mechanism."""
    return getattr(owner, name)


def rewind(stream: RandomStream, number: int) -> None:
    """Make a stream give the same numbers in every run: those that belong to ``number``."""
    stream.set_ids(number, 1, 1)
    stream.set_seq(0)


#: After how many places a stream of random numbers begins anew.
PLACES = 2.0**34


def is_fresh(stream: RandomStream) -> bool:
    """Whether the next numbers of a stream are those that belong to its ids and its place; it stays where it is."""
    place = stream.get_seq()
    several = range(4 - int(place) % 4)  # NEURON makes them in fours
    drawn = [stream.uniform() for _ in several]
    stream.set_seq(place)
    again = [stream.uniform() for _ in several]
    stream.set_seq(place)
    return drawn == again


def is_number(owner: Any, name: str) -> bool:
    """Whether a variable exists and is one number, not an array."""
    try:
        return isinstance(getattr(owner, name), float)
    except (AttributeError, TypeError, LookupError, ValueError):
        return False


def use_tables(mechanism: str, on: bool) -> None:
    """Switch the TABLEs of a mechanism on or off, if it has some."""
    if is_number(h, f"usetable_{mechanism}"):
        setattr(h, f"usetable_{mechanism}", int(on))


def run(dt: float, t_stop: float, v_init: float, celsius: float) -> None:
    """Initialise and run with a fixed step; times in ms, voltage in mV."""
    h.celsius, h.dt = celsius, dt
    h.finitialize(v_init)
    solve(round(t_stop / dt) * dt)


def advance() -> None:
    """One step."""
    h.fadvance()


def solve(until: float) -> None:
    """Run to a time, without what HOC's run system does at every step."""
    context = h.ParallelContext()
    context.set_maxstep(longest_step())
    try:
        context.psolve(until)
    except BaseException:
        stop_clock()
        raise


def longest_step() -> float:
    """How long ``psolve`` may go without looking for events of other ranks, in ms: more than a time step."""
    return max(10.0, 2.0 * float(h.dt))


def v_init() -> float:
    """Where the run system (stdrun.hoc) begins, in mV; -65 where it was not loaded, as that does."""
    return float(h.v_init) if is_number(h, "v_init") else -65.0


def stop_run() -> None:
    """End the run that is going on after the present step."""
    h.stoprun = 1


def let_run() -> None:
    """Take back :func:`stop_run`, which would stop the next run too."""
    h.stoprun = 0


def stop_clock() -> None:
    """Stop what an error leaves behind that breaks ``psolve`` off: NEURON ends the process 20 s later."""
    if hasattr(signal, "setitimer") and signal.getsignal(signal.SIGALRM) in (None, signal.SIG_DFL):
        signal.setitimer(signal.ITIMER_REAL, 0)


def call_at(time: float, function: Callable[[], None]) -> None:
    """Call a function between two steps of the run, at a time in ms."""
    h.CVode().event(time, function)


def on_finitialize(kind: int, function: Callable[[], None]) -> Any:
    """Call a function at every ``finitialize``; lives as long as what is returned."""
    return h.FInitializeHandler(kind, function)
