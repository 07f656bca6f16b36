"""Inputs: numbers of the model that a run is given besides its parameters, and that have no gradient."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from .. import _neuron as nrn
from .._model.catalogue import check_known
from .._model.cells import Floats
from .._model.directions import Direction, check_named, resolve
from ..errors import Error
from ..parameters import Parameter, PerNetCon, PerPointProcess, PerSegment, Stimulus
from ..played import Played
from ..samples import Samples
from .settable import OfSamples, Settable

#: Values of inputs by the user's names.
Values: TypeAlias = "Mapping[str, ArrayLike]"


class Inputs:
    """All inputs of one simulation.

    Attributes:
        settables: One for each.
        shapes: By name: () of a single number, else (size,).
    """

    def __init__(self, given: Mapping[str, Parameter], parameters: Container[str]) -> None:
        """Find out where their values stand.

        Args:
            given: By the user's names.
            parameters: The names that parameters have.

        Raises:
            Error: One is none that can be set, or has the name of a parameter.
        """
        check_named(given)
        for name in given:
            if name in parameters:
                raise Error(f"{name} is the name of a parameter and of an input: give each its own")
        self.settables = _settables(given)
        many = (PerSegment, PerNetCon, PerPointProcess, Played)
        self.shapes: dict[str, tuple[int, ...]] = {
            one.name: (one.size,) if isinstance(one.parameter, many) else () for one in self.settables
        }

    def flat(self, values: Values | None) -> Floats:
        """All numbers in one row.

        Raises:
            Error: One is missing, too many, not finite or of the wrong shape.
        """
        given: Values = {} if values is None else values
        check_names(self.shapes, given)
        rows = [np.empty(0)]
        for name, shape in self.shapes.items():
            row = np.asarray(given[name], dtype=np.float64)
            if row.shape != shape:
                raise Error(f"the input {name} has shape {row.shape}, it must have {shape}")
            if not np.all(np.isfinite(row)):
                raise Error(f"the input {name} is not finite")
            rows.append(np.atleast_1d(row))
        return np.concatenate(rows)

    def by_name(self, flat: Floats) -> dict[str, Floats]:
        """The numbers of :meth:`flat` by name."""
        ends = np.cumsum([one.size for one in self.settables], dtype=np.int64)
        parts = np.split(flat, ends[:-1]) if self.settables else []
        return {name: part.reshape(shape) for (name, shape), part in zip(self.shapes.items(), parts, strict=True)}

    def present(self) -> dict[str, Floats]:
        """The values that are in the model now.

        Raises:
            Error: The values of the places of an input do not follow from one number.
        """
        return self.by_name(np.concatenate([np.empty(0), *(one.get() for one in self.settables)]))


def check_names(shapes: Mapping[str, tuple[int, ...]], given: Iterable[str]) -> None:
    """Look whether a call gives all inputs, and nothing else.

    Raises:
        Error: It does not.
    """
    names = list(given)
    for name in names:
        if name not in shapes:
            known = ", ".join(shapes) or "none: Simulation(..., inputs={...}) names them"
            raise Error(f"there is no input {name!r}; there are {known}")
    missing = [name for name in shapes if name not in names]
    if missing:
        raise Error(
            f"{', '.join(missing)}: an input needs a value in each run; `simulation.inputs` has those that are in the "
            "model now"
        )


def _settables(given: Mapping[str, Parameter]) -> list[Settable]:
    plain = {name: one for name, one in given.items() if not isinstance(one, (Played, Stimulus))}
    directions = {direction.name: direction for direction in resolve(plain, None)} if plain else {}
    found: list[Settable] = []
    with nrn.one_look():
        for name, parameter in given.items():
            if isinstance(parameter, Played):
                one: Settable = OfSamples.of_vector(name, parameter, parameter.vector)
            elif isinstance(parameter, Samples):
                raise Error(f"{name}: {type(parameter).__name__} is a parameter; as an input it is Played(levels)")
            elif isinstance(parameter, Stimulus):
                _check_stimulus(name, parameter)
                one = Settable.of(Direction(name, parameter, None, None, []), parameter)
            else:
                one = Settable.of(directions[name], parameter)
            one.role = "input"
            found.append(one)
    return found


def _check_stimulus(name: str, parameter: Stimulus) -> None:
    """Look whether it is there; times, and artificial cells such as NetStim, are fine, as there is no gradient."""
    for process in parameter.processes:
        if nrn.find_point_process(process) is None:
            raise Error(f"{name}: {parameter!r}: the point process {process} exists no more")
        try:
            check_known(process.partition("[")[0], parameter.name)
        except Error as error:
            error.args = (f"{name}: {error}",)
            raise
