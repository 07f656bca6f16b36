"""A parameter, for gradmod and by hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import gradmod


@dataclass(frozen=True)
class Direction:
    """A parameter: for gradmod, and by hand.

    Attributes:
        owner: The mechanism, or "cell".
        parameter: What `attach` is given.
        shift: Moves it by a number, from where it was when this was made.
        size: What steps are relative to.
    """

    owner: str
    parameter: Any
    shift: Callable[[float], None]
    size: float


def moved(mechanism: str, parameter: Any, owners: list[Any], name: str) -> Direction:
    """One in a variable of that name of all owners."""
    values = [float(getattr(owner, name)) for owner in owners]

    def shift(by: float) -> None:
        for owner, value in zip(owners, values, strict=True):
            setattr(owner, name, value + by)

    return Direction(mechanism, parameter, shift, max(map(abs, values)) or 1.0)


def moved_weight(mechanism: str, netcon: Any) -> Direction:
    """One in the weight of a NetCon."""
    value = float(netcon.weight[0])

    def shift(by: float) -> None:
        netcon.weight[0] = value + by

    return Direction(mechanism, gradmod.NetConWeight(netcon), shift, abs(value) or 1.0)
