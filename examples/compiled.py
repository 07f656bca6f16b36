"""Mechanisms of an example: compiled once, and made known to NEURON."""

from __future__ import annotations

import shutil
import subprocess
import sysconfig
from pathlib import Path

from neuron import h


def load(sources: Path, folder: Path) -> None:
    """Compile the .mod files of `sources` into `folder`, unless it holds the same ones, and load them."""
    files = sorted(sources.glob("*.mod"))
    old = [folder / path.name for path in files]
    if not all(path.is_file() and path.read_bytes() == new.read_bytes() for path, new in zip(old, files, strict=True)):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for path in files:
            shutil.copy(path, folder)
        nrnivmodl = Path(sysconfig.get_path("scripts")) / "nrnivmodl"
        subprocess.run([str(nrnivmodl)], cwd=folder, check=True, capture_output=True)
    h.nrn_load_dll(str(next(folder.glob("*/libnrnmech.*"))))
