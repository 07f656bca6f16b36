"""Streams of random numbers (RANDOM): an emitted mechanism draws the model's numbers again from streams of its own.

A stream is Random123: the number at each place follows from its ids and the place. Nothing of the model's streams is
moved; ours get their ids and places before every run.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from .. import _neuron as nrn
from .._manifest.region import Stream
from ..errors import Refused


class _Region(Protocol):
    @property
    def streams(self) -> Sequence[Stream]: ...


class Drawing(Protocol):
    """An emitted mechanism that may draw random numbers."""

    @property
    def region(self) -> _Region: ...
    @property
    def process(self) -> str | None: ...
    @property
    def segment(self) -> nrn.Segment: ...
    @property
    def mechanism(self) -> nrn.Mechanism: ...


def start_streams(spots: Sequence[Drawing]) -> list[dict[str, float]]:
    """Set our streams to where the model's are.

    Returns:
        [spot] the ids of its streams and their places, by what emitted code calls them.

    Raises:
        Refused: A stream of the model gives other numbers than its ids and its place say.
    """
    found: list[dict[str, float]] = [{} for _ in spots]
    numbers = {id(spot): number for number, spot in enumerate(spots)}
    for spot, stream, theirs in _streams(spots):
        if not nrn.is_fresh(theirs):
            raise Refused(
                f"the ids of {_name(spot, stream)} were set without set_seq: up to four numbers are still those of "
                "the ids before; call set_seq after set_ids"
            )
        ids = [int(value) for value in nrn.values(theirs.get_ids())]
        nrn.random_stream(spot.mechanism, stream.name).set_ids(*ids)
        setattr(spot.mechanism, stream.start, theirs.get_seq())
        told = found[numbers[id(spot)]]
        told.update({f"{stream.name}_id{number}": float(value) for number, value in enumerate(ids, start=1)})
        told[stream.start] = float(theirs.get_seq())
    return found


def check_streams(spots: Sequence[Drawing]) -> None:
    """Compare our streams with the model's, after the emitted mechanisms have made the last step.

    Raises:
        Refused: They are not at the same place.
    """
    for spot, stream, theirs in _streams(spots):
        ours = nrn.random_stream(spot.mechanism, stream.name)
        place = getattr(spot.mechanism, stream.own)[stream.index]
        if place % nrn.PLACES != theirs.get_seq() or list(ours.get_ids()) != list(theirs.get_ids()):
            raise Refused(
                f"no exact gradient of this run: other random numbers were drawn from {_name(spot, stream)} than the "
                "gradients know of; its ids or its place were set during the run, or fcurrent() was called"
            )


def check_ids(spots: Sequence[Drawing]) -> None:
    """Look whether the model's streams are still those that they were at the start.

    Raises:
        Refused: The ids of one were set during the run.
    """
    for spot, stream, theirs in _streams(spots):
        if list(nrn.random_stream(spot.mechanism, stream.name).get_ids()) != list(theirs.get_ids()):
            raise Refused(f"no exact gradient of this run: the ids of {_name(spot, stream)} were set during it")


def _streams(spots: Sequence[Drawing]) -> Iterator[tuple[Drawing, Stream, nrn.RandomStream]]:
    with nrn.one_look():
        yield from list(_found(spots))


def _found(spots: Sequence[Drawing]) -> Iterator[tuple[Drawing, Stream, nrn.RandomStream]]:
    for spot in spots:
        if spot.region.streams:
            process = None if spot.process is None else nrn.find_point_process(spot.process)
            for stream in spot.region.streams:
                owner = process if spot.process is not None else getattr(spot.segment, stream.mechanism)
                yield spot, stream, nrn.random_stream(owner, stream.source)


def _name(spot: Drawing, stream: Stream) -> str:
    return f"{stream.source} of {spot.process or spot.segment}"
