"""Directions made concrete: which segments they act on, with which weight."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from .. import _neuron as nrn
from .._neuron.sections import all_sections, is_segment, section_of, segments_of
from ..errors import Error, Refused
from ..parameters import (
    Elsewhere,
    Global,
    InitialVoltage,
    NetConDelay,
    NetConWeight,
    Parameter,
    PerNetCon,
    Range,
    Stimulus,
    Weight,
)
from ..samples import Samples
from . import extracellular
from .catalogue import NAMES_OF_TIMES, Catalogue, check_stimulus, no_smooth_time
from .cells import Cell, cells_of
from .regions import point_processes_on


@dataclass
class Direction:
    """One direction k.

    Attributes:
        name: The user's keyword.
        parameter: What the user wrote.
        wrt: The parameter's name in the manifest; None if no mechanism has a part in it (Ra, initial voltage).
        segments: The segments it acts on; None for all of its cells.
        cells: The cells whose voltage it can change.
    """

    name: str
    parameter: Parameter
    wrt: str | None
    segments: list[nrn.Segment] | None
    cells: list[Cell]
    _frozen: list[tuple[nrn.Segment, float]] | None = None

    def frozen(self) -> Direction:
        """This direction with the weights that it has now, for ever."""
        parameter = self.parameter.frozen() if isinstance(self.parameter, Samples) else self.parameter
        return replace(self, parameter=parameter, _frozen=self.weights())

    @property
    def is_axial(self) -> bool:
        """Whether it is a direction in Ra."""
        return isinstance(self.parameter, Range) and self.parameter.name == "Ra"

    @property
    def is_outside(self) -> bool:
        """Whether it is a direction in a parameter of ``extracellular``."""
        return isinstance(self.parameter, Range) and extracellular.is_parameter(self.parameter.name)

    def weights(self) -> list[tuple[nrn.Segment, float]]:
        """(segment, weight) of every segment that it acts on, evaluated now; Ra: one segment a section."""
        if self._frozen is not None:
            return self._frozen
        if isinstance(self.parameter, (Range, InitialVoltage)):
            segments = self.segments if self.segments is not None else [s for cell in self.cells for s in cell.segments]
            return [(seg, self.weight_at(self.parameter.weight, seg)) for seg in segments]
        return []

    def weight_at(self, weight: Weight, seg: nrn.Segment) -> float:
        """The weight at a segment.

        Raises:
            Error: It is not a finite number.
        """
        if weight == "present":
            weight = nrn.number(seg.sec if self.is_axial else seg, self.parameter.name)
        value = 1.0 if weight is None else float(weight(seg)) if callable(weight) else float(weight)
        if not math.isfinite(value):
            raise Error(f"{self.name}: the weight at {seg} is {value}")
        return value


def resolve(parameters: Mapping[str, Parameter], scope: Iterable[nrn.Section] | None) -> list[Direction]:
    """Check all directions and find out what they act on.

    Args:
        parameters: The user's keywords.
        scope: The sections whose cells may be touched; None for all.

    Raises:
        Error, Refused: A name is wrong, or has no gradient.
    """
    check_named(parameters)
    if not parameters:
        raise Error("no direction given, e.g. attach(gNa=gradmod.Range('gnabar_hh', soma))")
    cells = cells_of(all_sections() if scope is None else scope)
    if not cells:
        raise Error("there are no sections")
    by_section = {sec: cell for cell in cells for sec in cell.sections}
    with nrn.one_look():
        directions = [_resolve(name, parameter, cells, by_section) for name, parameter in parameters.items()]
    for direction in directions:
        direction.weights()  # a weight that fails should do so before anything is attached
    return directions


def check_named(parameters: object) -> None:
    """Raise unless these are parameters by name.

    Raises:
        Error: One is not.
    """
    if not isinstance(parameters, Mapping):
        raise Error(f"parameters are given by name, as {{'gNa': Range('gnabar_hh', soma)}}, not as {parameters!r}")
    for name in parameters:  # pyright: ignore[reportUnknownVariableType]
        if not isinstance(name, str):
            raise Error(f"{name!r} is no name of a parameter: give a text")


class _Code(Protocol):
    @property
    def stepwise(self) -> Collection[str]: ...


def check_smooth(directions: Iterable[Direction], regions: Iterable[_Code]) -> None:
    """Raise if a direction is a time of a stimulus whose code only compares it.

    Raises:
        Refused: One is.
    """
    stepwise = {name for region in regions for name in region.stepwise}
    for direction in directions:
        parameter = direction.parameter
        if isinstance(parameter, Stimulus) and parameter.name in NAMES_OF_TIMES and direction.wrt in stepwise:
            kind = str(direction.wrt).partition(".")[0]
            where = f"{direction.name}: Stimulus({kind}, {parameter.name!r})"
            raise Refused(no_smooth_time(where, parameter.name))


def _resolve(name: str, parameter: Parameter, cells: list[Cell], by_section: Mapping[nrn.Section, Cell]) -> Direction:
    try:
        if isinstance(parameter, Range):
            return _range(name, parameter, by_section)
        if isinstance(parameter, Global):
            return _global(name, parameter, cells)
        if isinstance(parameter, Stimulus):
            return _stimulus(name, parameter, by_section)
        if isinstance(parameter, NetConWeight):
            sections = _targets(parameter, [parameter.netcon], parameter.index)
            return Direction(name, parameter, None, None, _cells(sections, by_section))
        if isinstance(parameter, NetConDelay):
            sections = _targets(parameter, [parameter.netcon], 0)
            return Direction(name, parameter, None, None, _cells(sections, by_section))
        if isinstance(parameter, PerNetCon):
            sections = _targets(parameter, parameter.netcons, parameter.index)
            return Direction(name, parameter, None, None, _cells(sections, by_section))
        if isinstance(parameter, Elsewhere):
            return Direction(name, parameter, None, [], [])
        if isinstance(parameter, InitialVoltage):
            return _initial(name, parameter, cells, by_section)
    except Error as error:
        error.args = (f"{name}: {error}",)
        raise
    raise Error(f"{name}: {parameter!r} is no direction: use Range, Global, Stimulus, NetConWeight or InitialVoltage")


def _range(name: str, parameter: Range, by_section: Mapping[nrn.Section, Cell]) -> Direction:
    sections = list(dict.fromkeys(section_of(place) for place in parameter.where))
    Catalogue({mechanism for sec in sections for mechanism in nrn.mechanisms_of(sec)}).check_range(parameter.name)
    if parameter.name == "Ra":
        for place in parameter.where:
            if is_segment(place):
                raise Error(f"Range('Ra', {place}): Ra belongs to a whole section: Range('Ra', {place.sec})")
        return Direction(name, parameter, None, [sec(0.5) for sec in sections], _cells(sections, by_section))
    segments = [seg for seg in segments_of(parameter.where) if nrn.has_number(seg, parameter.name)]
    wrt = None if extracellular.is_parameter(parameter.name) else parameter.name
    return Direction(name, parameter, wrt, segments, _cells((seg.sec for seg in segments), by_section))


def _global(name: str, parameter: Global, cells: list[Cell]) -> Direction:
    mechanisms = {id(cell): {m for sec in cell.sections for m in nrn.mechanisms_of(sec)} for cell in cells}
    for cell in cells:
        mechanisms[id(cell)] |= {kind for kind, _ in point_processes_on([cell])}
    Catalogue(set[str]().union(*mechanisms.values())).check_global(parameter.name)
    if parameter.name == "celsius":
        return Direction(name, parameter, parameter.name, None, cells)
    acting = [cell for cell in cells if parameter.name in Catalogue(mechanisms[id(cell)]).globals]
    return Direction(name, parameter, parameter.name, None, acting)


def _stimulus(name: str, parameter: Stimulus, by_section: Mapping[nrn.Section, Cell]) -> Direction:
    sections: list[nrn.Section] = []
    kind = parameter.process.partition("[")[0]
    for known in parameter.processes:
        process = nrn.find_point_process(known)
        if process is None:
            raise Error(f"{parameter!r}: the point process {known} exists no more")
        kind = nrn.type_of_point_process(process)
        if not kind:
            raise Refused(
                f"{parameter!r}: {known} is an artificial cell: what it sends comes at times that count as fixed; "
                "Simulation(..., inputs={...}) can give its parameters"
            )
        seg = process.get_segment()
        if seg is None:
            raise Error(f"{parameter!r}: the point process {known} stands on no section")
        sections.append(seg.sec)
    check_stimulus(kind, parameter.name)
    return Direction(name, parameter, f"{kind}.{parameter.name}", None, _cells(sections, by_section))


def _targets(parameter: Parameter, names: Iterable[str], index: int) -> list[nrn.Section]:
    """The sections on which the targets of some NetCons stand."""
    netcons = nrn.netcons()
    return [_target(parameter, name, netcons.get(name), index) for name in names]


def _target(parameter: Parameter, name: str, netcon: nrn.NetCon | None, index: int) -> nrn.Section:
    process = None if netcon is None else netcon.syn()
    if netcon is None or process is None:
        raise Error(f"{parameter!r}: {name} or its target exists no more")
    seg = process.get_segment() if process.has_loc() else None
    if seg is None:
        raise Error(f"{parameter!r}: its target {nrn.name_of(process)} stands on no section")
    if not 0 <= index < int(netcon.wcnt()):
        raise Error(f"{parameter!r}: {name} has {int(netcon.wcnt())} weights")
    return seg.sec


def _initial(
    name: str, parameter: InitialVoltage, cells: list[Cell], by_section: Mapping[nrn.Section, Cell]
) -> Direction:
    if parameter.where is None:
        return Direction(name, parameter, None, None, cells)
    segments = segments_of(parameter.where)
    return Direction(name, parameter, None, segments, _cells((seg.sec for seg in segments), by_section))


def _cells(sections: Iterable[nrn.Section], by_section: Mapping[nrn.Section, Cell]) -> list[Cell]:
    found: dict[int, Cell] = {}
    for sec in sections:
        cell = by_section.get(sec)
        if cell is None:
            raise Error(f"{sec.name()} is not in the sections that attach was given")
        found[id(cell)] = cell
    return list(found.values())
