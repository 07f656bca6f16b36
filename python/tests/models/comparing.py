"""Gradients beside finite differences: one comparison for all tests of small models."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import gradmod
import numpy as np
from gradmod import finite

from .everything import Everything

Run = Callable[[], dict[str, np.ndarray]]
#: direction -> trace -> [sample]
Gradients = dict[str, dict[str, np.ndarray]]


def gradients(directions: Everything, looks: Iterable[tuple[Any, str]], run: Run) -> Gradients:
    """Gradients in forward mode, of traces that ``run`` names; its traces must be what they are without."""
    plain = run()
    grad = gradmod.attach(**{name: wanted for name, (wanted, _, _) in directions.items()})
    records = {f"{place}.{name}": grad.record(place, name) for place, name in looks}
    attached = run()
    assert all(np.array_equal(plain[name], attached[name]) for name in plain)
    found = {d: {name: np.array(record[d]) for name, record in records.items()} for d in directions}
    # The same again: nothing is left of the first run.
    run()
    assert all(np.array_equal(record[d], found[d][name]) for d in directions for name, record in records.items())
    grad.detach()
    return found


def differences(run: Run, shift: Callable[[float], None], size: float) -> finite.Difference:
    """A sweep of steps, and fits where it is not good enough by its own estimate.

    The wide fits are for what hardly matters, the narrow ones for what has kinks.
    """
    widths = [w * size for w in (0.1, 0.03, 0.01, 1e-3, 1e-4, 1e-5, 1e-6)]
    found = finite.differentiate(run, shift, 0.0, scale=size, steps=(1e-3, 1e-4, 1e-5, 1e-6))
    for pairs, enough in ((12, 1e-7), (100, 3e-7)):
        if max(map(found.uncertainty, found.value)) > enough:
            found = finite.best(found, *(finite.fit(run, shift, 0.0, width=width, pairs=pairs) for width in widths))
    return found


def wrong(found: Mapping[str, Mapping[str, np.ndarray]], directions: Everything, run: Run) -> dict[str, str]:
    """The gradients that deviate from differences by more than 1e-6 of the largest value, and by how much."""
    names = next(iter(found.values())).keys()

    def compared_traces() -> dict[str, np.ndarray]:
        traces = run()
        return {name: traces[name] for name in names}

    compared = {
        d: finite.compare(found[d], differences(compared_traces, shift, size))
        for d, (_, shift, size) in directions.items()
    }
    return {d: str(comparison) for d, comparison in compared.items() if not comparison.deviation <= 1e-6}
