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
    found = of_mechanisms(cell.all, mechanisms)
    for name in ("ena", "ek"):
        found[name] = range_of(name, name, cell.all)
    trunk = [cell.sections["trunk"]]
    for direction, name, sections in (
        ("cm", "cm", cell.all),
        ("cm_trunk", "cm", trunk),
        ("Ra", "Ra", cell.all),
        ("Ra_trunk", "Ra", trunk),
    ):
        found[direction] = range_of(name, name, sections)
    stimulus = cell.stimuli[0]
    found["amp"] = (gradmod.Stimulus(stimulus, "amp"), shift([stimulus], "amp"), stimulus.amp)
    found["celsius"] = (gradmod.Global("celsius"), shift([branched], "CELSIUS"), branched.CELSIUS)
    if any(hasattr(segment, "cao") for segment in cell.segments()):
        found["cao0_ca_ion"] = (gradmod.Global("cao0_ca_ion"), shift([h], "cao0_ca_ion"), h.cao0_ca_ion)
    found["v_init"] = (gradmod.InitialVoltage(), shift([branched], "V_INIT"), abs(branched.V_INIT))
    return found


def of_mechanisms(sections: Sequence[Any], mechanisms: Sequence[str]) -> Everything:
    """All PARAMETERs of the mechanisms, RANGE ones in all of the sections that have them."""
    found: Everything = {}
    for mechanism in mechanisms:
        found |= _range_parameters(sections, mechanism) | _global_parameters(mechanism)
    return found


def states(segment: Any) -> list[str]:
    """NEURON's names of all STATEs of the mechanisms in a segment; a concentration by its own name."""
    found: list[str] = []
    for mechanism in segment:
        name = mechanism.name()
        if not name.endswith("_ion"):
            for state in _block(name, "STATE"):
                public = f"{state}_{name}"
                found.append(public if hasattr(segment, f"_ref_{public}") else state)
    return [name for name in found if hasattr(segment, f"_ref_{name}")]


def _block(mechanism: str, keyword: str) -> list[str]:
    """The names in the blocks of one kind in a mechanism's source."""
    source = h.MechanismType(0)
    source.select(mechanism)
    text = re.sub(r"(?s)\bCOMMENT\b.*?\bENDCOMMENT\b|[:?][^\n]*", "", source.code())
    blocks = " ".join(re.findall(rf"\b{keyword}\s*\{{([^}}]*)\}}", text))
    return re.findall(r"\b[A-Za-z_]\w*", re.sub(r"\([^)]*\)", "", blocks))


def _range_parameters(everywhere: Sequence[Any], mechanism: str) -> Everything:
    standard = h.MechanismStandard(mechanism, 1)
    name = h.ref("")
    found: Everything = {}
    for index in range(int(standard.count())):
        standard.name(name, index)
        sections = [section for section in everywhere if section.has_membrane(mechanism)]
        found[name[0]] = range_of(name[0], name[0], sections)
    return found


def _global_parameters(mechanism: str) -> Everything:
    found: Everything = {}
    for word in sorted(set(_block(mechanism, "PARAMETER"))):
        name = f"{word}_{mechanism}"
        try:
            value = getattr(h, name, None)
        except TypeError:  # a RANGE variable
            continue
        if isinstance(value, float):
            found[name] = (gradmod.Global(name), shift([h], name), abs(value) or 1.0)
    return found


def range_of(name: str, attribute: str, sections: Sequence[Any]) -> tuple[Any, Setter, float]:
    """A range variable of some sections as one direction."""
    owners = list(sections) if name == "Ra" else [seg for sec in sections for seg in sec if hasattr(seg, attribute)]
    size = max(abs(getattr(owner, attribute)) for owner in owners) or 1.0
    return gradmod.Range(name, sections), shift(owners, attribute), size


def shift(owners: Sequence[Any], attribute: str) -> Setter:
    """What changes an attribute of all owners by the same amount."""
    values = [getattr(owner, attribute) for owner in owners]

    def shift(by: float) -> None:
        for owner, value in zip(owners, values, strict=True):
            setattr(owner, attribute, value + by)

    return shift


def weight_of(netcon: Any) -> tuple[Any, Setter, float]:
    """The weight of a NetCon."""
    weight = netcon.weight[0]

    def shift(by: float) -> None:
        netcon.weight[0] = weight + by

    return gradmod.NetConWeight(netcon), shift, abs(weight)
