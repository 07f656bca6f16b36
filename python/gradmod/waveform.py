"""The samples of a Vector that is played into a point process, each a parameter of its own."""

from __future__ import annotations

from . import _neuron as nrn
from .parameters import Stimulus
from .samples import Samples


class Waveform(Samples, Stimulus):
    """The numbers that ``Vector.play`` plays into a parameter of a point process; in reverse mode only.

        levels.play(clamp._ref_amp, times, True)
        f = gradmod.value_and_grad(
            loss, {"current": gradmod.Waveform(levels, clamp, "amp", times=times, continuous=True)}, ...)

    The gradient is an array, in the order of the samples. It is that of what NEURON plays: currents see the value in
    the middle of a step. With ``continuous`` this lies on the straight line between two samples, and after the last
    sample on that through the last two; without it is that of the newest sample. How the Vector is played is said here
    once more, as NEURON does not tell; a run in which the parameter has other values is refused.
    """

    def __init__(
        self,
        levels: nrn.Vector,
        point_process: nrn.PointProcess,
        name: str,
        *,
        times: nrn.Vector | None = None,
        every: float | None = None,
        continuous: bool = False,
    ) -> None:
        """Name the samples, with the arguments of ``Vector.play``.

        Args:
            levels: The very Vector that is played.
            point_process: What it is played into, e.g. an IClamp or SEClamp.
            name: The parameter, as NEURON spells it, e.g. "amp" or "amp1".
            times: The Vector of their times in ms, where it is played with one.
            every: How far samples are apart in ms, where it is played without.
            continuous: Whether it is played with straight lines between the samples.

        Raises:
            Error: The arguments are not those of a Vector that is played.
        """
        Stimulus.__init__(self, point_process, name)
        self._hold(levels, times, every, continuous=continuous)

    def __repr__(self) -> str:
        return f"Waveform({nrn.name_of(self.levels)}, {self.process}, {self.name!r})"
