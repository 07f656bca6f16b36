"""All parameters that a gradient is asked for: what gradmod calls them, and how to change them by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from .. import _neuron as nrn
from .._model.catalogue import NAMES_OF_TIMES, REFUSED_GLOBAL, REFUSED_RANGE
from ..parameters import Global, InitialVoltage, Parameter, Range, Stimulus
from .model.cell import Model
from .model.values import size_of


@dataclass(frozen=True)
class Candidate:
    """One parameter, everywhere or in one place.

    Attributes:
        name: NEURON's, e.g. "gbar_cah", or "v_init".
        direction: What ``attach`` is given; None if the compiler says that nothing depends on it.
        shift: Sets it to its value plus something, wherever it counts.
        size: What steps are relative to.
        own: Whether the mechanism declares it.
        values: What it is now, wherever it is, if it may be compared with a number.
        where: Where alone it counts, e.g. "in soma"; empty for everywhere.
    """

    name: str
    direction: Parameter | None
    shift: Callable[[float], None]
    size: float
    own: bool
    values: tuple[float, ...] = ()
    where: str = ""

    @property
    def key(self) -> str:
        """What no other has."""
        return f"{self.name} {self.where}".strip()


def candidates(model: Model, known: set[str]) -> list[Candidate]:
    """All parameters, the mechanism's own first. To be called when the model is set up for a drive.

    Each RANGE parameter comes twice: everywhere (of point processes: in the first), and in one place alone. What one
    place takes from another shows only there.

    Args:
        model: The cell.
        known: The parameters that something depends on, as the manifest names them.
    """
    found = [*_own_range(model, known), *_own_global(model, known), *_of_ions(model, known)]
    for name, owners in (("cm", model.segments), ("Ra", model.sections)):
        found.append(_number(name, Range(name, model.sections), owners, own=False))
        found.extend(_in_one_section(model, name, owners, number=len(found), own=False))
    celsius, v_init = model.drive.celsius, model.drive.v_init
    found.append(
        Candidate("celsius", Global("celsius"), lambda by: model.change(celsius=celsius + by), celsius, own=False)
    )
    found.append(
        Candidate("v_init", InitialVoltage(), lambda by: model.change(v_init=v_init + by), abs(v_init), own=False)
    )
    return found


def _own_range(model: Model, known: set[str]) -> Iterator[Candidate]:
    instances = model.instances
    names = [n for n in instances.range_parameters() if instances.processes or n not in REFUSED_RANGE]
    for number, name in enumerate(names):
        unit = instances.unit(name)
        if not instances.processes:
            yield _number(name, Range(name, model.sections) if name in known else None, instances.owners(name), unit)
            if name in known:
                yield from _in_one_section(model, name, instances.owners(name), unit, number=number)
            continue
        public = f"{instances.declared.name}.{name}"
        if name in NAMES_OF_TIMES and public not in known:
            continue  # acts in whole steps of dt
        first, *others = instances.processes
        if public not in known:
            yield _number(public, None, instances.processes, unit, spelled=name)
            continue
        yield _number(public, Stimulus(first, name), [first], unit, spelled=name)
        other = others[number % len(others)]
        where = f"in {nrn.name_of(other)}"
        yield _number(public, Stimulus(other, name), [other], unit, spelled=name, where=where)


def _own_global(model: Model, known: set[str]) -> Iterator[Candidate]:
    for name in model.instances.global_parameters():
        if name not in REFUSED_GLOBAL and not name.startswith("usetable_"):
            yield _number(name, Global(name) if name in known else None, [nrn.h], model.instances.unit(name))


def _of_ions(model: Model, known: set[str]) -> Iterator[Candidate]:
    for number, name in enumerate(model.instances.ion_parameters()):
        owners = model.instances.having(name)
        if name in known and owners:
            yield _number(name, Range(name, model.sections), owners, "mV", own=False)
            yield from _in_one_section(model, name, owners, "mV", number=number, own=False)
    for ion in model.declared.ions:
        for side in "io":
            initial = f"{ion.name}{side}0_{ion.name}_ion"
            if f"{ion.name}{side}" in ion.writes and initial in known:
                yield _number(initial, Global(initial), [nrn.h], own=False)


def _in_one_section(
    model: Model, name: str, owners: Sequence[object], unit: str = "", *, number: int, own: bool = True
) -> Iterator[Candidate]:
    """One section alone: another one for each parameter, by its number."""
    by_section = {
        str(sec): (sec, [owner for owner in owners if owner == sec or getattr(owner, "sec", None) == sec])
        for sec in model.sections
    }
    present = [(where, sec, there) for where, (sec, there) in by_section.items() if there]
    if len(present) > 1:
        where, sec, there = present[number % len(present)]
        yield _number(name, Range(name, sec), there, unit, own=own, where=f"in {where}")


def _number(
    name: str,
    direction: Parameter | None,
    owners: Sequence[object],
    unit: str = "",
    *,
    own: bool = True,
    spelled: str = "",
    where: str = "",
) -> Candidate:
    spelled = spelled or name
    values = [float(getattr(owner, spelled)) for owner in owners]

    def shift(by: float) -> None:
        for owner, value in zip(owners, values, strict=True):
            setattr(owner, spelled, value + by)

    return Candidate(name, direction, shift, size_of(max(values, key=abs), unit), own, tuple(values), where)
