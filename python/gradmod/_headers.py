"""NEURON's headers, read by the C++ compiler once: half the time of compiling a mechanism goes into reading them."""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path

from ._cache import cache_directory, is_plain, kept, publish, scratch

_HEADER = "neuron_headers.h"
#: What NEURON's translator writes at the head of every file, before anything that depends on the file.
_INCLUDES = '#include <stdio.h>\n#include <stdlib.h>\n#include <math.h>\n#include "mech_api.h"\n'


def options(name: str, rehearse: Callable[[], str]) -> list[str]:
    """Options of the compiler that make use of precompiled headers; the machine code stays the same.

    Where the compiler or its options are not those of the headers, GCC reads the headers as before.

    Args:
        name: What the headers are kept by; where they are not yet, they are made, if that can be done here.
        rehearse: What nrnivmodl would do, as make prints it: how it calls the compiler.
    """
    if not is_plain(cache_directory()):  # NEURON's makefile splits options at blanks
        return []
    place = kept(name) or _make(name, rehearse())
    return ["-include", str(place / _HEADER)] if place else []


def _make(name: str, log: str) -> Path | None:
    call = re.search(r"^(.*\S) +-c mod_func\.cpp -o mod_func\.o *$", log, re.MULTILINE)
    command = shlex.split(call[1]) if call else []
    folders = [Path(option[2:]) for option in command if option.startswith("-I/")]
    # NEURON 8 has no such header.
    if not any((folder / "mech_api.h").is_file() for folder in folders) or "g++" not in Path(command[0]).name:
        return None
    with scratch() as directory:
        made = directory / "headers"
        made.mkdir()
        (made / _HEADER).write_text(_INCLUDES, encoding="utf-8")
        command += ["-x", "c++-header", str(made / _HEADER), "-o", str(made / f"{_HEADER}.gch")]
        done = subprocess.run(command, cwd=made, capture_output=True, check=False)
        return publish(made, cache_directory() / name) if done.returncode == 0 else None
