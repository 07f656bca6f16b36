"""Which variable gets the voltage of which place.

NEURON does not tell. So all that it may be, and all voltages, are given numbers of their own for a moment, NEURON hands
on what it hands on in each step, and all is put back, bit for bit: what has lost its number is a target, and the number
that it has then is that of its source.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .. import _neuron as nrn
from .._neuron.mpi import ranks
from .._neuron.pointers import Variable, variables
from .._neuron.sections import all_sections
from ..errors import Refused

#: Voltages, and values, that no run reaches.
_VOLTAGE, _VALUE = 1e9, -1e9


@dataclass(frozen=True)
class Transfer:
    """A variable that NEURON sets in each step, and the node (section, x) whose voltage it gets."""

    target: Variable
    source: tuple[nrn.Section, float]


class Transfers:
    """What is handed on, to be looked at before each run."""

    def __init__(self, hand_on: Callable[[], object]) -> None:
        """Take what lets NEURON hand on voltages once."""
        self._hand_on = hand_on

    def look(self) -> list[Transfer]:
        """What is handed on now; nothing is changed.

        Raises:
            Refused: Something else than voltages is handed on, to something else than variables of mechanisms, or from
                other ranks.
        """
        if ranks() > 1:
            raise Refused(f"no exact gradient: {_WHAT} between MPI ranks; run the model on one rank")
        for sec in all_sections():
            if "extracellular" in nrn.mechanisms_of(sec):
                raise Refused(
                    f"no exact gradient: {_WHAT}; {sec.name()} has extracellular: NEURON then hands on v + vext[0], "
                    "and at the start of a run what the run before has left of it; use POINTERs to voltages instead"
                )
        nodes = [(sec, x) for sec in all_sections() for x in (0.0, *(float(seg.x) for seg in sec), 1.0)]
        places = list(variables(arrays=True))
        voltages = [float(sec(x).v) for sec, x in nodes]
        values = [nrn.number(place, each.name) for place, each in places]
        try:
            for number, (sec, x) in enumerate(nodes):
                sec(x).v = _VOLTAGE + number
            for number, (place, each) in enumerate(places):
                nrn.set_number(place, each.name, _VALUE - number)
            # One node may have several names, and one variable.
            before = [float(sec(x).v) for sec, x in nodes], [nrn.number(place, each.name) for place, each in places]
            try:
                self._hand_on()
            except RuntimeError as error:
                raise Refused(f"no exact gradient: {_WHAT}, and NEURON can't do that: {error}") from error
            after = [float(sec(x).v) for sec, x in nodes], [nrn.number(place, each.name) for place, each in places]
        finally:
            for (place, each), value in zip(places, values, strict=True):
                nrn.set_number(place, each.name, value)
            for (sec, x), voltage in zip(nodes, voltages, strict=True):
                sec(x).v = voltage
        for (sec, x), was, now in zip(nodes, before[0], after[0], strict=True):
            if was != now:
                raise Refused(f"no exact gradient: {_WHAT} to v at {sec(x)}")
        return [
            Transfer(each, _source(each, now, nodes))
            for (_, each), was, now in zip(places, before[1], after[1], strict=True)
            if was != now
        ]


_WHAT = "ParallelContext.setup_transfer() lets NEURON hand on voltages (gap junctions)"


def _source(target: Variable, value: float, nodes: list[tuple[nrn.Section, float]]) -> tuple[nrn.Section, float]:
    number = value - _VOLTAGE
    if "[" in target.name or target.mechanism.endswith("_ion"):
        raise Refused(
            f"no exact gradient: ParallelContext.setup_transfer() hands something on to {target}; a target must be a "
            "RANGE variable of a mechanism or point process, and no array"
        )
    if not 0 <= number < len(nodes):
        raise Refused(
            f"no exact gradient: ParallelContext.setup_transfer() hands on to {target} what is no voltage; only "
            "voltages are differentiated"
        )
    return nodes[int(number)]
