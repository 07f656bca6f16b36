"""What a .mod file declares, as far as a drive must know: read from its text."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from ..._model.external import without_comments

_KIND = re.compile(r"\b(SUFFIX|POINT_PROCESS|ARTIFICIAL_CELL)\s+(\w+)")
_ION = re.compile(
    r"\bUSEION\s+(\w+)"
    r"((?:\s+(?:READ|WRITE)\s+\w+(?:\s*,\s*\w+)*|\s+VALENCE\s+[-+]?[\d.]+|\s+REPRESENTS\s+\S+)*)"
)
_ION_PART = re.compile(r"\b(READ|WRITE)\s+(\w+(?:\s*,\s*\w+)*)")
_VALENCE = re.compile(r"\bVALENCE\s+([-+]?[\d.]+)")
_PARAMETER = re.compile(r"([A-Za-z]\w*)(\s*\[[^\]]*\])?(?:\s*=\s*([-+]?[\w.]+(?:[eE][-+]?\d+)?))?\s*(\([^)]*\))?")


@dataclass(frozen=True)
class IonUse:
    """What the mechanism does with an ion; names without suffix, e.g. {"ica", "cai"}."""

    name: str
    reads: frozenset[str]
    writes: frozenset[str]
    valence: float | None


@dataclass(frozen=True)
class Declarations:
    """What a file declares.

    Attributes:
        name: The SUFFIX or the name of the point process; empty if the file declares none.
        kind: "SUFFIX", "POINT_PROCESS", "ARTIFICIAL_CELL" or "".
        units: Unit text by PARAMETER, e.g. {"gbar": "S/cm2"}; empty text for none.
        unset: Names of the PARAMETERs without a value.
        receives: Whether there is a NET_RECEIVE block.
        sets_voltage: Whether that sets v.
        acts: Whether it writes a current or something of an ion.
        has_table: Whether there is a TABLE statement.
        pointers: Names of its POINTERs to numbers.
        randoms: Names of its RANDOM streams.
        function_tables: Names of its FUNCTION_TABLEs.
    """

    name: str = ""
    kind: str = ""
    ions: tuple[IonUse, ...] = ()
    units: dict[str, str] = field(default_factory=dict[str, str])
    unset: frozenset[str] = frozenset()
    receives: bool = False
    sets_voltage: bool = False
    acts: bool = False
    has_table: bool = False
    pointers: tuple[str, ...] = ()
    randoms: tuple[str, ...] = ()
    function_tables: tuple[str, ...] = ()


def declarations(text: str) -> Declarations:
    """Read the declarations of a .mod file."""
    code = without_comments(text)
    neuron = " ".join(_blocks(code, "NEURON"))
    # The last name counts, and what is a point process once stays one.
    kinds = _KIND.findall(neuron)
    name = kinds[-1][1] if kinds else ""
    order = ["SUFFIX", "POINT_PROCESS", "ARTIFICIAL_CELL"]
    parameters = _parameters(_blocks(code, "PARAMETER"))
    return Declarations(
        name="" if name == "nothing" else name,
        kind=max((kind for kind, _ in kinds), key=order.index, default=""),
        ions=tuple(_ion(found[1], found[2]) for found in _ION.finditer(neuron)),
        units={name: unit for name, (_, unit) in parameters.items()},
        unset=frozenset(name for name, (value, _) in parameters.items() if value is None),
        acts=re.search(r"\bWRITE\b|\b(?:NONSPECIFIC|ELECTRODE)_CURRENT\b", neuron) is not None,
        receives=bool(_blocks(code, "NET_RECEIVE")),
        sets_voltage=any(re.search(r"\bv\s*=(?!=)", block) for block in _blocks(code, "NET_RECEIVE")),
        has_table=re.search(r"\bTABLE\b", code) is not None,
        # What C code uses is no number.
        pointers=tuple(one for one in _names(r"(?:BBCORE)?POINTER", neuron) if f"_p_{one}" not in text),
        randoms=_names("RANDOM", neuron),
        function_tables=tuple(re.findall(r"\bFUNCTION_TABLE\s+(\w+)", code)),
    )


def _names(keyword: str, neuron: str) -> tuple[str, ...]:
    """All names that follow a keyword."""
    lists = re.finditer(rf"\b{keyword}\s+(\w+(?:\s*,\s*\w+)*)", neuron)
    return tuple(name for found in lists for name in re.findall(r"\w+", found[1]))


def renamed(text: str, name: str, new: str) -> str:
    """The text with the mechanism's name in its NEURON block replaced."""
    return re.sub(rf"(\b(?:SUFFIX|POINT_PROCESS|ARTIFICIAL_CELL)\s+){re.escape(name)}\b", rf"\g<1>{new}", text, count=1)


def _ion(name: str, rest: str) -> IonUse:
    used: dict[str, set[str]] = {"READ": set(), "WRITE": set()}
    for found in _ION_PART.finditer(rest):
        used[found[1]].update(re.findall(r"\w+", found[2]))
    valence = _VALENCE.search(rest)
    return IonUse(name, frozenset(used["READ"]), frozenset(used["WRITE"]), float(valence[1]) if valence else None)


def _parameters(blocks: list[str]) -> dict[str, tuple[str | None, str]]:
    """Value, None if there is none, and unit by name."""
    found: dict[str, tuple[str | None, str]] = {}
    for block in blocks:
        without_limits = re.sub(r"<[^>]*>|\bFROM\s+\S+\s+TO\s+\S+", " ", block)
        for match in _PARAMETER.finditer(without_limits):
            if match[1] not in ("UNITSOFF", "UNITSON"):
                found[match[1]] = match[3], (match[4] or "").strip("() \t").replace(" ", "")
    return found


def _blocks(code: str, keyword: str) -> list[str]:
    """The insides of all blocks of one kind."""
    found: list[str] = []
    for match in re.finditer(rf"\b{keyword}\b[^{{}}]*\{{", code):
        depth, at = 1, match.end()
        while at < len(code) and depth:
            depth += {"{": 1, "}": -1}.get(code[at], 0)
            at += 1
        found.append(code[match.end() : at - 1])
    return found
