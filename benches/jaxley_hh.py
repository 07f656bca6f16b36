"""The same loss and its 99 derivatives by gradmod and by Jaxley, on the branched Hodgkin-Huxley reference.

    make bench-jaxley          in an environment of its own, .venv-jaxley

Wall time of one value and gradient after warming up (the best of some rounds, taken in turns), and of the cold start:
from a built model to the first gradient, for gradmod with an empty cache. Jaxley computes in float64, compiled, with
each of some checkpointing schemes; the best counts. Both give the same loss, or nothing is printed. With --json one
line for each.
"""

from __future__ import annotations

import json
import math
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "python" / "tests"))

import gradmod
import jax
import jax.numpy as jnp
import jaxley as jx
import numpy as np
from jaxley.channels import HH
from models import reference

jax.config.update("jax_enable_x64", True)

#: No checkpointing, and levels whose product is the number of steps.
CHECKPOINTS = (None, (63, 64), (16, 16, 16))
NAMES = {"HH_gNa": "gnabar_hh", "HH_gK": "gkbar_hh", "HH_gLeak": "gl_hh"}
STEPS = round(reference.T_STOP / reference.DT)


def jaxley_cell() -> Any:
    """The branched reference."""
    compartment = jx.Compartment()
    dendrite = jx.Branch(compartment, ncomp=8)
    cell = jx.Cell([jx.Branch(compartment, ncomp=1), *[dendrite] * 4], parents=[-1, 0, 0, 0, 0])
    cell.set("axial_resistivity", 100.0)
    cell.set("capacitance", 1.0)
    for index in range(5):
        cell.branch(index).set("length", 20.0 if index == 0 else 200.0 / 8)
        cell.branch(index).set("radius", 10.0 if index == 0 else 1.0)
    cell.insert(HH())
    cell.set("v", reference.V_INIT)
    middle = (np.arange(STEPS) + 0.5) * reference.DT  # where NEURON reads its clamp
    cell.branch(0).comp(0).stimulate(jnp.asarray(np.where((middle >= 5) & (middle <= 95), 0.5, 0.0)), verbose=False)
    cell.branch(0).comp(0).record("v", verbose=False)
    cell.to_jax()
    cell.init_states()
    for name in NAMES:
        cell.branch("all").comp("all").make_trainable(name, verbose=False)
    return cell


def jaxley_loss(cell: Any, goal: np.ndarray, checkpoints: tuple[int, ...] | None) -> Callable[[Any], Any]:
    """Compiled value and gradient."""

    def loss(parameters: Any) -> Any:
        v = jx.integrate(
            cell, params=parameters, delta_t=reference.DT, t_max=reference.T_STOP, checkpoint_lengths=checkpoints
        )
        return jnp.mean((v[0, : len(goal)] - goal) ** 2)

    return jax.jit(jax.value_and_grad(loss))


def timed(function: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds, and the result."""
    begin = time.perf_counter()
    result = jax.block_until_ready(function())
    return time.perf_counter() - begin, result


def main() -> None:
    """Measure and print."""
    model = reference.branched()
    goal = reference.target(model)
    plain = min(timed(lambda: reference.run() or 0)[0] for _ in range(5))
    parameters = {name: gradmod.PerSegment(name, model.all) for name in NAMES.values()}
    looks = gradmod.SquaredError(goal, np.arange(len(goal)) * reference.DT, reference.DT)

    def ours() -> gradmod.objective.ValueAndGrad:
        place = [model.soma(0.5)]
        return gradmod.value_and_grad(
            looks, parameters, place, reference.T_STOP, simulate=reference.run, memory=2048, quiet=True
        )

    with tempfile.TemporaryDirectory() as cache:
        os.environ["GRADMOD_CACHE"] = cache
        begin = time.perf_counter()
        f = ours()
        x = f.simulation.x
        f(x)
        cold = time.perf_counter() - begin
    candidates: dict[str, tuple[float, Callable[[], Any]]] = {}
    for checkpoints in CHECKPOINTS:
        if checkpoints is not None and math.prod(checkpoints) < STEPS:
            raise SystemExit(f"{checkpoints} is less than {STEPS} steps")
        begin = time.perf_counter()
        cell = jaxley_cell()
        function = jaxley_loss(cell, jnp.asarray(goal), checkpoints)
        values = cell.get_parameters()
        loss, gradient = jax.block_until_ready(function(values))
        seconds = time.perf_counter() - begin
        for mine in (f(x)[0], reference.BRANCHED.loss):
            if abs(float(loss) - mine) > 1e-6 * mine:
                raise SystemExit(f"not the same model: Jaxley's loss is {float(loss)}, NEURON's {mine}")
        count = sum(np.size(v) for row in gradient for v in row.values())
        if count != len(x):
            raise SystemExit(f"Jaxley has {count} parameters, gradmod {len(x)}")
        candidates[f"Jaxley, checkpoints {checkpoints}"] = seconds, lambda f=function, v=values: f(v)
    times: dict[str, list[float]] = {"gradmod": [], **{name: [] for name in candidates}}
    for _ in range(7):
        times["gradmod"].append(timed(lambda: f(x))[0])
        for name, (_, run) in candidates.items():
            times[name].append(timed(run)[0])
    as_json = "--json" in sys.argv
    if not as_json:
        print(f"plain run of NEURON: {1e3 * plain:.1f} ms; {len(x)} derivatives")
    for name, taken in times.items():
        start = cold if name == "gradmod" else candidates[name][0]
        row = {"name": name, "ms": 1e3 * min(taken), "ratio": min(taken) / plain, "cold": start}
        text = f"{name:<34} {row['ms']:7.1f} ms   {row['ratio']:5.2f} plain runs   cold start {start:5.1f} s"
        print(json.dumps(row) if as_json else text)
    f.close()


if __name__ == "__main__":
    main()
