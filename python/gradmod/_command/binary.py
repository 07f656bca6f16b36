"""Where the ``gradmod`` command is."""

from __future__ import annotations

import os
import shutil
import sys
import sysconfig
from pathlib import Path

from ..errors import Error

_NAME = "gradmod.exe" if sys.platform == "win32" else "gradmod"


def find_binary() -> Path:
    """Find the ``gradmod`` command.

    Looked for in this order: the file that the environment variable ``GRADMOD_BINARY`` names; beside the running
    interpreter, where pip puts it; a cargo build of the checkout that this package is imported from; ``PATH``.

    Raises:
        Error: There is none.
    """
    named = os.environ.get("GRADMOD_BINARY")
    if named:
        path = Path(named)
        if path.is_file():
            return path
        raise Error(f"GRADMOD_BINARY names {named}, which is not a file")
    for path in _candidates():
        if path.is_file() and os.access(path, os.X_OK):
            return path
    on_path = shutil.which(_NAME)
    if on_path:
        return Path(on_path)
    raise Error(
        "the gradmod command was not found: install it with `pip install .`, build it with `cargo build --release`, "
        "or set GRADMOD_BINARY to it"
    )


def _candidates() -> list[Path]:
    scripts = [Path(sysconfig.get_path("scripts"))]
    user_scheme = f"{os.name}_user"
    if user_scheme in sysconfig.get_scheme_names():
        scripts.append(Path(sysconfig.get_path("scripts", user_scheme)))
    candidates = [directory / _NAME for directory in scripts]
    checkout = Path(__file__).resolve().parents[3]
    if (checkout / "Cargo.toml").is_file():
        target = Path(os.environ.get("CARGO_TARGET_DIR") or checkout / "target")
        candidates.insert(0, target / "release" / _NAME)
    return candidates
