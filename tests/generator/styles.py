"""Styles of ions that are not what the mechanisms make of them: NEURON lets a script say what follows from what."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import Any

from neuron import h

from .models import Model

#: Of a concentration that is constant: reversal potentials that follow at the start, in each step, both, or not;
#: concentrations that start from `cai0_ca_ion`, or stay as they are.
_CONSTANT = ((1, 2, 1, 1, 0), (1, 2, 1, 0, 1), (1, 2, 1, 1, 1), (1, 2, 0, 1, 0), (1, 2, 0, 0, 1), (1, 1, 0, 0, 0))
#: Of one that a mechanism carries.
_CARRIED = ((3, 2, 0, 1, 1), (3, 2, 0, 1, 1), (3, 2, 1, 1, 0), (3, 1, 0, 0, 1))


def even_out(model: Model, sections: Mapping[str, Any]) -> None:
    """Let reversal potentials follow the concentrations in all of a section, in three models of four.

    NEURON itself computes them only in the segment whose point process reads a concentration: gradmod refuses most of
    that.
    """
    if model.seed % 4 == 0:
        return
    mechanisms = {m.name: m for m in model.mechanisms}
    for point in model.points:
        section = next(s for s in model.sections if s.name == point.section)
        pools = set[str]().union(*(mechanisms[name].sets for name in section.mechanisms))
        for ion in mechanisms[point.mechanism].ions:
            reads = {f"{ion.name}i", f"{ion.name}o"} & set(ion.read)
            if section.nseg > 1 and reads and not {f"{ion.name}i", f"{ion.name}o"} & pools:
                h.ion_style(f"{ion.name}_ion", 1, 2, 1, 1, 0, sec=sections[section.name])


def mix(model: Model, sections: Mapping[str, Any]) -> list[tuple[Any, str, float]]:
    """Set other styles in some models; returns what a run must find again: owners, names and values."""
    again: list[tuple[Any, str, float]] = []
    if model.seed % 10 >= 3:
        return again
    mechanisms = {m.name: m for m in model.mechanisms}
    for section in model.sections:
        inside = [ion for name in section.mechanisms for ion in mechanisms[name].ions]
        at_points = {
            ion.name for p in model.points for ion in mechanisms[p.mechanism].ions if p.section == section.name
        }
        for name in sorted({ion.name for ion in inside}):
            uses = [variable for ion in inside if ion.name == name for variable in (*ion.read, *ion.write)]
            if name in at_points or f"e{name}" not in uses:
                continue
            written = {variable for ion in inside for variable in ion.write} & {f"{name}i", f"{name}o"}
            style = Random(f"{model.seed}:{section.name}:{name}").choice(_CARRIED if written else _CONSTANT)
            sec = sections[section.name]
            h.ion_style(f"{name}_ion", *style, sec=sec)
            if style[2:4] == (0, 1):
                # Where only steps compute it, INITIAL finds what the run before has left.
                again += [(seg, f"e{name}", float(getattr(seg, f"e{name}"))) for seg in sec]
    return again


def dry(model: Model, sections: Mapping[str, Any]) -> None:
    """In some models leave nothing of an ion outside, where it carries no current: NEURON has an answer for that."""
    if model.seed % 5 != 1:
        return
    mechanisms = {m.name: m for m in model.mechanisms}
    points = [mechanisms[p.mechanism] for p in model.points]
    for section in model.sections:
        inside = [*(mechanisms[name] for name in section.mechanisms), *points]
        ions = [ion for m in inside for ion in m.ions]
        for name in sorted({ion.name for ion in ions}):
            uses = [ion for ion in ions if ion.name == name]
            if not any(ion.write for ion in uses) and any(f"e{name}" in ion.read for ion in uses):
                for seg in sections[section.name]:
                    if hasattr(seg, f"{name}o"):
                        setattr(seg, f"{name}o", 0.0)
