"""NEURON's SaveState, made to hold every variable.

By itself SaveState keeps the STATEs of a mechanism only, or all its numbers if it has a NET_RECEIVE block. Lost are
parameters that a run changes, and ASSIGNED variables that carry a value from step to step: nearly all that ours are
made of. It tells the two kinds apart by NEURON's table of NET_RECEIVE blocks, and when it is made only: for that moment
the table says that every mechanism has one.
"""

from __future__ import annotations

import ctypes
import re
import struct
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import Error, Refused
from .interpreter import RandomStream, h, hoc_library
from .mechanism import each_type, known_mechanisms, mechanisms_of, source_of, variables_of

#: NEURON's numbers of kinds of events.
SELF, HOC, NET_PAR = 3, 5, 7
#: The kinds of play and record of which the file says how far they are.
_WITH_INDEX = (1, 3, 4)


@dataclass
class Saved:
    """What a file of SaveState's says, apart from the numbers.

    Attributes:
        layout: By what it is of: how many there are of each thing, which cannot differ between save and restore.
        events: The kinds of the events on their way.
        addresses: Numbers of mechanisms of which a number looks like an address.
        content: The file, without what happened to be in the gaps between its numbers.
    """

    layout: dict[str, list[Any]] = field(default_factory=dict[str, list[Any]])
    events: list[int] = field(default_factory=list[int])
    addresses: set[int] = field(default_factory=set[int])
    content: bytes = b""


def save() -> Saved:
    """All of the present state that NEURON can save."""
    state = _new()
    state.save()
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "state"
        state.fwrite(h.File(str(path)))
        return look(path.read_bytes())


def restore(content: bytes) -> None:
    """Put everything where it was. Vectors that record go on from here."""
    state = _new()
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "state"
        path.write_bytes(content)
        state.fread(h.File(str(path)))
    state.restore()
    h.frecord_init()
    state.restore()  # its events again, which frecord_init() made anew


def _new() -> Any:
    """A SaveState for all numbers of all mechanisms.

    Raises:
        Refused: This NEURON does not show the table.
    """
    try:
        library = ctypes.CDLL(hoc_library())
        count = ctypes.c_int.in_dll(library, "n_memb_func").value
        table = ctypes.POINTER(ctypes.c_void_p).in_dll(library, "pnt_receive")
    except (OSError, ValueError) as error:
        raise Refused("this NEURON's library does not let gradmod save the state of a run") from error
    without = [i for i in range(count) if not table[i]]
    for i in without:
        table[i] = 1
    try:
        return h.SaveState()
    finally:
        for i in without:
            table[i] = None


def _sizes() -> Any:
    """[kind] of how many numbers a mechanism consists."""
    return ctypes.POINTER(ctypes.c_int).in_dll(ctypes.CDLL(hoc_library()), "nrn_prop_param_size_")


def look(content: bytes) -> Saved:
    """Read such a file.

    Raises:
        Error: It is none.
    """
    try:
        return _Reader(content).read()
    except (struct.error, ValueError, IndexError) as error:
        raise Error("the checkpoint is damaged: what NEURON wrote cannot be read") from error


class _Reader:
    def __init__(self, content: bytes) -> None:
        self._content, self._at, self._sizes = bytearray(content), 0, _sizes()
        self._saved = Saved()

    def read(self) -> Saved:
        layout = self._saved.layout
        if self._line() != "SaveState binary file version 6.0":
            raise ValueError
        self._take("d")
        sections, _ = layout["trees"] = self._numbers()
        heads = [self._take("ii") for _ in range(sections)]
        layout["sections"] = list(heads)
        layout["mechanisms"] = [self._nodes(count) + (self._nodes(1) if root else []) for count, root in heads]
        (kinds,) = self._numbers()
        layout["cells without membrane"] = []
        for _ in range(kinds):
            kind, count, size = self._numbers()
            layout["cells without membrane"].append((kind, count, size))
            self._look_at(kind, self._take(f"{size}d"))
        (plays,) = self._numbers()
        layout["what is recorded and played"] = []
        for _ in range(plays):
            kind, index = self._numbers()
            layout["what is recorded and played"].append((kind, index))
            if kind in _WITH_INDEX:
                self._line()
        (netcons,) = self._numbers()
        layout["NetCons"] = []
        for _ in range(netcons):
            index, size = self._numbers()
            layout["NetCons"].append((index, size))
            self._take(f"{size}d")
        (sources,) = self._numbers()
        layout["sources of NetCons"] = [sources]
        for _ in range(sources):
            self._take("?")
            self._content[self._at : self._at + 7] = bytes(7)
            self._take("=7x3d")
        (events,) = self._numbers()
        self._take(f"{events}d")
        for _ in range(events):
            (kind,) = self._numbers()
            self._saved.events.append(kind)
            if kind == HOC:
                for _ in range(sum(self._numbers())):  # the statement, and the object that it belongs to
                    self._line()
            elif kind:
                self._line()
        self._saved.content = bytes(self._content)
        return self._saved

    def _nodes(self, count: int) -> list[tuple[int, ...]]:
        """By node the numbers of its mechanisms."""
        found: list[tuple[int, ...]] = []
        for _, mechanisms, values in [self._take("=dii") for _ in range(count)]:
            kinds = self._take(f"{mechanisms}i")
            found.append(kinds)
            numbers = self._take(f"{values}d")
            for kind in kinds:
                self._look_at(kind, numbers[: self._sizes[kind]])
                numbers = numbers[self._sizes[kind] :]
        return found

    def _look_at(self, kind: int, numbers: tuple[float, ...]) -> None:
        # Of a program in memory: below 2**47, which as a number is nearly nothing.
        if any(
            0.0 < number < 7e-310 and struct.unpack("q", struct.pack("d", number))[0] > 1 << 32 for number in numbers
        ):
            self._saved.addresses.add(kind)

    def _take(self, form: str) -> tuple[Any, ...]:
        found = struct.unpack_from(form, self._content, self._at)
        self._at += struct.calcsize(form)
        return found

    def _line(self) -> str:
        end = self._content.index(b"\n", self._at)
        line = self._content[self._at : end].decode()
        self._at = end + 1
        return line

    def _numbers(self) -> list[int]:
        return [int(word) for word in self._line().split()]


def kind_of(name: str, point: bool) -> int:
    """NEURON's number of a mechanism."""
    types = h.MechanismType(int(point))
    types.select(name)
    return int(types.internal_type())


def kinds_in_use() -> list[tuple[str, bool]]:
    """Every mechanism that is somewhere in the model, and whether it is a point process."""
    inserted = {name for sec in h.allsec() for name in mechanisms_of(sec)}
    found = [(name, False) for _, name, _ in each_type(False) if name in inserted]
    return found + [(name, True) for _, name, _ in each_type(True) if len(list(h.List(name)))]


def streams() -> Iterator[RandomStream]:
    """Every stream of random numbers (RANDOM) in the model."""
    for name, point in kinds_in_use():
        text = without_comments(source_of(name, point)[0])
        lists = re.findall(r"\bRANDOM\s+(\w+(?:\s*,\s*\w+)*)", text)
        names = [one.strip() for found in lists for one in found.split(",")]
        if not names:
            continue
        if point:
            owners = list(h.List(name))
        else:
            owners = [getattr(seg, name) for sec in h.allsec() if sec.has_membrane(name) for seg in sec]
        for owner in owners:
            yield from (getattr(owner, one) for one in names)


def without_comments(text: str) -> str:
    """The text of a .mod file, only what NEURON reads of it."""
    text = re.sub(r"\bCOMMENT\b.*?\bENDCOMMENT\b|\bTITLE\b[^\n]*", "", text, flags=re.DOTALL)
    return re.sub(r"[:?].*", "", text)


def self_event_flags() -> list[float]:
    """The flags of the events that mechanisms have sent to themselves and that are on their way."""
    times, flags, targets = h.Vector(), h.Vector(), h.List()
    h.CVode().event_queue_info(SELF, times, flags, targets)
    return list(flags)


def is_artificial(name: str) -> bool:
    """Whether this is the name of a kind of cells without membrane."""
    return any(found == name and types.is_artificial(i) for i, found, types in each_type(True))


def global_values() -> dict[str, float | list[float]]:
    """The GLOBAL variables of all mechanisms, by their names in HOC."""
    mechanisms = known_mechanisms()
    local = {name for mechanism in mechanisms for name in variables_of(mechanism, 0)}
    found: dict[str, float | list[float]] = {}
    for name in dir(h):
        parts = name.split("_")
        if name in local or not any("_".join(parts[i:]) in mechanisms for i in range(1, len(parts))):
            continue
        value = getattr(h, name)
        if isinstance(value, float):
            found[name] = value
        elif not callable(value) and hasattr(value, "__len__"):
            found[name] = list(value)
    return found


def set_global_values(values: dict[str, float | list[float]]) -> None:
    """Set what :func:`global_values` returned, as far as it is different."""
    for name, value in values.items():
        if isinstance(value, list):
            for i, one in enumerate(value):
                getattr(h, name)[i] = one
        elif getattr(h, name) != value:
            setattr(h, name, value)
