"""Breaks gradmod as mutate.py does, and lets the generator alone look for it: which faults would it not find?

    make mutate-by-generator                             all mutants; an hour or two
    .venv/bin/python tests/mutation/by_generator.py exp  those whose name contains "exp"

Mechanisms of fixed seeds are transformed by the unharmed compiler and by the mutant. Models of those whose text differs
run in NEURON until the generator reports a failure: a mutant is found then, and only then. The first models are those
that have what the mutant is about (subjects.py), then such with as many rare constructs as possible.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path

from corpus import BINARY, MODES, OF_ALL, Part, Parts, Texts, Variant
from generator import batch
from mutants import MUTANTS, Mutant
from mutate import COPY, PLACE, ROOT, copy_sources
from outside import OUTSIDE
from subjects import subject

UNHARMED = PLACE / "unharmed"
#: Models tried for a mutant in each mode, and half as many in both.
TRIES = int(os.environ.get("GRADMOD_TRIES", "6"))
#: What all models have, whatever is in them.
_SHARED = (".py", "solver.mod.j2", "descent.mod.j2", "gather.mod.j2", "row_axial.mod.j2")
#: What becomes of models by NEURON alone.
_UNFIT = ("NEURON gives up", "not finite", "goes on", "crash of NEURON")


class Unfit(Exception):
    """Nothing of gradmod can be seen in a model."""


def likely(part: Part, changed: set[str], mode: str, wanted: frozenset[str]) -> Iterator[Variant]:
    """Models of what the mutant is about; of these, such with the most mechanisms that changed, and rare constructs."""
    seen: set[str] = set()
    often = Counter(tag for group in part.groups for variant in group.variants for tag in variant.tags)
    left = [group for group in part.groups if changed & set(group.names) and (group.reverse or mode == "forward")]

    def order(variant: Variant) -> tuple[int, int, float, int]:
        rare = sum(1 / often[tag] for tag in variant.tags - seen)
        names = sum(name in changed for name in variant.group.names)
        return len(wanted & variant.tags), names, rare, -variant.group.number

    while left:
        best = max(
            (v for group in left for v in group.variants if v.model.seed not in part.unfit), key=order, default=None
        )
        if best is None:
            return
        left.remove(best.group)
        yield best
        if best.model.seed not in part.unfit:
            seen |= best.tags


def failure(variant: Variant, folder: Path, mode: str) -> str | None:
    """What the generator reports of a model in one mode, or both.

    Raises:
        Unfit: NEURON itself does not take the model, whatever gradmod is.
    """
    group = variant.group
    library, left, _ = batch.compiled(folder, group.mechanisms)
    if len(left) < len(group.mechanisms):
        raise Unfit
    place = folder / f"model{variant.model.seed}"
    reverse = variant.model.reverse and mode != "forward"
    batch.write(place, replace(variant.model, forward=mode != "reverse", reverse=reverse), library)
    record = batch.work(place)
    if record["verdict"] in _UNFIT:
        raise Unfit
    return ": ".join(record["failures"][0])[:160] if record["failures"] else None


def try_mutant(mutant: Mutant, parts: Parts, folder: Path) -> tuple[str, bool]:
    """What became of it, and whether the generator found it; the copy is as before afterwards."""
    file = COPY / mutant.file
    text = file.read_text()
    try:
        file.write_text(mutant.applied(text))
        if not mutant.file.endswith(".py"):
            build()
        modes = _modes(mutant)
        if mutant.file.endswith(_SHARED):
            part, changed, taken, about = parts[0], {mode: parts[0].names(mode) for mode in modes}, [], "all"
        else:
            part, changed, taken, about = _first_changed(parts, folder, modes)
        tried = 0
        for variant, mode in chain(((v, "both") for v in taken[:TRIES]), _order(part, changed, subject(mutant.name))):
            try:
                said = failure(variant, folder, mode)
            except Unfit:
                part.unfit.add(variant.model.seed)
                continue
            tried += 1
            if said is not None and _is_sound(variant, part, folder):
                return f"{about}; model {variant.model.seed}, the {tried}., {mode}: {said}", True
        return f"{about}; {tried} models tried", False
    finally:
        file.write_text(text)


def _modes(mutant: Mutant) -> tuple[str, ...]:
    """The modes whose gradients a mutant may change, by the folder that it is in."""
    return tuple(mode for mode in MODES if mode in mutant.file) or MODES


def _order(part: Part, changed: Mapping[str, set[str]], wanted: frozenset[str]) -> Iterator[tuple[Variant, str]]:
    """Models in each mode alone, which takes half of the time; then in both, which see each other's smaller faults."""
    modes = [mode for mode in changed if changed[mode]]
    for mode in (*modes, "both"):
        names = set[str]().union(*changed.values()) if mode == "both" else changed[mode]
        left = TRIES // 2 if mode == "both" else TRIES
        for variant in likely(part, names, mode, wanted):
            if left == 0:
                break
            yield variant, mode
            left -= variant.model.seed not in part.unfit


def _is_sound(variant: Variant, part: Part, folder: Path) -> bool:
    """Whether a model fails by the mutant alone; what fails by the unharmed gradmod too is told, and not used again."""
    model = variant.model
    if model.seed not in part.sound:
        harmed = {name: os.environ[name] for name in ("GRADMOD_BINARY", "PYTHONPATH")}
        os.environ.update(GRADMOD_BINARY=str(UNHARMED), PYTHONPATH=str(ROOT / "python"))
        try:
            said = failure(variant, folder, "both")
        finally:
            os.environ.update(harmed)
        part.sound[model.seed] = said is None
        if said is not None:
            print(f"model {model.seed} FAILS WITHOUT ANY MUTANT: {said}", flush=True)
            part.unfit.add(model.seed)
    return part.sound[model.seed]


def _first_changed(
    parts: Parts, folder: Path, modes: Sequence[str]
) -> tuple[Part, dict[str, set[str]], list[Variant], str]:
    """The part that the mutant changes: by mode the names of what differs, models of what it takes, and a sentence."""
    found: list[tuple[Part, Texts, dict[str, set[str]]]] = []
    for part in parts:
        now = part.now(folder, modes)
        found.append((part, now, _changed(part, now, modes)))
        if any(found[-1][2].values()):
            break
    part, now, changed = found[-1]
    taken, refused = part.taken(now), {name for name, mode in part.whole.keys() - now.keys() if mode in modes}
    every = set[str]().union(*(part.names(mode) for mode in modes))
    about = f"{', '.join(f'{len(names)} {mode}' for mode, names in changed.items())} of {len(every)} differ"
    about += f", {len(refused)} are refused" if refused else ""
    about += f", {sum(len(v.group.mechanisms) for v in taken)} are taken" if taken else ""
    return part, changed, taken, about


def _changed(part: Part, now: Texts, modes: Sequence[str]) -> dict[str, set[str]]:
    """By mode the names of what differs; all of them, where what they share does."""
    changed: dict[str, set[str]] = {}
    for mode in modes:
        names = {name for name, of in part.whole.keys() | now.keys() if of == mode}
        differ = {name for name in names if part.whole.get((name, mode)) != now.get((name, mode))}
        changed[mode] = (part.names(mode) if differ == {OF_ALL} else differ) - {OF_ALL}
    return changed


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
        parts = Parts(folder, UNHARMED)
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
