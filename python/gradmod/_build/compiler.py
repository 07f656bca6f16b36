"""Compiling mechanisms as nrnivmodl does, in parallel: objects, and libraries of them."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import headers
from .flags import seldom as for_seldom
from .recipe import Recipe
from ..errors import Error

#: From so many files on, reading NEURON's headers once for all takes less time than in each.
_WORTH_HEADERS = 6
#: Lines of a log that are shown.
_SHOWN = 40


def processors() -> int:
    """How many this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # macOS
        return os.cpu_count() or 1


@dataclass(frozen=True)
class Compiler:
    """Compiles the .mod files of a folder, whose path NEURON can read.

    Attributes:
        options: After those of nrnivmodl.
        headers: What the precompiled headers are kept by.
    """

    recipe: Recipe
    folder: Path
    options: tuple[str, ...]
    headers: str

    @property
    def inside(self) -> Path:
        """The folder of the objects."""
        return self.folder / self.recipe.inside

    def objects(self, names: Sequence[str], seldom: Collection[str] = ()) -> None:
        """Compile ``NAME.mod`` to ``NAME.o``.

        Args:
            names: The mechanisms.
            seldom: Names of those that need not be fast.

        Raises:
            Error: A file does not compile.
        """
        self.inside.mkdir(exist_ok=True)
        longest = sorted(names, key=lambda name: (-(self.folder / f"{name}.mod").stat().st_size, name))
        asked = (self.headers, self.recipe, self.options)
        ready = headers.options(*asked, make=False)
        make = not ready and len(names) >= _WORTH_HEADERS
        with ThreadPoolExecutor(processors()) as pool:
            made = [pool.submit(headers.options, *asked, make=True)] if make else []

            def compile_one(name: str) -> None:
                options = [*(for_seldom(self.options) if name in seldom else self.options), *ready]
                # What begins before the headers are there does without them: nobody waits.
                options += [option for future in made if future.done() for option in future.result()]
                self._run(self.recipe.mechanism(self.folder, name, options), f"{name}.mod")

            _wait([*(pool.submit(compile_one, name) for name in longest), *made])

    def libraries(self, names: Mapping[str, Sequence[str]]) -> dict[str, Path]:
        """Make libraries of objects, by which NEURON gets to know their mechanisms.

        Args:
            names: The mechanisms, by the name of their library.

        Raises:
            Error: The linker failed.
        """
        with ThreadPoolExecutor(processors()) as pool:
            _wait([pool.submit(self.library, library, mechanisms) for library, mechanisms in names.items()])
        return {library: self.inside / library for library in names}

    def library(self, library: str, names: Sequence[str], guard: str = "", guarded: Sequence[str] = ()) -> Path:
        """Make one.

        Args:
            library: Its name.
            names: The mechanisms.
            guard: C++ that may return from the registration, before that of more mechanisms.
            guarded: Those.

        Raises:
            Error: The linker failed.
        """
        register = f"register_{library.partition('.')[0]}"
        declared = "".join(f"void _{name}_reg(void);\n" for name in (*names, *guarded))
        first, then = ("".join(f"    _{name}_reg();\n" for name in some) for some in (names, guarded))
        text = f'#include <stdio.h>\nextern "C" {{\n{declared}void modl_reg() {{\n{first}{guard}{then}}}\n}}\n'
        (self.inside / f"{register}.cpp").write_text(text, encoding="utf-8")
        made = self.recipe.library([*names, *guarded], register, library)
        self._run(f"{self.recipe.registration(register)} && {made}", library)
        return self.inside / library

    def _run(self, line: str, what: str) -> None:
        done = subprocess.run(
            ["/bin/sh", "-c", line],
            cwd=self.inside,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            check=False,
        )
        if done.returncode != 0:
            log = "\n".join((done.stdout + done.stderr).splitlines()[-_SHOWN:])
            raise Error(f"{what} cannot be compiled (exit code {done.returncode}); the log ends:\n{log}")


def _wait(futures: Sequence[Future[Any]]) -> None:
    """For all; where one fails, what has not begun is not done."""
    try:
        for future in futures:
            future.result()
    finally:
        for future in futures:
            future.cancel()
