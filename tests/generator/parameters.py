"""The parameters of a model that gradients are asked for, and how each is moved by hand."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import TYPE_CHECKING, Any

import gradmod
from neuron import h

from .direction import Direction, moved, moved_weight

if TYPE_CHECKING:
    from .built import Built


def directions(built: Built) -> dict[str, Direction]:
    """All, or some of them."""
    found: dict[str, Direction] = {}
    sections = list(built.sections.values())
    segments = built.segments()
    # In some sections only: what one section has must not count for another.
    parts = (sections, sections[:-1], sections[1:])
    for m in built.mechanisms.values():
        if not built.stands(m):
            continue
        for number, p in enumerate(m.parameters):
            if m.is_point and p.scope == "RANGE":
                for i, point in enumerate(built.points):
                    is_played = (built.numbers[i], p.name) in built.played.numbers
                    if built.kind(i) == m.name and hasattr(point, p.name) and not is_played:
                        direction = moved(m.name, gradmod.Stimulus(point, p.name), [point], p.name)
                        found[f"{m.name}_{i}_{p.name}"] = _kept(built, p.name, [point], direction)
            elif p.scope == "RANGE":
                name = f"{p.name}_{m.name}"
                for part in (parts[number % 3], sections):
                    owners = [seg for sec in part for seg in sec if hasattr(seg, name)]
                    if owners:
                        direction = moved(m.name, gradmod.Range(name, part), owners, name)
                        found[name] = _kept(built, name, owners, direction)
                        break
            elif hasattr(h, f"{p.name}_{m.name}"):
                name = f"{p.name}_{m.name}"
                found[name] = moved(m.name, gradmod.Global(name), [h], name)
    for i, netcon in enumerate(built.netcons):
        owner = str(netcon.syn().hname()).split("[")[0]
        found[f"weight{i}"] = moved_weight(owner, netcon)
    found["cm"] = moved("cell", gradmod.Range("cm", sections), segments, "cm")
    found["Ra"] = moved("cell", gradmod.Range("Ra", sections), sections, "Ra")
    found["leak"] = moved(
        "cell", gradmod.Range("g_pas", sections[1:]), [s for s in segments if s.sec in sections[1:]], "g_pas"
    )
    for name in ("ek", "ena", "eca", "emu"):
        owners = [seg for seg in segments if hasattr(seg, name)]
        if owners:
            found[name] = _kept(built, name, owners, moved("cell", gradmod.Range(name, sections), owners, name))
    if built.surroundings is None:
        found |= _of_all(built) | _starts(built)
    if built.model.few:
        # None at all in some mechanisms.
        random = Random(built.model.seed)
        share = {owner: random.choice((0.0, 0.0, 0.6)) for owner in sorted({d.owner for d in found.values()})}
        found = {name: d for name, d in found.items() if random.random() < share[d.owner]} or found
    if built.model.asked:
        found = {name: found[name] for name in built.model.asked if name in found}
    return found


def _kept(built: Built, name: str, owners: list[Any], direction: Direction) -> Direction:
    """A direction in what each run begins with."""

    def shift(by: float) -> None:
        direction.shift(by)
        built.keep(name, owners)

    return replace(direction, shift=shift)


def _starts(built: Built) -> dict[str, Direction]:
    """What the concentrations of the ions start from: what a mechanism reads may be made of them."""
    found: dict[str, Direction] = {}
    for ion in sorted({ion.name for m in built.mechanisms.values() for ion in m.ions}):
        for name in (f"{ion}i0_{ion}_ion", f"{ion}o0_{ion}_ion"):
            if hasattr(h, name):
                found[name] = moved("cell", gradmod.Global(name), [h], name)
    return found


def _of_all(built: Built) -> dict[str, Direction]:
    """What acts on all cells that there are."""
    found = {
        "celsius": Direction(
            "cell", gradmod.Global("celsius"), lambda by: setattr(built, "celsius", built.model.celsius + by), 16.0
        )
    }
    if built.model.v_init % 1:
        # At a whole number code may change its ways: no derivative there.
        found["v_init"] = Direction(
            "cell", gradmod.InitialVoltage(), lambda by: setattr(built, "v_init", built.model.v_init + by), 60.0
        )
    return found
