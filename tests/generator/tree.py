"""A mechanism as a tree of texts with holes: all can be printed, and made smaller, whatever it is."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from typing import Any

_NAME = re.compile(r"[A-Za-z_]\w*")


@dataclass(frozen=True)
class Expression:
    """Text in which `{0}`, `{1}`, ... stand for parts."""

    text: str
    parts: tuple[Expression, ...] = ()

    def __str__(self) -> str:
        return self.text.format(*map(str, self.parts)) if self.parts else self.text


@dataclass(frozen=True)
class Statement:
    """Text with expressions in it, then blocks, each opened by `between` (the first by `text` itself)."""

    text: str
    expressions: tuple[Expression, ...] = ()
    blocks: tuple[tuple[Statement, ...], ...] = ()
    between: tuple[str, ...] = ()

    def lines(self, indent: str = "    ") -> Iterator[str]:
        """NMODL."""
        head = self.text.format(*map(str, self.expressions)) if self.expressions else self.text
        if not self.blocks:
            yield indent + head
            return
        for opening, block in zip((head, *self.between), self.blocks, strict=True):
            yield f"{indent}{opening} {{"
            for statement in block:
                yield from statement.lines(indent + "    ")
            yield indent + "}"


@dataclass(frozen=True)
class Block:
    """One block at file level, such as `BREAKPOINT`; FUNCTION_TABLE is a head only."""

    head: str
    body: tuple[Statement, ...]

    def __str__(self) -> str:
        if self.head.startswith("FUNCTION_TABLE"):
            return self.head
        return "\n".join([f"{self.head} {{", *(line for s in self.body for line in s.lines()), "}"])


@dataclass(frozen=True)
class Parameter:
    """`scope` is RANGE, GLOBAL or nothing (NEURON then makes it GLOBAL)."""

    name: str
    value: float
    unit: str = ""
    scope: str = "RANGE"


@dataclass(frozen=True)
class Variable:
    """Of ASSIGNED: with a length, an array."""

    name: str
    scope: str = ""
    length: int = 0


@dataclass(frozen=True)
class Ion:
    """One USEION."""

    name: str
    read: tuple[str, ...] = ()
    write: tuple[str, ...] = ()
    valence: int | None = None


@dataclass(frozen=True)
class Mechanism:
    """A `.mod` file. What nothing uses is left out when it is printed."""

    name: str
    is_point: bool
    ions: tuple[Ion, ...] = ()
    nonspecific: tuple[str, ...] = ()
    electrode: tuple[str, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    assigned: tuple[Variable, ...] = ()
    states: tuple[str, ...] = ()
    blocks: tuple[Block, ...] = ()
    pointers: tuple[str, ...] = ()
    randoms: tuple[str, ...] = ()
    tags: tuple[str, ...] = field(default=(), compare=False)

    @property
    def receives(self) -> int:
        """How many weights its NetCons have; 0 where it has no NET_RECEIVE."""
        head = next((b.head for b in self.blocks if b.head.startswith("NET_RECEIVE")), "")
        return head.count(",") + 1 if head else 0

    @property
    def sets(self) -> set[str]:
        """The concentrations that it carries."""
        return {name for ion in self.ions for name in ion.write if not name.startswith("i")}

    @property
    def function_tables(self) -> list[str]:
        """What a script must fill in."""
        heads = [b.head for b in self.blocks if b.head.startswith("FUNCTION_TABLE")]
        return [head.removeprefix("FUNCTION_TABLE ").partition("(")[0] for head in heads]

    @property
    def has_table(self) -> bool:
        """Whether there is a TABLE."""
        return any(re.search(r"\bTABLE ", str(block)) for block in self.blocks)

    def __str__(self) -> str:
        code = "\n\n".join(map(str, self.blocks))
        used = set(_NAME.findall(code))
        # Where a STATE starts that INITIAL does not set is not named in code.
        used |= {f"{state}0" for state in self.states}
        kept = [p for p in self.parameters if p.name in used]
        others = [v for v in self.assigned if v.name in used]
        neuron = [f"{'POINT_PROCESS' if self.is_point else 'SUFFIX'} {self.name}"]
        for ion in self.ions:
            parts = [f"USEION {ion.name}"]
            parts += [f"READ {', '.join(ion.read)}"] if ion.read else []
            parts += [f"WRITE {', '.join(ion.write)}"] if ion.write else []
            parts += [f"VALENCE {ion.valence}"] if ion.valence is not None else []
            neuron.append(" ".join(parts))
        neuron += [f"NONSPECIFIC_CURRENT {', '.join(self.nonspecific)}"] if self.nonspecific else []
        neuron += [f"ELECTRODE_CURRENT {', '.join(self.electrode)}"] if self.electrode else []
        neuron += [f"POINTER {', '.join(self.pointers)}"] if self.pointers else []
        neuron += [f"RANDOM {', '.join(self.randoms)}"] if self.randoms else []
        for scope in ("RANGE", "GLOBAL"):
            names = [x.name for x in (*kept, *others) if x.scope == scope]
            neuron += [f"{scope} {', '.join(names)}"] if names else []
        parts = ["NEURON {", *(f"    {line}" for line in neuron), "}"]
        if kept:
            parts += ["PARAMETER {", *(f"    {p.name} = {p.value:.12g} {_unit(p.unit)}".rstrip() for p in kept), "}"]
        names = [f"    {v.name}{f'[{v.length}]' if v.length else ''}" for v in others]
        declared = {x.name for x in (*kept, *others)} | set(self.states)
        special = [*self.nonspecific, *self.electrode, *(n for ion in self.ions for n in (*ion.read, *ion.write))]
        special += [*self.pointers, *(n for n in ("v", "celsius", "area", "diam") if n in used)]
        names += [f"    {name}" for name in dict.fromkeys(special) if name not in declared]
        parts += ["ASSIGNED {", *names, "}"] if names else []
        parts += ["STATE {", f"    {' '.join(self.states)}", "}"] if self.states else []
        return "\n".join(parts) + "\n\n" + code + "\n"

    def with_blocks(self, blocks: tuple[Block, ...]) -> Mechanism:
        """The same with other code."""
        return replace(self, blocks=blocks)

    def to_json(self) -> str:
        """To be read by `read`."""
        return json.dumps(asdict(self))


def read(text: str) -> Mechanism:
    """What `Mechanism.to_json` has written."""
    data = json.loads(text)
    return Mechanism(
        data["name"],
        data["is_point"],
        tuple(Ion(i["name"], tuple(i["read"]), tuple(i["write"]), i["valence"]) for i in data["ions"]),
        tuple(data["nonspecific"]),
        tuple(data["electrode"]),
        tuple(Parameter(**p) for p in data["parameters"]),
        tuple(Variable(**v) for v in data["assigned"]),
        tuple(data["states"]),
        tuple(Block(b["head"], tuple(map(_statement, b["body"]))) for b in data["blocks"]),
        tuple(data["pointers"]),
        tuple(data["randoms"]),
        tuple(data["tags"]),
    )


def _statement(data: dict[str, Any]) -> Statement:
    blocks = tuple(tuple(map(_statement, block)) for block in data["blocks"])
    return Statement(data["text"], tuple(map(_expression, data["expressions"])), blocks, tuple(data["between"]))


def _expression(data: dict[str, Any]) -> Expression:
    return Expression(data["text"], tuple(map(_expression, data["parts"])))


def _unit(unit: str) -> str:
    return f"({unit})" if unit else ""
