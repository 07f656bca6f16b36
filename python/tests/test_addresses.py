"""NEURON moves its variables when a model changes: rows look for them anew, in the middle of a run too."""

from __future__ import annotations

import random
from typing import Any

import gradmod
import numpy as np
import pytest
from conftest import build_passive
from gradmod import Range
from neuron import h


class Others:
    """Sections that come, change and go; none has gradients."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._sections: list[Any] = []
        self._processes: list[Any] = []

    def change(self) -> None:
        choice = self._random.randrange(6)
        if choice == 0 or not self._sections:
            self._sections.append(h.Section(name=f"other{self._random.randrange(10**9)}"))
            self._sections[-1].insert(self._random.choice(["hh", "pas"]))
            return
        section = self._random.choice(self._sections)
        if choice == 1:
            section.nseg = self._random.choice([1, 3, 7, 25])
        elif choice == 2:
            self._processes.append(h.ExpSyn(section(self._random.random())))
        elif choice == 3 and self._processes:
            self._processes.pop(self._random.randrange(len(self._processes)))
        elif choice == 4:
            self._processes.clear()
            self._sections.remove(section)
        else:
            section.insert("pas")


class Surrounded:
    """The cell, and what moves its variables where it goes."""

    def __init__(self, seed: int) -> None:
        # Where others are before it, what the cell has moves when one of these goes.
        self._early = [h.Section(name=f"early{i}") for i in range(20)]
        for section in self._early:
            section.insert("pas")
        self._processes = [h.Exp2Syn(section(0.5)) for section in self._early]
        self.passive = build_passive()
        self.synapse = h.Exp2Syn(self.passive["twig"](0.5))
        self._source = h.NetStim()
        self._source.start, self._source.interval, self._source.number, self._source.noise = 0.4, 0.7, 5, 0
        self.netcon = h.NetCon(self._source, self.synapse, 0, 0.13, 2e-3)
        self._others = Others(seed)
        random.seed(seed)

    @property
    def directions(self) -> dict[str, gradmod.parameters.Parameter]:
        return {
            "g": Range("g_pas", self.passive.with_pas),
            "tau": gradmod.Stimulus(self.synapse, "tau2"),
            "w": gradmod.NetConWeight(self.netcon),
        }

    def change(self) -> None:
        for _ in range(10):
            self._others.change()

    def run(self, changes: float) -> None:
        h.dt = 0.05
        h.finitialize(-66)
        for _ in range(80):
            h.fadvance()
            if self._processes and changes and random.random() < 0.1:
                self._processes.pop(0)
                self._early[len(self._processes)].uninsert("pas")
                continue
            if random.random() < changes:
                self._others.change()


CHANGES = (0.2, 0.0, 0.6, 0.05)


@pytest.mark.parametrize("seed", range(3))
def test_a_changing_model_around_the_cell(seed: int) -> None:
    """Before runs, between steps, and both: the gradients stay bit for bit."""
    model = Surrounded(seed)
    grad = gradmod.attach(**model.directions)
    passive = model.passive
    records = [grad.record(passive["soma"](0.5)), grad.record(passive["twig"](1)), grad.record(model.synapse, "B")]

    def run(changes: float) -> list[Any]:
        model.run(changes)
        return [record.jacobian() for record in records]

    expected = run(0.0)
    assert all(np.any(found) for found in expected)
    for changes in CHANGES:
        model.change()
        assert all(np.array_equal(a, b) for a, b in zip(run(changes), expected, strict=True))


@pytest.mark.parametrize("memory", [512.0, 0.03], ids=["whole", "windows"])
@pytest.mark.parametrize("seed", range(3))
def test_a_changing_model_around_a_run_that_is_remembered(seed: int, memory: float) -> None:
    """The same in reverse mode."""
    model = Surrounded(seed)
    # INITIAL may correct a time constant, which reverse mode refuses.
    directions = {**model.directions, "tau": gradmod.Stimulus(model.synapse, "e")}
    with gradmod.Reverse(directions, memory=memory) as reverse:
        trace = reverse.record(model.passive["soma"](0.5))

        def gradient(changes: float) -> dict[str, Any]:
            reverse.run(4.0, simulate=lambda: model.run(changes))
            return dict(reverse.gradient({trace: np.sin(np.arange(81))}))

        h.dt = 0.05
        expected = gradient(0.0)
        assert all(expected.values())
        for changes in CHANGES:
            model.change()
            assert gradient(changes) == expected
