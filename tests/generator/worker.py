"""One model in a process of its own: `python -m generator.worker FOLDER` prints one line of JSON."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from neuron import h

from .built import Built
from .compare import compare
from .models import read
from .result import Result


def main(folder: Path) -> dict[str, object]:
    """Compare the model in a folder, whose mechanisms are in a library beside it."""
    start = time.monotonic()
    model = read((folder / "model.json").read_text(encoding="utf-8"))
    library = (folder / "library").read_text(encoding="utf-8").strip()
    if library:
        h.nrn_load_dll(library)
    result = Result(model.seed)
    try:
        compare(Built(model), result)
    except Exception as error:
        result.fail("error", f"{type(error).__name__}: {error}")
        if "-v" in sys.argv:
            raise
    result.conclude()
    result.seconds = round(time.monotonic() - start, 2)
    return result.to_dict()


if __name__ == "__main__":
    print("\n" + json.dumps(main(Path(sys.argv[1]))), flush=True)
