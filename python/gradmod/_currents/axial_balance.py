"""Membrane currents as what flows in along a cell.

NEURON's step solves  i_membrane = -A V + I_electrode  at each node, with A of the axial conductances and V the voltage
at the end of the step (with ``secondorder`` that in its middle). So a sum of membrane currents is linear in voltages:

    sum_j w_j i_j = sum over edges e of g_e (w_e - r_e w_p) (V_p - V_e)

Node e is the lower end of an edge, p its parent, g the conductance between, and r the ``rallbranch`` of the edge.
"""

from __future__ import annotations

import numpy as np

from .._model.cells import Cell, Floats


class AxialBalance:
    """Of one cell."""

    def __init__(self, cell: Cell, resistances: Floats) -> None:
        """Take a cell.

        Args:
            cell: Its nodes.
            resistances: [node] to the parent node, in MOhm.
        """
        self._above = np.where(cell.parent < 0, 0, cell.parent)
        self._conductance: Floats = np.where(cell.parent < 0, 0.0, 1.0 / resistances)
        self._rall = cell.rall()

    def edges(self, weights: Floats) -> Floats:
        """[node] what the sum has of each (V_p - V_e), of weights by node."""
        return self._conductance * (weights - self._rall * weights[self._above])

    def voltages(self, weights: Floats) -> Floats:
        """[node] the derivative of the sum by the voltages."""
        flows = self.edges(weights)
        found = -flows
        np.add.at(found, self._above, flows)
        return found


def solved(samples: Floats, secondorder: int) -> Floats:
    """[..., sample] what the steps were solved with, of voltages at the ends of steps.

    Args:
        samples: [..., sample]; the first is that of ``finitialize``.
        secondorder: NEURON's.
    """
    if not secondorder:
        return samples
    middle = (samples[..., 1:] + samples[..., :-1]) / 2
    return np.concatenate([samples[..., :1], middle], axis=-1)


def solved_transposed(slopes: Floats, secondorder: int) -> Floats:
    """The transpose of :func:`solved`: from derivatives by what was solved with to those by the samples."""
    if not secondorder:
        return slopes
    found = np.zeros_like(slopes)
    found[..., 1:] += slopes[..., 1:] / 2
    found[..., :-1] += slopes[..., 1:] / 2
    found[..., 0] += slopes[..., 0]
    return found
