"""Whether a gradient in a parameter of ``extracellular`` means something."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from .. import _neuron as nrn
from .._guards.overwritten_parameters import refuse_changed
from .._model.cells import Floats
from .._model.directions import Direction
from .._model.extracellular import BATTERY, LAYERED, layer_of
from ..errors import Refused
from .record import Start
from .sites import Sites

#: S/cm2 from which on a layer counts as short-circuited. NEURON's default is 1e9.
_SHORT = 1e6


def check_outside(start: Start, sites: Sites, frames: Floats) -> None:
    """Look at the directions in parameters of ``extracellular``.

    Args:
        start: What the run began with.
        sites: Where it is.
        frames: [frame, number] of the run.

    Raises:
        Refused: One changed during the run, or its derivative would be nothing but rounding.
    """
    numbers = {(sites.cells[cell].places[node]): site for site, (cell, node) in enumerate(sites.nodes)}
    for direction in start.directions:
        if not direction.is_outside:
            continue
        for segment, weight in direction.weights():
            site = _site_of(sites, numbers, segment)
            if weight == 0.0 or site is None:
                continue
            if direction.parameter.name == BATTERY:
                if np.ptp(frames[:-1, sites.battery[site]]) != 0.0:
                    refuse_changed(direction.name, f"{BATTERY} at {segment}")
            elif start.values.outside is not None:
                _check_short(direction, segment, start.values.outside.conductance[site])


def _site_of(sites: Sites, numbers: Mapping[tuple[nrn.Section, float], int], segment: nrn.Segment) -> int | None:
    for cell in sites.cells:
        if segment.sec in cell.sections:
            return numbers.get(cell.places[cell.node(segment.sec, segment.x)])
    return None


def _check_short(direction: Direction, segment: nrn.Segment, conductance: Floats) -> None:
    """By [layer] xg of the segment."""
    name = direction.parameter.name
    layer = layer_of(name, LAYERED)
    assert layer is not None
    # Along a layer nothing is felt where all from it to the ground are short-circuited.
    across = conductance[layer:] if name.startswith("xraxial") else conductance[layer : layer + 1]
    if np.all(across >= _SHORT):
        raise Refused(
            f"{direction.name}: no gradient in {name} at {segment}: xg of this layer is {conductance[layer]:g} S/cm2, "
            "which short-circuits it (NEURON's default is 1e9), so that the derivative is nothing but rounding; set xg "
            f"below {_SHORT:g}, or leave the direction out there"
        )
