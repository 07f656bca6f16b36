"""The geometry of a section, as copies of it need it."""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass

from . import _neuron as nrn
from ._neuron_sections import arcs_3d, points_3d, set_points_3d


@dataclass(frozen=True)
class Shape:
    """What NEURON needs to know of one section's geometry. All in um."""

    points: list[list[float]] | None
    arcs: list[float]
    length: float
    diameters: list[float]

    @classmethod
    def of(cls, sec: nrn.Section) -> Shape:
        """The shape that a section has now."""
        points = points_3d(sec) if sec.n3d() > 0 else None
        return cls(points, arcs_3d(sec), float(sec.L), [seg.diam for seg in sec])

    def apply(self, sec: nrn.Section, *, folded: bool) -> None:
        """Give a section this shape; ``folded`` reproduces the arc lengths, not the points."""
        if self.points is not None:
            set_points_3d(sec, [*fold(self.arcs), self.points[3]] if folded else self.points)
        else:
            sec.L = self.length
            for seg, diameter in zip(sec, self.diameters, strict=True):
                seg.diam = diameter


def fold(arcs: list[float]) -> list[list[float]]:
    """Points [xs, ys, zs] for which NEURON computes the given arc lengths, to about 1e-12.

    NEURON's areas and resistances depend on the arc lengths, which it keeps in double precision, while the coordinates
    and their differences are floats. When it moves a section (``define_shape``) it rounds the coordinates and keeps the
    arc lengths, so these no longer follow from the coordinates. Here every step goes to and fro along x, a little
    short, and small steps in y and z make up for what rounding took.
    """
    points = [[0.0], [0.0], [0.0]]
    for i in range(1, len(arcs)):
        rest = (arcs[i] - arcs[i - 1]) ** 2
        for axis in points:
            old, want = axis[-1], math.sqrt(max(rest, 0.0))
            sign, short = -1.0 if old > 0.0 else 1.0, 1e-8
            new = _single(old + sign * want)
            while abs(_single(new - old)) > want:
                new = _single(old + sign * want * max(1.0 - short, 0.0))
                short *= 2.0
            rest -= _single(new - old) ** 2
            axis.append(new)
    return points


def _single(x: float) -> float:
    """Round to the nearest number in single precision, as NEURON does with coordinates and their differences."""
    return struct.unpack("f", struct.pack("f", x))[0]
