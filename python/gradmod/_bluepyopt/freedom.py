"""From BluePyOpt's free parameters to those of a fit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .. import _neuron as nrn
from ..errors import Error, Refused
from ..fit import Free, Scale
from ..parameters import Global, Parameter, Stimulus
from .cell import Cell
from .library import ephys, kind
from .numbers import flat, owners
from .scalers import Scaled

#: Bounds that are a factor of this apart are those of a logarithm.
_FAR = 10.0


@dataclass(frozen=True)
class Source:
    """A free number of BluePyOpt's.

    Attributes:
        name: Of the parameter.
        value: What the cell was instantiated with.
        low, high: Its bounds.
    """

    name: str
    value: float
    low: float
    high: float

    @property
    def numbers(self) -> tuple[float, float, float]:
        """The value and the bounds."""
        return self.value, self.low, self.high


def free_parameters(names: Sequence[str], cell: Cell, clamps: Mapping[int, nrn.PointProcess]) -> dict[str, Free]:
    """What a fit finds, by BluePyOpt's names in its order.

    Args:
        names: Of the free parameters.
        cell: The instantiated cell.
        clamps: What stimuli have made, by the ids of these.

    Raises:
        Refused: There is no derivative by a parameter.
        Error: A parameter has no bounds, or sets nothing.
    """
    sources = [_source(name, cell) for name in names]
    found: dict[str, list[Parameter]] = {name: [] for name in names}
    drivers: dict[int, Source] = {}
    for source in sources:
        for parameter in flat([cell.model.params[source.name]]):
            drivers[id(parameter)] = source
    for source in sources:
        for parameter in flat([cell.model.params[source.name]]):
            found[source.name] += _direct(parameter, source, cell, clamps)
    spatial, processes = owners(cell)
    for one in spatial:
        free, attributes = _inputs(one.parameter, drivers, cell)
        if free and one.segments:
            scaled = Scaled(one, {key: source.numbers for key, source in free.items()}, attributes, cell)
            for key, parameter in scaled.parameters().items():
                found[free[key].name].append(parameter)
    for one in processes:
        source = drivers.get(id(one.parameter))
        if source is not None:
            found[source.name] += [Stimulus(process, one.parameter.param_name) for process in one.processes]
    return {source.name: _free(source, found[source.name]) for source in sources}


def _source(name: str, cell: Cell) -> Source:
    bounds = cell.model.params[name].bounds
    if bounds is None:
        raise Error(f"the parameter {name} has no bounds")
    low, high = (float(bound) for bound in bounds)
    if not low < high:
        raise Error(f"the bounds of {name} are {low} and {high}: freeze it, or set others")
    return Source(name, float(cell.values[name]), low, high)


def _free(source: Source, parameters: Sequence[Parameter]) -> Free:
    if not parameters:
        raise Error(f"the parameter {source.name} sets nothing that others do not overwrite: freeze it")
    is_far = source.low > 0.0 and source.high / source.low >= _FAR
    scale = Scale.LOG if is_far else Scale.LINEAR
    given = parameters[0] if len(parameters) == 1 else tuple(parameters)
    return Free(given, source.low, source.high, scale)


def _inputs(parameter: Any, drivers: Mapping[int, Source], cell: Cell) -> tuple[dict[str, Source], list[str]]:
    """The free numbers that a parameter's scaler sees, by the scaler's names, and which are its attributes."""
    module = ephys("parameters")
    found: dict[str, Source] = {}
    if id(parameter) in drivers:
        found["value"] = drivers[id(parameter)]
    for name in parameter.param_dependencies:
        other = drivers.get(id(cell.model.params[name]))
        if other is not None:
            found[name] = other
    attributes: list[str] = []
    for other in flat(list(cell.model.params.values())):
        if isinstance(other, module.MetaParameter) and other.obj is parameter.value_scaler and id(other) in drivers:
            found[other.attr_name] = drivers[id(other)]
            attributes.append(other.attr_name)
    return found, attributes


def _direct(parameter: Any, source: Source, cell: Cell, clamps: Mapping[int, nrn.PointProcess]) -> list[Parameter]:
    """What a parameter sets that is no parameter of sections, segments or the cell's point processes."""
    module = ephys("parameters")
    if isinstance(parameter, module.NrnGlobalParameter):
        return [_global(parameter, source, cell)]
    if isinstance(parameter, module.MetaParameter):
        return _meta(parameter, source, cell, clamps)
    known = (module.NrnSectionParameter, module.NrnRangeParameter, module.NrnPointProcessParameter)
    if not isinstance(parameter, known):
        raise Refused(f"the parameter {source.name} is a {kind(parameter)}, which gradmod does not know: freeze it")
    return []


def _global(parameter: Any, source: Source, cell: Cell) -> Global:
    name = str(parameter.param_name)
    if name == "v_init":
        raise Refused(f"{source.name}: there is no derivative by v_init in a fit: freeze it")
    later = [
        other.name
        for other in flat(list(cell.model.params.values()))
        if isinstance(other, type(parameter)) and other.param_name == name and other is not parameter
    ]
    if later:
        raise Refused(f"{source.name} and {later[0]} both set {name}: freeze one of them, or leave it out")
    return Global(name)


def _meta(parameter: Any, source: Source, cell: Cell, clamps: Mapping[int, nrn.PointProcess]) -> list[Parameter]:
    stimuli, owner = ephys("stimuli"), parameter.obj
    scalers = [one.value_scaler for one in flat(list(cell.model.params.values())) if getattr(one, "value_scaler", None)]
    if any(owner is scaler for scaler in scalers):
        return []
    is_amplitude = isinstance(owner, stimuli.NrnSquarePulse) and parameter.attr_name == "step_amplitude"
    if is_amplitude and id(owner) in clamps:
        return [Stimulus(clamps[id(owner)], "amp")]
    raise Refused(
        f"{source.name} sets {parameter.attr_name} of a {kind(owner)}: of meta parameters gradmod knows those of "
        "scalers of the cell's parameters, and step_amplitude of square pulses of the fitness protocols; freeze it"
    )
