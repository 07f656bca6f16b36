"""All parameters that a gradient is asked for: what gradmod calls them, and how to change them by hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .. import _neuron as nrn
from .._catalogue import NAMES_OF_TIMES, REFUSED_GLOBAL, REFUSED_RANGE
from ..parameters import Global, InitialVoltage, Parameter, Range, Stimulus
from .cell import Model, size_of


@dataclass(frozen=True)
class Candidate:
    """One parameter.

    Attributes:
        name: NEURON's, e.g. "gbar_cah", or "v_init".
        direction: What ``attach`` is given; None if the compiler says that nothing depends on it.
        base: Its value now.
        shift: Sets it to its value plus something, everywhere.
        size: What steps are relative to.
        own: Whether the mechanism declares it.
        values: What it is now, wherever it is, if it may be compared with a number.
    """

    name: str
    direction: Parameter | None
    shift: Callable[[float], None]
    size: float
    own: bool
    values: tuple[float, ...] = ()


def candidates(model: Model, known: set[str]) -> list[Candidate]:
    """All parameters, the mechanism's own first. To be called when the model is set up for a drive.

    Args:
        model: The cell.
        known: The parameters that something depends on, as the manifest names them.
    """
    found = [*_own_range(model, known), *_own_global(model, known), *_of_ions(model, known)]
    everywhere = model.sections
    found.append(_range(model, "cm", model.segments, Range("cm", everywhere), "", own=False))
    found.append(_range(model, "Ra", model.sections, Range("Ra", everywhere), "", own=False))
    celsius, v_init = model.drive.celsius, model.drive.v_init
    found.append(
        Candidate("celsius", Global("celsius"), lambda by: model.change(celsius=celsius + by), celsius, own=False)
    )
    found.append(
        Candidate("v_init", InitialVoltage(), lambda by: model.change(v_init=v_init + by), abs(v_init), own=False)
    )
    return found


def _own_range(model: Model, known: set[str]) -> list[Candidate]:
    found: list[Candidate] = []
    for name in model.range_parameters():
        owners = model.owners(name)
        if model.process is not None:
            public = f"{model.declared.name}.{name}"
            if name in NAMES_OF_TIMES and public not in known:
                continue  # acts in whole steps of dt
            direction: Parameter | None = Stimulus(model.process, name) if public in known else None
        else:
            if name in REFUSED_RANGE:
                continue
            public = name
            direction = Range(name, model.sections) if name in known else None
        found.append(_range(model, name, owners, direction, model.unit(name), own=True, public=public))
    return found


def _own_global(model: Model, known: set[str]) -> list[Candidate]:
    return [
        _range(model, name, [nrn.h], Global(name) if name in known else None, model.unit(name), own=True)
        for name in model.global_parameters()
        if name not in REFUSED_GLOBAL and not name.startswith("usetable_")
    ]


def _of_ions(model: Model, known: set[str]) -> list[Candidate]:
    found: list[Candidate] = []
    for ion in model.declared.ions:
        fixed = (f"{ion.name}i",) if model.process is not None else ()
        for name in (f"e{ion.name}", f"{ion.name}o", *fixed):
            # An ion of a point process need not be everywhere.
            owners: list[object] = [seg for seg in model.segments if nrn.is_number(seg, name)]
            if name in ion.reads and name not in ion.writes and name in known and owners:
                found.append(_range(model, name, owners, Range(name, model.sections), "mV", own=False))
        for side in "io":
            initial = f"{ion.name}{side}0_{ion.name}_ion"
            if f"{ion.name}{side}" in ion.writes and initial in known:
                found.append(_range(model, initial, [nrn.h], Global(initial), "", own=False))
    return found


def _range(
    model: Model,
    name: str,
    owners: list[object],
    direction: Parameter | None,
    unit: str,
    *,
    own: bool,
    public: str | None = None,
) -> Candidate:
    values = [float(getattr(owner, name)) for owner in owners]

    def shift(by: float) -> None:
        for owner, value in zip(owners, values, strict=True):
            setattr(owner, name, value + by)

    return Candidate(public or name, direction, shift, size_of(max(values, key=abs), unit), own, tuple(values))
