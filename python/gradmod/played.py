"""What is played into a model, as an input of its runs."""

from __future__ import annotations

from . import _neuron as nrn
from .errors import Error
from .parameters import Parameter


class Played(Parameter):
    """The numbers in a Vector that the model reads as it runs, e.g. ``Played(levels)``; as an input only.

    For a Vector that ``Vector.play`` plays into a variable, these are levels; for one that is given as times, these
    are times in ms; and for one that an artificial cell such as VecStim plays, times of events in ms. How many there
    are stays as it is: events that are not wanted come after the end of the run.
    """

    def __init__(self, vector: nrn.Vector) -> None:
        """Name the input.

        Args:
            vector: The very Vector that is played, not a copy of it.

        Raises:
            Error: It is no Vector, or an empty one.
        """
        super().__init__("samples")
        if not hasattr(vector, "hname") or not nrn.name_of(vector).startswith("Vector["):
            raise Error(f"Played({vector!r}): the argument must be a Vector")
        if not len(nrn.values(vector)):
            raise Error(f"Played({vector!r}): the Vector is empty")
        self.vector = vector

    def __repr__(self) -> str:
        return f"Played({nrn.name_of(self.vector)})"
