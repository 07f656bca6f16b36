"""How the C++ compiler optimises emitted mechanisms: for this processor, without changing what numbers are."""

from __future__ import annotations

import os
import platform
import shlex
import sys
from pathlib import Path

#: The environment variable with options that come last; then it says for which processor, too: nothing for any, or
#: "-march=x86-64-v3" where login and compute nodes have different ones.
VARIABLE = "GRADMOD_CXXFLAGS"
_NATIVE = "-march=native"
#: No contraction: a product that is added is rounded as NEURON rounds it.
#: Flags of exceptions and errno, which nobody looks at, keep loops from being taken several places at once.
_NUMBERS = ("-ffp-contract=off", "-fno-trapping-math", "-fno-math-errno")
#: As fast as what -O3 makes, in half the time: the large loops over places go through GCC's passes over registers
#: again and again if constants are moved out of them (pre), and exp and log must stand in them.
_GCC = (
    "-O2", "-ftree-vectorize", "-fvect-cost-model=dynamic", "-fno-tree-pre", "-fno-gcse",
    "--param=max-combine-insns=2", "--param=max-inline-insns-single=200",
)  # fmt: skip


def flags() -> tuple[str, ...]:
    """The options for emitted mechanisms, after those of nrnivmodl.

    None where the script has options of its own (``CXXFLAGS``).
    """
    said = os.environ.get(VARIABLE)
    if said is None and os.environ.get("CXXFLAGS"):
        return ()
    return best((_NATIVE,) if said is None else tuple(shlex.split(said)))


def best(last: tuple[str, ...] = (_NATIVE,)) -> tuple[str, ...]:
    """What is used unless the script says something else, and what comes last."""
    is_clang = sys.platform == "darwin" or "clang" in os.environ.get("CXX", "")
    return (*(("-O3",) if is_clang else _GCC), *_NUMBERS, *last)


def seldom(options: tuple[str, ...]) -> tuple[str, ...]:
    """For what runs when a simulation begins only: less work for the compiler."""
    return ("-Og", *options[1:]) if options[:1] in (("-O2",), ("-O3",)) else options


def processor(options: tuple[str, ...]) -> str:
    """What a library with these options runs on, as far as that matters."""
    if _NATIVE not in options:
        return platform.machine()
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line for line in lines if line.startswith(("flags", "Features"))), platform.machine())
