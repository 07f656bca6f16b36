"""The compiler's manifest for the variable step as typed data."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .electrode import Electrode
from .ions import IonFlags
from .membrane import Membrane
from .pointers import Pointer
from .reading import find_region, read_json
from .region import SpecialValue
from .tables import SharedTable, StaleTable

#: Rows of small whole numbers.
Table = tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class Columns:
    """Which coefficients there are, each by what it multiplies and its column.

    Attributes:
        source_states, source_parameters: (state or parameter, column) of the current.
        row_voltages: (state of the equation, column).
        row_states, row_parameters: (state of the equation, state or parameter, column).
        start_voltages, start_parameters: The same of what INITIAL makes of the states.
        event_targets: The states that an event changes.
        event_voltages, event_states, event_parameters, event_arguments: Of each such change: (change, column), and
            (change, state, parameter or weight, column).
        count, start_count, event_count: How many columns there are.
    """

    source_states: Table
    source_parameters: Table
    row_voltages: Table
    row_states: Table
    row_parameters: Table
    start_voltages: Table
    start_parameters: Table
    event_targets: tuple[int, ...]
    event_voltages: Table
    event_states: Table
    event_parameters: Table
    event_arguments: Table
    count: int
    start_count: int
    event_count: int

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Columns:
        """Read ``columns``."""

        def table(name: str) -> Table:
            return tuple(tuple(int(number) for number in row) for row in data[name])

        return cls(
            source_states=table("source_states"),
            source_parameters=table("source_parameters"),
            row_voltages=table("row_voltages"),
            row_states=table("row_states"),
            row_parameters=table("row_parameters"),
            start_voltages=table("start_voltages"),
            start_parameters=table("start_parameters"),
            event_targets=tuple(data["event_targets"]),
            event_voltages=table("event_voltages"),
            event_states=table("event_states"),
            event_parameters=table("event_parameters"),
            event_arguments=table("event_arguments"),
            count=int(data["count"]),
            start_count=int(data["start_count"]),
            event_count=int(data["event_count"]),
        )


@dataclass(frozen=True)
class VariableRegion:
    """The equations of a set of density mechanisms, or of one point process.

    Attributes:
        field: The emitted mechanism that evaluates them.
        states: NEURON's names of the states, in the order of the coefficients.
        parameters: Those of the parameters.
        of_ions: Those of the parameters that belong to the segment, also in a point process.
        fixed: What does not change along a run.
        settings: 0/1 settings and charges of ions.
        unfollowed: Code that was left out, and why.
        weights: How many weights its NetCons have, for a point process that takes events.
    """

    name: str
    kind: str
    mechanisms: tuple[str, ...]
    field: str
    states: tuple[str, ...]
    parameters: tuple[str, ...]
    of_ions: frozenset[str]
    columns: Columns
    fixed: tuple[Pointer, ...]
    settings: tuple[str, ...]
    ions: tuple[IonFlags, ...]
    unfollowed: tuple[str, ...]
    weights: int | None
    electrode: Electrode | None
    stale_tables: tuple[StaleTable, ...]
    special_values: tuple[SpecialValue, ...]
    stepwise: frozenset[str]
    shared_tables: tuple[SharedTable, ...]

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> VariableRegion:
        """Read one element of ``regions``."""
        return cls(
            name=data["name"],
            kind=data["kind"],
            mechanisms=tuple(data["mechanisms"]),
            field=data["field"],
            states=tuple(data["states"]),
            parameters=tuple(p["name"] for p in data["parameters"]),
            of_ions=frozenset(p["name"] for p in data["parameters"] if p["scope"] == "ion"),
            columns=Columns.from_json(data["columns"]),
            fixed=tuple(Pointer(p["name"], p["source"], p["scope"]) for p in data["fixed"]),
            settings=tuple(data["settings"]),
            ions=tuple(IonFlags.from_json(ion) for ion in data["ions"]),
            unfollowed=tuple(data["unfollowed"]),
            weights=data["weights"],
            electrode=None if data["electrode"] is None else Electrode(data["electrode"]),
            stale_tables=tuple(StaleTable.from_json(table) for table in data["stale_tables"]),
            special_values=tuple(SpecialValue.from_json(one) for one in data["special_values"]),
            stepwise=frozenset(data["stepwise"]),
            shared_tables=tuple(SharedTable.from_json(table) for table in data["shared_tables"]),
        )


@dataclass(frozen=True)
class VariableManifest:
    """All that one run of ``gradmod transform --mode variable`` emitted."""

    regions: tuple[VariableRegion, ...]
    passed_over: frozenset[str]
    watchers: dict[str, frozenset[str]]
    second_pass: str
    watch: str
    membrane: Membrane

    @classmethod
    def read(cls, path: Path) -> VariableManifest:
        """Read gradmod.json.

        Raises:
            Error: The file does not say what this version of the package expects.
        """
        return read_json(path, cls.from_json)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> VariableManifest:
        """Read the whole."""
        return cls(
            regions=tuple(VariableRegion.from_json(region) for region in data["regions"]),
            passed_over=frozenset(data["passed_over"]),
            watchers={name: frozenset(set_) for name, set_ in data["watchers"].items()},
            second_pass=data["pass"],
            watch=data["watch"],
            membrane=Membrane(**data["membrane"]),
        )

    def density(self, mechanisms: tuple[str, ...]) -> VariableRegion:
        """What belongs to a set of density mechanisms."""
        return find_region(self.regions, "density", set(mechanisms) - self.passed_over)

    def point(self, mechanism: str) -> VariableRegion:
        """What belongs to a point process."""
        return find_region(self.regions, "point", {mechanism})
