"""Long runs in pieces, which write results as they come and can be stopped and continued; and what they cost."""

from __future__ import annotations

import csv
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import gradmod
from neuron import h

OUT = Path(__file__).parent / "out"
CHUNK = 10.0  # s
#: At least so many s of work between two checkpoints.
PAUSE = 30.0
#: Of one seed to the next: no two runs have a cell with the same noise.
SEEDS = 100


def name(of: str, seed: int) -> str:
    """What the files of a run are called."""
    return of if seed == 0 else f"{of}_{seed}"


def run(
    files: str,
    fields: Sequence[str],
    rows: Callable[[float], Iterable[Sequence[Any]]],
    homeostats: Sequence[gradmod.Homeostat],
    seconds: float,
    *,
    go_on: bool,
    change: tuple[float, Callable[[], None]] | None = None,
) -> None:
    """Write `rows(t)` into `out/FILES.csv` after every piece, and now and then where the run is into `out/FILES.run`.

    `change` is what is done to the model, and when. With `go_on` the run continues from `out/FILES.run`, bit for bit.
    """
    results, checkpoint = OUT / f"{files}.csv", OUT / f"{files}.run"
    lines: list[list[str]] = []
    if go_on:
        gradmod.restore_run(checkpoint, *homeostats)
        list(rows(h.t / 1000))  # what is counted from one time to the next begins here
        with results.open(newline="") as file:
            lines = [line for line in list(csv.reader(file))[1:] if float(line[fields.index("t")]) < h.t / 1000 + 1]
    else:
        h.finitialize(-53)
    done = round(h.t / 1000 / CHUNK)
    context = h.ParallelContext()
    context.set_maxstep(10)
    begun = saved = time.monotonic()
    with results.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerows([fields, *lines])
        for chunk in range(done, round(seconds / CHUNK)):
            if change is not None and chunk * CHUNK == change[0]:
                change[1]()
            t = (chunk + 1) * CHUNK
            context.psolve(t * 1000)
            writer.writerows(rows(t))
            file.flush()
            now = time.monotonic()
            if now - saved > PAUSE or t >= seconds:
                gradmod.save_run(checkpoint, *homeostats)
                saved = now
            print(f"\r{t:6.0f} of {seconds:.0f} s; {now - begun:.0f} s of work", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)


def cost(
    what: str,
    start: Callable[[], None],
    regulate: Callable[[], gradmod.Homeostat],
    *,
    seconds: float = 4,
    rounds: int = 8,
) -> None:
    """Print how many simulated seconds take one of work, with and without control; by turns, the fastest of each."""
    context = h.ParallelContext()
    context.set_maxstep(10)

    def once() -> float:
        start()
        h.finitialize(-53)
        begun = time.process_time()
        context.psolve(seconds * 1000)
        return time.process_time() - begun

    plain = controlled = float("inf")
    for _ in range(rounds):
        plain = min(plain, once())
        homeostat = regulate()
        controlled = min(controlled, once())
        homeostat.detach()
    print(
        f"{what}, dt {h.dt:g} ms: {seconds / plain:.1f} simulated s per s of work, with control "
        f"{seconds / controlled:.1f}: {controlled / plain:.2f} times the cost"
    )
