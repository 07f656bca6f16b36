"""INITIAL reads a PARAMETER before it changes it: what it made is not of the value that is there when it has run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gradmod
import numpy as np
import pytest
from models import comparing, everything, library
from neuron import h

NAMES = ("g", "share", "part")


class Cells:
    """Two branched cells, other values in every segment, which each run begins with."""

    def __init__(self, mechanism: str = "leakfix") -> None:
        library.load_fixtures(library.CHANNELS.parent / "corrected")
        self.mechanism = mechanism
        self.sections = [section for number in range(2) for section in self._branched(number)]
        self.segments = [segment for section in self.sections for segment in section]
        self.begin = {
            (segment, f"{name}_{mechanism}"): value * (1 + 0.02 * number)
            for number, segment in enumerate(self.segments)
            for name, value in zip(NAMES, (3e-4, 0.7, 0.4), strict=True)
        }
        # INITIAL of leakfix sets it to this number: the only one that it keeps.
        self.begin |= {(segment, f"part_{mechanism}"): 0.4 for segment in self.segments}
        self.places = [self.sections[0](0.5), self.sections[4](0.25)]
        self.clamp = h.IClamp(self.places[0])
        self.clamp.delay, self.clamp.dur, self.clamp.amp = 0.5, 2.0, 0.2
        self.vectors = {f"{place}.v": h.Vector().record(place._ref_v) for place in self.places}

    def _branched(self, number: int) -> list[Any]:
        soma, dend, twig = made = [h.Section(name=f"{part}{number}") for part in ("soma", "dend", "twig")]
        soma.L, soma.diam = 18 + number, 15
        for section, length in ((dend, 90), (twig, 60 + 5 * number)):
            section.L, section.diam, section.nseg = length, 1.5, 2
            section.connect(soma(1))
        for section in made:
            section.insert(self.mechanism)
        return made

    def run(self) -> dict[str, np.ndarray]:
        for (segment, name), value in self.begin.items():
            setattr(segment, name, value)
        h.dt, h.steps_per_ms = 0.05, 20
        h.finitialize(-65)
        context = h.ParallelContext()
        context.set_maxstep(10)
        context.psolve(4.0)
        return {name: vector.as_numpy().copy() for name, vector in self.vectors.items()}

    def directions(self, *names: str) -> everything.Everything:
        def shift(name: str) -> Callable[[float], None]:
            before = {key: value for key, value in self.begin.items() if key[1] == name}

            def by(amount: float) -> None:
                self.begin |= {key: value + amount for key, value in before.items()}

            return by

        return {name: (gradmod.Range(name, self.sections), shift(name), 0.5) for name in names}


def in_reverse(cells: Cells, *names: str) -> dict[str, Any]:
    with gradmod.Reverse(quiet=True, **{name: gradmod.Range(name, cells.sections) for name in names}) as reverse:
        traces = [reverse.record(place) for place in cells.places]
        reverse.run(4.0, simulate=cells.run)
        return dict(reverse.gradient({trace: np.ones(len(trace.values)) for trace in traces}))


def test_values_that_it_keeps() -> None:
    cells = Cells()
    directions = cells.directions("g_leakfix", "share_leakfix")
    found = comparing.gradients(directions, [(place, "v") for place in cells.places], cells.run)
    assert comparing.wrong(found, directions, cells.run) == {}
    for name, value in in_reverse(cells, *directions).items():
        assert float(value) == pytest.approx(sum(np.sum(trace) for trace in found[name].values()), rel=1e-9)


def test_values_that_it_keeps_and_steps_change() -> None:
    cells = Cells("leakfade")
    directions = cells.directions("g_leakfade", "part_leakfade")
    found = comparing.gradients(directions, [(place, "v") for place in cells.places], cells.run)
    assert comparing.wrong(found, directions, cells.run) == {}
    with pytest.raises(gradmod.Refused, match="beside a start that reads what it was before"):
        in_reverse(cells, *directions)


@pytest.mark.parametrize(
    ("name", "asked", "value", "to"),
    [
        ("share_leakfix", "g_leakfix", 0.3, "0.5"),
        ("share_leakfix", "share_leakfix", 0.3, "0.5"),
        ("part_leakfix", "g_leakfix", 0.6, "0.4"),
        ("part_leakfix", "part_leakfix", 0.6, "0.4"),
        ("share_leakfade", "g_leakfade", 0.3, "0.5"),
    ],
)
def test_values_that_it_changes(name: str, asked: str, value: float, to: str) -> None:
    """Whether a gradient is asked for in the PARAMETER or not."""
    cells = Cells(name.partition("_")[2])
    segment = cells.segments[-1]
    cells.run()
    message = rf"INITIAL changed {name} of .* from {value:g} to {to}"
    grad = gradmod.attach(quiet=True, d=gradmod.Range(asked, cells.sections))
    record = grad.record(cells.places[1])
    cells.begin[segment, name] = value
    cells.run()
    with pytest.raises(gradmod.Refused, match=message):
        record["d"]
    grad.detach()
    if cells.mechanism == "leakfix":
        with pytest.raises(gradmod.Refused, match=message):
            in_reverse(cells, asked)
