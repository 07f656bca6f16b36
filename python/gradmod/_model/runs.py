"""Which run of the model a gradient belongs to.

A run begins with an initialisation of NEURON and ends with the next one, by whomever: the script may call
``finitialize`` itself at any time. So these are counted.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import partial

from .. import _neuron as nrn
from ..errors import Error

#: One entry for every ``finitialize`` of this process since gradmod was imported.
_initialisations: list[None] = []
# Nothing of Python is executed by this, so no interrupt can come in between. It is of type 0: cells get threads
# in handlers of type 3, and NEURON looks after each of these whether they all have one.
_counter = nrn.on_finitialize(0, partial(_initialisations.append, None))


def initialisations() -> int:
    """How often NEURON was initialised so far; a ``finitialize`` counts from its handlers of type 0 on."""
    return len(_initialisations)


@dataclass(frozen=True)
class Run:
    """One run of the model.

    Attributes:
        process: The process that made it; a forked child has its memory, but is another one.
        number: Which initialisation of that process it began with.
        steps: Time steps.
        dt: In ms.
        celsius: In degrees.
    """

    process: int
    number: int
    steps: int
    dt: float
    celsius: float

    @classmethod
    def present(cls, steps: int) -> Run:
        """The run that NEURON is at the end of now."""
        run = cls(os.getpid(), initialisations(), steps, float(nrn.h.dt), float(nrn.h.celsius))
        _last[:] = [run]
        return run

    @property
    def is_last(self) -> bool:
        """Whether NEURON still stands where it ended, as far as another run would have begun by ``finitialize``."""
        return self.process == os.getpid() and self.number == initialisations()


@dataclass(frozen=True)
class Begun:
    """A run that is going on: which process began it, with which initialisation."""

    process: int
    number: int

    @classmethod
    def now(cls) -> Begun:
        """In a handler of type 3: the run that this ``finitialize`` begins."""
        return cls(os.getpid(), initialisations() + 1)

    def check(self, call: str) -> None:
        """Raise unless NEURON is still in it.

        Args:
            call: What asks, e.g. "save_run()".

        Raises:
            Error: Another run has begun, or this is another process.
        """
        if self.process != os.getpid():
            raise Error(
                f"{call}: this run was begun in another process (a forked child has a copy of it, which goes its own "
                "way): let the process that runs it save it, or begin a run in this one"
            )
        if self.number != initialisations():
            raise Error(f"{call}: NEURON was initialised again since this run began, or its finitialize did not end")


_last: list[Run] = []


def check_grid(dt: float | None, samples: int) -> None:
    """Raise if traces of so many samples are taken to have a time step that the last run had not.

    Raises:
        Error: The last run had another.
    """
    if dt is not None and _last and _last[0].steps + 1 == samples and abs(_last[0].dt - dt) > 1e-9 * dt:
        raise Error(
            f"the loss reads traces with a time step of {dt:g} ms, the last run had {_last[0].dt:g} ms: give the loss "
            "itself to value_and_grad, which tells it, or make it again with the present h.dt"
        )
