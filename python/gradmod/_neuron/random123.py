"""Streams of random numbers (RANDOM): Random123, whose numbers are known by their place in the stream."""

from __future__ import annotations

from typing import Any

from .interpreter import RandomStream


def random_stream(owner: Any, name: str) -> RandomStream:
    """A stream of random numbers of a point process, or of a segment's mechanism."""
    return getattr(owner, name)


def rewind(stream: RandomStream, number: int) -> None:
    """Make a stream give the same numbers in every run: those that belong to ``number``."""
    stream.set_ids(number, 1, 1)
    stream.set_seq(0)


#: After how many places a stream of random numbers begins anew.
PLACES = 2.0**34


def is_fresh(stream: RandomStream) -> bool:
    """Whether the next numbers of a stream are those that belong to its ids and its place; it stays where it is."""
    place = stream.get_seq()
    several = range(4 - int(place) % 4)  # NEURON makes them in fours
    drawn = [stream.uniform() for _ in several]
    stream.set_seq(place)
    again = [stream.uniform() for _ in several]
    stream.set_seq(place)
    return drawn == again
