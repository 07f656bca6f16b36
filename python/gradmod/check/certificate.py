"""The certificate of one file: from its path to a verdict with its reasons."""

from __future__ import annotations

import json
import math
import re
import subprocess
import tempfile
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from .. import finite
from .._binary import find_binary
from .._catalogue import NAMES_OF_TIMES
from .._manifest import Manifest
from .._timed import not_followed
from ..attach import attach
from ..cells import Floats, cells_of
from ..errors import Error, Refused
from ..regions import group, sources
from . import compiled, surroundings
from .backwards import Backwards, backwards
from .candidates import Candidate, candidates
from .cell import Drive, Model
from .judge import MARGIN, MARGIN_TABLES, Finding, Judgement, judge
from .sides import Sides
from .source import Declarations, declarations

#: Three drives: as the file comes; with its TABLEs, if it has some; long, warm, coarse, from another potential.
_DRIVES = (
    Drive("plain", 0.025, 16.0, -70.3, 23.0),
    Drive("tables", 0.05, 10.0, -69.7, 23.0, tables=True),
    Drive("slow", 0.1, 80.0, -58.3, 34.0, raised=True),
)
#: For what the first sweep could not decide.
_FINE = tuple(10.0 ** (-k / 2) for k in range(4, 19))
#: Where wide steps jump over two kinks beside each other, a branch for v near 0 say, and agree on what is no limit.
_NEAR = tuple(10.0 ** (-k / 2) for k in range(10, 16))


@dataclass
class Certificate:
    """What is known of one file.

    Attributes:
        file: The path as it was given.
        mechanism: Its name; empty if the file declares none.
        verdict: "exact", "refused", "mismatch", "not-accepted-by-neuron", "nothing-to-differentiate"; besides,
            "undecided" (the differences are too bad to tell) and "failed" (see message).
        worst: Largest relative deviation of all traces that could be judged.
        parameters: Names of those that were judged.
        codes: Of the compiler's diagnostics.
        undecided: Parameters whose differences are too bad to tell.
        not_exercised: Parameters that moved nothing in any drive, and whose gradients are zero as well.
        isolated: Parameters that have a value that the code asks for by ``==``: there is no derivative in them.
        not_followed: Parameters in which gradients are refused: they change when events come.
        mismatches: One sentence for each parameter that is wrong.
        message: Why, if there is no other place for it.
        reverse: What reverse mode did; None where the file was not compared.
    """

    file: str
    mechanism: str = ""
    verdict: str = "failed"
    worst: float | None = None
    parameters: list[str] = field(default_factory=list[str])
    codes: list[str] = field(default_factory=list[str])
    seconds: float = 0.0
    undecided: list[str] = field(default_factory=list[str])
    not_exercised: list[str] = field(default_factory=list[str])
    isolated: list[str] = field(default_factory=list[str])
    not_followed: list[str] = field(default_factory=list[str])
    mismatches: list[str] = field(default_factory=list[str])
    message: str = ""
    reverse: Backwards | None = None

    def to_json(self) -> str:
        """One line."""
        data = asdict(self)
        for part in filter(None, (data, data["reverse"])):
            if part["worst"] is not None and not math.isfinite(part["worst"]):
                part["worst"] = 1e308  # JSON has no infinity
        return json.dumps(data)


def certify(path: Path) -> Certificate:
    """Check one file; whatever happens is told by the certificate."""
    start = time.monotonic()
    certificate = Certificate(str(path))
    try:
        _certify(path, certificate)
    except compiled.NotAccepted as error:
        certificate.verdict, certificate.message = "not-accepted-by-neuron", _reason(str(error))
    except Refused as refused:
        certificate.verdict, certificate.message = "refused", str(refused)
        certificate.codes = sorted({diagnostic.code for diagnostic in refused.diagnostics})
    except (Error, RuntimeError, ValueError, AttributeError, TypeError, LookupError) as error:
        certificate.verdict, certificate.message = "failed", f"{type(error).__name__}: {error}"
    certificate.seconds = round(time.monotonic() - start, 3)
    return certificate


def _certify(path: Path, certificate: Certificate) -> None:
    certificate.mechanism = declarations(compiled.read(path)).name
    declared = compiled.load(path)
    taken, certificate.codes = _codes(path)
    if not taken:
        certificate.verdict = "refused"
    elif not declared.name or {"artificial-cell", "no-mechanism", "only-watches"} & set(certificate.codes):
        certificate.verdict, certificate.message = (
            "nothing-to-differentiate",
            "the file declares nothing that acts on a membrane",
        )
    else:
        _compare(declared, certificate)


def _codes(path: Path) -> tuple[bool, list[str]]:
    """Whether the compiler takes the file, and the codes of its diagnostics."""
    with tempfile.TemporaryDirectory() as directory:
        owners = [owner for owner, _ in compiled.owners(path)]
        declared = declarations(compiled.read(path))
        option = "--point" if declared.kind == "POINT_PROCESS" else "--region"
        asked = [option, declared.name if option == "--point" else f"checked={declared.name}"] if owners else []
        done = _transform([path, *owners], directory, *asked)
    lines: list[dict[str, Any]] = [json.loads(line) for line in done.stderr.splitlines() if line.startswith("{")]
    return done.returncode == 0, sorted({str(line["code"]) for line in lines})


def _emitted(model: Model) -> Manifest | None:
    """What the compiler makes of the cell's mechanisms; None if it refuses, and attach will say why."""
    regions = group(cells_of(model.sections))
    points = [] if model.process is None else [model.declared.name]
    more = [part for region in regions for part in ("--region", f"{region.name}={','.join(region.mechanisms)}")]
    more += [part for point in points for part in ("--point", point)]
    with tempfile.TemporaryDirectory() as directory:
        paths: list[Path] = []
        for source in sources(regions, points):
            paths.append(Path(directory) / f"{source.name}.mod")
            paths[-1].write_text(source.text, encoding="utf-8")
        done = _transform(paths, directory, *more)
        if done.returncode != 0:
            return None
        return Manifest.read(Path(directory) / "gradmod.json")


def _known(made: Manifest | None) -> set[str]:
    """The parameters of the cell's mechanisms that something depends on, but for times that act in whole steps."""
    regions = () if made is None else made.regions
    known = {name for region in regions for name in region.parameters}
    stepwise = {name for region in regions for name in region.stepwise}
    return {name for name in known if not (name in stepwise and name.rpartition(".")[2] in NAMES_OF_TIMES)}


def _transform(paths: Sequence[Path], directory: str, *more: str) -> subprocess.CompletedProcess[str]:
    command = [str(find_binary()), "transform", *map(str, paths), "-o", directory, "--message-format", "json", *more]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1):
        raise Error(f"gradmod transform ended with exit code {done.returncode}: {done.stderr.strip()[-300:]}")
    return done


def _compare(declared: Declarations, certificate: Certificate) -> None:
    model = Model(declared, surroundings.provide(declared))
    made = _emitted(model)
    known = _known(made)
    # Gradients in what a table does not watch are refused while it is used, so such tables stay off.
    is_stale = made is not None and any(region.stale_tables or region.shared_tables for region in made.regions)
    has_table = declared.has_table and not is_stale
    drives = [model.tuned(drive) for drive in _DRIVES if has_table or not drive.tables]
    cases = _cases(model, made, drives)
    certificate.isolated = sorted(cases)
    regions = [] if made is None else made.regions
    certificate.not_followed = sorted(not_followed(regions))
    cases |= set(certificate.not_followed)
    timed = {name for region in regions for name in region.moved.timed_by}
    model.set_up(drives[0])
    asked = [candidate for candidate in candidates(model, known) if candidate.name not in cases]
    before = [_run(model, drive) for drive in drives]
    gradients, certificate.mismatches = _gradients(model, drives, asked, before)
    certificate.reverse = backwards(model, drives, asked, gradients, before, timed)
    judged: dict[str, list[tuple[Drive, Judgement]]] = {}
    for drive, gradient, plain in zip(drives, gradients, before, strict=True):
        model.set_up(drive)
        if drive.tables and finite.rebuild_tables():
            continue  # a table that NEURON fills once per process: differences by what is in it mean nothing
        for candidate in candidates(model, known):
            if candidate.name in cases:
                continue
            judgement = _judge(model, candidate, gradient, plain)
            if not _same(model.run(), plain):
                # Something that NEURON can't set back was carried from run to run.
                judgement = Judgement(Finding.UNDECIDED)
            judged.setdefault(candidate.name, []).append((drive, judgement))
    _conclude(model, judged, asked, certificate)


def _cases(model: Model, made: Manifest | None, drives: Sequence[Drive]) -> set[str]:
    """The parameters that have, in a drive, a value that the code treats as a case of its own."""
    isolated = [] if made is None else [one for region in made.regions for one in region.isolated]
    known = {(one.parameter, one.value) for one in isolated}
    found: set[str] = set()
    for drive in drives:
        model.set_up(drive)
        present = candidates(model, {name for name, _ in known})
        found |= {c.name for c in present if any((c.name, value) in known for value in c.values)}
    return found


def _run(model: Model, drive: Drive) -> dict[str, Floats]:
    model.set_up(drive)
    return model.run()


_TOUCHED = "the simulation is not what it was without gradients"
_GOES_ON = (
    "each run goes on from the one before (in the weights of a NetCon, or in what INITIAL does not set): "
    "runs with and without gradients can't be compared"
)


def _gradients(
    model: Model, drives: Sequence[Drive], asked: Sequence[Candidate], before: Sequence[Mapping[str, Floats]]
) -> tuple[list[dict[str, dict[str, Floats]]], list[str]]:
    """[drive] gradients by parameter and trace, and those that are others when the last drive is run again.

    The voltage must be what it was without.
    """
    directions = {f"d{i}": c for i, c in enumerate(asked) if c.direction is not None}
    attached = attach(model.sections, quiet=True, **{k: c.direction for k, c in directions.items() if c.direction})
    try:
        records = {name: attached.record(seg, of) for name, (seg, of) in model.traces.items()}

        def run(drive: Drive) -> tuple[dict[str, Floats], dict[str, dict[str, Floats]]]:
            traces = _run(model, drive)
            return traces, {
                c.name: {name: np.array(record[k]) for name, record in records.items()} for k, c in directions.items()
            }

        found: list[dict[str, dict[str, Floats]]] = []
        for drive, plain in zip(drives, before, strict=True):
            traces, of_drive = run(drive)
            if not _same(traces, plain):
                attached.detach()
                raise Error(_GOES_ON if not _same(_run(model, drive), plain) else _TOUCHED)
            found.append(of_drive)
        traces, again = run(drives[-1])
        others = [name for name, of in again.items() if not _same(of, found[-1][name])]
        # A model that goes on from the run before is judged by its differences.
        is_repeatable = _same(traces, before[-1])
        return found, [f"{name}: another gradient in a second run" for name in others if is_repeatable]
    finally:
        attached.detach()


def _same(one: Mapping[str, Floats], other: Mapping[str, Floats]) -> bool:
    return all(np.array_equal(one[name], other[name], equal_nan=True) for name in one)


def _judge(
    model: Model,
    candidate: Candidate,
    gradients: Mapping[str, Mapping[str, Floats]],
    plain: Mapping[str, Floats],
) -> Judgement:
    gradient = gradients.get(candidate.name)
    sides = Sides(plain)

    def run() -> dict[str, Floats]:
        if model.drive.tables:
            finite.rebuild_tables()
        return model.run()

    def swept(steps: Sequence[float]) -> Judgement:
        difference = finite.differentiate(
            sides.ran(run), sides.moved(candidate.shift), 0.0, steps=steps, scale=candidate.size
        )
        mine = gradient or {name: np.zeros_like(value) for name, value in difference.value.items()}
        return judge(mine, difference, sides, MARGIN_TABLES if model.drive.tables else MARGIN)

    judgement = swept(finite.STEPS)
    if judgement.finding not in (Finding.STILL, Finding.EXACT):
        judgement = swept(_FINE)
    if judgement.finding is Finding.MISMATCH:
        near = swept(_NEAR)
        if near.finding is Finding.EXACT:
            return near
    return judgement


def _conclude(
    model: Model,
    judged: Mapping[str, Sequence[tuple[Drive, Judgement]]],
    asked: Sequence[Candidate],
    certificate: Certificate,
) -> None:
    own = {candidate.name for candidate in asked if candidate.own}
    worst = 0.0
    for name, of_drives in judged.items():
        drive, judgement = max(of_drives, key=lambda item: (item[1].finding.value, item[1].deviation))
        worst = max([worst, *(j.deviation for _, j in of_drives if j.judged)])
        if judgement.finding is Finding.STILL:
            certificate.not_exercised.append(name)
        elif judgement.finding is Finding.UNDECIDED:
            certificate.undecided.append(name)
        else:
            certificate.parameters.append(name)
        if judgement.finding is Finding.MISMATCH:
            certificate.mismatches.append(
                f"{name}: off by {judgement.deviation:.1e} in {judgement.where}, differences good to "
                f"{judgement.uncertainty:.0e} ({drive.name} drive)"
            )
    certificate.worst = worst if certificate.parameters else None
    if certificate.reverse is not None:
        certificate.mismatches.extend(certificate.reverse.mismatches)
    if certificate.mismatches:
        certificate.verdict = "mismatch"
    elif own & set(certificate.parameters) or _is_seen(model, judged, own):
        certificate.verdict = "exact"
    elif own & set(certificate.undecided):
        certificate.verdict = "undecided"
    else:
        certificate.verdict = "nothing-to-differentiate"
        certificate.message = "no parameter of the mechanism moved voltage or states in any drive"


def _is_seen(model: Model, judged: Mapping[str, Sequence[tuple[Drive, Judgement]]], own: Collection[str]) -> bool:
    """Whether the mechanism shows although none of its own parameters was judged."""
    traces = {name for of_drives in judged.values() for _, judgement in of_drives for name in judgement.judged}
    return any(model.traces[name][1] != "v" for name in traces) or bool(traces and not own and model.declared.acts)


def _reason(log: str) -> str:
    """The line of a compiler's log that says why."""
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    errors = [line for line in lines if re.search(r"\berror\b|rror:", line) and "CalledProcessError" not in line]
    return (errors or lines or [""])[0][:300]
