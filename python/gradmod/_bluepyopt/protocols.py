"""Protocols: single sweeps, with what they record."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from .. import _neuron as nrn
from ..errors import Error, Refused
from .cell import Cell
from .library import ephys, is_done_by, kind


@dataclass(frozen=True)
class Place:
    """A recording.

    Attributes:
        recording: Its name.
        look: What a fit records: (segment, variable).
    """

    recording: str
    look: tuple[nrn.Segment, str]


@dataclass(frozen=True)
class Single:
    """One run.

    Attributes:
        protocol: BluePyOpt's.
        places: What is recorded, one at least.
    """

    protocol: Any
    places: tuple[Place, ...]

    @property
    def stimuli(self) -> Sequence[Any]:
        """BluePyOpt's."""
        return self.protocol.stimuli


def flat(protocols: Iterable[Any]) -> list[Any]:
    """The sweeps of all protocols, in their order.

    Raises:
        Refused: One is of an unknown kind.
    """
    module = ephys("protocols")
    found: list[Any] = []
    for protocol in protocols:
        if is_done_by(module.SequenceProtocol, protocol, "run"):
            found += flat(protocol.protocols)
        elif is_done_by(module.SweepProtocol, protocol, "run", "_run_func", "instantiate"):
            found.append(protocol)
        else:
            raise Refused(
                f"the protocol {protocol.name} is a {kind(protocol)}: gradmod runs SweepProtocol, StepProtocol and "
                "SequenceProtocol; take it out of the fitness protocols, with the features of its recordings"
            )
    return found


def single(protocol: Any, wanted: frozenset[str], cell: Cell) -> Single | None:
    """A sweep with those of its recordings that features look at; None if there are none.

    Raises:
        Refused: Such a recording is of an unknown kind, or there is no such place in the morphology.
        Error: Two have one name.
    """
    places: list[Place] = []
    for recording in protocol.recordings:
        if recording.name not in wanted:
            continue
        if not isinstance(recording, ephys("recordings").CompRecording):
            raise Refused(
                f"the recording {recording.name} is a {kind(recording)}: leave its objectives out (leave_out)"
            )
        if any(place.recording == recording.name for place in places):
            raise Error(f"two recordings of {protocol.name} are called {recording.name}")
        try:
            segment = recording.location.instantiate(sim=cell.sim, icell=cell.model.icell)
        except ephys("locations").EPhysLocInstantiateException as error:
            raise Refused(
                f"there is no place for the recording {recording.name} ({error}): BluePyOpt gives its features their "
                "largest score, whatever the parameters are; leave its objectives out (leave_out)"
            ) from error
        places.append(Place(str(recording.name), (segment, str(recording.variable))))
    return Single(protocol, tuple(places)) if places else None


def check_names(wanted: frozenset[str], found: Sequence[Single]) -> None:
    """Look whether each recording that features look at is there, once.

    Raises:
        Error: One is missing, or there are two.
    """
    names = [place.recording for one in found for place in one.places]
    for name in sorted(wanted):
        if names.count(name) != 1:
            raise Error(f"there are {names.count(name)} recordings called {name} in the fitness protocols")
