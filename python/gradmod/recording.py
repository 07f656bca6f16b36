"""Gradients along a run, aligned with its time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Protocol

import numpy as np

from . import _neuron as nrn
from ._emitted.mechanism import EmittedMechanism
from ._forward.attachment import Attachment
from ._guards.before_breakpoint import set_at_begin
from ._manifest.region import Region
from ._model.cells import Floats
from .errors import NOT_FINITE, Error, Refused
from .membrane_currents import MembraneCurrents


class Recording(Mapping[str, Floats]):
    """The gradients of one variable at one segment, of the last run: ``rec["gNa"]``.

    Every array is as long as ``rec.t`` and as a Vector that records ``h._ref_t`` or the variable itself.
    """

    def __init__(
        self,
        variable: str,
        segment: nrn.Segment | MembraneCurrents,
        directions: list[str],
        record: Callable[[], Kept],
        times: Callable[[], Floats],
    ) -> None:
        """Made by ``Gradients.record``.

        Args:
            variable: The user's name for it.
            segment: Where.
            directions: Names of all directions.
            record: Begins to record the gradients.
            times: Reads the times, checking that they can be trusted.
        """
        self.variable = variable
        self.segment = segment
        self._directions = directions
        self._record = record
        self._kept: Kept | None = None
        self._times = times
        self.start()

    @property
    def t(self) -> Floats:
        """[sample] times in ms."""
        return self._times()

    def __getitem__(self, direction: str) -> Floats:
        """[sample] gradient in units of the variable per unit of the parameter."""
        if direction not in self._directions:
            raise KeyError(f"no direction {direction!r}; there are {', '.join(self._directions)}")
        times = self._times()
        found = None if self._kept is None else self._kept.of(self._directions.index(direction))
        if found is None:
            return np.zeros(len(times))
        if len(found) != len(times):
            raise Error(
                f"the gradient of {self.variable} at {self.segment} was not recorded in the last run: call record() "
                "before finitialize()"
            )
        wrong = np.flatnonzero(~np.isfinite(found))
        if wrong.size:
            what = f"{self.variable} at {self.segment} in {direction}"
            raise Refused(f"no gradient of {what}: {NOT_FINITE}, at {times[wrong[0]]:g} ms")
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(self._directions)

    def __len__(self) -> int:
        return len(self._directions)

    def jacobian(self) -> Floats:
        """[sample, k] all gradients, directions in the order of ``attach``."""
        return np.column_stack([self[name] for name in self._directions])

    def __repr__(self) -> str:
        return f"Recording({self.variable} at {self.segment}: {', '.join(self._directions)})"

    def __hash__(self) -> int:
        return id(self)

    def __eq__(self, other: object) -> bool:
        return self is other

    def start(self) -> None:
        """Record, again after :meth:`stop`.

        Raises:
            Error: There is no such gradient.
        """
        self._kept = self._record()

    def stop(self) -> None:
        """Stop recording."""
        if self._kept is not None:
            self._kept.stop()


class Kept(Protocol):
    """The gradients of one variable, as they are recorded."""

    def of(self, k: int) -> Floats | None:
        """[sample] in direction k; None where that does not act."""
        ...

    def stop(self) -> None:
        """Stop recording."""
        ...


class Vectors:
    """Gradients that the model holds itself."""

    def __init__(self, vectors: Mapping[int, nrn.Vector]) -> None:
        """Take what records them, by direction."""
        self._vectors = vectors

    def of(self, k: int) -> Floats | None:
        """[sample] in direction k."""
        vector = self._vectors.get(k)
        return None if vector is None else nrn.values(vector)

    def stop(self) -> None:
        """Stop recording."""
        for vector in self._vectors.values():
            nrn.stop_recording(vector)


def vectors_of_voltage(attachment: Attachment, segment: nrn.Segment) -> Vectors:
    """Record the gradients of v at a place of the cell."""
    sec, x = segment.sec, segment.x
    return Vectors({k: nrn.record(attachment.voltage(sec, x, k), sec) for k in attachment.acting})


def vectors_around(attachment: Attachment, node: int, variable: str) -> Vectors:
    """Record the gradients of "vext[0]", ..., or "i_membrane", at a node with ``extracellular``."""
    sec, _ = attachment.cell.places[node]
    return Vectors({k: nrn.record(attachment.sheaths.gradient(node, variable, k), sec) for k in attachment.acting})


def check_kept(region: Region, variable: str, segment: nrn.Segment, process: str | None) -> None:
    """Look whether a variable of a region has a gradient.

    Raises:
        Error: It has none.
        Refused: It is that of the next step.
    """
    if variable in region.set_at_begin:
        raise Refused(set_at_begin(variable, process or segment))
    known = [state.name for state in region.states]
    if variable not in known:
        names = ", ".join(["v", *known])
        raise Error(f"no gradient of {variable!r} is kept at {segment}; there are {names}")


def vectors_of_state(attachment: Attachment, spot: EmittedMechanism, variable: str) -> Vectors:
    """Record the gradients of a state or concentration; raises as :func:`check_kept`."""
    check_kept(spot.region, variable, spot.segment, spot.process)
    known = {state.name: state.gradient for state in spot.region.states}
    sec = spot.segment.sec
    return Vectors({k: nrn.record(nrn.ref(spot.mechanism, known[variable], k), sec) for k in attachment.acting})
