"""JAX: a simulation as a function that ``jax.grad`` goes through, also inside ``jax.jit``. Needs the package jax.

    from gradmod.jax import simulator
    simulate = simulator(simulation)
    jax.value_and_grad(lambda x: loss(simulate(x)))(x)

A network may make x, or read the traces.
"""

from __future__ import annotations

from collections.abc import Callable

import jax
import numpy as np

from .simulation import Simulation


def simulator(simulation: Simulation) -> Callable[[jax.Array], jax.Array]:
    """Traces [place, sample] as a function of parameters, of the type of the parameters.

    The model runs once now, to find out how many samples there are. It runs in double precision; there are no
    second derivatives, and ``vmap`` runs one after another.
    """
    shape = simulation(simulation.x).shape

    def forward(x: jax.Array) -> jax.Array:
        def run(values: jax.Array) -> np.ndarray:
            return simulation(np.asarray(values, dtype=np.float64)).astype(x.dtype)

        return jax.pure_callback(run, jax.ShapeDtypeStruct(shape, x.dtype), x, vmap_method="sequential")

    def backward(x: jax.Array, derivative: jax.Array) -> tuple[jax.Array]:
        def run(values: jax.Array, rows: jax.Array) -> np.ndarray:
            gradient = simulation.vjp(np.asarray(values, dtype=np.float64), np.asarray(rows, dtype=np.float64))
            return gradient.astype(x.dtype)

        result = jax.ShapeDtypeStruct(x.shape, x.dtype)
        return (jax.pure_callback(run, result, x, derivative, vmap_method="sequential"),)

    simulate = jax.custom_vjp(forward)
    simulate.defvjp(lambda x: (forward(x), x), backward)
    return simulate
