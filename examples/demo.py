"""`make demo`: a spike's gradient on an axon, gradients beside differences, a fit with our Jacobian.

Pictures go to `examples/out`.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import axon
import fit
import package
import table

OUT = Path(__file__).parent / "out"


def main() -> None:
    OUT.mkdir(exist_ok=True)
    start = time.monotonic()

    def say(what: str) -> None:
        print(f"[{time.monotonic() - start:4.0f} s] {what}", file=sys.stderr, flush=True)

    say("1 of 4: the gradient of a spike on an axon")
    axon.main(OUT)
    say("2 of 4: a branched cell with hh, gradients beside finite differences")
    table.main("hh")
    say(f"3 of 4: the same cell with the channels of {package.PACKAGE}")
    has_package = package.load(OUT)
    if has_package:
        table.main("package")
    say("4 of 4: three conductances of that cell from a voltage trace")
    fit.main(OUT, "package" if has_package else "hh")
    say(f"done; pictures in {OUT}")


if __name__ == "__main__":
    main()
