"""NEURON itself, whose interpreter has no types: what comes from ``h`` is ``Any`` to the type checker.

This is the boundary between typed and untyped code. Every file of this package takes ``h`` from here and hands on
values of known types; objects of NEURON have the names below, which say what they are to the reader only.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeAlias, cast

import neuron

_neuron = cast(Any, neuron)
h: Any = _neuron.h

Section: TypeAlias = Any
Segment: TypeAlias = Any
NetCon: TypeAlias = Any
PointProcess: TypeAlias = Any
Mechanism: TypeAlias = Any
Ref: TypeAlias = Any
Vector: TypeAlias = Any
RandomStream: TypeAlias = Any

#: Prefix of the suffix of every mechanism that the compiler emits.
OWN_PREFIX = "gm_"


def version() -> str:
    """NEURON's version, e.g. "9.0.2"."""
    return str(_neuron.__version__)


def installed() -> tuple[str, int]:
    """Where NEURON is and when it came there, in ns."""
    place = Path(_neuron.__file__)
    return str(place), place.stat().st_mtime_ns


def hoc_library() -> str:
    """Where the library is that NEURON itself is."""
    return str(_neuron.hoc.__file__)


def load_library(path: str) -> bool:
    """Load a compiled library of mechanisms."""
    return bool(h.nrn_load_dll(path))
