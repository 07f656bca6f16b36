"""Directions in parameters that the run itself sets: then it does not depend on the value that the user gave them."""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from typing import NoReturn

import numpy as np

from .. import _neuron as nrn
from .._model.directions import Direction
from ..errors import Refused
from ..parameters import Global, Range, Stimulus
from ..samples import Samples

#: What a value that was changed and changed back may differ by, relative to it.
_ROUNDING = 1e-12


class Overwritten:
    """The parameters of all directions, as they were before ``finitialize`` and, of stimuli, along the run."""

    def __init__(self, directions: Sequence[Direction], watched: Container[str] = ()) -> None:
        """Begin to record the stimuli; those that are watched, by the name of the point process, are not recorded."""
        # What waveforms are played into is meant to change, and compared with their samples.
        directions = [d for d in directions if not isinstance(d.parameter, Samples)]
        self._directions = [
            d for d in directions if d.wrt is not None or d.is_outside or isinstance(d.parameter, Global)
        ]
        #: By direction and place: several sections, and so segments, may have the same name.
        self._before: dict[tuple[str, int], float] = {}
        self._along: dict[tuple[str, str], nrn.Vector] = {}
        self._names = {direction.name: direction.parameter.name for direction in directions}
        with nrn.one_look():
            for direction in self._directions:
                parameter = direction.parameter
                if isinstance(parameter, Stimulus):
                    for name in parameter.processes:
                        process = None if name in watched else nrn.find_point_process(name)
                        if process is not None:
                            recorded = nrn.record(nrn.ref(process, parameter.name))
                            self._along[direction.name, name] = recorded

    def _values(self) -> list[tuple[tuple[str, int], str, float]]:
        with nrn.one_look():
            return list(self._found())

    def _found(self) -> Iterator[tuple[tuple[str, int], str, float]]:
        for direction in self._directions:
            parameter, owners = direction.parameter, list[object]()
            if isinstance(parameter, Range):
                owners = [seg for seg in direction.segments or () if not _is_nernst(seg, parameter.name)]
            elif isinstance(parameter, Stimulus):
                owners = [nrn.find_point_process(name) for name in parameter.processes]
            elif isinstance(parameter, Global):
                owners = [nrn.h]
            for place, owner in enumerate(owners):
                if owner is None:
                    continue
                where = "" if owner is nrn.h else f" of {owner}"
                yield (direction.name, place), f"{parameter.name}{where}", nrn.number(owner, parameter.name)

    def remember(self) -> None:
        """At the beginning of ``finitialize``."""
        self._before = {key: value for key, _, value in self._values()}

    def check_start(self) -> None:
        """When Vectors have been played into what they are played into.

        Raises:
            Refused: A parameter is another than before.
        """
        for key, what, value in self._values():
            before = self._before.get(key, value)
            if value != before:
                raise Refused(f"{key[0]}: {what} was {before:g} and is {value:g} when the run begins: {_WHY}")

    def check_end(self) -> None:
        """Where the run has just ended, and nobody had the time to set the next one's values.

        Raises:
            Refused: A parameter is another than before, or a stimulus changed.
        """
        for key, what, value in self._values():
            before = self._before.get(key, value)
            if value != before and not abs(value - before) <= _ROUNDING * abs(before):
                raise Refused(f"{key[0]}: {what} was {before:g} before the run and is {value:g} after it: {_WHY}")
        self.check()

    def check(self) -> None:
        """After the run.

        Raises:
            Refused: A stimulus changed.
        """
        for (name, process), recorded in self._along.items():
            values = nrn.values(recorded)
            if values.size and np.ptp(values) > _ROUNDING * np.max(np.abs(values)):
                refuse_changed(name, f"{self._names[name]} of {process}")

    def stop(self) -> None:
        """Record no more."""
        for recorded in self._along.values():
            nrn.stop_recording(recorded)
        self._along.clear()


def _is_nernst(segment: nrn.Segment, variable: str) -> bool:
    """Whether NEURON computes this reversal potential: it depends on no value that was given, and its gradient is 0."""
    ion = variable.removeprefix("e")
    is_reversal = variable != ion and f"{ion}_ion" in nrn.mechanisms_of(segment.sec)
    return is_reversal and bool(nrn.ion_style(segment.sec, ion) & _NERNST)


#: The bits of ``ion_style`` by which NEURON computes it, at the start and in each step.
_NERNST = 32 | 64

_WHY = (
    "the run sets it (Vector.play, or a script), so that it does not depend on the value that was given; take another "
    "parameter as direction, or give what is played to a point process of its own"
)


def refuse_changed(direction: str, what: str) -> NoReturn:
    """Say that a direction's parameter is another during the run.

    Raises:
        Refused: Always.
    """
    raise Refused(f"{direction}: {what} was changed during the run: {_WHY}")
