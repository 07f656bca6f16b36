"""Which numbers of the model each parameter has set last: a later one overwrites an earlier one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from .. import _neuron as nrn
from .cell import Cell
from .library import ephys

#: A number of a segment (of a section, for Ra), or of a point process.
Key: TypeAlias = tuple[Any, ...]


@dataclass
class Spatial:
    """A parameter of sections or segments, and where it has the last word.

    Attributes:
        parameter: BluePyOpt's.
        segments: Of which it sets the variable; for ``Ra``, the middle of each section.
    """

    parameter: Any
    segments: list[nrn.Segment] = field(default_factory=list[nrn.Segment])

    @property
    def is_of_sections(self) -> bool:
        """Whether its scaler is asked once for each section."""
        return isinstance(self.parameter, ephys("parameters").NrnSectionParameter)

    def scaled(self, values: dict[str, float], seg: nrn.Segment, sim: Any) -> float:
        """What BluePyOpt sets at a segment, by the values that its scaler is given."""
        return float(self.parameter.value_scale_func(values, seg.sec if self.is_of_sections else seg, sim=sim))


@dataclass
class OfProcesses:
    """A parameter of point processes, and those for which it has the last word."""

    parameter: Any
    processes: list[nrn.PointProcess] = field(default_factory=list[nrn.PointProcess])


def flat(parameters: Sequence[Any]) -> Iterator[Any]:
    """All parameters that set something, in BluePyOpt's order: those that a list of equal ones has, too."""
    lists = ephys("parameters").NrnMetaListEqualParameter
    for parameter in parameters:
        if isinstance(parameter, lists):
            yield from flat(parameter.sub_parameters)
        else:
            yield parameter


def owners(cell: Cell) -> tuple[list[Spatial], list[OfProcesses]]:
    """What each parameter of sections, segments and point processes has set last."""
    module = ephys("parameters")
    last: dict[Key, int] = {}
    places: dict[Key, Any] = {}
    found: list[Any] = list(flat(list(cell.model.params.values())))
    for number, parameter in enumerate(found):
        if isinstance(parameter, (module.NrnSectionParameter, module.NrnRangeParameter)):
            for key, place in _segments(parameter, cell):
                last[key], places[key] = number, place
        elif isinstance(parameter, module.NrnPointProcessParameter):
            for location in parameter.locations:
                for process in location.instantiate(sim=cell.sim, icell=cell.model.icell):
                    key = (nrn.name_of(process), parameter.param_name)
                    last[key], places[key] = number, process
    spatial = {
        number: Spatial(parameter)
        for number, parameter in enumerate(found)
        if isinstance(parameter, (module.NrnSectionParameter, module.NrnRangeParameter))
    }
    processes = {
        number: OfProcesses(parameter)
        for number, parameter in enumerate(found)
        if isinstance(parameter, module.NrnPointProcessParameter)
    }
    for key, number in last.items():
        if number in spatial:
            spatial[number].segments.append(places[key])
        else:
            processes[number].processes.append(places[key])
    return list(spatial.values()), list(processes.values())


def _segments(parameter: Any, cell: Cell) -> Iterator[tuple[Key, nrn.Segment]]:
    for location in parameter.locations:
        for section in location.instantiate(sim=cell.sim, icell=cell.model.icell):
            if parameter.param_name == "Ra":
                yield (section, "Ra"), section(0.5)
                continue
            for seg in section:
                yield (section, float(seg.x), parameter.param_name), seg
