"""JAX: a simulation as a function that ``jax.grad`` goes through, also inside ``jax.jit``. Needs the package jax.

    from gradmod.jax import simulator
    simulate = simulator(simulation)
    jax.value_and_grad(lambda x: loss(simulate(x)))(x)                      # traces [place, sample]
    jax.value_and_grad(lambda x: loss(simulate(x, {"amp": amps})))(x)       # amps [batch]: [batch, place, sample]

A network may make x, or read the traces. Each call is a run of its own: a loss may have several, with the same x too,
if the inputs are others or the model was changed between them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, cast

import jax
import numpy as np
from jax.custom_derivatives import SymbolicZero
from numpy.typing import NDArray

from ._simulation.batches import batch_size
from ._simulation.tape import Tape
from .errors import Error, Refused
from .simulation import Simulation


class Simulate(Protocol):
    """What :func:`simulator` returns."""

    def __call__(self, x: jax.Array, inputs: Mapping[str, Any] | None = None) -> jax.Array:
        """Traces, in the unit of what is recorded.

        Args:
            x: [parameter], or [batch, parameter].
            inputs: The values of all inputs by name, each with its shape in ``simulation.input_shapes``, or with an
                axis for the batch before it.

        Returns:
            [place, sample], or [batch, place, sample] if x or an input has an axis for the batch: these are runs one
            after another, of which each has its own gradient.

        Raises:
            Error: An input is missing or unknown, a shape is wrong, or x is of integers.
            Refused: A derivative with respect to an input is asked for; ``jax.lax.stop_gradient`` says that none is
                wanted.
        """
        ...


def simulator(simulation: Simulation) -> Simulate:
    """Traces as a function of parameters, and of inputs, of the type of the parameters.

    The model runs once now, to find out how many samples there are. It runs in double precision, with the numbers that
    JAX has: these are single ones without ``jax_enable_x64``. There are no second derivatives, and ``vmap`` runs one
    after another.
    """
    shape = simulation(simulation.x, simulation.inputs).shape
    tape = Tape(simulation)

    def checked(traces: NDArray[Any], x: jax.Array) -> NDArray[Any]:
        if traces.shape != shape:
            raise Error(
                f"the run has {traces.shape[1] - 1} time steps, there were {shape[1] - 1} when the simulator was made "
                "(was h.dt changed?): make it again"
            )
        return traces.astype(_type_of(x))

    def forward(x: jax.Array, inputs: Mapping[str, jax.Array]) -> jax.Array:
        def run(values: jax.Array, given: Mapping[str, jax.Array]) -> NDArray[Any]:
            return checked(simulation(np.asarray(values, dtype=np.float64), _numbers(given)), x)

        return jax.pure_callback(run, jax.ShapeDtypeStruct(shape, _type_of(x)), x, inputs, vmap_method="sequential")

    def forward_and_number(first: Any, second: Mapping[str, Any]) -> tuple[jax.Array, tuple[jax.Array, jax.Array]]:
        # JAX gives values with whether their derivatives are asked for.
        wanted = [name for name, one in second.items() if one.perturbed]
        if wanted:
            raise Refused(
                f"a derivative with respect to the input {', '.join(wanted)}: inputs have none; make it a parameter of "
                "the simulation, or give jax.lax.stop_gradient(...) of it"
            )
        x: jax.Array = first.value

        def run(values: jax.Array, given: Mapping[str, jax.Array]) -> tuple[NDArray[Any], NDArray[Any]]:
            traces, number = tape.run(np.asarray(values, dtype=np.float64), _numbers(given))
            return checked(traces, x), np.asarray(number, dtype=np.int32)

        results = jax.ShapeDtypeStruct(shape, _type_of(x)), jax.ShapeDtypeStruct((), np.int32)
        inputs = {name: one.value for name, one in second.items()}
        traces, number = jax.pure_callback(run, results, x, inputs, vmap_method="sequential")
        return traces, (x, number)

    def backward(residuals: tuple[jax.Array, jax.Array], derivative: Any) -> tuple[jax.Array | None, None]:
        x, number = residuals
        if isinstance(derivative, SymbolicZero):
            return None, None

        def run(which: jax.Array, rows: jax.Array) -> NDArray[Any]:
            return tape.vjp(int(which), np.asarray(rows, dtype=np.float64)).astype(_type_of(x))

        result = jax.ShapeDtypeStruct(x.shape, _type_of(x))
        return jax.pure_callback(run, result, number, derivative, vmap_method="sequential"), None

    # What jax says of its type is partly unknown.
    one_run = cast(Any, jax.custom_vjp(forward))
    one_run.defvjp(forward_and_number, backward, symbolic_zeros=True)
    numpy = cast(Any, jax.numpy)

    def simulate(x: jax.Array, inputs: Mapping[str, Any] | None = None) -> jax.Array:
        row = numpy.asarray(x)
        if not numpy.issubdtype(row.dtype, numpy.floating):
            raise Error(f"x has the type {row.dtype}, and so would the traces: give floating-point numbers")
        given = {name: numpy.asarray(value) for name, value in (inputs or {}).items()}
        own = simulation.input_shapes
        size = batch_size(row.shape, len(simulation.names), {name: one.shape for name, one in given.items()}, own)
        if size is None:
            return one_run(row, given)
        axes = {name: None if one.shape == own[name] else 0 for name, one in given.items()}
        return jax.vmap(one_run, in_axes=(None if row.ndim == 1 else 0, axes))(row, given)

    return simulate


def _numbers(given: Mapping[str, jax.Array]) -> dict[str, NDArray[np.float64]]:
    return {name: np.asarray(one, dtype=np.float64) for name, one in given.items()}


def _type_of(x: jax.Array) -> Any:
    """The type of the numbers in an array, of which jax says only in part what it is."""
    return cast(Any, x).dtype
