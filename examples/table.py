"""Gradients of V at the soma beside central differences of the same run."""

from __future__ import annotations

from pathlib import Path

import gradmod
import numpy as np
from cell import Cell
from gradmod import finite
from neuron import h


def main(_: Path) -> None:
    h.usetable_hh = 0
    cell = Cell()
    directions = {
        "gnabar_hh": (gradmod.Range("gnabar_hh", cell.all), [seg.hh for sec in cell.all for seg in sec], "gnabar"),
        "gkbar_hh": (gradmod.Range("gkbar_hh", cell.all), [seg.hh for sec in cell.all for seg in sec], "gkbar"),
        "el_hh": (gradmod.Range("el_hh", cell.all), [seg.hh for sec in cell.all for seg in sec], "el"),
        "ena": (gradmod.Range("ena", cell.all), [seg for sec in cell.all for seg in sec], "ena"),
        "cm": (gradmod.Range("cm", cell.all), [seg for sec in cell.all for seg in sec], "cm"),
        "Ra": (gradmod.Range("Ra", cell.dendrites), cell.dendrites, "Ra"),
        "amp": (gradmod.Stimulus(cell.clamp, "amp"), [cell.clamp], "amp"),
    }
    grad = gradmod.attach(**{name: wanted for name, (wanted, _, _) in directions.items()})
    record = grad.record(cell.soma(0.5))
    cell.run()
    gradients = {name: np.array(record[name]) for name in directions}
    grad.detach()
    print(f"{'parameter':12}{'max |dV/dp|':>14}{'differences':>14}{'deviation':>12}")
    for name, (_, owners, attribute) in directions.items():
        values = [getattr(owner, attribute) for owner in owners]

        def shift(by: float, owners=owners, values=values, attribute=attribute) -> None:
            for owner, value in zip(owners, values, strict=True):
                setattr(owner, attribute, value + by)

        size = max(abs(value) for value in values)
        difference = finite.differentiate(lambda: {"v": cell.run()}, shift, 0.0, scale=size)
        found = finite.compare({"v": gradients[name]}, difference)
        print(f"{name:12}{np.abs(gradients[name]).max():14.6g}{difference.scale('v'):14.6g}{found.deviation:12.1e}")
