"""Breaks gradmod as mutate.py does, and lets the generator alone look for it: which faults would it not find?

    make mutate-by-generator                             all mutants; an hour or two
    .venv/bin/python tests/mutation/by_generator.py exp  those whose name contains "exp"

Mechanisms of fixed seeds are transformed by the unharmed compiler and by the mutant. Models of those whose text differs
run in NEURON until the generator reports a failure: a mutant is found then, and only then. One that changes no text, or
is of the Python package, is tried with models that have as many constructs as possible.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path

from corpus import BINARY, OF_ALL, Group, Part, corpus, whole
from generator import batch
from mutants import MUTANTS, Mutant
from mutate import COPY, PLACE, ROOT, copy_sources
from outside import OUTSIDE

UNHARMED = PLACE / "unharmed"
#: Models tried for a mutant.
TRIES = int(os.environ.get("GRADMOD_TRIES", "6"))
#: What all models have, whatever is in them.
_SHARED = (".py", "solver.mod.j2", "descent.mod.j2", "gather.mod.j2", "row_axial.mod.j2")
#: What becomes of models by NEURON alone.
_UNFIT = ("NEURON gives up", "not finite", "goes on", "crash of NEURON")


class Unfit(Exception):
    """Nothing of gradmod can be seen in a model."""


def likely(part: Part, changed: set[str], mode: str) -> Iterator[Group]:
    """Those with the most mechanisms that changed; of these, such as have rare constructs that the ones before lack."""
    seen: set[str] = set()
    often = Counter(tag for group in part.groups for tag in group.tags)
    left = [group for group in part.groups if changed & set(group.names) and (group.reverse or mode != "reverse")]

    def order(group: Group) -> tuple[int, float, int]:
        rare = sum(1 / often[tag] for tag in group.tags - seen)
        return sum(name in changed for name in group.names), rare, -group.number

    while left := [group for group in left if group not in part.unfit]:
        best = max(left, key=order)
        left.remove(best)
        yield best
        if best not in part.unfit:
            seen |= best.tags


def failure(group: Group, folder: Path) -> str | None:
    """What the generator reports of a model.

    Raises:
        Unfit: NEURON itself does not take the model, whatever gradmod is.
    """
    library, left, _ = batch.compiled(folder, group.mechanisms)
    if len(left) < len(group.mechanisms):
        raise Unfit
    place = folder / f"model{group.number}"
    batch.write(place, group.model, library)
    record = batch.work(place)
    if record["verdict"] in _UNFIT:
        raise Unfit
    return ": ".join(record["failures"][0])[:160] if record["failures"] else None


def try_mutant(mutant: Mutant, parts: Sequence[Part], folder: Path) -> tuple[str, bool]:
    """What became of it, and whether the generator found it; the copy is as before afterwards."""
    file = COPY / mutant.file
    text = file.read_text()
    try:
        file.write_text(mutant.applied(text))
        if not mutant.file.endswith(".py"):
            build()
        if mutant.file.endswith(_SHARED):
            part, changed, taken, about = parts[0], {name for name, _ in parts[0].whole}, [], "all"
        else:
            part, changed, taken, about = _first_changed(parts, folder)
        mode = "reverse" if "reverse" in mutant.file else "forward"
        tried = 0
        for group in chain(taken[:TRIES], likely(part, changed, mode)):
            try:
                said = failure(group, folder)
            except Unfit:
                part.unfit.add(group)
                continue
            tried += 1
            if said is not None and _is_sound(group, part, folder):
                return f"{about}; model {group.number}, the {tried}.: {said}", True
            if tried == TRIES:
                break
        return f"{about}; {tried} models tried", False
    finally:
        file.write_text(text)


def _is_sound(group: Group, part: Part, folder: Path) -> bool:
    """Whether a model fails by the mutant alone; what fails by the unharmed gradmod too is told, and not used again."""
    if group not in part.sound:
        harmed = {name: os.environ[name] for name in ("GRADMOD_BINARY", "PYTHONPATH")}
        os.environ.update(GRADMOD_BINARY=str(UNHARMED), PYTHONPATH=str(ROOT / "python"))
        try:
            said = failure(group, folder)
        finally:
            os.environ.update(harmed)
        part.sound[group] = said is None
        if said is not None:
            print(f"model {group.number} FAILS WITHOUT ANY MUTANT: {said}", flush=True)
            part.unfit.add(group)
    return part.sound[group]


def _first_changed(parts: Sequence[Part], folder: Path) -> tuple[Part, set[str], list[Group], str]:
    """The part that the mutant changes: the names of what differs, models of what it takes, and a sentence."""
    for part in parts:
        now = part.now(folder)
        changed = {
            name
            for name, mode in part.whole.keys() | now.keys()
            if part.whole.get((name, mode)) != now.get((name, mode))
        }
        if changed == {OF_ALL} and part.whole.keys() == now.keys():
            changed = {name for name, _ in now}
        changed -= {OF_ALL}
        if changed or part is parts[-1]:
            break
    taken, refused = part.taken(now), {name for name, _ in part.whole.keys() - now.keys()}
    about = f"{len(changed)} of {len({name for name, _ in part.whole} - {OF_ALL})} differ"
    about += f", {len(refused)} are refused" if refused else ""
    return part, changed, taken, about + (f", {sum(len(g.mechanisms) for g in taken)} are taken" if taken else "")


def build() -> None:
    """Make the copy's compiler.

    Raises:
        RuntimeError: It does not compile.
    """
    environment = os.environ | {"CARGO_TARGET_DIR": str(PLACE / "target")}
    done = subprocess.run(["cargo", "build", "--quiet"], cwd=COPY, env=environment, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(done.stderr)


def main(wanted: list[str]) -> int:
    """Print one line per mutant, and what share was found."""
    copy_sources()
    build()
    shutil.copy2(BINARY, UNHARMED)
    os.environ["GRADMOD_BINARY"] = str(BINARY)
    os.environ["GRADMOD_CACHE"] = str(PLACE / "cache")
    os.environ["PYTHONPATH"] = str(COPY / "python")
    os.environ.setdefault("GRADMOD_CXXFLAGS", "-O0 -ffp-contract=off")
    found, missed = 0, []
    with tempfile.TemporaryDirectory() as directory:
        folder = Path(directory)
        parts: list[Part] = []
        for made in corpus():
            parts.append(whole(made, 1000 * len(parts), folder))
        for mutant in [m for word in wanted for m in MUTANTS if word in m.name] if wanted else MUTANTS:
            reason = next((why for start, why in OUTSIDE.items() if mutant.name.startswith(start)), None)
            if reason is not None:
                print(f"{mutant.name:32} outside: {reason}", flush=True)
                continue
            began = time.monotonic()
            said, is_found = try_mutant(mutant, parts, folder)
            found += is_found
            if not is_found:
                missed.append(mutant.name)
            verdict = "found" if is_found else "NOT FOUND"
            print(f"{mutant.name:32} {verdict}: {said} ({time.monotonic() - began:.0f} s)", flush=True)
    tried = found + len(missed)
    print(f"{found} of {tried} found ({100 * found / max(tried, 1):.0f} %); not: {', '.join(missed) or '-'}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
