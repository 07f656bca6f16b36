"""The compiler's manifest (gradmod.json): what all emitted mechanisms are called and hold."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .events import SpikeNotes
from .faults import Faults, faults_from_json
from .reading import find_region, read_json
from .region import Region


@dataclass(frozen=True)
class Solver:
    """Point processes: the solver, rows of axial resistances and of places without membrane.

    Attributes:
        secondorder: NEURON's setting in the runs that they are for.
        layers: Rows of what is around nodes with ``extracellular``, if there may be any.
    """

    name: str
    axial: str
    end: str
    faults: Faults
    secondorder: int
    layers: str | None

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Solver:
        """Read ``solver``."""
        faults = faults_from_json(data["faults"])
        return cls(data["name"], data["axial"], data["end"], faults, int(data["secondorder"]), data["layers"])


@dataclass(frozen=True)
class Manifest:
    """All that one run of ``gradmod transform`` emitted.

    Attributes:
        passed_over: Mechanisms that act on no membrane: nothing was emitted for them.
        watchers: All given mechanisms that can act on no membrane, with the POINTERs that they set.
        spikes: Where the times of events are differentiated.
    """

    directions: int
    regions: tuple[Region, ...]
    passed_over: frozenset[str]
    watchers: dict[str, frozenset[str]]
    spikes: SpikeNotes | None
    solver: Solver

    @classmethod
    def read(cls, path: Path) -> Manifest:
        """Read gradmod.json.

        Raises:
            Error: The file does not say what this version of the package expects.
        """
        return read_json(path, cls.from_json)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Manifest:
        """Read the whole."""
        return cls(
            directions=int(data["directions"]),
            regions=tuple(Region.from_json(region) for region in data["regions"]),
            passed_over=frozenset(data["passed_over"]),
            watchers={name: frozenset(set_) for name, set_ in data["watchers"].items()},
            spikes=None if data["spikes"] is None else SpikeNotes.from_json(data["spikes"]),
            solver=Solver.from_json(data["solver"]),
        )

    @property
    def emitted(self) -> frozenset[str]:
        """What NEURON calls all that was emitted."""
        spikes = [] if self.spikes is None else [self.spikes.name]
        own = [self.solver.name, self.solver.axial, self.solver.end, *spikes]
        return frozenset([*own, *(region.suffix for region in self.regions)])

    def density(self, mechanisms: tuple[str, ...]) -> Region:
        """The fused mechanism of a set of density mechanisms, given in NEURON's order."""
        return find_region(self.regions, "density", set(mechanisms) - self.passed_over)

    def point(self, mechanism: str) -> Region:
        """The companion of a point process."""
        return find_region(self.regions, "point", {mechanism})
