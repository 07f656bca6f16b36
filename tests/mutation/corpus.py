"""Mechanisms of fixed seeds, models of them, and what a compiler makes of each."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import chain
from pathlib import Path

from mutate import PLACE, ROOT

sys.path.insert(0, str(ROOT / "tests"))

from generator import batch, mechanisms, models
from generator.models import Model
from generator.tree import Mechanism

BINARY = PLACE / "target" / "debug" / "gradmod"
#: Mechanisms: as many, then so many more if none of the first differs. Those of one model.
CORPUS, EACH = tuple(map(int, os.environ.get("GRADMOD_CORPUS", "250,650").split(","))), 6
MODES = ("forward", "reverse")
_SEED = 4700
#: The name of what is the same for all regions.
OF_ALL = "*"
#: How a model runs.
_FLAGS = ("memory", "moves", "plays", "few", "uneven", "tables", "secondorder")
#: Models made of the same mechanisms, to choose from.
_VARIANTS = 8
#: NEURON's `secondorder`, and whether POINTERs may see variables.
Setting = tuple[int, bool]
#: Hashes of what is emitted, by the name of a region and the mode.
Texts = dict[tuple[str, str], str]


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
    def variants(self) -> list[Variant]:
        """Models with all of them."""
        seeds = [_SEED * 1000 + self.number + 100_000 * k for k in range(_VARIANTS)]
        made = [models.make(seed, list(self.mechanisms), reverse=self.reverse) for seed in seeds]
        return [Variant(self, model, frozenset(self._tags(model))) for model in made]

    @property
    def setting(self) -> Setting:
        """How the compiler is asked for what this is compared by."""
        return self.variants[0].model.secondorder, self.variants[0].model.sees_variables

    def _tags(self, model: Model) -> set[str]:
        """The constructs in it, what mechanisms have to do with each other, and how it runs."""
        found = {tag for m in self.mechanisms for tag in m.tags}
        found |= {model.way, *(flag for flag in _FLAGS if getattr(model, flag))}
        found |= {"currents of the model"} if model.hh else set()
        found |= {"points at states"} if model.sees_variables and "POINTER" in found else set()
        written = {name for m in self.mechanisms for ion in m.ions for name in ion.write}
        read = {name for m in self.mechanisms for ion in m.ions for name in ion.read}
        found |= {"point process"} if model.points else set()
        found |= {"one window"} if model.memory is None else set()
        return found | {f"{name} is written and read" for name in written & read}


@dataclass(frozen=True)
class Variant:
    """One of the models of a group, and its tags."""

    group: Group
    model: Model
    tags: frozenset[str]


@dataclass(frozen=True)
class Part:
    """Mechanisms, models of them, and what the unharmed compiler makes of each.

    Attributes:
        mechanisms: All that NEURON's translator takes.
        groups: Models of those that the unharmed compiler takes.
        unfit: Seeds of models that have turned out to show nothing.
        sound: By seed, whether models have no failure by the unharmed gradmod, of those that were asked.
    """

    first: int
    mechanisms: tuple[Mechanism, ...]
    groups: tuple[Group, ...]
    whole: Texts
    unfit: set[int] = field(default_factory=set)
    sound: dict[int, bool] = field(default_factory=dict)

    def now(self, folder: Path, modes: Sequence[str] = MODES, binary: Path = BINARY) -> Texts:
        """The same by the compiler as it is now, or another one, in some modes."""
        regions = {m.name: [m] for m in self.mechanisms} | _together(self.groups)
        settings = {name: group.setting for group in self.groups for name in group.names}
        return emitted(regions, folder, settings, modes, binary)

    def names(self, mode: str) -> set[str]:
        """Of all regions in a mode."""
        return {name for name, of in self.whole if of == mode} - {OF_ALL}

    def taken(self, now: Texts) -> list[Variant]:
        """Models of mechanisms that the compiler as it is now takes, and the unharmed one does not."""
        new = {name: mode for name, mode in now.keys() - self.whole.keys()}
        found: list[Group] = []
        for reverse in (True, False):
            some = [m for m in self.mechanisms if m.name in new and ((m.name, "reverse") in now) == reverse]
            for i in range(0, len(some), EACH):
                found.append(Group(self.first + 900 + len(found), tuple(some[i : i + EACH]), reverse))
        return [group.variants[k] for k in range(_VARIANTS) for group in found]


def corpus() -> list[list[Mechanism]]:
    """Mechanisms in parts."""
    made = (mechanisms.make(f"{_SEED}.{i}", f"m{_SEED}x{i}") for i in range(sum(CORPUS)))
    return [[next(made) for _ in range(count)] for count in CORPUS]


def _together(groups: Iterable[Group]) -> dict[str, list[Mechanism]]:
    """The density mechanisms of groups, as they are in one region: what they do to each other."""
    found = {
        f"g{group.number}": [m for m in group.mechanisms if m.name in group.variants[0].model.sections[0].mechanisms]
        for group in groups
    }
    return {name: made for name, made in found.items() if len(made) > 1}


def emitted(
    regions: Mapping[str, Sequence[Mechanism]],
    folder: Path,
    settings: Mapping[str, Setting] | None = None,
    modes: Sequence[str] = MODES,
    binary: Path = BINARY,
) -> Texts:
    """What the compiler makes of each region; those that it refuses are left out."""
    found: Texts = {}
    for mode in modes:
        by_options: dict[tuple[str, ...], dict[str, Sequence[Mechanism]]] = {}
        for name, made in regions.items():
            order, sees = (settings or {}).get(name, (0, False))
            options = ("--secondorder", str(order), *(["--pointed-variables"] if sees and mode == "forward" else []))
            by_options.setdefault(options, {})[name] = made
        common = hashlib.sha256()
        for options, some in sorted(by_options.items()):
            with tempfile.TemporaryDirectory(dir=folder) as out:
                texts = _transformed(some, folder, Path(out), ("--mode", mode, *options), binary)
            common.update(texts.pop(OF_ALL, "").encode())
            found |= {(name, mode): hashlib.sha256(text.encode()).hexdigest() for name, text in texts.items()}
        found[OF_ALL, mode] = common.hexdigest()
    return found


def _transformed(
    regions: Mapping[str, Sequence[Mechanism]], folder: Path, out: Path, options: Sequence[str], binary: Path
) -> dict[str, str]:
    left = dict(regions)
    while left:
        names = {m.name for made in left.values() for m in made}
        command = [str(binary), "transform", *sorted(f"{name}.mod" for name in names), "-o", str(out), *options]
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
    manifest = json.loads((out / "gradmod.json").read_text(encoding="utf-8")) if left else {"regions": []}
    for region in manifest["regions"]:
        owner = re.search(r"m\d+x\d+|g\d+", region["name"])
        if owner is not None:
            texts[owner[0]] += re.sub(r"_[0-9a-f]{8}\b", "", json.dumps(region))
    return texts | {OF_ALL: common}


def arranged(made: Sequence[Mechanism]) -> list[tuple[Mechanism, ...]]:
    """Some together that have to do with each other: what carries a concentration, its currents, what reads it."""
    left = sorted(made, key=lambda m: sorted(ion.name for ion in m.ions))
    found: list[tuple[Mechanism, ...]] = []
    for pool in [m for m in left if m.sets]:
        if pool not in left:
            continue
        ion = next(iter(pool.sets))[:-1]
        others = [m for m in left if not m.is_point and not m.sets & pool.sets and any(i.name == ion for i in m.ions)]
        writers = [m for m in others if any(f"i{ion}" in i.write for i in m.ions)]
        readers = [m for m in others if m not in writers]
        pools = [m for m in readers if m.sets] + [m for m in others if m.sets and m not in readers]
        # The rarest first.
        group = list(dict.fromkeys([pool, *writers[:2], *pools[:1], *readers, *writers]))[: EACH - 2]
        if writers and len(group) > 2:
            free = [m for m in left if m not in group and not any(i.name == ion for i in m.ions)]
            group += sorted(free, key=lambda m: not m.is_point)[: EACH - len(group)]
            found.append(tuple(sorted(group, key=lambda m: m.name)))
            left = [m for m in left if m not in group]
    return found + [tuple(left[i : i + EACH]) for i in range(0, len(left) - EACH + 1, EACH)]


def whole(made: Iterable[Mechanism], first: int, folder: Path, unharmed: Path) -> Part:
    """Those of these mechanisms that the unharmed compiler takes, some to a model."""
    written: list[Mechanism] = []
    for mechanism in made:
        path = folder / f"{mechanism.name}.mod"
        path.write_text(str(mechanism), encoding="utf-8")
        if batch.illegal(path, folder) is None:
            written.append(mechanism)
    found = emitted({m.name: [m] for m in written}, folder, binary=unharmed)
    taken = [m for m in written if (m.name, "forward") in found]
    chosen: list[Group] = []
    for reverse in (True, False):
        # What reverse mode refuses keeps it from all of a model.
        some = [m for m in taken if ((m.name, "reverse") in found) == reverse]
        if not reverse:
            # Beside what reverse mode takes: each of the one kind has one of the other.
            others = [m for m in taken if m not in some]
            some = list(chain.from_iterable(zip(some, others, strict=False)))
        chosen += [Group(first + len(chosen) + i, made, reverse) for i, made in enumerate(arranged(some))]
    part = Part(first, tuple(written), tuple(chosen), {})
    return replace(part, whole=part.now(folder, binary=unharmed))


class Parts:
    """All parts, each made when it is asked for: most mutants change the first one."""

    def __init__(self, folder: Path, unharmed: Path) -> None:
        self._folder, self._unharmed = folder, unharmed
        self._mechanisms, self._made = corpus(), list[Part]()

    def __getitem__(self, number: int) -> Part:
        for index in range(len(self._made), number + 1):
            self._made.append(whole(self._mechanisms[index], 1000 * index, self._folder, self._unharmed))
        return self._made[number]

    def __iter__(self) -> Iterator[Part]:
        return (self[number] for number in range(len(self._mechanisms)))
