"""`python -m generator.reproduce FOLDER`: run a failure again; with --shrink, make it smaller first."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from . import batch, shrink
from .models import read

_TESTS = Path(__file__).resolve().parent.parent
#: What runs a failure again, from wherever it is called; gradmod must be installed.
_SCRIPT = f"""#!/bin/sh
cd "$(dirname "$0")" && PYTHONPATH={_TESTS}:"$PYTHONPATH" python -m generator.reproduce .
"""


def main() -> None:
    """Say what becomes of the model in a folder."""
    parser = argparse.ArgumentParser(prog="python -m generator.reproduce", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--shrink", action="store_true")
    arguments = parser.parse_args()
    model = read((arguments.folder / "model.json").read_text(encoding="utf-8"))
    record = shrink.attempt(model)
    print(json.dumps(record, indent=1), flush=True)
    if arguments.shrink and record is not None and record["failures"]:
        shrinker = shrink.Shrinker(model, record)
        keep(arguments.folder, shrinker)


def keep(folder: Path, shrinker: shrink.Shrinker) -> None:
    """Shrink, and put the small model beside the large one."""
    small = shrinker.shrink(lambda model: batch.write(folder / "small", model, ""))
    batch.write(folder / "small", small, "")
    (folder / "small" / "reproduce.sh").write_text(_SCRIPT, encoding="utf-8")
    (folder / "small" / "result.json").write_text(json.dumps(shrinker.record, indent=1), encoding="utf-8")
    print(f"{folder / 'small'}: {shrinker.record['failures'][0]} after {shrinker.tried} tries")


if __name__ == "__main__":
    main()
