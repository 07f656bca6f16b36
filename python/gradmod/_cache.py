"""The directory in which emitted and compiled mechanisms are kept."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

_SCRATCH = ".building-"


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


@contextmanager
def scratch() -> Generator[Path, None, None]:
    """A directory beside the finished things, so that what is made in it can be renamed to its place in one go.

    That is safe for several processes at once, and for one that is killed: nothing half made is ever in place.
    """
    cache = cache_directory()
    cache.mkdir(parents=True, exist_ok=True)
    _sweep(cache)
    with tempfile.TemporaryDirectory(prefix=_SCRATCH, dir=cache) as directory:
        yield Path(directory)


def publish(made: Path, place: Path) -> None:
    """Rename what was made to its place; if another process was faster, use what is there."""
    try:
        made.rename(place)
    except OSError:
        if not place.exists():
            raise


def _sweep(cache: Path) -> None:
    """Remove what builds that were killed left behind more than a day ago."""
    for path in cache.glob(f"{_SCRATCH}*"):
        try:
            if time.time() - path.stat().st_mtime > 86_400:
                shutil.rmtree(path, ignore_errors=True)
        except OSError:
            pass
