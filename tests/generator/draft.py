"""A mechanism while it is made: what is declared so far, and what code may use."""

from __future__ import annotations

import re
from dataclasses import replace

from .chance import Chance
from .expressions import Function, Scope
from .tree import Block, Expression, Ion, Mechanism, Parameter, Statement, Variable

#: Names that LOCALs and arguments take, beside those that they shadow.
LOCALS = ("x", "y", "z", "q", "aux")


class Draft:
    """Collects declarations and blocks."""

    def __init__(self, chance: Chance, name: str, *, is_point: bool) -> None:
        self.chance, self.name, self.is_point = chance, name, is_point
        self.ions: list[Ion] = []
        self.nonspecific: list[str] = []
        self.electrode: list[str] = []
        self.parameters: list[Parameter] = []
        self.assigned: list[Variable] = []
        self.states: list[str] = []
        self.blocks: list[Block] = []
        self.tags: list[str] = []
        self.pointers: list[str] = []
        self.randoms: list[str] = []
        self.functions: list[Function] = []
        #: Calls that set variables, such as `rates(v)`.
        self.calls: list[str] = []
        self.small: list[str] = []
        self.positive: list[str] = []
        self.gates: list[str] = []
        #: Small ones of rare kinds: currents are made of them more often than by chance.
        self.heard: list[str] = []
        #: What BREAKPOINT does before it solves.
        self.early: list[Statement] = []
        #: Whether nothing but currents reads the voltage, as in the simplest synapses.
        self.is_blind = False
        #: Positive variables that a FUNCTION sets beside its value, by that FUNCTION.
        self.side: dict[str, str] = {}

    # --- declarations ---------------------------------------------------------------------------------------------

    def _scope(self) -> str:
        return self.chance.weighted({"RANGE": 60.0, "GLOBAL": 25.0, "": 15.0})

    def parameter(self, prefix: str, low: float, high: float, unit: str = "", scope: str | None = None) -> str:
        """A new PARAMETER."""
        name = f"{prefix}{sum(p.name.startswith(prefix) for p in self.parameters)}"
        if not self.chance.of(70):
            unit = ""
        value = self.chance.number(low, high)
        self.parameters.append(Parameter(name, value, unit, self._scope() if scope is None else scope))
        return name

    def variable(self, prefix: str, length: int = 0, scope: str | None = None) -> str:
        """A new variable of ASSIGNED."""
        name = f"{prefix}{sum(v.name.startswith(prefix) for v in self.assigned)}"
        if scope is None:
            scope = "RANGE" if self.chance.of(55) else ""
        self.assigned.append(Variable(name, scope, length))
        return name

    def global_parameters(self) -> list[str]:
        """Those that are one for all."""
        return [p.name for p in self.parameters if p.scope != "RANGE"]

    # --- what code may use ----------------------------------------------------------------------------------------

    def scope(self, *, states: bool = True, time: bool | None = None, jumps: float | None = None) -> Scope:
        """All that is there by now."""
        c = self.chance
        return Scope(
            c,
            tuple(self.small),
            tuple(self.positive),
            tuple(self.gates) if states else (),
            tuple(self.functions),
            "" if self.is_blind else "v",
            time=c.of(10) if time is None else time,
            jumps=c.weighted({0.0: 4.0, 3.0: 4.0, 12.0: 1.0}) if jumps is None else jumps,
        )

    def at_events(self, *, states: bool = False) -> Scope:
        """All that NET_RECEIVE may use: of an ion the concentrations only."""
        scope = self.scope(states=states, time=False, jumps=0.0)
        return replace(scope, small=tuple(filter(_at_events, scope.small)))

    def heard_at_events(self) -> str | None:
        """A rare one of those that NET_RECEIVE may use, if there is one."""
        heard = list(filter(_at_events, self.heard))
        return self.chance.one(heard) if heard and self.chance.of(65) else None

    def block(self, head: str, body: list[Statement]) -> None:
        """Add code."""
        self.blocks.append(Block(head, tuple(body)))

    def finished(self) -> Mechanism:
        """The mechanism."""
        blocks = self.blocks if self.chance.of(50) else self.blocks[::-1]
        # nocmodl wants SOLVE before the block that it names.
        blocks = sorted(blocks, key=lambda block: block.head not in ("INITIAL", "BREAKPOINT"))
        return Mechanism(
            self.name, self.is_point, tuple(self.ions), tuple(self.nonspecific), tuple(self.electrode),
            tuple(self.parameters), tuple(self.assigned), tuple(self.states), tuple(blocks), tuple(self.pointers),
            tuple(self.randoms), tuple(self.tags),
        )  # fmt: skip


def _at_events(name: str) -> bool:
    return not re.search(r"\be(ca|k|na|mu)\b", name)


def assign(name: str, value: Expression) -> Statement:
    """`name = value`."""
    return Statement(f"{name} = {{0}}", (value,))


def plain(text: str) -> Statement:
    """A statement without expressions."""
    return Statement(text)
