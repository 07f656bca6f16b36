"""`make demo`: a spike's gradient on an axon, gradients beside differences, a fit with our Jacobian.

Pictures go to `examples/out`.
"""

from __future__ import annotations

import sys
from pathlib import Path

import axon
import fit
import table

OUT = Path(__file__).parent / "out"


def main() -> None:
    OUT.mkdir(exist_ok=True)
    steps = ((axon.main, "gradient of a spike on an axon"), (table.main, "gradients and differences"), (fit.main, "fit"))
    for number, (step, what) in enumerate(steps, 1):
        print(f"[{number}/{len(steps)}] {what}", file=sys.stderr, flush=True)
        step(OUT)


if __name__ == "__main__":
    main()
