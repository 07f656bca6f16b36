"""What a run with gradients costs, in plain runs: measured beside each other, the same for all models.

Times are of the processor, of ``psolve`` and of the way back; ``finitialize`` is left out. What disturbs only adds, so
that each time is the least of three; ratios are medians over some rounds.
"""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import gradmod
import neuron
import numpy as np
from neuron import h

#: One run: its processor seconds.
Run = Callable[[], float]


def psolve(t_stop: float, *, dt: float = 0.025, v_init: float = -65.0) -> float:
    """Run once; times in ms, voltage in mV. Returns processor seconds, without `finitialize`."""
    h.dt = dt
    h.finitialize(v_init)
    context = h.ParallelContext()
    context.set_maxstep(10)
    begin = time.thread_time()
    context.psolve(t_stop)
    return time.thread_time() - begin


def forward(wanted: Mapping[str, gradmod.Parameter], run: Run, rounds: int) -> dict[str, Any]:
    """A row: all these directions at once."""
    ratios = []
    for _ in range(rounds):
        plain = min(run() for _ in range(3))
        gradients = gradmod.attach(wanted, quiet=True)
        ratios.append(min(run() for _ in range(3)) / plain)
        gradients.detach()
    return {"mode": "forward", "K": len(wanted), "ratio": statistics.median(ratios)}


def reverse(
    wanted: Mapping[str, gradmod.Parameter], places: Sequence[Any], run: Run, t_stop: float, rounds: int
) -> dict[str, Any]:
    """The same of reverse mode, both its parts; the loss is a sum over the voltages at these segments."""
    parts: list[tuple[float, float]] = []
    for _ in range(rounds):
        plain = min(run() for _ in range(3))
        with gradmod.Reverse(wanted, memory=2048, quiet=True) as engine:
            traces = [engine.record(place) for place in places]

            def once(engine: Any = engine, traces: Any = traces, plain: float = plain) -> tuple[float, float]:
                seconds: list[float] = []
                engine.run(t_stop, simulate=lambda: seconds.append(run()))
                cotangents = {trace: np.ones(len(trace.values)) for trace in traces}
                begin = time.thread_time()
                engine.gradient(cotangents)
                return seconds[-1] / plain, (time.thread_time() - begin) / plain

            parts.append(min((once() for _ in range(3)), key=sum))
            count = sum(
                np.size(values) for values in engine.gradient({traces[0]: np.ones(len(traces[0].values))}).values()
            )
    recording, back = (statistics.median(part) for part in zip(*parts, strict=True))
    return {"mode": "reverse", "K": count, "ratio": recording + back, "recording": recording, "back": back}


def show(row: Mapping[str, Any], *, as_json: bool) -> None:
    """One line: as JSON, or to read."""
    rounded = {key: round(value, 2) if isinstance(value, float) else value for key, value in row.items()}
    rounded = {"neuron": neuron.__version__} | rounded
    print(json.dumps(rounded) if as_json else "  ".join(f"{k} {v}" for k, v in rounded.items()), flush=True)
