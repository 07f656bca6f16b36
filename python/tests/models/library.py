"""Compile `fixtures/channels` once per content and NEURON version, and load the result."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from gradmod._build.library import library, open_library
from neuron import h

CHANNELS = Path(__file__).resolve().parents[3] / "fixtures" / "channels"

_loaded: set[Path] = set()
#: NEURON keeps no reference to them.
_kept: list[Any] = []


def compile_fixtures(folder: Path = CHANNELS) -> Path:
    """The library of the .mod files of `folder`, made by nrnivmodl's own commands and kept in gradmod's cache.

    Returns:
        What `h.nrn_load_dll` loads.
    """
    return library(sorted([*folder.glob("*.mod"), *folder.glob("*.inc")]), quiet=True)


def load_fixtures(folder: Path = CHANNELS) -> None:
    """Make the mechanisms of `folder` known to NEURON; does nothing the second time."""
    built = compile_fixtures(folder)
    if built not in _loaded:
        open_library(built)
        _loaded.add(built)
        fill_tables()


def fill_tables() -> None:
    """The FUNCTION_TABLEs of kfilled, with bends."""
    if not hasattr(h, "table_inf_kfilled"):
        return
    x = np.arange(-120.0, 120.0, 11.7)
    shapes = {
        "inf": 1 / (1 + np.exp(-(x + 45) / 9)),
        "tau": 1 + 4 / np.cosh((x + 45) / 20),
        "block": 0.4 + 0.6 / (1 + np.exp(x / 20)),
    }
    for name, y in shapes.items():
        vectors = h.Vector(y), h.Vector(x)
        getattr(h, f"table_{name}_kfilled")(*vectors)
        _kept.extend(vectors)
