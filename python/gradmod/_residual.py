"""The membrane equation of a run: whether its voltages solve it, at every node and step.

    c/dt (V' - V) + I + d (V' - V) + A V' = 0        in nA, V before a step, V' after it

NEURON's own solution does to rounding. Whatever changed v, cm, Ra, diam, dt, the matrix or a parameter of a current
during the run does not, also if it was set back.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .cells import Floats, Integers

#: What may be left of the equation, relative to the size of its terms. Rounding leaves up to about 3e-12, from slopes
#: that NEURON takes over 0.001 mV, and elsewhere 1e-15.
TOLERANCE = 1e-9
#: By how much two steps may differ, relative to dt: rounding of t.
_GRID = 1e-6
#: Numbers that are looked at together: they should fit into the processor's cache.
_BLOCK = 2**12


@dataclass(frozen=True)
class NodesPlan:
    """The nodes of all cells, every parent before its children.

    Attributes:
        before, after: [node] where v is in a frame, and where v at the end of the step before is.
        parent: [node] index of the parent; -1 for roots.
    """

    before: tuple[int, ...]
    after: tuple[int, ...]
    parent: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class NodeValues:
    """[node] capacitance in nF, and axial conductance to the parent in uS; 0 at ends, and at roots."""

    capacitance: Floats
    axial: Floats

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, NodeValues)
            and np.array_equal(self.capacitance, other.capacitance)
            and np.array_equal(self.axial, other.axial)
        )


@dataclass(frozen=True)
class Break:
    """The first step of a run that is not NEURON's: of which node the voltage is not, or that took another time."""

    step: int
    node: int | None


class Membrane:
    """The equation, for stretches of a run."""

    def __init__(self, plan: NodesPlan) -> None:
        """Nothing is known of the cells' values yet."""
        self.count = len(plan.parent)
        self._before, self._after = np.array(plan.before, dtype=np.intp), np.array(plan.after, dtype=np.intp)
        parent: Integers = np.array(plan.parent, dtype=np.intp)
        children = np.flatnonzero(parent >= 0)
        # Ordered by parent, so that what flows to one is a sum of neighbours.
        self._child = children[np.argsort(parent[children], kind="stable")]
        self._parent = parent[self._child]
        self._parents, self._starts = np.unique(self._parent, return_index=True)

    @property
    def steps_at_once(self) -> int:
        """For how many steps currents should be gathered before they are looked at."""
        return max(16, _BLOCK // max(self.count, 1))

    def sync(self, values: NodeValues) -> None:
        """Follow the cells."""
        self._capacitance = values.capacitance
        self._axial = values.axial[self._child]

    def rest(self, frames: Floats, sums: Floats, dt: float) -> tuple[Floats, Floats]:
        """What is left of the equation, and the size of its terms: [step, node] in nA.

        Args:
            frames: [step + 1, :] of the recorded run.
            sums: [step, node, 2] I + d (V' - V), and the size of its terms.
            dt: The time step in ms.
        """
        old, new = frames[:-1, self._before], frames[1:, self._after]
        rest = (new - old) * (self._capacitance / dt) + sums[:, :, 0]
        np.abs(old, out=old)
        heights = np.abs(new)
        size = (old + heights) * (self._capacitance / dt) + sums[:, :, 1]
        if self._child.size:
            flow = (new[:, self._child] - new[:, self._parent]) * self._axial
            terms = (heights[:, self._child] + heights[:, self._parent]) * self._axial
            rest[:, self._child] += flow
            size[:, self._child] += terms
            rest[:, self._parents] -= np.add.reduceat(flow, self._starts, axis=1)
            size[:, self._parents] += np.add.reduceat(terms, self._starts, axis=1)
        return rest, size

    def broken(self, frames: Floats, sums: Floats, dt: float) -> Break | None:
        """The first step of a stretch that NEURON did not make; arguments as for :meth:`rest`."""
        # The last frame of a window has the time of the step's end, others that of its middle.
        times = np.diff(frames[:, 0])
        even = np.abs(times - dt) <= _GRID * dt
        even[-1] |= abs(times[-1] - dt / 2) <= _GRID * dt
        uneven = np.flatnonzero(~even)
        if uneven.size:
            return Break(int(uneven[0]), None)
        rest, size = self.rest(frames, sums, dt)
        # Not a number is not small.
        wrong = ~(np.abs(rest) <= TOLERANCE * size)
        if wrong.any():
            step = int(np.argmax(wrong.any(axis=1)))
            # At an end without membrane the same difference of voltages is less current.
            left = np.where(wrong[step], np.nan_to_num(np.abs(rest[step]), nan=np.inf), -1.0)
            return Break(step, int(np.argmax(left)))
        return None
