"""A fit with a thousand parameters: the conductances of eight channels in every segment of a branched cell.

The target is the voltage at seven places of a cell whose conductances are profiles, times a random factor in each
segment. The fit starts from the plain profiles. Each step costs one run and one way back through it, however many
parameters there are. Then CMA-ES, which needs no gradient, gets the same objective, the same start and the same wall
time, with plain runs.

    python examples/per_segment.py            # a few minutes; writes examples/out/per_segment.png
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "python" / "tests"))

import cma
import gradmod
import matplotlib as mpl
import numpy as np
from models import branched
from neuron import h
from scipy import optimize

mpl.use("Agg")
import matplotlib.pyplot as plt

CONDUCTANCES = ("g_pas", "gbar_naf", "gbar_kdr", "gbar_ih", "gbar_kir", "gbar_nap", "gbar_cah", "gbar_sk")
PLACES = (("soma", 0.5), ("trunk", 0.4), ("trunk", 0.9), ("tuft_left", 0.7), ("tuft_right", 0.7),
          ("oblique", 0.7), ("basal_left", 0.7))  # fmt: skip
DURATION = 25.0
#: Penalty on the distance from the start, in logarithms: many conductances hardly matter to the traces.
PRIOR = 1e-3


def build(fine: int) -> branched.Cell:
    """The cell of the tests, cut finer, with eight conductances."""
    cell = branched.build()
    for section in cell.all:
        section.nseg *= fine
    branched.distribute(cell, ("kir", "nap"))
    branched.use_tables(False)
    cell.clamp(amp=0.6, dur=15.0)
    return cell


def main() -> None:
    """Fit, print, draw."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--fine", type=int, default=5, help="times 32 segments")
    arguments.add_argument("--iterations", type=int, default=150)
    arguments.add_argument("--out", type=Path, default=Path(__file__).parent / "out")
    given = arguments.parse_args()
    cell = build(given.fine)
    parameters = {
        name: gradmod.PerSegment(name, [seg for seg in cell.segments() if hasattr(seg, name)]) for name in CONDUCTANCES
    }
    simulation = gradmod.Simulation(
        parameters,
        [cell.sections[name](x) for name, x in PLACES],
        DURATION,
        simulate=lambda: branched.run(0.025, DURATION),
    )
    start = simulation.x
    scatter = np.random.default_rng(7).normal(0.0, 0.25, len(start))
    h.dt = branched.DT
    target = simulation(start * np.exp(scatter))
    loss = gradmod.SquaredError(target, np.arange(target.shape[1]) * branched.DT, branched.DT)
    history: list[tuple[float, float]] = []
    began = time.perf_counter()

    def objective(z: np.ndarray) -> tuple[float, np.ndarray]:
        x = start * np.exp(z)
        value, derivative = loss(simulation(x))
        history.append((time.perf_counter() - began, value))
        gradient = simulation.vjp(x, derivative) * x
        return value + PRIOR * float(z @ z) / len(z), gradient + 2 * PRIOR * z / len(z)

    before = simulation(start)
    found = optimize.minimize(
        objective, np.zeros(len(start)), jac=True, method="L-BFGS-B", options={"maxiter": given.iterations}
    )
    after = simulation(start * np.exp(found.x))
    first, last = loss(before)[0], loss(after)[0]
    print(
        f"{len(start)} conductances, {len(cell.segments())} segments, {len(history)} gradients in "
        f"{history[-1][0]:.0f} s: loss {first:.3g} -> {last:.3g} mV2 ({100 * (1 - last / first):.2f} % less)"
    )
    t = simulation.t
    simulation.close()
    search = without_gradients(cell, parameters, start, loss, history[-1][0])
    best = min(value for _, value in search)
    percent = 100 * (1 - best / first)
    print(f"CMA-ES, {len(search)} runs in {search[-1][0]:.0f} s: loss {best:.3g} mV2 ({percent:.2f} % less)")
    given.out.mkdir(exist_ok=True)
    draw(t, (target, before, after), (np.array(history), np.array(search)), given.out / "per_segment.png")


def without_gradients(
    cell: branched.Cell,
    parameters: dict[str, gradmod.PerSegment],
    start: np.ndarray,
    loss: gradmod.SquaredError,
    seconds: float,
) -> list[tuple[float, float]]:
    """CMA-ES with a diagonal covariance, for as long: (seconds, loss) of each run."""
    vectors = [h.Vector().record(cell.sections[name](x)._ref_v) for name, x in PLACES]
    owners = [(seg, name) for name, parameter in parameters.items() for seg in parameter.where]
    began, history = time.perf_counter(), []

    def objective(z: np.ndarray) -> float:
        for (seg, name), value in zip(owners, start * np.exp(z), strict=True):
            setattr(seg, name, value)
        branched.run(branched.DT, DURATION)
        value, _ = loss(np.array([vector.as_numpy() for vector in vectors]))
        history.append((time.perf_counter() - began, value))
        return value + PRIOR * float(z @ z) / len(z)

    options = {"CMA_diagonal": True, "timeout": seconds, "seed": 7, "verbose": -9}
    cma.CMAEvolutionStrategy(np.zeros(len(start)), 0.1, options).optimize(objective)
    return history


def draw(t: np.ndarray, traces: tuple[np.ndarray, ...], histories: tuple[np.ndarray, np.ndarray], file: Path) -> None:
    """Traces before and after, and the loss over time, with gradients and without."""
    figure, axes = plt.subplots(2, 2, figsize=(10, 6), constrained_layout=True)
    target, before, after = traces
    for axis, place in zip(axes.flat[:3], (0, 2, 3), strict=True):
        axis.plot(t, before[place], color="0.7", label="start")
        axis.plot(t, target[place], color="k", label="target")
        axis.plot(t, after[place], color="tab:red", ls="--", label="fit")
        name, x = PLACES[place]
        axis.set(title=f"{name}({x})", xlabel="ms", ylabel="mV")
    axes[0, 0].legend(frameon=False)
    for history, color, name in zip(histories, ("tab:red", "tab:blue"), ("gradients, L-BFGS", "CMA-ES"), strict=True):
        axes[1, 1].semilogy(history[:, 0], np.minimum.accumulate(history[:, 1]), color=color, label=name)
    axes[1, 1].legend(frameon=False)
    axes[1, 1].set(title="loss", xlabel="s", ylabel="mV$^2$")
    figure.savefig(file, dpi=130)


if __name__ == "__main__":
    main()
