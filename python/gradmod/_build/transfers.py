"""The mechanism that lets NEURON hand on voltages once, as ``ParallelContext.setup_transfer`` has arranged it."""

from __future__ import annotations

import hashlib
import subprocess

from .. import _neuron as nrn
from .._command.binary import find_binary
from .._neuron.settings import has_transfer
from .._transfers.handed_on import Transfers
from ..errors import Error, Refused
from .cache import cache_directory, kept, publish, scratch
from .library import load


def find_transfers(*, quiet: bool) -> Transfers | None:
    """What sees where voltages go; None if none is handed on.

    Raises:
        Refused: NEURON is too old.
        Error: The compiler failed.
    """
    if not has_transfer():
        return None
    if nrn.version().startswith("8."):
        raise Refused("gap junctions by ParallelContext.setup_transfer() are differentiated in NEURON 9 only")
    binary = find_binary()
    name = hashlib.sha256(binary.read_bytes() + b"transfers").hexdigest()[:24]
    place = kept(name)
    if place is None:
        with scratch() as directory:
            made = directory / "emitted"
            command = [str(binary), "transfers", "-o", str(made)]
            done = subprocess.run(command, capture_output=True, encoding="utf-8", errors="replace", check=False)
            if done.returncode != 0:
                raise Error(f"gradmod transfers failed with exit code {done.returncode}:\n{done.stderr}")
            place = publish(made, cache_directory() / name)
    suffix = next(place.glob("*.mod")).stem
    load(place, quiet=quiet)
    return Transfers(lambda: nrn.call(f"hand_on_{suffix}"))
