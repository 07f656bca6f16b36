"""Directions: in which parameter, and where, a gradient is taken."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Literal, TypeAlias

from . import _neuron as nrn
from ._neuron.sections import is_section, is_segment
from .errors import Error

#: What changes where: one number for everywhere, a function of the segment, or "present". It is evaluated at every
#: ``finitialize``.
Weight: TypeAlias = "float | Callable[[nrn.Segment], float] | Literal['present'] | None"

#: A section, a segment, or any (nested) iterable of these, such as a SectionList or ``h.allsec()``.
Where: TypeAlias = nrn.Section


class Parameter:
    """What every kind of direction has in common: a name in NEURON's spelling."""

    def __init__(self, name: str) -> None:
        self.name = name


class Range(Parameter):
    """A range variable in some sections or segments, e.g. ``Range("gnabar_hh", soma)``.

    Also ``ena``, ``cao``, ... of ions, and ``cm`` and ``Ra``. Segments without the variable are left out.
    With a weight, the direction is ``sum over segments of weight(seg) * d/d(name at seg)``. With
    ``weight="present"`` it is the values that there are: the gradient is that in a factor common to all of them, for a
    variable that is not the same everywhere. In :class:`gradmod.Simulation` that factor is the number, 1 at the
    beginning. Where a weight or a value is 0, nothing changes.
    """

    def __init__(self, name: str, where: Where, weight: Weight = None) -> None:
        """Name the direction.

        Args:
            name: The range variable, as NEURON spells it.
            where: A section, a segment, or an iterable of these.
            weight: A number, a function of the segment, or "present"; 1 by default.

        Raises:
            Error: A place is none, or the weight.
        """
        super().__init__(name)
        self.where = places(where)
        self.weight: Weight = checked_weight(weight)

    def __repr__(self) -> str:
        return f"Range({self.name!r}, {describe(self.where)}{_weight(self.weight)})"


class PerSegment(Range):
    """A range variable of which every segment is a parameter of its own; in reverse mode only.

    The gradient is an array, in the order in which ``where`` names the segments (``Ra``: the sections).
    """

    def __repr__(self) -> str:
        return f"PerSegment({self.name!r}, {describe(self.where)}{_weight(self.weight)})"


class Global(Parameter):
    """A GLOBAL variable, e.g. ``Global("vhalf_kca")``, ``Global("celsius")``, ``Global("cai0_ca_ion")``."""

    def __repr__(self) -> str:
        return f"Global({self.name!r})"


class Stimulus(Parameter):
    """A parameter of one point process, e.g. ``Stimulus(iclamp, "amp")``.

    As an input of :class:`gradmod.Simulation`, also one of an artificial cell, e.g. ``Stimulus(netstim, "start")``.
    """

    def __init__(self, point_process: nrn.PointProcess, name: str) -> None:
        """Name the direction.

        Args:
            point_process: The object, e.g. of ``h.IClamp(soma(0.5))``.
            name: The parameter, as NEURON spells it.
        """
        super().__init__(name)
        if not nrn.type_of_point_process(point_process) and not nrn.type_of_artificial_cell(point_process):
            raise Error(f"Stimulus({point_process!r}, {name!r}): the first argument must be a point process")
        #: NEURON's name of the object; a reference would keep it alive when the user drops it.
        self.process = nrn.name_of(point_process)

    @property
    def processes(self) -> Sequence[str]:
        """The names of all that it acts on."""
        return [self.process]

    def __repr__(self) -> str:
        return f"Stimulus({self.process}, {self.name!r})"


class PerPointProcess(Stimulus):
    """A parameter of many point processes of one kind, each a parameter of its own; in reverse mode only.

    For example the conductances of all graded synapses: ``PerPointProcess(synapses, "gmax")``. The gradient is an
    array, in the order of the point processes.
    """

    def __init__(self, point_processes: Iterable[nrn.PointProcess], name: str) -> None:
        """Name the directions.

        Args:
            point_processes: The objects; at least one, all of one kind, none twice.
            name: The parameter, as NEURON spells it.

        Raises:
            Error: They are not.
        """
        objects = list(point_processes)
        if not objects:
            raise Error("PerPointProcess needs at least one point process")
        super().__init__(objects[0], name)
        self._processes = [Stimulus(one, name).process for one in objects]
        kinds = {one.partition("[")[0] for one in self._processes}
        if len(kinds) > 1:
            raise Error(f"PerPointProcess takes point processes of one kind, not {', '.join(sorted(kinds))}")
        if len(set(self._processes)) < len(objects):
            raise Error("PerPointProcess: a point process is named twice")

    @property
    def processes(self) -> Sequence[str]:
        """The names of all that it acts on."""
        return self._processes

    def __repr__(self) -> str:
        first, last = self._processes[0], self._processes[-1]
        return f"PerPointProcess([{first}, ... {last}: {len(self._processes)}], {self.name!r})"


class NetConWeight(Parameter):
    """An element of the weight vector of one NetCon, e.g. ``NetConWeight(netcon)`` for ``netcon.weight[0]``.

    It is the weight at the start of a run; a synapse may change the weights of its NetCons as events come.
    """

    def __init__(self, netcon: nrn.NetCon, index: int = 0) -> None:
        """Name the direction.

        Args:
            netcon: The object, whose target stands on a cell.
            index: Which element.
        """
        super().__init__(f"weight[{index}]")
        if not str(netcon.hname()).startswith("NetCon["):
            raise Error(f"NetConWeight({netcon!r}): the argument must be a NetCon")
        #: NEURON's name of the object; a reference would keep it alive when the user drops it.
        self.netcon = nrn.name_of(netcon)
        self.index = index

    def __repr__(self) -> str:
        return f"NetConWeight({self.netcon}, {self.index})"


class NetConDelay(Parameter):
    """The delay of one NetCon, in ms; only with ``attach(..., spike_times=True)``, which says what that means."""

    def __init__(self, netcon: nrn.NetCon) -> None:
        """Name the direction.

        Args:
            netcon: The object, whose target stands on a cell.
        """
        super().__init__("delay")
        if not str(netcon.hname()).startswith("NetCon["):
            raise Error(f"NetConDelay({netcon!r}): the argument must be a NetCon")
        #: As in :class:`NetConWeight`.
        self.netcon = nrn.name_of(netcon)

    def __repr__(self) -> str:
        return f"NetConDelay({self.netcon})"


class Elsewhere(Parameter):
    """A parameter of cells that are all on other MPI ranks; only with ``attach(..., spike_times=True)``.

    There all ranks must name the same directions. What changes here is what the spikes of those cells bring.
    """

    def __init__(self) -> None:
        """Nothing is to be said of it here."""
        super().__init__("elsewhere")

    def __repr__(self) -> str:
        return "Elsewhere()"


class PerNetCon(Parameter):
    """An element of the weight vector of many NetCons, each a parameter of its own; in reverse mode only.

    The gradient is an array, in the order of the NetCons.
    """

    def __init__(self, netcons: Iterable[nrn.NetCon], index: int = 0) -> None:
        """Name the directions.

        Args:
            netcons: The objects, whose targets stand on cells; at least one.
            index: Which element of their weights.
        """
        super().__init__(f"weight[{index}]")
        #: As in :class:`NetConWeight`.
        self.netcons = [NetConWeight(netcon, index).netcon for netcon in netcons]
        self.index = index
        if not self.netcons:
            raise Error("PerNetCon needs at least one NetCon")

    def __repr__(self) -> str:
        return f"PerNetCon([{self.netcons[0]}, ... {self.netcons[-1]}: {len(self.netcons)} NetCons], {self.index})"


class InitialVoltage(Parameter):
    """The membrane potential that INITIAL finds; everywhere, or in some sections or segments.

    That is what ``finitialize(v_init)`` or, after it, FInitializeHandlers of type 0 set it to.
    """

    def __init__(self, where: Where = None, weight: Weight = None) -> None:
        """Name the direction.

        Args:
            where: A section, a segment, or an iterable of these; everywhere by default.
            weight: A number or a function of the segment; 1 by default.
        """
        super().__init__("v")
        self.where = None if where is None else places(where)
        self.weight: Weight = checked_weight(weight)
        if weight == "present":
            raise Error("InitialVoltage has no present values: give numbers, or a function of the segment, as weight")

    def __repr__(self) -> str:
        where = "" if self.where is None else describe(self.where)
        return f"InitialVoltage({where}{_weight(self.weight)})"


def checked_weight(weight: Weight) -> Weight:
    """The weight, if it is one.

    Raises:
        Error: It can be none.
    """
    if weight is None or weight == "present" or isinstance(weight, (int, float)) or callable(weight):
        return weight
    raise Error(f"the weight {weight!r} is no number, no function of a segment and not 'present'")


def places(where: Where) -> list[nrn.Section | nrn.Segment]:
    """The sections and segments that ``where`` names, each once.

    Raises:
        Error: Something in it is neither, or there is nothing in it.
    """
    found: dict[tuple[nrn.Section, float | None], nrn.Section | nrn.Segment] = {}
    _collect(where, found)
    if not found:
        raise Error("a direction needs at least one section or segment")
    return list(found.values())


def _collect(where: Where, found: dict[tuple[nrn.Section, float | None], nrn.Section | nrn.Segment]) -> None:
    if is_section(where):
        found.setdefault((where, None), where)
    elif is_segment(where):
        found.setdefault((where.sec, float(where.x)), where)
    else:
        for part in _parts(where):
            _collect(part, found)


def _parts(where: Where) -> Iterable[Where]:
    try:
        if not isinstance(where, str):
            return iter(where)
    except TypeError:
        pass
    if isinstance(where, Parameter):
        raise Error(f"{where!r} needs a name: name=..., or a mapping {{'name': ...}}")
    raise Error(f"{where!r} is no place: give a section, a segment, or an iterable of these")


def describe(where: list[nrn.Section | nrn.Segment]) -> str:
    """A short text for some places."""
    names = [str(place) for place in where]
    return names[0] if len(names) == 1 else f"[{names[0]}, ... {names[-1]}: {len(names)} places]"


def _weight(weight: Weight) -> str:
    if weight is None:
        return ""
    if isinstance(weight, (int, float)):
        return f", weight={weight:g}"
    return ", weight='present'" if weight == "present" else ", weight=<function>"
