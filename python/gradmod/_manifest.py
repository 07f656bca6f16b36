"""The compiler's manifest (gradmod.json) as typed data: what each emitted mechanism is called and holds."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .errors import Error


@dataclass(frozen=True)
class Pointer:
    """A POINTER of an emitted mechanism.

    ``scope`` says where ``source`` lives: "range" (the segment, or the point process itself) or "global".
    """

    name: str
    source: str
    scope: str


@dataclass(frozen=True)
class State:
    """A state or concentration of the user's model and the RANGE array [K] that holds its gradient."""

    name: str
    gradient: str


@dataclass(frozen=True)
class IonFlags:
    """RANGE flags (0/1) of an emitted mechanism that follow the ion style of its section."""

    ion: str
    nernst: str
    nernst_init: str
    conc_init: str
    valence: str
    written: tuple[str, ...]


@dataclass(frozen=True)
class Region:
    """One fused gradient mechanism: of a set of density mechanisms, or the companion of one point process."""

    name: str
    suffix: str
    kind: str
    mechanisms: tuple[str, ...]
    pointers: tuple[Pointer, ...]
    cable_pointers: tuple[str, ...]
    conductance: str
    source: str
    parameters: dict[str, str]
    states: tuple[State, ...]
    now: tuple[tuple[str, str], ...]
    ions: tuple[IonFlags, ...]
    advance: str
    next_states: str

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Region:
        """Read one element of ``regions``."""
        return cls(
            name=data["name"],
            suffix=data["suffix"],
            kind=data["kind"],
            mechanisms=tuple(data["mechanisms"]),
            pointers=tuple(Pointer(p["name"], p["source"], p["scope"]) for p in data["pointers"]),
            cable_pointers=tuple(data["cable_pointers"]),
            conductance=data["conductance"],
            source=data["source"],
            parameters={p["name"]: p["seed"] for p in data["parameters"]},
            states=tuple(State(s["name"], s["gradient"]) for s in data["states"]),
            now=tuple((n["name"], n["source"]) for n in data["now"]),
            ions=tuple(
                IonFlags(i["ion"], i["nernst"], i["nernst_init"], i["conc_init"], i["valence"], tuple(i["written"]))
                for i in data["ions"]
            ),
            advance=data["procedures"]["advance"],
            next_states=data["procedures"]["states"],
        )


@dataclass(frozen=True)
class CableMechanism:
    """What sits on a gradient cable: i = d v + S, both by POINTER."""

    name: str
    conductance: str
    source: str


@dataclass(frozen=True)
class Axial:
    """A point process on a gradient cable: i = g (va - vb), va and vb by POINTER."""

    name: str
    va: str
    vb: str
    g: str


@dataclass(frozen=True)
class Manifest:
    """All that one run of ``gradmod transform`` emitted."""

    directions: int
    regions: tuple[Region, ...]
    cable: CableMechanism
    cable_point: CableMechanism
    axial: Axial

    @classmethod
    def read(cls, path: Path) -> Manifest:
        """Read gradmod.json.

        Raises:
            Error: The file does not say what this version of the package expects.
        """
        data = json.loads(path.read_text(encoding="utf-8"))
        try:
            cable, point, axial = data["cable"], data["cable_point"], data["axial"]
            return cls(
                directions=int(data["directions"]),
                regions=tuple(Region.from_json(region) for region in data["regions"]),
                cable=CableMechanism(cable["suffix"], cable["conductance"], cable["source"]),
                cable_point=CableMechanism(point["name"], point["conductance"], point["source"]),
                axial=Axial(axial["name"], axial["va"], axial["vb"], axial["g"]),
            )
        except (KeyError, TypeError) as error:
            raise Error(
                f"{path} lacks {error}: the gradmod command and the gradmod package are of different versions"
            ) from error

    def density(self, mechanisms: tuple[str, ...]) -> Region:
        """The fused mechanism of a set of density mechanisms, given in NEURON's order."""
        for region in self.regions:
            if region.kind == "density" and set(region.mechanisms) == set(mechanisms):
                return region
        raise Error(f"the compiler emitted no region for {', '.join(mechanisms) or 'sections without mechanisms'}")

    def point(self, mechanism: str) -> Region:
        """The companion of a point process."""
        for region in self.regions:
            if region.kind == "point" and region.mechanisms == (mechanism,):
                return region
        raise Error(f"the compiler emitted no companion for the point process {mechanism}")
