"""Parameters that change when events come that a point process sends to itself.

In the run an event acts between two steps, but what it does may depend on its time.
"""

from __future__ import annotations

from collections.abc import Iterable

from .._manifest.region import Region
from .._manifest.reverse import ReverseRegion
from .._model.directions import Direction
from ..errors import Refused


def not_followed(regions: Iterable[Region | ReverseRegion]) -> dict[str, str]:
    """The parameters in which there is no gradient, and why; when times count as fixed."""
    found: dict[str, str] = {}
    for region in regions:
        if isinstance(region, ReverseRegion):
            found |= dict.fromkeys(region.timed_by, "reverse mode does not follow that: forward mode (attach)")
        elif region.event_time.reason:
            found |= dict.fromkeys(region.event_time.timed_by, f"that is not followed: {region.event_time.reason}")
    return found


def check_timed(regions: Iterable[Region | ReverseRegion], directions: Iterable[Direction]) -> None:
    """Refuse directions in such parameters.

    Raises:
        Refused: There is one.
    """
    reasons = not_followed(regions)
    for direction in directions:
        if direction.wrt in reasons:
            raise Refused(
                f"{direction.name}: {direction.wrt} changes when events come that the mechanism sends to itself, "
                f"which depend on t, and {reasons[str(direction.wrt)]}"
            )
