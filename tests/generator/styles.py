"""Ions of which a point process reads a concentration: NEURON computes their reversal potential in its segment only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from neuron import h

from .models import Model


def even_out(model: Model, sections: Mapping[str, Any]) -> None:
    """Let it follow the concentrations in all of the section, in three models of four: gradmod refuses most others."""
    if model.seed % 4 == 0:
        return
    mechanisms = {m.name: m for m in model.mechanisms}
    for point in model.points:
        section = next(s for s in model.sections if s.name == point.section)
        pools = set[str]().union(*(mechanisms[name].sets_concentration for name in section.mechanisms))
        for ion in mechanisms[point.mechanism].ions:
            reads = {f"{ion.name}i", f"{ion.name}o"} & set(ion.read)
            if section.nseg > 1 and reads and ion.name not in pools:
                h.ion_style(f"{ion.name}_ion", 1, 2, 1, 1, 0, sec=sections[section.name])
