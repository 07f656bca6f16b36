"""JAX: a simulation as a function that ``jax.grad`` goes through, also inside ``jax.jit``. Needs the package jax.

    from gradmod.jax import simulator
    simulate = simulator(simulation)
    jax.value_and_grad(lambda x: loss(simulate(x)))(x)

A network may make x, or read the traces. Each call is a run of its own: a loss may have several, with the same x too,
if the model was changed between them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import jax
import numpy as np
from numpy.typing import NDArray

from ._simulation.tape import Tape
from .errors import Error
from .simulation import Simulation


def simulator(simulation: Simulation) -> Callable[[jax.Array], jax.Array]:
    """Traces [place, sample] as a function of parameters, of the type of the parameters.

    The model runs once now, to find out how many samples there are. It runs in double precision; there are no
    second derivatives, and ``vmap`` runs one after another.
    """
    shape = simulation(simulation.x).shape
    tape = Tape(simulation)

    def checked(traces: NDArray[Any], x: jax.Array) -> NDArray[Any]:
        if traces.shape != shape:
            raise Error(
                f"the run has {traces.shape[1] - 1} time steps, there were {shape[1] - 1} when the simulator was made "
                "(was h.dt changed?): make it again"
            )
        return traces.astype(_type_of(x))

    def forward(x: jax.Array) -> jax.Array:
        def run(values: jax.Array) -> NDArray[Any]:
            return checked(simulation(np.asarray(values, dtype=np.float64)), x)

        return jax.pure_callback(run, jax.ShapeDtypeStruct(shape, _type_of(x)), x, vmap_method="sequential")

    def forward_and_number(x: jax.Array) -> tuple[jax.Array, tuple[jax.Array, jax.Array]]:
        def run(values: jax.Array) -> tuple[NDArray[Any], NDArray[Any]]:
            traces, number = tape.run(np.asarray(values, dtype=np.float64))
            return checked(traces, x), np.asarray(number, dtype=np.int32)

        results = jax.ShapeDtypeStruct(shape, _type_of(x)), jax.ShapeDtypeStruct((), np.int32)
        traces, number = jax.pure_callback(run, results, x, vmap_method="sequential")
        return traces, (x, number)

    def backward(residuals: tuple[jax.Array, jax.Array], derivative: jax.Array) -> tuple[jax.Array]:
        x, number = residuals

        def run(which: jax.Array, rows: jax.Array) -> NDArray[Any]:
            return tape.vjp(int(which), np.asarray(rows, dtype=np.float64)).astype(_type_of(x))

        result = jax.ShapeDtypeStruct(x.shape, _type_of(x))
        return (jax.pure_callback(run, result, number, derivative, vmap_method="sequential"),)

    # What jax says of its type is partly unknown.
    simulate = cast(Any, jax.custom_vjp(forward))
    simulate.defvjp(forward_and_number, backward)
    return simulate


def _type_of(x: jax.Array) -> Any:
    """The type of the numbers in an array, of which jax says only in part what it is."""
    return cast(Any, x).dtype
