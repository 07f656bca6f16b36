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


@pytest.mark.parametrize("seed", range(3))
def test_a_changing_model_around_the_cell(seed: int) -> None:
    """Before runs, between steps, and both: the gradients stay bit for bit."""
    # Where others are before it, what the cell has moves when one of these goes.
    early = [h.Section(name=f"early{i}") for i in range(20)]
    for section in early:
        section.insert("pas")
    processes = [h.Exp2Syn(section(0.5)) for section in early]
    passive = build_passive()
    synapse = h.Exp2Syn(passive["twig"](0.5))
    source = h.NetStim()
    source.start, source.interval, source.number, source.noise = 0.4, 0.7, 5, 0
    netcon = h.NetCon(source, synapse, 0, 0.13, 2e-3)
    others = Others(seed)
    grad = gradmod.attach(
        g=Range("g_pas", passive.with_pas), tau=gradmod.Stimulus(synapse, "tau2"), w=gradmod.NetConWeight(netcon)
    )
    records = [grad.record(passive["soma"](0.5)), grad.record(passive["twig"](1)), grad.record(synapse, "B")]

    def run(changes: float) -> list[Any]:
        h.dt = 0.05
        h.finitialize(-66)
        for _ in range(80):
            h.fadvance()
            if processes and changes and random.random() < 0.1:
                processes.pop(0)
                early[len(processes)].uninsert("pas")
                continue
            if random.random() < changes:
                others.change()
        return [record.jacobian() for record in records]

    random.seed(seed)
    expected = run(0.0)
    assert all(np.any(found) for found in expected)
    for changes in (0.2, 0.0, 0.6, 0.05):
        for _ in range(10):
            others.change()
        assert all(np.array_equal(a, b) for a, b in zip(run(changes), expected, strict=True))
