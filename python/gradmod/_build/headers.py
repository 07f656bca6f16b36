"""NEURON's headers, read by the C++ compiler once: half the time of compiling a mechanism goes into reading them."""

from __future__ import annotations

import subprocess
from pathlib import Path

from .cache import cache_directory, is_plain, kept, publish, scratch
from .recipe import Recipe

_HEADER = "neuron_headers.h"
#: What NEURON's translator writes at the head of every file, before anything that depends on the file.
_INCLUDES = '#include <stdio.h>\n#include <stdlib.h>\n#include <math.h>\n#include "mech_api.h"\n'


def options(name: str, recipe: Recipe, flags: tuple[str, ...], *, make: bool) -> list[str]:
    """Options of the compiler that make use of precompiled headers; the machine code stays the same.

    Where the compiler or its options are not those of the headers, GCC reads the headers as before.

    Args:
        name: What the headers are kept by.
        recipe: How mechanisms are compiled.
        flags: Options of the compiler.
        make: Precompile them if they are not there yet; only if that can be done here.
    """
    if not is_plain(cache_directory()):  # the compiler would look for them beside the mechanism
        return []
    place = kept(name) or (_make(name, recipe, flags) if make else None)
    return ["-include", str(place / _HEADER)] if place else []


def _make(name: str, recipe: Recipe, flags: tuple[str, ...]) -> Path | None:
    command = recipe.command(list(flags))
    folders = [Path(option[2:]) for option in command if option.startswith("-I/")]
    # NEURON 8 has no such header.
    if not any((folder / "mech_api.h").is_file() for folder in folders) or "g++" not in Path(command[0]).name:
        return None
    with scratch() as directory:
        made = directory / "headers"
        made.mkdir()
        (made / _HEADER).write_text(_INCLUDES, encoding="utf-8")
        command += ["-x", "c++-header", str(made / _HEADER), "-o", str(made / f"{_HEADER}.gch")]
        done = subprocess.run(command, cwd=made, stdin=subprocess.DEVNULL, capture_output=True, check=False)
        return publish(made, cache_directory() / name) if done.returncode == 0 else None
