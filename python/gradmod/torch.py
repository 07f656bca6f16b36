"""PyTorch: a simulation as a function that autograd goes through. Needs the package torch.

    from gradmod.torch import simulate
    traces = simulate(simulation, x)          # [place, sample]
    loss(traces).backward()                   # x.grad

A network may make x, or read the traces. Each call is a run of its own: a loss may have several, with the same x too,
if the model was changed between them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from .simulation import Simulation


class _Run(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, simulation: Simulation) -> torch.Tensor:
        ctx.kept = simulation.keep(x.detach().cpu().to(torch.float64).numpy())
        ctx.kind = {"dtype": x.dtype, "device": x.device}
        return torch.from_numpy(ctx.kept.traces).to(**ctx.kind)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, *derivatives: torch.Tensor) -> tuple[torch.Tensor, None]:
        derivative = np.asarray(derivatives[0].detach().cpu().to(torch.float64).numpy())
        return torch.from_numpy(ctx.kept.vjp(derivative)).to(**ctx.kind), None


def simulate(simulation: Simulation, x: torch.Tensor) -> torch.Tensor:
    """Traces [place, sample] of a simulation with parameters x, of the type and on the device of x.

    The model runs in double precision. There are no second derivatives.
    """
    return _Run.apply(x, simulation)
