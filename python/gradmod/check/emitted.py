"""What the compiler says of a file, and what it makes of the cell's mechanisms."""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .._command.binary import find_binary
from .._manifest.gradients import Manifest
from .._manifest.region import Region
from .._model.catalogue import NAMES_OF_TIMES
from .._model.cells import cells_of
from .._model.regions import group, sources
from ..errors import Error
from . import compiled
from .model.cell import Model
from .model.source import declarations


def codes(path: Path) -> tuple[bool, list[str]]:
    """Whether the compiler takes the file, and the codes of its diagnostics."""
    with tempfile.TemporaryDirectory() as directory:
        owners = [owner for owner, _ in compiled.owners(path)]
        declared = declarations(compiled.read(path))
        option = "--point" if declared.kind == "POINT_PROCESS" else "--region"
        asked = [option, declared.name if option == "--point" else f"checked={declared.name}"] if owners else []
        done = _transform([path, *owners], directory, *asked)
    lines: list[dict[str, Any]] = [json.loads(line) for line in done.stderr.splitlines() if line.startswith("{")]
    return done.returncode == 0, sorted({str(line["code"]) for line in lines})


def emitted(model: Model) -> Manifest | None:
    """What the compiler makes of the cell's mechanisms; None if it refuses, and attach will say why."""
    regions = group(cells_of(model.sections))
    points = [model.declared.name] if model.instances.processes else []
    more = [part for region in regions for part in ("--region", f"{region.name}={','.join(region.mechanisms)}")]
    more += [part for point in points for part in ("--point", point)]
    with tempfile.TemporaryDirectory() as directory:
        paths: list[Path] = []
        for source in sources(regions, points):
            paths.append(Path(directory) / f"{source.name}.mod")
            paths[-1].write_text(source.text, encoding="utf-8")
        done = _transform(paths, directory, *more)
        if done.returncode != 0:
            return None
        return Manifest.read(Path(directory) / "gradmod.json")


def known(made: Manifest | None) -> set[str]:
    """The parameters of the cell's mechanisms that something depends on, but for times that act in whole steps."""
    regions: Sequence[Region] = () if made is None else made.regions
    found = {name for region in regions for name in region.parameters}
    stepwise = {name for region in regions for name in region.stepwise}
    return {name for name in found if not (name in stepwise and name.rpartition(".")[2] in NAMES_OF_TIMES)}


def _transform(paths: Sequence[Path], directory: str, *more: str) -> subprocess.CompletedProcess[str]:
    command = [str(find_binary()), "transform", *map(str, paths), "-o", directory, "--message-format", "json", *more]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1):
        raise Error(f"gradmod transform ended with exit code {done.returncode}: {done.stderr.strip()[-300:]}")
    return done
