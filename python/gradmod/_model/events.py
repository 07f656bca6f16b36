"""Events: every NetCon to a point process has a copy that brings the same events to what stands beside it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from .. import _neuron as nrn
from ..errors import Refused
from ..parameters import NetConDelay, NetConWeight
from .directions import Direction

#: Why a run is refused in which the events of one time may have come in another order to us.
SIMULTANEOUS = (
    "several events came at one time, and what they do depends on which comes first, which NEURON does not promise: "
    "give their NetCons different delays"
)


@dataclass
class Copies:
    """The copies of the NetCons to one point process.

    Attributes:
        process: NEURON's name of the user's point process.
        companion: What stands beside it.
        weights: How many weights its NetCons have; those of the copies have more.
    """

    process: str
    companion: nrn.PointProcess
    weights: int
    _copies: dict[str, nrn.NetCon] = field(default_factory=dict[str, nrn.NetCon])

    def follow(self, by_target: Mapping[str, Sequence[nrn.NetCon]]) -> dict[str, nrn.NetCon]:
        """Follow the user's NetCons: which there are, delays, weights.

        Args:
            by_target: All NetCons, by the name of their target.

        Returns:
            The copy of each, by the user's NetCon's name.

        Raises:
            Refused: The source of one is a variable other than v.
        """
        netcons = {nrn.name_of(netcon): netcon for netcon in by_target.get(self.process, ())}
        for name in [name for name in self._copies if name not in netcons]:
            del self._copies[name]
        for name, netcon in netcons.items():
            if name not in self._copies:
                try:
                    self._copies[name] = nrn.copy_netcon(netcon, self.companion)
                except ValueError as error:
                    raise Refused(
                        f"{name} to {self.process}: {error}, so its events do not reach the gradients"
                    ) from None
            copy = self._copies[name]
            copy.delay = netcon.delay
            copy.active(netcon.active())
            for i in range(self.weights):
                copy.weight[i] = netcon.weight[i]
        return {name: self._copies[name] for name in netcons}


@dataclass
class Events(Copies):
    """Copies of NetCons in forward mode: their further weights are the gradients of the user's.

    Attributes:
        directions: How many gradients of each weight there are.
        timed: The times of the events have gradients: still further weights tell of these.
    """

    directions: int = 0
    timed: bool = False

    def sync(
        self,
        directions: Sequence[Direction],
        by_target: Mapping[str, Sequence[nrn.NetCon]],
        spikes: Mapping[str, int],
    ) -> None:
        """Follow the user's NetCons, and set the gradients of the weights; as :meth:`follow`.

        Args:
            directions: All of them.
            by_target: As for :meth:`follow`.
            spikes: By the NetCon's name, the address of the table of its spikes, where it has one.
        """
        for name, copy in self.follow(by_target).items():
            if self.timed:
                first = self.weights * (1 + self.directions)
                copy.weight[first] = spikes.get(name, 0)
                copy.weight[first + 1] = copy.delay
                for k in range(self.directions):
                    copy.weight[first + 2 + k] = float(_delays(directions[k], name))
            for i in range(self.weights):
                for k in range(self.directions):
                    copy.weight[self.weights + i * self.directions + k] = float(_acts(directions[k], name, i))

    def check_weights(self, by_target: Mapping[str, Sequence[nrn.NetCon]]) -> None:
        """Compare the weights of all NetCons, which events may change, with those of their copies; as :meth:`follow`.

        Raises:
            Refused: The events that came to the companion did something else.
        """
        for netcon in by_target.get(self.process, ()):
            copy = self._copies.get(nrn.name_of(netcon))
            for i in range(self.weights):
                if copy is None or not math.isclose(copy.weight[i], netcon.weight[i], rel_tol=1e-9, abs_tol=1e-30):
                    raise Refused(
                        f"no exact gradient of this run: weight[{i}] of {nrn.name_of(netcon)} to {self.process} is not "
                        "what its events made of it"
                    )


def _delays(direction: Direction, netcon: str) -> bool:
    return isinstance(direction.parameter, NetConDelay) and direction.parameter.netcon == netcon


def _acts(direction: Direction, netcon: str, index: int) -> bool:
    parameter = direction.parameter
    return isinstance(parameter, NetConWeight) and parameter.netcon == netcon and parameter.index == index
