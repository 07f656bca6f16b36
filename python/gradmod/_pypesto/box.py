"""Bounds on the scales of parameters, where methods need finite ones."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .._model.cells import Floats
from .._problem.free import Bounded
from .._problem.scales import Scale

#: Where a logistic scale ends: the parameter is nearer to its bound than a millionth of the way between them.
_LAST = float(np.log(1e6))
#: Where starts on a logistic scale end: 5 % of the way between the bounds are left at either side.
_LAST_START = float(np.log(19.0))
#: A parameter is at a bound if it is nearer to it than this part of the way between its bounds, on its scale.
_NEAR = 0.01


def box(bounded: Sequence[Bounded]) -> tuple[Floats, Floats]:
    """[parameter] bounds on the scales of the parameters, all of them finite."""
    return _ends(bounded, _LAST)


def box_of_starts(bounded: Sequence[Bounded]) -> tuple[Floats, Floats]:
    """[parameter] between what starts are drawn, on the scales of the parameters."""
    return _ends(bounded, _LAST_START)


def at_bounds(bounded: Sequence[Bounded], u: Floats) -> NDArray[np.bool_]:
    """[parameter] whether it is at a bound.

    Args:
        bounded: Bounds and scales.
        u: [parameter] on these scales.
    """
    low, high = box(bounded)
    margin = _NEAR * (high - low)
    return (u < low + margin) | (u > high - margin)


def _ends(bounded: Sequence[Bounded], last: float) -> tuple[Floats, Floats]:
    low, high = zip(*((-last, last) if one.scale is Scale.LOGIT else one.bounds for one in bounded), strict=True)
    return np.array(low), np.array(high)
