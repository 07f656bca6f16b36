"""How NEURON compiles mechanisms here: what nrnivmodl's makefile would call, asked once and kept."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sysconfig
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from .cache import cache_directory, kept, plain_scratch, publish, scratch
from ..errors import NoCompiler

_FOLDER, _NAME, _OPTIONS = "@FOLDER@", "@NAME@", "@OPTIONS@"
_FILE = "recipe.json"
_PROBE = "gm_probe"


@dataclass(frozen=True)
class Recipe:
    """Lines for a shell in the folder ``inside``, which stands in the folder of the .mod files.

    Attributes:
        inside: What nrnivmodl calls that folder: after the processor.
        register: Compiles ``mod_func.cpp``, which registers the mechanisms.
        translate: From a .mod file to C or C++.
        compile: From there to an object.
        link: From objects to a library, whose name follows ``-o``.
    """

    inside: str
    register: str
    translate: str
    compile: str
    link: str

    def mechanism(self, folder: Path, name: str, options: list[str]) -> str:
        """From a .mod file of a folder to the object ``NAME.o``."""
        line = f"{self.translate} && {self.compile}".replace(_FOLDER, str(folder)).replace(_NAME, name)
        return line.replace(_OPTIONS, shlex.join(options))

    def command(self, options: list[str]) -> list[str]:
        """How the compiler of mechanisms is called, without files."""
        return shlex.split(self.compile.partition(" -c ")[0].replace(_OPTIONS, shlex.join(options)))

    def library(self, names: Sequence[str], register: str, library: str) -> str:
        """From objects to a library, all in the folder that the line runs in."""
        objects = " ".join(f"./{name}.o" for name in names)
        line = self.link.replace(f"./{_NAME}.o", objects).replace("./mod_func.o", f"./{register}.o")
        return re.sub(r" -o \S+", f" -o ./{library}", line, count=1)

    def registration(self, register: str) -> str:
        """From ``REGISTER.cpp`` to ``REGISTER.o``."""
        return self.register.replace("mod_func.cpp", f"{register}.cpp").replace("mod_func.o", f"{register}.o")


def recipe_of(name: str) -> Recipe | None:
    """What is done here, if nrnivmodl says it in a way that is understood.

    Args:
        name: What it is kept by: all that it depends on.

    Raises:
        NoCompiler: There is no nrnivmodl, no make or no compiler.
    """
    place = kept(f"recipe-{name}")
    if place is None:
        with scratch() as directory:
            made = directory / "made"
            made.mkdir()
            with plain_scratch() as elsewhere:
                found = _read(elsewhere, rehearsal(elsewhere))
            if found is None:
                return None
            (made / _FILE).write_text(json.dumps(asdict(found)), encoding="utf-8")
            place = publish(made, cache_directory() / f"recipe-{name}")
    found = Recipe(**json.loads((place / _FILE).read_text(encoding="utf-8")))
    for line in (found.compile, found.link):
        compiler = shlex.split(line)[0]
        if shutil.which(compiler) is None:
            raise NoCompiler(compiler)
    return found


def rehearsal(folder: Path) -> str:
    """What nrnivmodl would do in an empty folder with one mechanism."""
    (folder / f"{_PROBE}.mod").write_text("NEURON { SUFFIX gm_probe }\n", encoding="utf-8")
    for needed in ("bash", "make"):
        if shutil.which(needed) is None:
            raise NoCompiler(needed)
    return call(folder, (_OPTIONS,), rehearse=True).stdout


def _read(folder: Path, log: str) -> Recipe | None:
    log = log.replace("\\\n", " ").replace(str(folder), _FOLDER).replace(_PROBE, _NAME)
    patterns = {
        "register": r"^\S.* -c mod_func\.cpp -o mod_func\.o *$",
        "translate": rf"^\(cd .*nocmodl.*{_NAME}\.mod.*\) *$",
        "compile": rf'^\S.* -c \S*{_NAME}\.c(?:pp)?"? -o \S*{_NAME}\.o *$',
        "link": rf"^\S.* -o \S*libnrnmech\S* .*\./mod_func\.o +\./{_NAME}\.o[^&;\n]*",
    }
    lines = {part: re.search(pattern, log, re.MULTILINE) for part, pattern in patterns.items()}
    inside = [path.name for path in folder.iterdir() if path.is_dir()]
    found = {part: line[0] for part, line in lines.items() if line}
    if len(found) < len(patterns) or len(inside) != 1 or _OPTIONS not in found["compile"]:
        return None
    found["register"] = found["register"].replace(_OPTIONS, "")
    return Recipe(inside[0], **found)


def call(directory: Path, options: tuple[str, ...], *, rehearse: bool = False) -> subprocess.CompletedProcess[str]:
    """Call nrnivmodl in a directory, with options for the compiler; to ``rehearse`` is to print what would be done."""
    flags = os.environ.get("MAKEFLAGS", "")
    # An executable is made as well, which nobody needs.
    flags += f"{'' if ' -- ' in f'{flags} ' else ' --'} CXX_LINK_EXE=touch\\ ./special\\;:"
    return subprocess.run(
        [nrnivmodl(), *(["-incflags", " ".join(options)] if options else [])],
        cwd=directory,
        env=os.environ | {"VERBOSE": "1", "MAKEFLAGS": f"-n {flags}" if rehearse else flags},
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )


def nrnivmodl() -> str:
    """NEURON's script that compiles mechanisms.

    Raises:
        NoCompiler: It was not found.
    """
    beside = Path(sysconfig.get_path("scripts")) / "nrnivmodl"
    if beside.is_file():
        return str(beside)
    found = shutil.which("nrnivmodl")
    if found is None:
        raise NoCompiler("nrnivmodl")
    return found
