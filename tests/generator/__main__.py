"""`python -m generator`: see `--help`."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from . import batch, reproduce, shrink


def main() -> int:
    """Make mechanisms, compare, say what came out."""
    parser = argparse.ArgumentParser(prog="python -m generator", description=__doc__)
    parser.add_argument("-n", type=int, default=40, help="mechanisms")
    parser.add_argument("--seed", type=int, default=1, help="of the first batch; each has the next number")
    parser.add_argument("--jobs", type=int, default=2, help="batches at a time")
    parser.add_argument("--out", type=Path, default=Path(".generated"), help="results and failures (ignored by git)")
    parser.add_argument("--together", type=int, default=batch.TOGETHER, help="mechanisms compiled at once")
    parser.add_argument("--each", type=int, default=batch.EACH, help="mechanisms of one model")
    parser.add_argument("--like", default="", help="only mechanisms whose text or tags match this regular expression")
    parser.add_argument("--no-shrink", dest="shrink", action="store_false", help="leave failures as they are")
    arguments = parser.parse_args()
    start = time.monotonic()
    sizes = [min(arguments.together, arguments.n - done) for done in range(0, arguments.n, arguments.together)]
    totals = Totals()
    arguments.out.mkdir(parents=True, exist_ok=True)
    # Thousands of libraries that nobody needs again.
    os.environ.setdefault("GRADMOD_CACHE", str((arguments.out / "cache").resolve()))
    with (
        ThreadPoolExecutor(arguments.jobs) as pool,
        (arguments.out / f"results-{arguments.seed}.jsonl").open("w", encoding="utf-8") as lines,
    ):
        for found in pool.map(lambda i: one(arguments.seed + i, sizes[i], arguments), range(len(sizes))):
            for record in found:
                lines.write(json.dumps(record) + "\n")
                lines.flush()
                totals.add(record)
    shutil.rmtree(arguments.out / "cache", ignore_errors=True)
    totals.seconds = time.monotonic() - start
    print(totals)
    return 1 if totals.failed else 0


class Totals:
    """The summary."""

    def __init__(self) -> None:
        self.verdicts: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self.mechanisms = self.compiled = self.illegal = self.failed = self.exact = self.undecided = 0
        self.worst = self.seconds = 0.0

    def add(self, record: dict[str, Any]) -> None:
        """One line of the results."""
        if "batch" in record:
            self.mechanisms += record["mechanisms"]
            self.compiled += record["compiled"]
            self.illegal += len(record["illegal"])
            self.refused.update(code for _, code in record["refused"])
            return
        self.verdicts[record["verdict"]] += 1
        self.failed += bool(record["failures"])
        self.exact += record.get("exact", 0)
        self.undecided += len(record.get("undecided", ()))
        self.worst = max(self.worst, record.get("worst", 0.0))
        self.refused.update(code for _, code in record.get("refused", ()))

    def __str__(self) -> str:
        models = sum(self.verdicts.values())
        parts = [
            f"{self.mechanisms} mechanisms ({self.illegal} not accepted by NEURON, {self.compiled} run), "
            f"{models} models, {self.seconds:.0f} s",
            "models: " + ", ".join(f"{n} {verdict}" for verdict, n in self.verdicts.most_common()),
            f"groups of parameters: {self.exact} exact (worst {self.worst:.1e}), {self.undecided} undecided",
            *(f"refused {n}: {code}" for code, n in self.refused.most_common(30)),
            f"{self.failed} failures" if self.failed else "no failures",
        ]
        return "\n".join(parts)


def one(seed: int, count: int, arguments: argparse.Namespace) -> list[dict[str, Any]]:
    """One batch: its own line, and one for each model."""
    with tempfile.TemporaryDirectory() as directory:
        folder = Path(directory)
        made = batch.generate(seed, count, arguments.like)
        found = batch.sort(made, folder)
        library, left, wrong = batch.compiled(folder, [*found.both, *found.forward])
        found.both = [m for m in found.both if m in left]
        found.forward = [m for m in found.forward if m in left]
        records: list[dict[str, Any]] = [
            {
                "batch": seed,
                "mechanisms": count,
                "compiled": len(left),
                "refused": found.refused,
                "illegal": found.illegal + wrong,
            }
        ]
        for model in batch.models_of(seed, found, arguments.each):
            place = folder / f"model{model.seed}"
            batch.write(place, model, library)
            record = batch.work(place) | {"seed": model.seed}
            records.append(record)
            if record["failures"]:
                kept = arguments.out / f"failure-{model.seed}"
                batch.write(kept, model, library)
                (kept / "result.json").write_text(json.dumps(record, indent=1), encoding="utf-8")
                texts = [f"{kind}: {text[:300]}" for kind, text in record["failures"][:3]]
                print(kept, *texts, sep="\n   ", file=sys.stderr, flush=True)
                if arguments.shrink:
                    reproduce.keep(kept, shrink.Shrinker(model, record))
    return records


if __name__ == "__main__":
    sys.exit(main())
