"""From sources to a loaded library: ``gradmod transform``, ``nrnivmodl``, and a cache of both."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import platform
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import _neuron as nrn
from ._binary import find_binary
from ._manifest import Manifest
from .errors import Diagnostic, Error, Refused
from .regions import Source

_SCRATCH = ".building-"
_log = logging.getLogger("gradmod")


@dataclass(frozen=True)
class Request:
    """What is to be differentiated: all that determines the emitted files.

    ``regions`` are (name, mechanisms in NEURON's order); ``wrt`` parameter names; ``directions`` is K.
    """

    sources: tuple[Source, ...]
    regions: tuple[tuple[str, tuple[str, ...]], ...]
    points: tuple[str, ...]
    wrt: tuple[str, ...]
    directions: int

    def key(self, binary: Path) -> str:
        """A hash of everything that the library depends on."""
        parts: list[Any] = [
            _content_hash(binary),
            nrn.version(),
            [sys.platform, platform.machine()],
            [os.environ.get(name, "") for name in ("CC", "CXX", "CFLAGS", "CXXFLAGS")],
            [(source.name, source.text) for source in self.sources],
            [self.regions, self.points, self.wrt, self.directions],
        ]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:24]


@dataclass(frozen=True)
class Build:
    """A finished build in the cache."""

    directory: Path
    manifest: Manifest
    library: Path


def cache_directory() -> Path:
    """Where builds are kept: ``GRADMOD_CACHE`` if set, else the platform's cache directory."""
    named = os.environ.get("GRADMOD_CACHE")
    if named:
        return Path(named).expanduser().resolve()
    if sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    elif sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "gradmod"


def build(request: Request, *, quiet: bool = False) -> Build:
    """Emit and compile what was requested, or take it from the cache.

    Safe for several processes at once, and for one that is killed: a build is made beside its place and then
    renamed to it in one go; whoever comes second uses what is there.

    Raises:
        Refused: The compiler cannot differentiate the sources.
        Error: A tool failed.
    """
    binary = find_binary()
    cache = cache_directory()
    place = cache / request.key(binary)
    if not place.is_dir():
        cache.mkdir(parents=True, exist_ok=True)
        _sweep(cache)
        with tempfile.TemporaryDirectory(prefix=_SCRATCH, dir=cache) as scratch:
            made = Path(scratch) / "build"
            _transform(binary, request, Path(scratch) / "sources", made)
            if not quiet:
                print("gradmod: compiling the gradient mechanisms (once for this model)", file=sys.stderr, flush=True)
            _compile(made)
            try:
                made.rename(place)
            except OSError:
                if not place.is_dir():
                    raise
    return Build(place, Manifest.read(place / "gradmod.json"), _library(place))


def _sweep(cache: Path) -> None:
    """Remove what builds that were killed left behind more than a day ago."""
    for path in cache.glob(f"{_SCRATCH}*"):
        try:
            if time.time() - path.stat().st_mtime > 86_400:
                shutil.rmtree(path, ignore_errors=True)
        except OSError:
            pass


def _transform(binary: Path, request: Request, sources: Path, out: Path) -> None:
    sources.mkdir()
    out.mkdir()
    origin: dict[str, str] = {}
    for source in request.sources:
        path = sources / f"{source.name}.mod"
        path.write_text(source.text, encoding="utf-8")
        origin[str(path)] = _original(source)
    command = [str(binary), "transform", *origin, "-o", str(out), "--message-format", "json"]
    command += [part for name, mechanisms in request.regions for part in ("--region", f"{name}={','.join(mechanisms)}")]
    command += [part for point in request.points for part in ("--point", point)]
    command += [part for name in request.wrt for part in ("--wrt", name)]
    command += ["--directions", str(request.directions)]
    _log.debug("running %s", command)
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise _failure(done, origin)


def _original(source: Source) -> str:
    """What to call a source in messages: its own path if it still says the same, else its name."""
    path = Path(source.path)
    try:
        if path.is_file() and path.read_text(encoding="utf-8", errors="replace") == source.text:
            return str(path)
    except OSError:
        pass
    return f"{source.name}.mod"


def _failure(done: subprocess.CompletedProcess[str], origin: dict[str, str]) -> Error:
    diagnostics: list[Diagnostic] = []
    rest: list[str] = []
    for line in done.stderr.splitlines():
        try:
            diagnostics.append(Diagnostic.from_json(json.loads(line), origin))
        except (ValueError, AttributeError, TypeError):
            rest.append(line)
    errors = tuple(d for d in diagnostics if d.level == "error")
    if done.returncode == 1 and errors:
        text = "\n".join(str(diagnostic) for diagnostic in errors)
        return Refused(f"no exact gradient of this model:\n{text}", errors)
    text = "\n".join([*(str(d) for d in diagnostics), *rest]) or "it said nothing"
    return Error(f"gradmod transform failed with exit code {done.returncode}:\n{text}")


def _compile(directory: Path) -> None:
    """Run nrnivmodl in a directory and keep only the library beside the .mod files."""
    command = _nrnivmodl()
    done = subprocess.run([command], cwd=directory, capture_output=True, text=True, check=False)
    (directory / "nrnivmodl.log").write_text(done.stdout + done.stderr, encoding="utf-8")
    built = sorted(directory.glob("*/libnrnmech.*")) + sorted(directory.glob("*/.libs/libnrnmech.so"))
    if done.returncode != 0 or not built:
        log = "\n".join((done.stdout + done.stderr).splitlines()[-40:])
        raise Error(
            f"{command} failed with exit code {done.returncode} on the emitted mechanisms; its log ends:\n{log}"
        )
    shutil.copyfile(built[0], directory / f"libgradmod{built[0].suffix}")
    for path in directory.iterdir():
        if path.is_dir():
            shutil.rmtree(path)


def _nrnivmodl() -> str:
    beside = Path(sysconfig.get_path("scripts")) / "nrnivmodl"
    if beside.is_file():
        return str(beside)
    found = shutil.which("nrnivmodl")
    if found is None:
        raise Error("nrnivmodl was not found: it comes with NEURON; put its directory on PATH")
    return found


def _library(place: Path) -> Path:
    for path in sorted(place.glob("libgradmod.*")):
        return path
    raise Error(f"the cached build {place} holds no library; delete it")


def _content_hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def load(made: Build) -> None:
    """Load a build into NEURON, once for the life of the process."""
    order = nrn.mechanism_order()
    if made.manifest.cable.name in order:
        return  # emitted names carry a hash of the content: it is this very build
    if not nrn.load_library(str(made.library)):
        raise Error(f"NEURON could not load {made.library}")


def request_of(
    sources: Sequence[Source],
    regions: Sequence[tuple[str, tuple[str, ...]]],
    points: Sequence[str],
    wrt: Sequence[str],
    directions: int,
) -> Request:
    """Put a request together in an order that depends on its content only."""
    return Request(
        tuple(sorted(sources, key=lambda source: source.name)),
        tuple(sorted(regions)),
        tuple(sorted(set(points))),
        tuple(sorted(set(wrt))) or ("cm",),
        directions,
    )
