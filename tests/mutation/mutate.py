"""Breaks gradmod in one place after another, and tells which test notices.

    make mutate                                     all mutants
    .venv/bin/python tests/mutation/mutate.py exp   those whose name contains "exp"

The tests are some of those of `make test`: first the differentiation rules in Rust, then the smallest models in
NEURON, then larger ones, until one fails. A mutant that none fails has survived, and the exit code is 1: write the
missing test. Mutants are made in a copy; the source tree is never touched. The copy, with what cargo built of it, stays
in the cache directory named by GRADMOD_MUTANTS (default: gradmod-mutants in the temporary directory).
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from mutants import MUTANTS, Mutant

ROOT = Path(__file__).resolve().parents[2]
PLACE = Path(os.environ.get("GRADMOD_MUTANTS", Path(tempfile.gettempdir()) / "gradmod-mutants"))
COPY = PLACE / "source"
#: Seconds after which a test counts as failed.
LIMIT = 900
#: What pytest runs, the quick ones first.
PYTEST = (
    ["python/tests/test_constructs.py"],
    ["python/tests/test_gradients.py", "python/tests/test_passive.py"],
    ["python/tests/test_every_parameter.py", "-k", "test_own_channels and (0.1 or (all and off))"],
)


def copy_sources() -> None:
    """Make the copy equal to the files that git knows, without touching those that are equal already."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    for name in listed.decode().split("\0"):
        source, target = ROOT / name, COPY / name
        if name and source.is_file() and not (target.exists() and target.read_bytes() == source.read_bytes()):
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(source.read_bytes())


def run(command: list[str]) -> tuple[bool, str]:
    """Whether a command ended well, and what it said."""
    environment = {
        **os.environ,
        "CARGO_TARGET_DIR": str(PLACE / "target"),
        "GRADMOD_BINARY": str(PLACE / "target" / "debug" / "gradmod"),
        "GRADMOD_CACHE": str(PLACE / "cache"),
        "PYTHONPATH": str(COPY / "python"),
    }
    try:
        done = subprocess.run(command, cwd=COPY, env=environment, capture_output=True, text=True, timeout=LIMIT)
    except subprocess.TimeoutExpired:
        return False, f"FAILED no end within {LIMIT} s"
    return done.returncode == 0, done.stdout + done.stderr


def killer(tests: Sequence[str] = ()) -> str | None:
    """The first test that fails, or None; of these files, or of the usual ones.

    Raises:
        RuntimeError: The copy does not compile.
    """
    built, said = run(["cargo", "build", "--quiet"])
    if not built:
        raise RuntimeError(said)
    passed, said = run(["cargo", "test", "--quiet", "--test", "differentiation"])
    if not passed:
        failed = re.findall(r"^test (\S+) \.\.\. FAILED|^---- (\S+) stdout", said, re.MULTILINE)
        return "differentiation: " + ("".join(failed[0]) if failed else said.strip().splitlines()[-1])
    for arguments in [[file] for file in tests] or PYTEST:
        if arguments[0].endswith(".rs"):
            passed, said = run(["cargo", "test", "--quiet", "--test", Path(arguments[0]).stem])
        else:
            passed, said = run([sys.executable, "-m", "pytest", "-q", "-x", *arguments])
        if not passed:
            failed = re.findall(r"^(?:FAILED|ERROR) (.*?)(?: - .*)?$|^---- (\S+) stdout", said, re.MULTILINE)
            return "".join(failed[0]) if failed else said.strip().splitlines()[-1]
    return None


def try_mutant(mutant: Mutant) -> str | None:
    """What killed it; the copy is as before afterwards."""
    file = COPY / mutant.file
    text = file.read_text()
    try:
        file.write_text(mutant.applied(text))
        return killer(mutant.tests)
    finally:
        file.write_text(text)


def main(wanted: list[str]) -> int:
    """Print one line per mutant; 1 if one survived."""
    copy_sources()
    chosen = [mutant for mutant in MUTANTS if not wanted or any(word in mutant.name for word in wanted)]
    for tests in dict.fromkeys(mutant.tests for mutant in chosen):
        unharmed = killer(tests)
        if unharmed is not None:
            print(f"the tests fail without any mutation: {unharmed}")
            return 2
    survivors = []
    for mutant in chosen:
        began = time.monotonic()
        killed = try_mutant(mutant)
        if killed is None:
            survivors.append(mutant.name)
        print(f"{mutant.name:32} {killed or 'SURVIVED'}  ({time.monotonic() - began:.0f} s)", flush=True)
    print(f"{len(survivors)} survived: {', '.join(survivors) or '-'}")
    return bool(survivors)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
