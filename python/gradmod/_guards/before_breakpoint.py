"""Variables that BEFORE BREAKPOINT sets as a step begins."""

from __future__ import annotations


def set_at_begin(variable: str, place: object) -> str:
    """Why a variable that BEFORE BREAKPOINT sets has no recorded gradient."""
    return (
        f"no gradient of {variable} at {place}: BEFORE BREAKPOINT sets it as a step begins, so what NEURON shows after "
        "a step is of the one before; set it in BEFORE STEP, or record v or a STATE"
    )
