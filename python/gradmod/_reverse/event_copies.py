"""The events that recorders of point processes get: those that the user's NetCons bring."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from .. import _neuron as nrn
from .._emitted.recorder_site import RecorderSite
from .._model.events import Copies


class EventCopies(Mapping[int, Copies]):
    """By the index of a recorder that takes events: the copies of the NetCons to its point process.

    Attributes:
        netcons: By the same index: where the weights of its NetCons begin among those of all, in the last run, and how
            many NetCons there are.
        weights: The weights of all these NetCons before INITIAL, one after the other.
        weight_of: By the NetCon's name: the recorder, and where its weights begin.
    """

    def __init__(self) -> None:
        """There is none yet."""
        self.netcons: dict[int, tuple[int, int]] = {}
        self.weights: list[float] = []
        self.weight_of: dict[str, tuple[RecorderSite, int]] = {}
        self._copies: dict[int, Copies] = {}

    def __getitem__(self, index: int) -> Copies:
        return self._copies[index]

    def __iter__(self) -> Iterator[int]:
        return iter(self._copies)

    def __len__(self) -> int:
        return len(self._copies)

    def add(self, index: int, copies: Copies) -> None:
        """A recorder takes events."""
        self._copies[index] = copies

    def follow(self, spots: Sequence[RecorderSite]) -> None:
        """Let the recorders get the events that the user's NetCons bring."""
        if not self._copies:
            return
        self.netcons.clear()
        self.weights.clear()
        self.weight_of.clear()
        by_target = nrn.netcons_by_target()
        for index, copies in self._copies.items():
            followed = copies.follow(by_target)
            self.netcons[index] = len(self.weights), len(followed)
            for name, copy in followed.items():
                self.weight_of[name] = spots[index], len(self.weights)
                copy.weight[copies.weights] = len(self.weights)
                self.weights.extend(float(copy.weight[i]) for i in range(copies.weights))

    def remove(self) -> None:
        """Take the copies away."""
        self._copies.clear()
        self.weight_of.clear()
