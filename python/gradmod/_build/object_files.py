"""What ``gradmod build`` asks of the script that it runs: the objects of all that is compiled; and not to run."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from .. import _neuron as nrn

#: The environment variable that names the folder for the objects.
FOLDER = "GRADMOD_BUILD"
#: The environment variable that says that runs are made, too.
RUNS = "GRADMOD_BUILD_RUNS"
#: A file in the folder: the script came to its first run.
STOPPED = "stopped"

_handler: list[Any] = []


def asked() -> Path | None:
    """The folder, if objects are asked for."""
    folder = os.environ.get(FOLDER)
    return Path(folder) if folder else None


def keep(objects: Iterable[Path], folder: Path) -> None:
    """Copy objects to a folder; several processes of a script may do so at once."""
    for path in objects:
        part = folder / f"{path.name}-{os.getpid()}"
        shutil.copy(path, part)
        part.replace(folder / path.name)


def stop_before_runs() -> None:
    """End the process where a run begins, unless runs are asked for."""
    if not _handler and not os.environ.get(RUNS):
        _handler.append(nrn.on_finitialize(0, _stop))


def _stop() -> None:
    folder = asked()
    if folder is not None:
        (folder / STOPPED).touch()
    sys.stdout.flush()
    sys.stderr.flush()
    # NEURON would make an error of an exception.
    os._exit(0)
