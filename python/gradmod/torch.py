"""PyTorch: a simulation as a function that autograd goes through. Needs the package torch.

    from gradmod.torch import simulate
    traces = simulate(simulation, x)                     # [place, sample]
    traces = simulate(simulation, x, {"amp": amps})      # amps [batch]: [batch, place, sample]
    loss(traces).backward()                              # x.grad

A network may make x, or read the traces. Each call is a run of its own: a loss may have several, with the same x too,
if the inputs are others or the model was changed between them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from ._simulation.batches import batch_size
from .errors import Error, Refused
from .simulation import Simulation


class _Runs(torch.autograd.Function):
    """[batch, parameter] and one array for each input, [batch, ...], to [batch, place, sample]."""

    @staticmethod
    def forward(ctx: Any, simulation: Simulation, names: list[str], x: torch.Tensor, *inputs: Any) -> torch.Tensor:
        values = [_numbers(one) for one in inputs]
        others = [dict(zip(names, one, strict=True)) for one in zip(*values, strict=True)] or [{}] * len(x)
        points = list(zip(_numbers(x), others, strict=True))
        ctx.kind = {"dtype": x.dtype, "device": x.device}
        if ctx.needs_input_grad[2]:
            ctx.runs = [simulation.keep(*point) for point in points]
            traces = [run.traces for run in ctx.runs]
        else:
            traces = [simulation(*point) for point in points]
        return torch.from_numpy(np.array(traces)).to(**ctx.kind)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, *derivatives: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        rows = _numbers(derivatives[0])
        # The last run is the one that is still where its gradient is taken from.
        found = [run.vjp(row) for run, row in zip(reversed(ctx.runs), reversed(rows), strict=True)]
        gradient = torch.from_numpy(np.array(found[::-1])).to(**ctx.kind)
        return None, None, gradient, *(None for _ in ctx.needs_input_grad[3:])


def simulate(
    simulation: Simulation, x: torch.Tensor, inputs: Mapping[str, torch.Tensor | ArrayLike] | None = None
) -> torch.Tensor:
    """Traces of a simulation with parameters x, of the type and on the device of x.

    The model runs in double precision. There are no second derivatives.

    Args:
        simulation: The model.
        x: [parameter], or [batch, parameter].
        inputs: The values of all inputs by name, each with its shape in ``simulation.input_shapes``, or with an axis
            for the batch before it. They have no gradient.

    Returns:
        [place, sample], or [batch, place, sample] if x or an input has an axis for the batch: these are runs one after
        another, of which each has its own gradient.

    Raises:
        Error: An input is missing or unknown, a shape is wrong, or x is of integers.
        Refused: An input requires a gradient; or a run does, which could not be exact.
    """
    if not x.is_floating_point():
        raise Error(f"x has the type {x.dtype}, and so would the traces: give floating-point numbers")
    given = {name: _tensor(value) for name, value in (inputs or {}).items()}
    own = simulation.input_shapes
    size = batch_size(x.shape, len(simulation.names), {name: one.shape for name, one in given.items()}, own)
    wanted = [name for name, one in given.items() if one.requires_grad] if torch.is_grad_enabled() else []
    if wanted:
        raise Refused(
            f"a derivative with respect to the input {', '.join(wanted)}: inputs have none; make it a parameter of the "
            "simulation, or give its .detach()"
        )
    runs = size or 1
    rows = x if x.ndim == 2 else x.expand(runs, *x.shape)
    values = [one if one.shape != own[name] else one.expand(runs, *one.shape) for name, one in given.items()]
    traces = _Runs.apply(simulation, list(given), rows, *values)
    return traces[0] if size is None else traces


def _tensor(value: torch.Tensor | ArrayLike) -> torch.Tensor:
    # Of numbers, torch would make single ones.
    return value if isinstance(value, torch.Tensor) else torch.from_numpy(np.array(value, dtype=np.float64))


def _numbers(tensor: torch.Tensor) -> NDArray[np.float64]:
    return tensor.detach().cpu().to(torch.float64).numpy()
