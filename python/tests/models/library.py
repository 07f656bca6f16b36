"""Compile `fixtures/channels` once per content and NEURON version, and load the result."""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import tempfile
from pathlib import Path
from typing import Any

import neuron
import numpy as np
from gradmod._build.library import compile_folder
from neuron import h

CHANNELS = Path(__file__).resolve().parents[3] / "fixtures" / "channels"

_loaded: set[Path] = set()
#: NEURON keeps no reference to them.
_kept: list[Any] = []


def compile_fixtures(folder: Path = CHANNELS) -> Path:
    """Build the .mod files of `folder` with this interpreter's nrnivmodl.

    The result is cached under a name made of the content of the files and the version of NEURON.

    Returns:
        The shared library, to be loaded with `h.nrn_load_dll`.
    """
    files = sorted([*folder.glob("*.mod"), *folder.glob("*.inc")])
    key = hashlib.sha256(f"{neuron.__version__} {os.environ.get('CXXFLAGS', '')}".encode())
    for file in files:
        key.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
    cache = Path(os.environ.get("GRADMOD_TEST_CACHE", Path(tempfile.gettempdir()) / "gradmod-test-cache"))
    build = cache / f"{folder.name}-{key.hexdigest()[:16]}"
    if not build.exists():
        cache.mkdir(parents=True, exist_ok=True)
        # Build under a private name and rename: two test processes may start at the same time.
        private = Path(tempfile.mkdtemp(dir=cache))
        sources = private / "mod"
        sources.mkdir()
        for file in files:
            shutil.copy(file, sources)
        compile_folder(sources)
        try:
            private.rename(build)
        except OSError:  # another process was faster
            shutil.rmtree(private)
    return _library(build)


def load_fixtures(folder: Path = CHANNELS) -> None:
    """Make the mechanisms of `folder` known to NEURON; does nothing the second time."""
    library = compile_fixtures(folder)
    if library not in _loaded:
        h.nrn_load_dll(str(library))
        _loaded.add(library)
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


def _library(build: Path) -> Path:
    found = sorted((build / "mod" / platform.machine()).glob("**/libnrnmech.*"))
    if not found:
        raise RuntimeError(f"no libnrnmech below {build}")
    return found[0]
