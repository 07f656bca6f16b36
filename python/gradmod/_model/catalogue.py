"""What the names that a user writes mean to NEURON, and what to say when they mean nothing."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from .. import _neuron as nrn
from ..errors import Error, Refused
from . import external, extracellular

#: Range variables that gradmod knows and cannot differentiate, with the reason.
REFUSED_RANGE = {
    "L": "the geometry is not a parameter: area and axial resistance both depend on it",
    "diam": "the geometry is not a parameter: area and axial resistance both depend on it",
    "nseg": "it is a number of pieces, there is nothing to differentiate",
    "rallbranch": "it is a number of branches, there is nothing to differentiate",
    "v": "it is the solution; for the potential at the start use InitialVoltage(...)",
}
#: Global variables, likewise.
REFUSED_GLOBAL = {
    "dt": "the gradient is that of the simulation at its dt",
    "t": "it is the time",
    "secondorder": "it is a switch",
    "stoprun": "it is a switch",
}
#: Parameters of NEURON's own stimuli that say when: the simulation depends on them in steps of dt only.
TIMES = {
    "IClamp": {"delay", "dur"},
    "SEClamp": {"dur1", "dur2", "dur3"},
    "VClamp": {"dur"},
    "NetStim": {"start", "interval", "number", "noise"},
}
#: What such parameters are called elsewhere. Whether the simulation depends on them smoothly, the code tells.
NAMES_OF_TIMES = {"delay", "del", "dur", "dur1", "dur2", "dur3", "onset", "start", "interval", "number", "noise"}


class Catalogue:
    """The variables of some mechanisms and ions, by kind."""

    def __init__(self, mechanisms: Iterable[str]) -> None:
        self.range: set[str] = {"cm", "Ra"}
        self.globals: set[str] = {"celsius"}
        self.other: dict[str, str] = {}
        for name in mechanisms:
            self._add(name)

    def _add(self, mechanism: str) -> None:
        self.globals.update(nrn.variables_of(mechanism, -1))
        self.globals.update(external.read_by(mechanism))
        if mechanism.endswith("_ion"):
            ion = mechanism.removesuffix("_ion")
            self.range.update((f"e{ion}", f"{ion}i", f"{ion}o"))
            self.other[f"i{ion}"] = "a current"
        else:
            self.range.update(_parameters_of(mechanism))
            self.other.update(dict.fromkeys(nrn.variables_of(mechanism, 2), "ASSIGNED"))
            self.other.update(dict.fromkeys(nrn.variables_of(mechanism, 3), "a STATE"))

    def check_range(self, name: str) -> None:
        """Raise unless this may be the name of a ``Range`` direction."""
        if name in REFUSED_RANGE:
            raise Refused(f"Range({name!r}): no gradient in {name}: {REFUSED_RANGE[name]}")
        if name in self.range:
            return
        if name in self.globals or name in REFUSED_GLOBAL:
            raise Error(f"Range({name!r}): {name} is global in NEURON, one number for all sections: Global({name!r})")
        if name in self.other:
            raise Error(f"Range({name!r}): {name} is {self.other[name]}, the model computes it; it is no parameter")
        raise Error(f"Range({name!r}): no mechanism in these sections has it{near(name, self.range | self.globals)}")

    def check_global(self, name: str) -> None:
        """Raise unless this may be the name of a ``Global`` direction."""
        if name in REFUSED_GLOBAL:
            raise Refused(f"Global({name!r}): no gradient in {name}: {REFUSED_GLOBAL[name]}")
        if name.startswith("usetable_"):
            raise Refused(f"Global({name!r}): no gradient in {name}: it is a switch")
        if name in self.globals:
            return
        if name in self.range or name in REFUSED_RANGE:
            raise Error(f"Global({name!r}): {name} has a value in every segment: Range({name!r}, sections)")
        raise Error(f"Global({name!r}): no mechanism of these cells has it{near(name, self.range | self.globals)}")


def _parameters_of(mechanism: str) -> Iterable[str]:
    for name in nrn.variables_of(mechanism, 1):
        if mechanism == extracellular.NAME and name in extracellular.LAYERED:
            yield from (f"{name}[{layer}]" for layer in range(extracellular.layer_count()))
        else:
            yield name


def check_stimulus(mechanism: str, name: str) -> None:
    """Raise unless a point process has this parameter and it has a gradient."""
    if name in TIMES.get(mechanism, ()) or (mechanism in TIMES and name == "del"):
        raise Refused(no_smooth_time(f"Stimulus({mechanism}, {name!r})", name))
    check_known(mechanism, name)


def check_known(mechanism: str, name: str) -> None:
    """Raise unless a point process has this parameter."""
    known = set(nrn.variables_of(mechanism, 1))
    known = {"delay" if parameter == "del" else parameter for parameter in known}
    if name not in known:
        raise Error(f"Stimulus({mechanism}, {name!r}): {mechanism} has no parameter {name}{near(name, known)}")


def no_smooth_time(where: str, name: str) -> str:
    """Why there is no gradient in a time."""
    return (
        f"{where}: no gradient in {name}: a time acts in whole steps of dt, so the simulation does not depend on it "
        "smoothly"
    )


def near(name: str, known: Iterable[str]) -> str:
    """A hint: the names that look like this one."""
    by_lower = {candidate.lower(): candidate for candidate in sorted(known)}
    close = [by_lower[match] for match in difflib.get_close_matches(name.lower(), by_lower, n=3, cutoff=0.6)]
    stem = [candidate for candidate in sorted(known) if candidate.startswith((f"{name}_", f"{name}["))]
    found = list(dict.fromkeys([*stem, *close]))[:3]
    return f"; did you mean {' or '.join(found)}?" if found else ""
