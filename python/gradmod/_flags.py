"""How the C++ compiler optimises emitted mechanisms: for this processor, without changing what numbers are."""

from __future__ import annotations

import os
import platform
import shlex
from pathlib import Path

#: The environment variable that says otherwise: "-O2" where login and compute nodes have other processors.
VARIABLE = "GRADMOD_CXXFLAGS"
#: No contraction: a product that is added is rounded as NEURON rounds it.
#: Flags of exceptions and errno, which nobody looks at, keep loops from being taken several places at once.
BEST = ("-O3", "-march=native", "-ffp-contract=off", "-fno-trapping-math", "-fno-math-errno")


def flags() -> tuple[str, ...]:
    """The options for emitted mechanisms, after those of nrnivmodl.

    None where the script has options of its own (``CXXFLAGS``).
    """
    said = os.environ.get(VARIABLE)
    if said is not None:
        return tuple(shlex.split(said))
    return () if os.environ.get("CXXFLAGS") else BEST


def processor(options: tuple[str, ...]) -> str:
    """What a library with these options runs on, as far as that matters."""
    if "-march=native" not in options:
        return platform.machine()
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line for line in lines if line.startswith(("flags", "Features"))), platform.machine())
