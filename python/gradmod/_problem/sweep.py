"""One run of a model, and what it should be like."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from .. import _neuron as nrn
from ..errors import Error
from .look import Place
from .robust import Robust
from .targets import Target


@dataclass(frozen=True)
class Sweep:
    """One run of the model, and what its traces should be like.

    Attributes:
        name: For people.
        place: What is recorded: a segment (its voltage), or (segment or point process, variable).
        duration: In ms.
        targets: Of the trace; they are summed.
        before: Called before the run: sets stimuli.
        v_init: In mV; ``h.v_init`` by default.
        weight: What the squared residuals count.
        robust: What replaces the squares of the residuals.
        others: More places that are recorded, each with its targets.
    """

    name: str
    place: Place
    duration: float
    targets: Sequence[Target]
    before: Callable[[], object] | None = None
    v_init: float | None = None
    weight: float = 1.0
    robust: Robust = Robust.NONE
    others: Sequence[tuple[Place, Sequence[Target]]] = ()

    def __post_init__(self) -> None:
        """Look at the numbers."""
        if not self.duration > 0.0:
            raise Error(f"the duration of the sweep {self.name} is {self.duration} ms")
        if not (self.weight >= 0.0 and self.weight < float("inf")):
            raise Error(f"the weight of the sweep {self.name} is {self.weight}: it must not be below 0")
        if not any(targets for _, targets in self.looks):
            raise Error(f"the sweep {self.name} has no target")

    @property
    def looks(self) -> list[tuple[Place, Sequence[Target]]]:
        """All places with their targets."""
        return [(self.place, self.targets), *self.others]

    def until(self, time: float) -> Sweep | None:
        """What there is of it up to a time in ms; None without a target that begins before it.

        Raises:
            Error: A target cannot be cut.
        """
        if time >= self.duration:
            return self
        cut = [(place, _until(targets, time, self.name)) for place, targets in self.looks]
        if not any(targets for _, targets in cut):
            return None
        return replace(self, duration=time, targets=cut[0][1], others=cut[1:])

    def simulate(self) -> None:
        """Run."""
        if self.before is not None:
            self.before()
        nrn.h.finitialize(nrn.v_init() if self.v_init is None else self.v_init)
        nrn.solve(self.duration)


def _until(targets: Sequence[Target], time: float, sweep: str) -> list[Target]:
    found: list[Target] = []
    for target in targets:
        until = getattr(target, "until", None)
        if until is None:
            raise Error(f"{sweep}: a {type(target).__name__} is of a whole trace: only traces can be cut at a time")
        cut = until(time)
        if cut is not None:
            found.append(cut)
    return found
