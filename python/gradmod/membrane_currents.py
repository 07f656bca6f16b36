"""Sums of membrane currents, as things to record: field potentials at electrodes, dipoles, single segments."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike

from . import _neuron as nrn
from ._neuron.sections import is_segment
from .errors import Error

#: What NEURON calls the current through the membrane of a segment, capacitive current included, in nA.
VARIABLE = "i_membrane_"


class MembraneCurrents:
    """A weighted sum of ``i_membrane_`` of segments: record it instead of a segment.

        h.CVode().use_fast_imem(1)
        lfp = gradmod.MembraneCurrents.rows(cell.segments, matrix)      # one for each electrode
        f = gradmod.value_and_grad(loss, parameters, record=lfp, duration=100)

    ``i_membrane_`` is NEURON's, in nA, outward, without the currents of electrodes. The gradient is exact: in each
    step the membrane current of a node is what flows in from its neighbours, and from electrodes, so it follows from
    the voltages at the step's end.

    Attributes:
        segments: Where a weight is not 0.
        weights: [segment] in the unit of the sum per nA.
    """

    def __init__(self, weights: Mapping[nrn.Segment, float]) -> None:
        """Name the sum.

        Args:
            weights: By segment; not at the ends of sections, which have no membrane.

        Raises:
            Error: A place is no segment with a membrane; a weight is not finite; or all are 0.
        """
        for seg, weight in weights.items():
            if not is_segment(seg) or not 0.0 < seg.x < 1.0:
                raise Error(f"MembraneCurrents: {seg!r} has no membrane; name segments such as soma(0.5)")
            if not np.isfinite(weight):
                raise Error(f"MembraneCurrents: the weight at {seg} is {weight}")
        chosen = [(seg, float(weight)) for seg, weight in weights.items() if weight != 0.0]
        if not chosen:
            raise Error("MembraneCurrents: no segment has a weight")
        self.segments: Sequence[nrn.Segment] = tuple(seg for seg, _ in chosen)
        self.weights = np.array([weight for _, weight in chosen])

    @classmethod
    def rows(cls, segments: Iterable[nrn.Segment], matrix: ArrayLike) -> list[MembraneCurrents]:
        """One sum for each row of a matrix, such as the potential at each of several electrodes.

        Args:
            segments: The columns, as LFP packages order them.
            matrix: [electrode, segment] in mV per nA, or whatever the sums shall be in.

        Raises:
            Error: The shapes do not fit, or as above.
        """
        columns = list(segments)
        numbers = np.asarray(matrix, dtype=np.float64)
        if numbers.ndim != 2 or numbers.shape[1] != len(columns):
            raise Error(f"the matrix has shape {numbers.shape}, there are {len(columns)} segments: [row, segment]")
        return [cls(dict(zip(columns, row, strict=True))) for row in numbers]

    def __repr__(self) -> str:
        more = f" and {len(self.segments) - 1} more" if len(self.segments) > 1 else ""
        return f"MembraneCurrents({self.segments[0]}{more})"


def check_computed() -> None:
    """Look whether NEURON computes membrane currents.

    Raises:
        Error: It does not.
    """
    if not nrn.h.CVode().use_fast_imem():
        raise Error(f"NEURON computes {VARIABLE} only after h.CVode().use_fast_imem(1): call that first")
