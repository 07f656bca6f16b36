"""Runs all benches and prints one table. Nothing is asserted: these are figures of this machine, now.

Usage: table.py [PYTHON...]: interpreters with other versions of NEURON, beside the one that runs this.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent


def rows(python: str, script: str) -> list[dict[str, Any]]:
    done = subprocess.run([python, str(HERE / script), "--json"], stdout=subprocess.PIPE, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def main() -> None:
    print(f"{'what':<54}{'measured':>14}{'aim':>14}", flush=True)
    for python in [sys.executable, *sys.argv[1:]]:
        for row in rows(python, "forward.py"):
            what = f"NEURON {row['neuron']}: run with {row['K']} gradients / plain"
            print(f"{what:<54}{row['ratio']:>14.2f}{row['aim']:>14.2f}", flush=True)
        for row in rows(python, "attach.py"):
            what = f"{row['neuron']}: {row['model']}, {row['mode']}: first gradient, {row['cache']}"
            print(f"{what:<54}{row['seconds']:>12.2f} s{row['aim']:>12.1f} s", flush=True)
    command = ["cargo", "bench", "--quiet", "--bench", "transform"]
    done = subprocess.run(command, cwd=HERE.parent, stdout=subprocess.PIPE, text=True, check=True)
    print(done.stdout.strip())


if __name__ == "__main__":
    main()
