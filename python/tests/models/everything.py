"""Every parameter of a model as a direction, and the way to change it for finite differences."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import gradmod
from neuron import h

from . import branched

Setter = Callable[[float], None]
#: direction -> what gradmod is asked for; how to shift it; the size of the parameter
Everything = dict[str, tuple[Any, Setter, float]]


def of(cell: branched.Cell, mechanisms: Sequence[str]) -> Everything:
    """All PARAMETERs of the mechanisms, reversal potentials, cm and Ra of all and of some sections, the rest."""
    found: Everything = {}
    for mechanism in mechanisms:
        found |= _range_parameters(cell, mechanism) | _global_parameters(mechanism)
    for name in ("ena", "ek"):
        found[name] = _range(name, name, cell.all)
    trunk = [cell.sections["trunk"]]
    for direction, name, sections in (
        ("cm", "cm", cell.all),
        ("cm_trunk", "cm", trunk),
        ("Ra", "Ra", cell.all),
        ("Ra_trunk", "Ra", trunk),
    ):
        found[direction] = _range(name, name, sections)
    stimulus = cell.stimuli[0]
    found["amp"] = (gradmod.Stimulus(stimulus, "amp"), _shift([stimulus], "amp"), stimulus.amp)
    found["celsius"] = (gradmod.Global("celsius"), _shift([branched], "CELSIUS"), branched.CELSIUS)
    found["v_init"] = (gradmod.InitialVoltage(), _shift([branched], "V_INIT"), abs(branched.V_INIT))
    return found


def _range_parameters(cell: branched.Cell, mechanism: str) -> Everything:
    standard = h.MechanismStandard(mechanism, 1)
    name = h.ref("")
    found: Everything = {}
    for index in range(int(standard.count())):
        standard.name(name, index)
        sections = [section for section in cell.all if section.has_membrane(mechanism)]
        found[name[0]] = _range(name[0], name[0], sections)
    return found


def _global_parameters(mechanism: str) -> Everything:
    source = h.MechanismType(0)
    source.select(mechanism)
    block = re.search(r"PARAMETER\s*\{(.*?)\n\}", source.code(), re.DOTALL)
    found: Everything = {}
    for word in sorted(set(re.findall(r"\b\w+\b", block[1] if block else ""))):
        name = f"{word}_{mechanism}"
        try:
            value = getattr(h, name, None)
        except TypeError:  # a RANGE variable
            continue
        if isinstance(value, float):
            found[name] = (gradmod.Global(name), _shift([h], name), abs(value) or 1.0)
    return found


def _range(name: str, attribute: str, sections: Sequence[Any]) -> tuple[Any, Setter, float]:
    owners = list(sections) if name == "Ra" else [seg for sec in sections for seg in sec if hasattr(seg, attribute)]
    size = max(abs(getattr(owner, attribute)) for owner in owners) or 1.0
    return gradmod.Range(name, sections), _shift(owners, attribute), size


def _shift(owners: Sequence[Any], attribute: str) -> Setter:
    values = [getattr(owner, attribute) for owner in owners]

    def shift(by: float) -> None:
        for owner, value in zip(owners, values, strict=True):
            setattr(owner, attribute, value + by)

    return shift
