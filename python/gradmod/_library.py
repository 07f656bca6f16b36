"""Compiling emitted mechanisms with NEURON's nrnivmodl, and loading them."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Collection
from pathlib import Path

from . import _headers
from . import _neuron as nrn
from ._cache import cache_directory, is_plain, kept, plain, plain_scratch, publish, scratch
from ._flags import flags, processor
from .errors import Error

_SUFFIX = ".dylib" if sys.platform == "darwin" else ".so"


def load(emitted: Path, shared: Collection[str] = (), *, quiet: bool = False) -> None:
    """Make the mechanisms of a directory known to NEURON.

    NEURON cannot load two mechanisms of one name. The compiler's names carry a hash of the content, so what has been
    loaded before (with other gradients of this process) is the same and is left out.

    Args:
        emitted: The directory.
        shared: Names of mechanisms that are the same for all models; they get a library of their own, compiled once.
        quiet: Do not say so when something has to be compiled.

    Raises:
        Error: nrnivmodl failed, or NEURON cannot load the library.
    """
    known = nrn.known_mechanisms()
    missing = [path for path in sorted(emitted.glob("*.mod")) if path.stem not in known]
    for together in (True, False):
        sources = [path for path in missing if (path.stem in shared) is together]
        if sources:
            built = library(sources, options=flags(), quiet=quiet)
            open_library(built)


def open_library(built: Path) -> None:
    """Load a library, wherever it is.

    Raises:
        Error: NEURON cannot load it.
    """
    with plain(built) as path:
        if not nrn.load_library(str(path)):
            raise Error(f"NEURON could not load {built}")


def library(sources: list[Path], *, options: tuple[str, ...] = (), quiet: bool = False) -> Path:
    """Compile .mod files into one library, or take it from the cache.

    Args:
        sources: The files.
        options: For the C++ compiler, after those of nrnivmodl.
        quiet: Do not say so when something has to be compiled.

    Raises:
        Error: nrnivmodl failed.
    """
    name = f"{_key(sources, options)}{_SUFFIX}"
    place = kept(name)
    if place is None:
        if not quiet:
            print("gradmod: compiling the gradient mechanisms (once for this model)", file=sys.stderr, flush=True)
        with scratch() as directory, plain_scratch() as elsewhere:
            work = directory if is_plain(directory) else elsewhere
            for path in sources:
                shutil.copy(path, work)
            made = directory / "made"
            made.mkdir()
            shutil.copy(compile_folder(work, options), made / f"mechanisms{_SUFFIX}")
            place = publish(made, cache_directory() / name)
    return place / f"mechanisms{_SUFFIX}"


def _key(sources: list[Path], options: tuple[str, ...]) -> str:
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


def _hash(parts: list[object]) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:24]


def compile_folder(directory: Path, options: tuple[str, ...] = ()) -> Path:
    """The library that nrnivmodl makes of the .mod files of a directory.

    Raises:
        Error: It failed.
    """
    command = _nrnivmodl()
    headers = f"headers-{_hash([_toolchain(options), nrn.installed()])}"
    kept_headers = _headers.options(headers, lambda: _run(command, directory, options, rehearse=True).stdout)
    done = _run(command, directory, (*options, *kept_headers))
    built = sorted(directory.glob("*/libnrnmech.*")) + sorted(directory.glob("*/.libs/libnrnmech.so"))
    if done.returncode != 0 or not built:
        log = "\n".join((done.stdout + done.stderr).splitlines()[-40:])
        raise Error(
            f"{command} failed with exit code {done.returncode} on the emitted mechanisms; its log ends:\n{log}"
        )
    return built[0]


def _run(
    command: str, directory: Path, options: tuple[str, ...], *, rehearse: bool = False
) -> subprocess.CompletedProcess[str]:
    """Call nrnivmodl in a directory, with options for the compiler; to ``rehearse`` is to print what would be done."""
    flags = os.environ.get("MAKEFLAGS", "")
    # An executable is made as well, which nobody needs.
    flags += f"{'' if ' -- ' in f'{flags} ' else ' --'} CXX_LINK_EXE=touch\\ ./special\\;:"
    return subprocess.run(
        [command, *(["-incflags", " ".join(options)] if options else [])],
        cwd=directory,
        env=os.environ | {"VERBOSE": "1", "MAKEFLAGS": f"-n {flags}" if rehearse else flags},
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )


def _nrnivmodl() -> str:
    beside = Path(sysconfig.get_path("scripts")) / "nrnivmodl"
    if beside.is_file():
        return str(beside)
    found = shutil.which("nrnivmodl")
    if found is None:
        raise Error("nrnivmodl was not found: it comes with NEURON; put its directory on PATH")
    return found
