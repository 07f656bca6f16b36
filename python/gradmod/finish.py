"""The last sample: the gradient cables run one step behind, so the step that ends at t is solved here.

The same equations as NEURON's: in every node, with A the axial matrix,

    (cm/dt + d + A) W_N = (cm/dt) W_{N-1} - S

The model is left as it was, so that a run can go on afterwards.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from . import _neuron as nrn
from ._attachment import Attachment, Spot
from ._pointed_wiring import try_states
from .cells import Floats, Integers

#: From S/cm2 times um2 to uS, and from mA/cm2 times um2 to nA.
DENSITY = 1e-2
#: From uF/cm2 over ms to S/cm2.
CAPACITANCE = 1e-3


def solve_tree(parent: Integers, diagonal: Floats, upper: Floats, lower: Floats, rhs: Floats) -> Floats:
    """Solve a tree-shaped system by Hines' elimination, for several right-hand sides at once.

    Args:
        parent: [node] index of the parent, smaller than the node's own; -1 for the root.
        diagonal: [node] diagonal entries.
        upper: [node] entry (parent, node).
        lower: [node] entry (node, parent).
        rhs: [node, k] right-hand sides.

    Returns:
        [node, k] the solutions.
    """
    d = np.array(diagonal)
    x = np.array(rhs)
    for node in range(len(d) - 1, 0, -1):
        above = int(parent[node])
        factor = upper[node] / d[node]
        d[above] -= factor * lower[node]
        x[above] -= factor * x[node]
    x[0] /= d[0]
    for node in range(1, len(d)):
        x[node] = (x[node] - lower[node] * x[int(parent[node])]) / d[node]
    return x


def last_voltages(attachment: Attachment, dt: float) -> Floats:
    """W at the present time.

    Args:
        attachment: What is attached to the cell.
        dt: The time step of the run, ms.

    Returns:
        [node, cable] in mV per unit of each direction; cables in the order of ``attachment.cables``.
    """
    cell, geometry = attachment.cell, attachment.geometry
    conductance, source = _published(attachment)
    capacitance = CAPACITANCE * geometry.cm / dt * geometry.area * DENSITY
    g = 1.0 / geometry.resistance
    lower, upper = -g, -g * geometry.rall
    diagonal = capacitance + conductance + g
    np.add.at(diagonal, cell.parent[1:], g[1:] * geometry.rall[1:])
    # Only now: events that set the potential have set it.
    before = np.array([[cable.at(sec, x).v for cable in attachment.cables.values()] for sec, x in cell.places])
    return solve_tree(cell.parent, diagonal, upper, lower, capacitance[:, None] * before - source)


def _published(attachment: Attachment) -> tuple[Floats, Floats]:
    """Conductance d [node] in uS and S [node, cable] in nA of the step that ends now."""
    cell, ks = attachment.cell, list(attachment.cables)
    conductance = np.zeros(len(cell.places))
    source = np.zeros((len(cell.places), len(ks)))
    apply_events(attachment)
    for spot in (*attachment.spots, *attachment.companions):
        advance(spot)
        region, mechanism = spot.region, spot.mechanism
        scale = attachment.geometry.area[spot.node] * DENSITY if spot.process is None else 1.0
        published = getattr(mechanism, region.source)
        conductance[spot.node] += scale * getattr(mechanism, region.conductance)
        source[spot.node] += [scale * published[k] for k in ks]
    voltage = cell.voltages()
    for node, value in attachment.solved_voltages().items():
        voltage[node] = value
    for k, edges in attachment.edges.items():
        column = ks.index(k)
        for edge, (g_node, g_parent) in zip(edges, attachment.axial_conductances(k), strict=True):
            above = int(cell.parent[edge.node])
            drop = voltage[above] - voltage[edge.node]
            source[edge.node, column] += g_node * drop
            source[above, column] -= g_parent * drop
    return conductance, source


def apply_events(attachment: Attachment) -> None:
    """Let the gradients of membrane potentials have the events that came before the step that ends now."""
    for spot in attachment.companions:
        if spot.region.sets_voltage:
            call(spot, spot.region.apply_events)


def advance(spot: Spot) -> None:
    """Let an emitted mechanism make the step that ends now, as its BEFORE BREAKPOINT block would."""
    for name, source in spot.region.now:
        setattr(spot.mechanism, name, getattr(spot.segment, source))
    call(spot, spot.region.advance)


def call(spot: Spot, procedure: str) -> None:
    """Call a PROCEDURE of an emitted mechanism."""
    if spot.process is None:
        nrn.call_density(procedure, spot.region.suffix, spot.segment)
    else:
        getattr(spot.mechanism, procedure)()


def last_states(
    attachment: Attachment,
    spot: Spot,
    voltages: Sequence[tuple[Attachment, int, Floats]],
    waited_for: Sequence[Spot] = (),
) -> dict[str, Floats]:
    """Gradients of the states of one segment at the present time.

    Args:
        attachment: What is attached to the cell.
        spot: The segment's fused mechanism.
        voltages: (attachment, node, [cable] of what :func:`last_voltages` returned) of the segment, and of the places
            where its POINTERs look.
        waited_for: Emitted mechanisms whose states are seen by POINTERs as they are at the end of the step.

    Returns:
        By the state's name in NEURON: [cable].
    """
    seen = [
        (cable.at(*other.cell.places[node]), float(voltage))
        for other, node, values in voltages
        for cable, voltage in zip(other.cables.values(), values, strict=True)
    ]
    arrays = {state.name: getattr(spot.mechanism, state.gradient) for state in spot.region.states}
    size = len(spot.region.cable_pointers)
    kept_v = [seg.v for seg, _ in seen]
    changed = [getattr(one.mechanism, state.gradient) for one in (spot, *waited_for) for state in one.region.states]
    kept = [[array[k] for k in range(size)] for array in changed]
    try:
        for seg, voltage in seen:
            seg.v = voltage
        for one in waited_for:
            call(one, try_states(one))
        call(spot, spot.region.next_states)
        return {name: np.array([array[k] for k in attachment.cables]) for name, array in arrays.items()}
    finally:
        for (seg, _), voltage in zip(seen, kept_v, strict=True):
            seg.v = voltage
        for array, values in zip(changed, kept, strict=True):
            for k in range(size):
                array[k] = values[k]
