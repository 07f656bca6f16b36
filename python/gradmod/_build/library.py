"""Libraries of mechanisms: compiled once and kept, and loaded into NEURON."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shutil
import sys
import time
from collections.abc import Collection, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

from .. import _neuron as nrn
from . import object_files
from .cache import alone, cache_directory, is_plain, kept, plain, plain_scratch, publish, scratch
from .compiler import Compiler
from .flags import flags, processor
from .recipe import Recipe, call, nrnivmodl, recipe_of
from ..errors import Error, NoCompiler

_SUFFIX = ".dylib" if sys.platform == "darwin" else ".so"


def load(
    emitted: Path,
    *,
    seldom: Collection[str] = (),
    unused: Collection[str] = (),
    quiet: bool = False,
) -> None:
    """Make the mechanisms of a directory known to NEURON.

    NEURON cannot load two mechanisms of one name. The compiler's names end in a hash of the content, so what has been
    loaded before (with other gradients of this process) is the same and is left out. What has one hash belongs together
    and becomes one library, which other models may share.

    Args:
        emitted: The directory.
        seldom: Names of those that run when a simulation begins only.
        unused: Names of those that can be left out.
        quiet: Do not say so when something has to be compiled.

    Raises:
        Error: Something cannot be compiled, or NEURON cannot load the library.
    """
    known = {*nrn.known_mechanisms(), *unused}
    missing = [path for path in sorted(emitted.glob("*.mod")) if path.stem not in known]
    groups: dict[str, list[Path]] = {}
    for path in missing:
        groups.setdefault(path.stem.rpartition("_")[2], []).append(path)
    asked = object_files.asked()
    try:
        built = libraries([*groups.values()], options=flags(), seldom=seldom, objects=asked, quiet=quiet)
    except NoCompiler as error:
        raise Error(
            f"the gradients of this model are not compiled ({', '.join(path.stem for path in missing)}), and they "
            f"cannot be here: {error}. Where there is one, `gradmod build CHANNELS SCRIPT` makes one library of the "
            "model's mechanisms and of all that the script attaches"
        ) from error
    for path in built:
        open_library(path)
    if asked:
        object_files.stop_before_runs()


def is_torn(emitted: Path, unused: Collection[str]) -> bool:
    """Whether NEURON knows some of the mechanisms of a directory, but not all that are needed.

    Those of one directory call each other, which those of another library cannot.

    Args:
        emitted: The directory.
        unused: Names of those that can be left out.
    """
    known = nrn.known_mechanisms()
    names = {path.stem for path in emitted.glob("*.mod")}
    return bool(names & known) and not names - set(unused) <= known


def open_library(built: Path) -> None:
    """Load a library, wherever it is.

    Raises:
        Error: NEURON cannot load it.
    """
    with plain(built) as path:
        if not nrn.load_library(str(path)):
            raise Error(f"NEURON could not load {built}")


def library(sources: list[Path], *, options: tuple[str, ...] = (), quiet: bool = False) -> Path:
    """Compile .mod files into one library, or take it from the cache; see :func:`libraries`."""
    return libraries([sources], options=options, quiet=quiet)[0]


def libraries(
    groups: Sequence[Sequence[Path]],
    *,
    options: tuple[str, ...] = (),
    seldom: Collection[str] = (),
    objects: Path | None = None,
    quiet: bool = False,
) -> list[Path]:
    """Compile .mod files into a library for each group, or take it from the cache.

    Args:
        groups: The files, with other files that they include.
        options: For the C++ compiler, after those of nrnivmodl.
        seldom: Names of mechanisms that need not be fast.
        objects: The folder that their objects are copied to; then all are compiled.
        quiet: Do not say so when something has to be compiled.

    Raises:
        NoCompiler: Something has to be compiled, and there is nothing that does it.
        Error: Something cannot be compiled.
    """
    names = [f"{_key(group, options)}{_SUFFIX}" for group in groups]
    find = dict.fromkeys if objects else _kept
    places = find(names)
    if not all(places.values()):
        recipe = recipe_here()
        with _saying_so(quiet), alone(_hash(names)):
            places = find(names)  # another process may have been faster
            missing = {name: group for name, group in zip(names, groups, strict=True) if places[name] is None}
            if missing:
                places |= _made(recipe, missing, options, seldom, objects)
    return [place / f"mechanisms{_SUFFIX}" for place in places.values() if place]


def _kept(names: Sequence[str]) -> dict[str, Path | None]:
    return {name: kept(name) for name in names}


def _made(
    recipe: Recipe | None,
    groups: dict[str, Sequence[Path]],
    options: tuple[str, ...],
    seldom: Collection[str],
    objects: Path | None,
) -> dict[str, Path]:
    """What is in the cache now."""
    places: dict[str, Path] = {}
    with scratch() as directory, plain_scratch() as elsewhere:
        work = directory if is_plain(directory) else elsewhere
        for name, built in _compile(recipe, groups, work, options, seldom).items():
            made = directory / f"made-{name}"
            made.mkdir()
            shutil.move(built, made / f"mechanisms{_SUFFIX}")
            places[name] = publish(made, cache_directory() / name)
        if objects:
            object_files.keep(work.glob("*/gm_*.o"), objects)
    return places


@contextmanager
def _saying_so(quiet: bool) -> Generator[None, None, None]:
    """One message, and how long it took."""
    if quiet:
        yield
        return
    print("gradmod: compiling the gradient mechanisms (once for this model) ...", end="", file=sys.stderr, flush=True)
    begin = time.monotonic()
    try:
        yield
    except BaseException:
        print(file=sys.stderr, flush=True)
        raise
    print(f" {time.monotonic() - begin:.1f} s", file=sys.stderr, flush=True)


def _compile(
    recipe: Recipe | None,
    groups: dict[str, Sequence[Path]],
    work: Path,
    options: tuple[str, ...],
    seldom: Collection[str],
) -> dict[str, Path]:
    """The library of each group, somewhere below a directory."""
    for group in groups.values():
        for path in group:
            shutil.copy(path, work)
    if recipe is None:
        return {name: _by_nrnivmodl(group, work / f"of-{name}", options) for name, group in groups.items()}
    mechanisms = {name: [path.stem for path in group if path.suffix == ".mod"] for name, group in groups.items()}
    headers = f"headers-{_hash([_toolchain(options), *_setting()])}"
    compiler = Compiler(recipe, work, options, headers)
    compiler.objects([name for names in mechanisms.values() for name in names], seldom)
    return compiler.libraries(mechanisms)


def recipe_here() -> Recipe | None:
    """How mechanisms are compiled in this environment, if that is understood.

    Raises:
        NoCompiler: They cannot be.
    """
    return recipe_of(_hash(["recipe", *_setting()]))


def _by_nrnivmodl(sources: Sequence[Path], work: Path, options: tuple[str, ...]) -> Path:
    work.mkdir()
    for path in sources:
        shutil.copy(path, work)
    return compile_folder(work, options)


def compile_folder(directory: Path, options: tuple[str, ...] = ()) -> Path:
    """The library that nrnivmodl makes of the .mod files of a directory.

    Raises:
        Error: It failed.
    """
    done = call(directory, options)
    built = sorted(directory.glob("*/libnrnmech.*")) + sorted(directory.glob("*/.libs/libnrnmech.so"))
    if done.returncode != 0 or not built:
        log = "\n".join((done.stdout + done.stderr).splitlines()[-40:])
        raise Error(f"{nrnivmodl()} failed with exit code {done.returncode}; its log ends:\n{log}")
    return built[0]


def _key(sources: Sequence[Path], options: tuple[str, ...]) -> str:
    parts = [_toolchain(options), [(path.name, path.read_text(encoding="utf-8")) for path in sources]]
    return _hash(parts)


def _toolchain(options: tuple[str, ...]) -> list[object]:
    """What compiles, as far as the environment decides it, and for what."""
    return [
        nrn.version(),
        [*options, processor(options)],
        [sys.platform, platform.machine()],
        [os.environ.get(name, "") for name in ("CC", "CXX", "CFLAGS", "CXXFLAGS")],
    ]


def _setting() -> list[object]:
    """What nrnivmodl's own calls depend on beside: where NEURON is, and variables that make is given."""
    return [_toolchain(()), nrn.installed(), os.environ.get("MAKEFLAGS", "").partition(" -- ")[2]]


def _hash(parts: Sequence[object]) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:24]
