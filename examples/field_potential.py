"""What 16 electrodes beside a layer 5 pyramidal cell say of its channels: `python examples/field_potential.py`.

The field potential is the sum of the membrane currents of all segments, each over its distance from the electrode. Of
a cell that fires, 25 numbers (20 conductances and constants of the calcium pool, Ra, the capacitance of two regions,
the leak's conductance and its reversal potential) are put off by up to a factor of 1.5, and sought by what the
electrodes hear, never by a voltage inside: `examples/out/field_potential.png`.

`--check` compares the gradient of that loss with central differences of the same runs instead. Some minutes.
"""

from __future__ import annotations

import argparse
import functools
from pathlib import Path
from typing import Any

import gradmod
import layer5_cell as layer5
import matplotlib as mpl
import numpy as np
from gradmod import Range, finite, fit
from layer5_cell import Cell, Floats
from neuron import h

mpl.use("Agg")
import matplotlib.pyplot as plt

OUT = Path(__file__).parent / "out"
#: In ms, and S/m.
DURATION, CONDUCTIVITY = 30.0, 0.3
#: Where the electrodes are, along the apical dendrite and so far beside it, in um.
HEIGHTS, BESIDE = np.linspace(-150.0, 600.0, 16), 40.0
#: How far each number is off, at most, as a factor.
FACTOR = 1.5


def centre(seg: Any) -> Floats:
    """[3] where a segment is, in um."""
    sec = seg.sec
    arcs = [sec.arc3d(i) for i in range(sec.n3d())]
    at = seg.x * sec.L
    return np.array([np.interp(at, arcs, [of(i) for i in range(sec.n3d())]) for of in (sec.x3d, sec.y3d, sec.z3d)])


def electrodes(cell: Cell) -> list[gradmod.MembraneCurrents]:
    """The potentials at the electrodes in uV, by points in a conductor without end."""
    h.define_shape()
    segments = [seg for section in cell.all for seg in section]
    points = np.array([centre(seg) for seg in segments])
    soma = centre(cell.place)
    tip = points[np.argmax([h.distance(cell.place, seg) for seg in segments])]
    along = (tip - soma) / np.linalg.norm(tip - soma)
    side = np.cross(along, [0.0, 0.0, 1.0])
    places = soma + HEIGHTS[:, None] * along + BESIDE * side / np.linalg.norm(side)
    distances = np.linalg.norm(places[:, None] - points[None], axis=2)
    return gradmod.MembraneCurrents.rows(segments, 1e3 / (4 * np.pi * CONDUCTIVITY * np.maximum(distances, 5.0)))


def free(cell: Cell) -> dict[str, fit.Free]:
    """What is sought, by logarithms of factors."""
    found = {name: one.parameter for name, one in cell.free().items()}
    found |= {
        "Ra": Range("Ra", cell.all),
        "cm, apical": Range("cm", cell.regions["apical"]),
        "cm, basal": Range("cm", cell.regions["basal"]),
        "g_pas": Range("g_pas", cell.all),
        "e_pas": Range("e_pas", cell.all, weight=-1.0),
    }
    with gradmod.Simulation(found, [cell.place], DURATION, quiet=True) as simulation:
        values = dict(zip(simulation.names, simulation.x, strict=True))
    return {
        name: fit.Free(parameter, values[name] / FACTOR**2, values[name] * FACTOR**2, fit.Scale.LOG)
        for name, parameter in found.items()
    }


def heard(cell: Cell, sums: list[gradmod.MembraneCurrents]) -> tuple[Floats, Floats]:
    """[sample] times in ms, [electrode, sample] in uV, of the cell as it is."""
    with gradmod.Simulation(
        {"g": Range("g_pas", cell.all)}, sums, DURATION, v_init=layer5.V_INIT, mode="reverse", quiet=True
    ) as simulation:
        found = simulation(simulation.x)
        return simulation.t, found


def problem(cell: Cell, sums: list[gradmod.MembraneCurrents]) -> fit.Problem:
    """To find the numbers that the cell has now by the potentials, each over its standard deviation."""
    t, potentials = heard(cell, sums)
    targets = [fit.TraceTarget(row, t, float(np.std(row))) for row in potentials]
    (place, first), *others = zip(sums, ([one] for one in targets), strict=True)
    sweep = fit.Sweep("a step of current", place, DURATION, first, v_init=layer5.V_INIT, others=others)
    return fit.Problem(free(cell), [sweep], mode="reverse")


def check(cell: Cell, sums: list[gradmod.MembraneCurrents], off: dict[str, float]) -> None:
    """Print the gradient of the loss beside central differences."""
    t, potentials = heard(cell, sums)
    wanted = {name: one.parameter for name, one in free(cell).items()}
    loss = gradmod.SquaredError(potentials, t)
    with gradmod.Simulation(wanted, sums, DURATION, v_init=layer5.V_INIT, mode="reverse", quiet=True) as simulation:
        x = simulation.x * np.array([off[name] for name in simulation.names])
        y = simulation(x)
        value, slope = loss.at(simulation.t)(y)
        gradient = simulation.vjp(x, slope)
        print(f"loss {value:.6g} uV2 with {len(x)} parameters and {len(sums)} electrodes")
        point = x.copy()

        def run() -> dict[str, float]:
            return {"loss": loss.at(simulation.t)(simulation(point))[0]}

        for k, name in enumerate(simulation.names):
            change = functools.partial(point.__setitem__, k)
            found = finite.differentiate(run, change, x[k], steps=(1e-3, 1e-4, 1e-5, 3e-6, 1e-6))
            theirs = float(found.value["loss"])
            deviation = abs(gradient[k] / theirs - 1)
            row = f"{name:40} {gradient[k]:14.6e} {theirs:14.6e} {deviation:8.1e}"
            print(f"{row} (differences are good to {found.uncertainty('loss'):.0e})", flush=True)


def draw(t: Floats, rows: dict[str, Floats], result: fit.Fit, off: dict[str, float], sought: dict[str, float]) -> Any:
    """Potentials at each electrode, and how far each number is from what it should be."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 6.2), width_ratios=(1.0, 1.2), layout="constrained")
    scale = 25.0 / max(float(np.abs(row).max()) for row in rows.values())
    styles = {"target": ("black", 2.6), "start": ("#d55e00", 1.0), "fit": ("#56b4e9", 1.2)}
    for name, row in rows.items():
        colour, width = styles[name]
        for height, trace in zip(HEIGHTS, row, strict=True):
            left.plot(
                t, height + scale * 2 * trace, color=colour, lw=width, label=name if height == HEIGHTS[0] else None
            )
    left.set(xlabel="ms", ylabel="electrode, um above the soma", title="field potentials")
    left.legend(loc="upper left")
    names = list(off)
    at = np.arange(len(names))
    right.axvline(1.0, color="0.7")
    right.plot([off[name] for name in names], at, "o", color=styles["start"][0], label="start")
    right.plot([result.x[name] / sought[name] for name in names], at, "D", color=styles["fit"][0], label="fit")
    right.set(yticks=at, yticklabels=names, xscale="log", xlabel="number found over that of the target")
    right.set_xticks([0.5, 0.7, 1.0, 1.4, 2.0], ["0.5", "0.7", "1", "1.4", "2"], minor=False)
    right.minorticks_off()
    right.legend(loc="lower left")
    return figure


def main() -> None:
    """Find the numbers, or check the gradient."""
    options = argparse.ArgumentParser(description=__doc__.split(":")[0])
    options.add_argument("--check", action="store_true", help="the gradient beside central differences")
    options.add_argument("--runs", type=int, default=100, help="evaluations at most")
    options.add_argument("--seed", type=int, default=1)
    given = options.parse_args()
    h.CVode().use_fast_imem(1)
    cell = layer5.build()
    sums = electrodes(cell)
    names = list(free(cell))
    factors = FACTOR ** np.random.default_rng(given.seed).uniform(-1.0, 1.0, len(names))
    off = dict(zip(names, map(float, factors), strict=True))
    if given.check:
        check(cell, sums, off)
        return
    with problem(cell, sums) as sought:
        right = dict(zip(names, sought.x, strict=True))
        t, target = heard(cell, sums)
        start = {name: value * off[name] for name, value in right.items()}
        sought.evaluate(sought.inner([start[name] for name in names]))
        rows = {"target": target, "start": heard(cell, sums)[1]}
        result = fit.minimise(sought, start, runs=given.runs)
        print(result)
        rows["fit"] = heard(cell, sums)[1]
    OUT.mkdir(exist_ok=True)
    draw(t, rows, result, off, right).savefig(OUT / "field_potential.png", dpi=130)


if __name__ == "__main__":
    main()
