"""The pair of cells with POINTERs to variables of mechanisms."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from neuron import h

from . import everything, library
from .pair import Pair


class Tied(Pair):
    """NEURON orders the mechanisms of `fixtures/pointed` by name: those that begin with "a" come before all others."""

    def __init__(self) -> None:
        library.load_fixtures(library.CHANNELS.parent / "pointed")
        super().__init__()
        #: Density mechanisms whose parameters are directions.
        self.mechanisms: list[str] = []
        self.netcons: list[Any] = []
        self.keep: list[Any] = []

    def insert(self, section: Any, *mechanisms: str) -> None:
        """Insert mechanisms, whose parameters are directions then."""
        for mechanism in mechanisms:
            section.insert(mechanism)
        self.mechanisms += [mechanism for mechanism in mechanisms if mechanism not in self.mechanisms]

    def look(self, kind: str, here: Any, reference: Any, **values: float) -> Any:
        """A point process that sees a variable."""
        process = getattr(h, kind)(here)
        for name, value in values.items():
            setattr(process, name, value)
        h.setpointer(reference, "seen", process)
        self.processes.append(process)
        return process

    def burst(self, here: Any) -> Any:
        """A synapse with events: at the start, on the points of the time grid, and between them."""
        burst = h.MBurst(here)
        self.netcon(burst, 0, 0.3)
        self.netcon(burst, 0.3125, 0.5)
        self.processes.append(burst)
        return burst

    def netcon(self, process: Any, delay: float, weight: float) -> None:
        """Let events come, every 0.8 ms."""
        clock = h.NetStim()
        clock.start, clock.interval, clock.number = 0, 0.8, 20
        netcon = h.NetCon(clock, process)
        netcon.delay, netcon.weight[0] = delay, weight
        self.netcons.append(netcon)
        self.keep.append(clock)

    def shortly(self) -> dict[str, Any]:
        """A run with one spike."""
        return self.run(t_stop=3.0)

    def directions(self, sections: Iterable[Any] | None = None) -> everything.Everything:
        found = super().directions(sections) | everything.of_mechanisms(self.all, self.mechanisms)
        return found | {f"weight{i}": everything.weight_of(netcon) for i, netcon in enumerate(self.netcons)}
