"""BEFORE BREAKPOINT sets a variable: the run follows it, but NEURON shows it one step longer."""

from __future__ import annotations

from typing import Any

import gradmod
import numpy as np
import pytest
from models import comparing, twig
from neuron import h


def cell() -> twig.Twig:
    made = twig.Twig(("kbegin",))
    segments = [segment for section in made.all for segment in section]
    for i, segment in enumerate(segments):
        segment.kbegin.gbar, segment.kbegin.slope = 0.002 * (1 + 0.1 * i), 2 + 0.3 * i
    return made


def test_what_it_sets_is_followed_and_not_shown() -> None:
    made = cell()
    place = made.long(0.75)
    made.vectors |= {
        f"{place}.{name}": h.Vector().record(getattr(place, f"_ref_{name}")) for name in ("n_kbegin", "seen_kbegin")
    }
    segments = [segment for section in made.all for segment in section]

    def shift(name: str) -> Any:
        values = [float(getattr(segment, name)) for segment in segments]

        def by(amount: float) -> None:
            for segment, value in zip(segments, values, strict=True):
                setattr(segment, name, value + amount)

        return by

    directions = {
        name: (gradmod.Range(name, made.all), shift(name), size)
        for name, size in (("gbar_kbegin", 0.002), ("slope_kbegin", 2.0), ("tau_kbegin", 3.0))
    }
    run = lambda: made.run(0.025, 6.0)  # noqa: E731
    found = comparing.gradients(directions, [(place, "v"), (place, "n_kbegin"), (place, "seen_kbegin")], run)
    assert all(np.any(trace) for of in found.values() for trace in of.values())
    assert comparing.wrong(found, directions, run) == {}
    grad = gradmod.attach(g=gradmod.Range("gbar_kbegin", made.all))
    with pytest.raises(gradmod.Refused, match=r"no gradient of share_kbegin at .*: BEFORE BREAKPOINT sets it"):
        grad.record(place, "share_kbegin")
    grad.detach()
    with gradmod.Reverse(g=gradmod.Range("gbar_kbegin", made.all)) as reverse:
        reverse.record(place, "n_kbegin")
        with pytest.raises(gradmod.Refused, match=r"no gradient of share_kbegin at .*: BEFORE BREAKPOINT sets it"):
            reverse.record(place, "share_kbegin")
