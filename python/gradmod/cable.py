"""Gradient cables: copies of a cell's sections whose ``v`` is the voltage gradient in one direction."""

from __future__ import annotations

import math
import re
import struct
from dataclasses import dataclass

import numpy as np

from . import _neuron as nrn
from ._neuron_sections import (
    CABLE_PREFIX,
    arcs_3d,
    delete_section,
    new_section,
    orientation,
    parent_place,
    points_3d,
    set_points_3d,
)
from .cells import Cell, Floats
from .errors import Error

#: Largest relative difference between the areas and resistances of a cell and of its copy that is put down to rounding.
TOLERANCE = 1e-9


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


class Geometry:
    """A snapshot of a cell: what its gradient cables must look like.

    Attributes:
        area: [node] um2.
        resistance: [node] MOhm, to the parent node.
        rall: [node] ``rallbranch`` of the section that starts at the node, else 1.
        cm: [node] uF/cm2; 0 at the ends.
        ra: [section] Ohm cm.
    """

    def __init__(self, cell: Cell) -> None:
        self.cell = cell
        self._shapes: list[Shape] | None = None
        self.area = cell.areas()
        self.resistance = cell.resistances()
        self.rall = cell.rall()
        self.cm: Floats = np.array([sec(x).cm if 0.0 < x < 1.0 else 0.0 for sec, x in cell.places])
        self.ra = [float(sec.Ra) for sec in cell.sections]

    def shapes(self) -> list[Shape]:
        """[section] its geometry, read when first asked for."""
        if self._shapes is None:
            self._shapes = [Shape.of(sec) for sec in self.cell.sections]
        return self._shapes


class Cable:
    """The copy of one cell for one direction.

    Attributes:
        sections: The copy of each of the cell's sections.
        segments: Copies of the cell's ``segments``, in the same order.
    """

    def __init__(self, direction: str, geometry: Geometry) -> None:
        """Build the copy.

        Raises:
            Error: NEURON computes other areas or resistances for the copy than for the cell.
        """
        self.cell = geometry.cell
        self.direction = direction
        self.sections: dict[nrn.Section, nrn.Section] = {}
        try:
            self._build(geometry)
            self.sync(geometry)
        except BaseException:
            self.delete()
            raise
        self.segments: list[nrn.Segment] = [seg for sec in self.cell.sections for seg in self.sections[sec]]

    def _build(self, geometry: Geometry) -> None:
        for sec in self.cell.sections:
            name = re.sub(r"[^A-Za-z0-9_]+", "_", sec.name()).strip("_")
            copy = new_section(f"{CABLE_PREFIX}{self.direction}_{name}")
            self.sections[sec] = copy
            place = parent_place(sec)
            if place is not None:
                copy.connect(self.sections[place[0]](place[1]), orientation(sec))
            copy.nseg = int(sec.nseg)
        self._apply_shapes(geometry, folded=False)

    def _apply_shapes(self, geometry: Geometry, *, folded: bool) -> None:
        for sec, shape in zip(self.cell.sections, geometry.shapes(), strict=True):
            copy = self.sections[sec]
            shape.apply(copy, folded=folded)
            copy.rallbranch = sec.rallbranch

    def at(self, sec: nrn.Section, x: float) -> nrn.Segment:
        """The segment of the cable that corresponds to x of one of the cell's sections."""
        return self.sections[sec](x)

    def sync(self, geometry: Geometry) -> None:
        """Make the copy like the cell again: Ra, cm, and if need be the geometry.

        Raises:
            Error: It cannot be made so.
        """
        for sec, ra in zip(self.cell.sections, geometry.ra, strict=True):
            copy = self.sections[sec]
            if copy.Ra != ra:
                copy.Ra = ra
        for (sec, x), cm in zip(self.cell.places, geometry.cm, strict=True):
            if 0.0 < x < 1.0:
                seg = self.sections[sec](x)
                if seg.cm != cm:
                    seg.cm = cm
        difference = self._difference(geometry)
        for folded in (False, True):
            if difference is not None:
                self._apply_shapes(geometry, folded=folded)
                difference = self._difference(geometry)
        if difference is not None:
            raise Error(difference)

    def _difference(self, geometry: Geometry) -> str | None:
        area = np.array([self.at(sec, x).area() if 0.0 < x < 1.0 else 0.0 for sec, x in self.cell.places])
        resistance = np.array(
            [
                np.inf if above < 0 else self.at(sec, x).ri()
                for (sec, x), above in zip(self.cell.places, self.cell.parent, strict=True)
            ]
        )
        for what, unit, mine, theirs in (
            ("area", "um2", area, geometry.area),
            ("axial resistance", "MOhm", resistance, geometry.resistance),
        ):
            wrong = np.flatnonzero(~np.isclose(mine, theirs, rtol=TOLERANCE, atol=0.0))
            if wrong.size:
                sec, x = self.cell.places[int(wrong[0])]
                return (
                    f"{sec.name()}({x:g}) cannot be copied: its {what} is {theirs[wrong[0]]:.12g} {unit}, that of a "
                    f"copy with the same 3-D points, L, diam, nseg and Ra is {mine[wrong[0]]:.12g} {unit} "
                    f"({wrong.size} nodes differ)"
                )
        return None

    def is_intact(self, suffix: str) -> bool:
        """Whether the copy still carries nothing but the cable mechanism ``suffix``."""
        return all(nrn.mechanisms_of(copy) == [suffix] for copy in self.sections.values())

    def delete(self) -> None:
        """Delete the sections of the copy."""
        for copy in self.sections.values():
            delete_section(copy)
        self.sections.clear()
