"""``gradmod build``: one library of a model's mechanisms and of the gradients that a script attaches.

    gradmod build channels/ fit.py

does what ``nrnivmodl channels/`` does, and runs ``fit.py`` up to its first run: what it attaches until then is
compiled, and stands in ``x86_64/libnrnmech.so`` beside the model's own mechanisms. Where NEURON loads that library,
``attach``, ``Reverse`` and the others find all mechanisms there, and need no compiler. Ends with 0, or with 1 if that
failed.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ._build import object_files
from ._build.compiler import Compiler
from ._build.flags import flags
from ._build.library import recipe_here
from ._build.processor import guard
from ._build.recipe import Recipe, nrnivmodl
from .errors import Error


@dataclass(frozen=True)
class Request:
    """What the command line says.

    Attributes:
        output: The folder that gets ``x86_64``, or what the processor's folder is called.
        runs: The script makes its runs.
    """

    mechanisms: tuple[Path, ...]
    script: Path
    arguments: tuple[str, ...]
    output: Path
    runs: bool

    @classmethod
    def read(cls, arguments: Sequence[str]) -> Request:
        """From the words of the command.

        Raises:
            Error: They make no sense.
        """
        parser = argparse.ArgumentParser(prog="gradmod build", description=__doc__)
        parser.add_argument("files", nargs="+", type=Path)
        parser.add_argument("-o", "--output", type=Path, default=Path())
        parser.add_argument("--runs", action="store_true")
        at = arguments.index("--") if "--" in arguments else len(arguments)
        words, rest = arguments[:at], arguments[at + 1 :]
        given = parser.parse_args(words)
        scripts = [path for path in given.files if path.suffix == ".py"]
        if len(scripts) != 1:
            raise Error("one script is needed, whose name ends in .py: it builds the model and attaches the gradients")
        mechanisms = [
            path
            for given_path in given.files
            if given_path not in scripts
            for path in (sorted(given_path.glob("*.mod")) if given_path.is_dir() else [given_path])
        ]
        for path in (*scripts, *mechanisms):
            if not path.is_file():
                raise Error(f"{path} is no file")
            if path not in scripts and path.suffix != ".mod":
                raise Error(f"{path} is neither a .mod file nor a script")
        resolved = tuple(path.resolve() for path in mechanisms)
        return cls(resolved, scripts[0].resolve(), tuple(rest), given.output.resolve(), given.runs)


def build(request: Request) -> tuple[Path, int]:
    """Make the library.

    Returns:
        Where it is, and how many mechanisms of gradients it has.

    Raises:
        Error: Something cannot be compiled, or the script failed.
    """
    recipe = recipe_here()
    if recipe is None:
        raise Error("how nrnivmodl compiles here is not understood; attach compiles what it needs by itself")
    request.output.mkdir(parents=True, exist_ok=True)
    inside = request.output / recipe.inside
    if not request.mechanisms and (inside / "mod_func.cpp").exists():
        raise Error(f"{inside} has a library of nrnivmodl's: name the .mod files that it is made of, too")
    for path in inside.glob("gm_*"):
        path.unlink()
    with tempfile.TemporaryDirectory() as folder:
        own = _compile_own(request, inside)
        stopped = _run_script(request, own, Path(folder))
        made = sorted(Path(folder).glob("gm_*.o"))
        if not made:
            how = "came to its first run" if stopped else "ended"
            raise Error(f"{request.script.name} {how} without attaching gradients: there is nothing to build")
        inside.mkdir(exist_ok=True)
        for path in made:
            shutil.copy(path, inside)
    library = _link(request, recipe, [path.stem for path in made])
    return library, len(made)


def _compile_own(request: Request, inside: Path) -> Path | None:
    """The library of the model's mechanisms alone."""
    if not request.mechanisms:
        return None
    done = subprocess.run(
        [nrnivmodl(), *map(str, request.mechanisms)],
        cwd=request.output,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    built = [inside / name for name in ("libnrnmech.so", "libnrnmech.dylib", ".libs/libnrnmech.so")]
    found = next((path for path in built if path.exists()), None)
    if done.returncode != 0 or found is None:
        log = "\n".join((done.stdout + done.stderr).splitlines()[-40:])
        raise Error(f"nrnivmodl failed with exit code {done.returncode}; its log ends:\n{log}")
    return found


def _run_script(request: Request, own: Path | None, folder: Path) -> bool:
    """Run it; what is compiled meanwhile has its objects in a folder. Whether it was stopped at a run."""
    environment = os.environ | {object_files.FOLDER: str(folder)}
    environment.pop(object_files.RUNS, None)
    if request.runs:
        environment[object_files.RUNS] = "1"
    if own is not None and request.output != Path.cwd():
        # From the current folder NEURON loads it by itself.
        options = os.environ.get("NEURON_MODULE_OPTIONS", "")
        environment["NEURON_MODULE_OPTIONS"] = f"{options} -dll {own}".strip()
    done = subprocess.run([sys.executable, str(request.script), *request.arguments], env=environment, check=False)
    stopped = (folder / object_files.STOPPED).exists()
    if done.returncode != 0:
        raise Error(f"{request.script.name} failed with exit code {done.returncode}")
    return stopped


def _link(request: Request, recipe: Recipe, made: Sequence[str]) -> Path:
    """All objects in one library, in place of that of the model's mechanisms."""
    compiler = Compiler(recipe, request.output, flags(), "")
    own = [path.stem for path in request.mechanisms]
    suffix = ".dylib" if sys.platform == "darwin" else ".so"
    part = compiler.library(f"whole{suffix}", own, guard(recipe, flags()), made)
    library = compiler.inside / f"libnrnmech{suffix}"
    beside = compiler.inside / ".libs" / library.name
    if beside.parent.is_dir():  # NEURON 8
        shutil.copy(part, beside)
    part.replace(library)
    return library


def main(arguments: Sequence[str]) -> int:
    """Do what the command line says."""
    try:
        library, count = build(Request.read(arguments))
    except Error as error:
        print(f"gradmod build: {error}", file=sys.stderr)
        return 1
    print(f"{library}: with {count} mechanisms of gradients", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
