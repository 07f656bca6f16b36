"""Breaks gradmod as mutate.py does, and lets the generator alone look for it: which faults would it not find?

    make mutate-by-generator                             all mutants; an hour or two
    .venv/bin/python tests/mutation/by_generator.py exp  those whose name contains "exp"

Mechanisms of fixed seeds are transformed by the unharmed compiler and by the mutant. Models of those whose text differs
run in NEURON until the generator reports a failure: a mutant is found then, and only then. One that changes no text, or
is of the Python package, is tried with models that have as many constructs as possible.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from mutants import MUTANTS, Mutant
from mutate import COPY, PLACE, ROOT, copy_sources

sys.path.insert(0, str(ROOT / "tests"))

from generator import batch, mechanisms, models
from generator.models import Model
from generator.tree import Mechanism
from outside import OUTSIDE

BINARY = PLACE / "target" / "debug" / "gradmod"
#: Mechanisms: as many, then so many more if none of the first differs. Those of one model; models tried for a mutant.
CORPUS, EACH, TRIES = (250, 650), 6, int(os.environ.get("GRADMOD_TRIES", "6"))
_SEED = 4700
#: What becomes of models by NEURON alone.
_UNFIT = ("NEURON gives up", "not finite", "goes on", "crash of NEURON")


@dataclass(frozen=True)
class Group:
    """Mechanisms that make a model."""

    number: int
    mechanisms: tuple[Mechanism, ...]
    #: Whether reverse mode takes them all.
    reverse: bool = True

    @property
    def names(self) -> list[str]:
        """Of the regions that tell what the compiler makes of it."""
        return [f"g{self.number}", *(m.name for m in self.mechanisms)]

    @cached_property
    def model(self) -> Model:
        """With all of them."""
        return models.make(_SEED * 1000 + self.number, list(self.mechanisms), reverse=self.reverse)

    @cached_property
    def tags(self) -> set[str]:
        """The constructs in it, what mechanisms have to do with each other, and how it runs."""
        model, found = self.model, {tag for m in self.mechanisms for tag in m.tags}
        found |= {model.way, *(["windows"] if model.memory else []), *(["moves"] if model.moves else [])}
        found |= {"currents of the model"} if model.hh else set()
        found |= {"points at states"} if model.sees_variables and "POINTER" in found else set()
        written = {name for m in self.mechanisms for ion in m.ions for name in ion.write}
        read = {name for m in self.mechanisms for ion in m.ions for name in ion.read}
        return found | {f"{name} is written and read" for name in written & read}


class Unfit(Exception):
    """Nothing of gradmod can be seen in a model."""


@dataclass(frozen=True)
class Part:
    """Mechanisms, models of them, and a hash of what the unharmed compiler makes of each."""

    mechanisms: tuple[Mechanism, ...]
    groups: tuple[Group, ...]
    whole: dict[str, str]
    #: Models that have turned out to be unfit.
    unfit: set[Group] = field(default_factory=set)

    def now(self, folder: Path) -> dict[str, str]:
        """The same hashes by the compiler as it is now."""
        alone = {m.name: [m] for m in self.mechanisms}
        return emitted(alone, folder) | emitted(_together(self.groups), folder)


def corpus() -> list[list[Mechanism]]:
    """Mechanisms in parts."""
    made = (mechanisms.make(f"{_SEED}.{i}", f"m{_SEED}x{i}") for i in range(sum(CORPUS)))
    return [[next(made) for _ in range(count)] for count in CORPUS]


def _together(groups: Iterable[Group]) -> dict[str, list[Mechanism]]:
    """The density mechanisms of groups, as they are in one region: what they do to each other."""
    found = {
        f"g{group.number}": [m for m in group.mechanisms if m.name in group.model.sections[0].mechanisms]
        for group in groups
    }
    return {name: made for name, made in found.items() if len(made) > 1}


def emitted(
    regions: Mapping[str, Sequence[Mechanism]], folder: Path, modes: Sequence[str] = ("forward", "reverse")
) -> dict[str, str]:
    """A hash of what the compiler makes of each region, in some modes; those that it refuses are left out."""
    found: dict[str, str] = {}
    for mode in modes:
        with tempfile.TemporaryDirectory(dir=folder) as out:
            for name, text in _transformed(regions, folder, Path(out), mode).items():
                found[name] = hashlib.sha256((found.get(name, "") + text).encode()).hexdigest()
    return found


def _transformed(regions: Mapping[str, Sequence[Mechanism]], folder: Path, out: Path, mode: str) -> dict[str, str]:
    left = dict(regions)
    while left:
        names = {m.name for made in left.values() for m in made}
        command = [str(BINARY), "transform", *sorted(f"{name}.mod" for name in names), "-o", str(out), "--mode", mode]
        command += ["--message-format", "json"]
        for name, made in left.items():
            is_point = made[0].is_point
            command += ["--point", name] if is_point else ["--region", f"r{name}={','.join(m.name for m in made)}"]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        if done.returncode == 0:
            break
        told = [json.loads(line) for line in done.stderr.splitlines() if line.startswith("{")]
        refused = {Path(line["file"]).stem for line in told if line["level"] != "note"}
        if not refused & names:
            return {}
        left = {name: made for name, made in left.items() if not refused & {m.name for m in made}}
    texts: dict[str, str] = dict.fromkeys(left, "")
    common = ""
    for path in sorted(out.glob("*.mod")):
        # The last part of a name is a hash of all regions.
        text = re.sub(r"_[0-9a-f]{8}\b", "", path.read_text(encoding="utf-8"))
        owner = re.search(r"m\d+x\d+|g\d+(?=\.)", re.sub(r"_[0-9a-f]{8}\b", "", path.name))
        if owner is None:
            common += text
        else:
            texts[owner[0]] += text
    return {name: common + text for name, text in texts.items()}


def whole(made: Iterable[Mechanism], first: int, folder: Path) -> Part:
    """Those of these mechanisms that the unharmed compiler takes, some to a model."""
    written: list[Mechanism] = []
    for mechanism in made:
        path = folder / f"{mechanism.name}.mod"
        path.write_text(str(mechanism), encoding="utf-8")
        if batch.illegal(path, folder) is None:
            written.append(mechanism)
    found = emitted({m.name: [m] for m in written}, folder)
    # Those of the same ions together: they act on each other. What reverse mode refuses keeps it from all of a model.
    kept = sorted((m for m in written if m.name in found), key=lambda m: sorted(ion.name for ion in m.ions))
    backward = emitted({m.name: [m] for m in kept}, folder, ["reverse"])
    chosen: list[Group] = []
    for reverse in (True, False):
        some = [m for m in kept if (m.name in backward) == reverse]
        for i in range(0, len(some) - EACH + 1, EACH):
            chosen.append(Group(first + len(chosen), tuple(some[i : i + EACH]), reverse))
    return Part(tuple(kept), tuple(chosen), found | emitted(_together(chosen), folder))


def likely(part: Part, changed: set[str]) -> Iterator[Group]:
    """Those with the most mechanisms that changed; of these, such as have rare constructs that the ones before lack."""
    seen: set[str] = set()
    often = Counter(tag for group in part.groups for tag in group.tags)
    left = [group for group in part.groups if changed & set(group.names)]

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
        if mutant.file.endswith(".py"):
            part, changed, about = parts[0], set(parts[0].whole), "Python"
        else:
            build()
            part, changed, about = _first_changed(parts, folder)
        tried = 0
        for group in likely(part, changed):
            try:
                said = failure(group, folder)
            except Unfit:
                part.unfit.add(group)
                continue
            tried += 1
            if said is not None:
                return f"{about}; model {group.number}, the {tried}.: {said}", True
            if tried == TRIES:
                break
        return f"{about}; {tried} models tried", False
    finally:
        file.write_text(text)


def _first_changed(parts: Sequence[Part], folder: Path) -> tuple[Part, set[str], str]:
    for part in parts:
        now = part.now(folder)
        changed = {name for name, digest in part.whole.items() if now.get(name) != digest}
        if changed or part is parts[-1]:
            break
    refused = len(part.whole.keys() - now.keys())
    about = f"{len(changed)} of {len(part.whole)} differ" + (f", {refused} are refused" if refused else "")
    return part, changed, about


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
