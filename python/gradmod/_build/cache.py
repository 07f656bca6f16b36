"""The directory in which emitted and compiled mechanisms are kept: whole, durable, and written by nobody else."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import shutil
import stat
import sys
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from ..errors import Error

_SCRATCH = ".building-"
#: In everything that is kept: size and hash of its files.
SEAL = "seal.json"


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


def is_plain(path: Path) -> bool:
    """Whether NEURON, its scripts and make can all read this path: they know no blanks, and ASCII only."""
    return re.fullmatch(r"[A-Za-z0-9_./+,@=-]*", str(path)) is not None


@contextmanager
def scratch() -> Generator[Path, None, None]:
    """A directory beside the finished things, so that what is made in it can be renamed to its place in one go.

    That is safe for several processes at once, and for one that is killed: nothing half made is ever in place.

    Raises:
        Error: The cache can't be written, or others could write it.
    """
    cache = cache_directory()
    try:
        cache.mkdir(mode=0o700, parents=True, exist_ok=True)
        _refuse_strangers(cache)
        _sweep(cache)
        with tempfile.TemporaryDirectory(prefix=_SCRATCH, dir=cache, ignore_cleanup_errors=True) as directory:
            yield Path(directory)
    except OSError as error:
        if not str(error.filename or cache).startswith(str(cache)):
            raise
        raise Error(
            f"gradmod cannot write to its cache {cache}: {error.strerror or error}; "
            "the environment variable GRADMOD_CACHE names another folder"
        ) from error


@contextmanager
def plain(path: Path) -> Generator[Path, None, None]:
    """A path to this file or directory that NEURON can read."""
    if is_plain(path):
        yield path
        return
    with plain_scratch() as directory:
        link = directory / f"link{path.suffix if path.suffix.isascii() else ''}"
        link.symlink_to(path)
        yield link


@contextmanager
def plain_scratch() -> Generator[Path, None, None]:
    """An empty directory whose path NEURON can read."""
    base = tempfile.gettempdir()
    with tempfile.TemporaryDirectory(dir=base if is_plain(Path(base)) else "/tmp") as directory:
        yield Path(directory)


def kept(name: str) -> Path | None:
    """What was published by this name, if it still is what it was.

    A crash of the machine or a full disk can leave a file cut or empty; to load it would kill the process.

    Raises:
        Error: Others can write the cache.
    """
    place = cache_directory() / name
    if not place.is_dir() or place.is_symlink():
        return None
    _refuse_strangers(place.parent)
    return place if _is_whole(place) else None


def publish(made: Path, place: Path) -> Path:
    """Seal what was made and rename it to its place; if another process was faster, use what is there."""
    seal = {path.name: _sum(path) for path in sorted(made.iterdir())}
    (made / SEAL).write_text(json.dumps(seal), encoding="utf-8")
    for path in [*made.iterdir(), made]:
        _flush(path)
    if place.exists() and not _is_whole(place):
        damaged = made.with_name("damaged")
        place.rename(damaged)
    try:
        made.rename(place)
    except OSError:
        if not _is_whole(place):
            raise
    _flush(place.parent)
    return place


@contextmanager
def alone(name: str) -> Generator[None, None, None]:
    """While another process makes this for the cache, wait: it may be there then. One that is killed waits for nobody.

    Where the file system has no locks, nobody waits.
    """
    path = cache_directory() / f".lock-{name}"
    lock = _locked(path)
    try:
        yield
    finally:
        if lock is not None:
            path.unlink(missing_ok=True)
            os.close(lock)


def _locked(path: Path) -> int | None:
    while True:
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError:  # the cache can't be written: what writes it says so
            return None
        is_it = False
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            # Who had it may have taken the file away; then it locks nothing.
            is_it = path.exists() and os.path.samestat(os.fstat(lock), path.stat())
        except FileNotFoundError:
            continue
        except OSError:
            return None
        finally:
            if not is_it:
                os.close(lock)
        if is_it:
            return lock


def _sum(path: Path) -> list[object]:
    found = hashlib.sha256()
    with path.open("rb") as file:
        while part := file.read(1 << 18):
            found.update(part)
    return [path.stat().st_size, found.hexdigest()]


def _is_whole(place: Path) -> bool:
    try:
        seal = json.loads((place / SEAL).read_text(encoding="utf-8"))
        return bool(seal) and all(_sum(place / name) == expected for name, expected in seal.items())
    except (OSError, ValueError, AttributeError):
        return False


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _refuse_strangers(cache: Path) -> None:
    """What is in the cache is run. A group may share one on purpose, and umask 002 makes folders like that."""
    about = cache.stat()
    if os.name != "posix" or (about.st_uid in (os.geteuid(), 0) and not about.st_mode & stat.S_IWOTH):
        return
    reason = "belongs to another user" if about.st_uid not in (os.geteuid(), 0) else "can be written by anybody"
    raise Error(
        f"the cache {cache} {reason}, who could put code there that is run as you: "
        f"`chmod o-w` it, or name another folder by the environment variable GRADMOD_CACHE"
    )


def _sweep(cache: Path) -> None:
    """Remove what builds that were killed left behind more than a day ago."""
    for path in cache.glob(f"{_SCRATCH}*"):
        try:
            if time.time() - path.stat().st_mtime > 86_400:
                shutil.rmtree(path, ignore_errors=True)
        except OSError:
            pass
