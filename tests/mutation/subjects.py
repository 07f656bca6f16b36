"""What mutants are about: the beginnings of their names, and what models of it have. It saves looking elsewhere."""

from __future__ import annotations

from collections.abc import Mapping

_WINDOWS = "memory"
SUBJECTS: Mapping[str, tuple[str, ...]] = {
    "second order": ("secondorder",),
    "change: ": ("plays", "point process"),
    "change: the last": ("plays", "point process", "one window"),
    "change: in a window": ("plays", "point process", _WINDOWS),
    "event: ": ("NET_RECEIVE",),
    "event: voltage": ("v at events",),
    "event: states that it only reads": ("states at events",),
    "event: hidden variables": ("only events read it", "counted events"),
    "event: settled states": ("states at events",),
    "event: at the end of a window": ("NET_RECEIVE", _WINDOWS),
    "event: second finitialize": ("twice", _WINDOWS),
    "event: ion style": ("reads ion", "NET_RECEIVE"),
    "event: ions": ("reads ion", "NET_RECEIVE"),
    "event: INITIAL of the weights": ("weights start by a PARAMETER",),
    "event: weights that NEURON clears": ("weights that NEURON clears", "twice"),
    "loop: ": ("ring",),
    "array: ": ("ring",),
    "noise: ": ("RANDOM",),
    "random: ": ("RANDOM", _WINDOWS),
    "streams": ("RANDOM", "size"),
    "isolated": ("isolated value",),
    "pointer: ": ("POINTER",),
    "variable: ": ("points at states",),
    "watch: ": ("WATCH",),
    "v: ": ("v set by events",),
    "v, reverse: ": ("v set by events",),
    "v, reverse: ends of windows": ("v set by events", _WINDOWS),
    "memo: ": ("memory of values",),
    "corrected": ("INITIAL corrects a PARAMETER", "few"),
    "FUNCTION_TABLE": ("FUNCTION_TABLE",),
    "CONDUCTANCE": ("CONDUCTANCE",),
    "CONDUCTANCE: C code": ("CONDUCTANCE", "VERBATIM"),
    "CONDUCTANCE: GLOBAL": ("CONDUCTANCE", "GLOBAL set by INITIAL"),
    "saved: ": ("NET_RECEIVE",),
    "inert: ": ("few", "point process"),
    "gather: moved": ("moves",),
    "gather: the last frame": ("moves",),
    "solver: addresses": ("moves",),
    "adjoint: tables": ("table", "tables"),
    "TABLE": ("table", "tables"),
    "block: tables": ("table", "tables"),
    "block: checks": ("isolated value",),
    "runge": ("runge", "left by DERIVATIVE"),
    "euler": ("euler",),
    "substitution": ("derivimplicit",),
    "writers": ("pool", "reads ion"),
    "default initial value": ("default of a STATE",),
    "concentration's start": ("concentration starts by the ion",),
}


def subject(name: str) -> frozenset[str]:
    """The tags of a mutant's models: by the longest beginning of its name that is known."""
    known = [start for start in SUBJECTS if name.startswith(start)]
    return frozenset(SUBJECTS[max(known, key=len)]) if known else frozenset()
