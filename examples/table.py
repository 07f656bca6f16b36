"""Gradients of V at the soma beside central differences of the same run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gradmod
import numpy as np
from cell import Cell
from gradmod import finite
from neuron import h

#: What is looked at besides reversal potentials, cm, Ra, celsius and a stimulus.
HH = ("gnabar_hh", "gkbar_hh", "gl_hh", "el_hh")
PACKAGE = (
    "gNaTgbar_NaTg", "vshiftm_NaTg", "gNap_Et2bar_Nap_Et2", "gSKv3_1bar_SKv3_1", "gK_Pstbar_K_Pst", "gSK_E2bar_SK_E2",
    "gCa_HVAbar_Ca_HVA2", "gCa_LVAstbar_Ca_LVAst", "gamma_CaDynamics_DC0", "decay_CaDynamics_DC0", "gIhbar_Ih", "e_pas",
)  # fmt: skip


def main(channels: str) -> None:
    if hasattr(h, "usetable_hh"):
        h.usetable_hh = 0
    cell = Cell(channels)
    cell.run()
    directions = _directions(cell)
    grad = gradmod.attach(**{name: wanted for name, (wanted, _, _) in directions.items()})
    record = grad.record(cell.soma(0.5))
    cell.run()
    gradients = {name: np.array(record[name]) for name in directions}
    grad.detach()
    print(f"  {'parameter':24}{'max |dV/dp|':>14}{'differences':>14}{'deviation':>12}")
    for name, (_, shift, size) in directions.items():
        difference = finite.differentiate(lambda: {"v": cell.run()}, shift, 0.0, scale=size)
        found = finite.compare({"v": gradients[name]}, difference)
        largest = np.abs(gradients[name]).max()
        print(f"  {name:24}{largest:14.6g}{difference.scale('v'):14.6g}{found.deviation:12.1e}", flush=True)


def _directions(cell: Cell) -> dict[str, tuple[Any, Callable[[float], None], float]]:
    """By name: the direction, how to shift its parameter, and the parameter's size."""
    found: dict[str, tuple[Any, Callable[[float], None], float]] = {}
    for name in (*(HH if cell.channels == "hh" else PACKAGE), "ena", "ek", "cm"):
        owners = [segment for segment in cell.segments if hasattr(segment, name)]
        found[name] = (gradmod.Range(name, cell.all), *_shift(owners, name))
    found["Ra"] = (gradmod.Range("Ra", cell.dendrites), *_shift(cell.dendrites, "Ra"))
    found["amp"] = (gradmod.Stimulus(cell.clamp, "amp"), *_shift([cell.clamp], "amp"))
    return found


def _shift(owners: list[Any], name: str) -> tuple[Callable[[float], None], float]:
    values = [getattr(owner, name) for owner in owners]

    def shift(by: float) -> None:
        for owner, value in zip(owners, values, strict=True):
            setattr(owner, name, value + by)

    return shift, max(abs(value) for value in values) or 1.0
