"""Stock NEURON's verdict on a file: compile it with nrnivmodl and load it."""

from __future__ import annotations

import os
import re
import tempfile
from pathlib import Path

import numpy as np

from .. import _neuron as nrn
from .._build.library import library, open_library
from .._model.external import declared_in
from ..errors import Error
from .model import source


class NotAccepted(Error):
    """NEURON does not compile or load the file."""


def read(path: Path) -> str:
    """The text of a .mod file, UTF-8 or Latin-1."""
    data = path.read_bytes()
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def load(path: Path) -> source.Declarations:
    """Compile a .mod file in stock NEURON, or take it from the cache, and load it.

    A file that declares a mechanism that NEURON already has, such as hh, gets another name in a copy.

    Raises:
        NotAccepted: NEURON rejects it.
    """
    text = read(path)
    declared = source.declarations(text)
    if declared.name in nrn.known_mechanisms():
        text = source.renamed(text, declared.name, f"{declared.name}_checked")
        declared = source.declarations(text)
    with tempfile.TemporaryDirectory() as directory:
        known = nrn.known_mechanisms()
        beside = [(owner, read(owner)) for owner, mechanism in owners(path) if mechanism not in known]
        copies = [_copied(*file, directory) for file in ((path, text), *beside)]
        # NEURON looks for INCLUDEd files there.
        os.environ["MODL_INCLUDE"] = str(path.resolve().parent)
        try:
            open_library(library([*copies, *_included(path, text)], quiet=True))
        except (Error, RuntimeError) as error:
            raise NotAccepted(str(error)) from error
    if declared.kind == "SUFFIX":
        _fill(declared)
    return declared


def _fill(declared: source.Declarations) -> None:
    """Give the FUNCTION_TABLEs values, with bends: positive, and rising where the voltage moves."""
    for function in declared.function_tables:
        x = np.arange(-200.0, 200.0, 13.7, dtype=np.float64)
        nrn.fill_function_table(f"{function}_{declared.name}", 0.2 + 0.8 / (1.0 + np.exp(-(x + 45.0) / 12.0)), x)


def owners(path: Path) -> list[tuple[Path, str]]:
    """The files beside a file that own its EXTERNAL variables, with their mechanisms."""
    names = declared_in(read(path))
    if not names:
        return []
    files = [file for file in sorted(path.resolve().parent.glob("*.mod")) if file != path.resolve()]
    declared = [(file, source.declarations(read(file)).name) for file in files]
    return [found for found in declared if found[1] and any(name.endswith(f"_{found[1]}") for name in names)]


def _copied(path: Path, text: str, directory: str) -> Path:
    copy = Path(directory) / f"{_stem(path)}.mod"
    copy.write_text(text, encoding="utf-8")
    return copy


def _stem(path: Path) -> str:
    """A name that can be part of a C function's."""
    stem = re.sub(r"\W", "_", path.stem)
    return stem if stem[:1].isalpha() else f"m_{stem}"


def _included(path: Path, text: str) -> list[Path]:
    """Files that are INCLUDEd and stand beside the file: the cache must know their content."""
    names = re.findall(r'(?m)^\s*INCLUDE\s+"([^"]+)"', text)
    return [file for file in (path.resolve().parent / name for name in names) if file.is_file()]
