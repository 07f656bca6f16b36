"""The samples of one waveform that acts from outside on many segments, each a parameter of its own."""

from __future__ import annotations

from . import _neuron as nrn
from .errors import Error
from .parameters import Range, Weight, Where
from .samples import Samples


class FieldWaveform(Samples, Range):
    """One waveform u(t) that sets ``e_extracellular`` of all segments to weight(segment) u(t); in reverse mode only.

        profile = lambda seg: 1e-3 * resistivity / (4 * math.pi * distance(seg))     # mV at seg, per mA
        u, times = h.Vector(count), h.Vector(count).indgen(0.01)
        f = gradmod.value_and_grad(
            loss, {"u": gradmod.FieldWaveform(u, axon, profile, times=times, continuous=True)}, ...,
            simulate=...)      # fills what is played with weight(segment) times u, and runs

    The gradient is an array, in the order of the samples of u. How e_extracellular gets its values is the script's
    business: by a Vector that is played into each segment, or by ``simulate`` that sets it before each ``h.fadvance()``
    (then ``every=h.dt``). What each step saw is compared with samples and weights, and the gradient is refused where it
    is not equal; where several of these act on a segment, as of several electrodes, with their sum.
    """

    def __init__(
        self,
        levels: nrn.Vector,
        where: Where,
        weight: Weight,
        *,
        times: nrn.Vector | None = None,
        every: float | None = None,
        continuous: bool = False,
    ) -> None:
        """Name the samples.

        Args:
            levels: The Vector of u.
            where: A section, a segment, or an iterable of these, all with ``extracellular``.
            weight: e_extracellular in mV per unit of u: a number, or a function of the segment. It is evaluated at
                every ``finitialize``.
            times: The Vector of the times of the samples in ms.
            every: How far samples are apart in ms, where they have no such Vector; the first one is at 0.
            continuous: Whether there are straight lines between the samples; else there are steps.

        Raises:
            Error: The arguments do not say how a Vector is played, or a place or the weight is none.
        """
        if weight is None or weight == "present":
            raise Error("FieldWaveform: give a number, or a function of the segment, as weight: mV per unit of u")
        Range.__init__(self, "e_extracellular", where, weight)
        self._hold(levels, times, every, continuous=continuous)

    def __repr__(self) -> str:
        return f"FieldWaveform({nrn.name_of(self.levels)}, {self.where[0]}, ...)"
