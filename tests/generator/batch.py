"""Many mechanisms in one compilation, then one worker process for each model."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import neuron
from gradmod._build.library import library
from gradmod._command.binary import find_binary
from gradmod.errors import Error

from . import mechanisms, models
from .compare import RAN
from .models import Model
from .tree import Mechanism

#: Mechanisms that are compiled at once, and those of one model. Each takes about 2.5 s of one core, nearly all of it to
#: compile its gradients.
TOGETHER, EACH = 6, 6
_NEURON = Path(neuron.__file__).parent / ".data"
#: Not optimised: twice as fast to compile, and all runs of a model are by the same code.
_FLAGS = "-O0 -std=c++17"
_SECONDS = 600


@dataclass
class Sorted:
    """What becomes of mechanisms before anything runs.

    Attributes:
        both: Those that both modes take.
        forward: Those that only forward mode takes.
        refused: The others, with their codes.
        illegal: Those that NEURON's translator does not take, with what it says.
    """

    both: list[Mechanism] = field(default_factory=list)
    forward: list[Mechanism] = field(default_factory=list)
    refused: list[tuple[str, str]] = field(default_factory=list)
    illegal: list[tuple[str, str]] = field(default_factory=list)


def environment() -> dict[str, str]:
    """Of all processes that compile."""
    return os.environ | {"CXXFLAGS": _FLAGS, "MAKEFLAGS": f" -- CXXFLAGS={_FLAGS.replace(' ', chr(92) + ' ')}"}


def sort(made: Sequence[Mechanism], folder: Path) -> Sorted:
    """Ask nocmodl, then gradmod."""
    result = Sorted()
    for mechanism in made:
        path = folder / f"{mechanism.name}.mod"
        path.write_text(str(mechanism), encoding="utf-8")
        wrong = illegal(path, folder)
        if wrong is not None:
            result.illegal.append((mechanism.name, wrong))
            path.unlink()
            continue
        forward, backward = (_codes(path, mechanism, mode) for mode in ("forward", "reverse"))
        if forward is not None:
            result.refused.append((mechanism.name, forward))
            path.unlink()
        elif backward is not None:
            result.refused.append((mechanism.name, f"reverse: {backward}"))
            result.forward.append(mechanism)
        else:
            result.both.append(mechanism)
    return result


def illegal(path: Path, folder: Path) -> str | None:
    """What NEURON's translator does not like, or makes something of that NEURON does not load."""
    out = folder.resolve() / "translated"
    out.mkdir(exist_ok=True)
    done = subprocess.run(
        [str(_NEURON / "bin/nocmodl"), path.name, "-o", str(out)],
        cwd=folder, capture_output=True, text=True, check=False,
        env=os.environ | {"MODLUNIT": str(_NEURON / "share/nrn/lib/nrnunits.lib")},
    )  # fmt: skip
    if done.returncode != 0:
        return (done.stdout + done.stderr)[-300:]
    code = "".join(made.read_text(encoding="utf-8") for made in out.glob(f"{path.stem}.c*"))
    # RANDOM beside diam or area: both get the same place, and loading the library ends the process.
    places = re.findall(r"hoc_register_dparam_semantics\(_mechtype, (\d+),", code)
    return None if len(places) == len(set(places)) else "one place for two things: NEURON does not load it"


def _codes(path: Path, mechanism: Mechanism, mode: str) -> str | None:
    """The codes of what the compiler refuses, or None."""
    region = ["--point", mechanism.name] if mechanism.is_point else ["--region", f"r={mechanism.name}"]
    with tempfile.TemporaryDirectory() as out:
        command = [str(find_binary()), "transform", str(path), "-o", out, "--mode", mode, *region]
        done = subprocess.run(
            [*command, "--message-format", "json"],
            capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip
    if done.returncode == 0:
        return None
    lines = [json.loads(line) for line in done.stderr.splitlines() if line.startswith("{")]
    codes = sorted({str(line["code"]) for line in lines if line["level"] != "note"})
    return ",".join(codes) or f"exit code {done.returncode}"


def compiled(folder: Path, made: Sequence[Mechanism]) -> tuple[str, list[Mechanism], list[tuple[str, str]]]:
    """The library of all of them; what the C++ compiler does not take is left out."""
    left, wrong = list(made), []
    while left:
        os.environ.update(environment())
        try:
            return str(library([folder / f"{m.name}.mod" for m in left], quiet=True)), left, wrong
        except Error as error:
            named = {name for name in re.findall(r"\b(\w+)\.cpp:\d+", str(error))}
            bad = [m for m in left if m.name in named]
            if not bad:
                raise
            wrong += [(m.name, str(error)[-300:]) for m in bad]
            left = [m for m in left if m not in bad]
    return "", [], wrong


def write(folder: Path, model: Model, built: str) -> None:
    """Put down what a worker needs, and the sources to read."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.json").write_text(model.to_json(), encoding="utf-8")
    (folder / "library").write_text(built, encoding="utf-8")
    for mechanism in model.mechanisms:
        (folder / f"{mechanism.name}.mod").write_text(str(mechanism), encoding="utf-8")


def work(folder: Path) -> dict[str, Any]:
    """Run the worker of a model; what it does not survive is an error."""
    here = Path(__file__).resolve().parent.parent
    path = os.pathsep.join(filter(None, [str(here), os.environ.get("PYTHONPATH", "")]))
    try:
        done = subprocess.run(
            [sys.executable, "-m", "generator.worker", str(folder)],
            env=environment() | {"PYTHONPATH": path}, capture_output=True, text=True, check=False, timeout=_SECONDS,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return {"verdict": "timeout", "failures": [["timeout", f"more than {_SECONDS} s"]], "seconds": _SECONDS}
    try:
        return json.loads(done.stdout.splitlines()[-1])
    except (IndexError, ValueError):
        if RAN not in done.stdout.splitlines():
            return {"verdict": "crash of NEURON", "failures": [], "seconds": 0.0}
        text = f"exit code {done.returncode}: {done.stderr.strip()[-300:]}"
        return {"verdict": "crash", "failures": [["crash", text]], "seconds": 0.0}


def generate(seed: int, count: int, like: str = "") -> list[Mechanism]:
    """The mechanisms of one batch: those whose text, or tags, match a regular expression."""
    found: list[Mechanism] = []
    for i in range(count if not like else 400 * count):
        made = mechanisms.make(f"{seed}.{i}", f"m{seed}x{i}")
        if not like or re.search(like, f"{made}\n{', '.join(made.tags)}", re.DOTALL):
            found.append(made)
        if len(found) == count:
            break
    return found


def models_of(seed: int, found: Sorted, each: int = EACH) -> Iterator[Model]:
    """Models that have each mechanism; some that reverse mode takes stand beside those that it does not, too."""
    number = 0
    for group, reverse in ((found.both, True), (found.forward, False)):
        parts = max(1, round(len(group) / each)) if group else 0
        for part in range(parts):
            chosen = group[part::parts]
            if not reverse:
                chosen = [*chosen, *found.both[part::parts][: min(2, each - len(chosen))]]
            yield models.make(seed * 1000 + number, chosen, reverse=reverse)
            number += 1
