"""Sections that stand before the model and go one after another: NEURON then moves the model's data."""

from __future__ import annotations

from neuron import h

_COUNT = 60


class Surroundings:
    """To be made before the model."""

    def __init__(self) -> None:
        self._made = 0
        self._sections = [self._section() for _ in range(_COUNT)]
        self._processes = [h.Exp2Syn(section(0.5)) for section in self._sections]

    def _section(self) -> object:
        section = h.Section(name=f"other{self._made}")
        section.insert("pas")
        self._made += 1
        return section

    def change(self) -> None:
        """The first one goes, with what is in it; another one comes, so that there are as many as before."""
        self._processes.pop(0)
        self._sections.pop(0)
        self._sections.append(self._section())
        self._processes.append(h.Exp2Syn(self._sections[-1](0.5)))
