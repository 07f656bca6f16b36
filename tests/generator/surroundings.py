"""Sections that stand before the model and go one after another: NEURON then moves the model's data."""

from __future__ import annotations

from neuron import h

_COUNT = 60


class Surroundings:
    """To be made before the model."""

    def __init__(self) -> None:
        self._sections = [h.Section(name=f"early{i}") for i in range(_COUNT)]
        for section in self._sections:
            section.insert("pas")
        self._processes = [h.Exp2Syn(section(0.5)) for section in self._sections]

    def shrink(self) -> None:
        """Another one goes, with what is in it, as long as there are some."""
        if self._sections:
            self._processes.pop(0)
            self._sections.pop(0)
