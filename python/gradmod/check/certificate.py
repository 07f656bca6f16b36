"""The certificate of one file: from its path to a verdict with its reasons."""

from __future__ import annotations

import json
import math
import re
import time
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from .. import finite
from .._guards.event_times import not_followed
from .._manifest.region import Region
from ..errors import Error, Refused
from . import compiled, emitted, forward
from .backwards import Backwards, backwards
from .candidates import Candidate, candidates
from .differences import compare
from .judge import Finding, Judgement
from .model import surroundings
from .model.cell import Model
from .model.drive import DRIVES, Drive
from .model.probes import probes
from .model.source import Declarations, declarations


@dataclass(frozen=True)
class Judged:
    """What was found of one parameter in one drive."""

    candidate: Candidate
    drive: Drive
    judgement: Judgement


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
        drives: Names of the runs that forward mode had gradients in.
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
    drives: list[str] = field(default_factory=list[str])
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
    taken, certificate.codes = emitted.codes(path)
    if not taken:
        certificate.verdict = "refused"
    elif not declared.name or {"artificial-cell", "no-mechanism", "only-watches"} & set(certificate.codes):
        certificate.verdict, certificate.message = (
            "nothing-to-differentiate",
            "the file declares nothing that acts on a membrane",
        )
    else:
        _compare(declared, certificate)


def _compare(declared: Declarations, certificate: Certificate) -> None:
    model = Model(declared, surroundings.provide(declared))
    made = emitted.emitted(model)
    known = emitted.known(made)
    regions: Sequence[Region] = () if made is None else made.regions
    isolated = {(one.parameter, one.value) for region in regions for one in region.special_values}
    # Where the code asks for one value, it must find it everywhere.
    asked_for = {name.split(".")[-1] for name, _ in isolated}
    model.vary(asked_for)
    model.raise_events()
    # Gradients in what a table does not watch are refused while it is used, so such tables stay off.
    is_stale = any(region.stale_tables or region.shared_tables for region in regions)
    has_table = declared.has_table and not is_stale
    drives = [model.tuned(drive) for drive in DRIVES if has_table or not drive.tables]
    drives += probes(model, drives, asked_for)
    cases = _cases(model, isolated, drives)
    certificate.isolated = sorted(cases)
    certificate.not_followed = sorted(not_followed(regions))
    cases |= set(certificate.not_followed)
    timed = {name for region in regions for name in region.event_time.timed_by}
    model.set_up(drives[0])
    asked = [candidate for candidate in candidates(model, known) if candidate.name not in cases]
    before = [forward.run(model, drive) for drive in drives]
    found = forward.forward(model, drives, asked, before)
    certificate.mismatches = found.mismatches
    certificate.drives = [drive.name for drive, of in zip(drives, found.gradients, strict=True) if of is not None]
    certificate.reverse = backwards(model, drives, asked, found, before, timed, known)
    refused = [why for drive, why in zip(drives, found.refused, strict=True) if why is not None and not drive.free]
    if refused:
        _refuse(certificate, refused[0])
        return
    judged: list[Judged] = []
    for drive, gradients, plain in zip(drives, found.gradients, before, strict=True):
        model.set_up(drive)
        if gradients is None or (drive.tables and finite.rebuild_tables()):
            continue  # a table that NEURON fills once per process: differences by what is in it mean nothing
        for candidate in candidates(model, known):
            if candidate.name in cases:
                continue
            judgement = compare(model, candidate, gradients.get(candidate.key), plain)
            if not forward.same(model.run(), plain):
                # Something that NEURON can't set back was carried from run to run.
                judgement = Judgement(Finding.UNDECIDED)
            judged.append(Judged(candidate, drive, judgement))
    _conclude(model, judged, certificate)


def _cases(model: Model, isolated: Collection[tuple[str, float]], drives: Sequence[Drive]) -> set[str]:
    """The parameters that have, in a drive, a value that the code treats as a case of its own."""
    found: set[str] = set()
    for drive in drives:
        model.set_up(drive)
        present = candidates(model, {name for name, _ in isolated})
        found |= {c.name for c in present if any((c.name, value) in isolated for value in c.values)}
    return found


def _refuse(certificate: Certificate, refused: Refused) -> None:
    certificate.verdict, certificate.message = "refused", str(refused)
    certificate.codes = sorted({diagnostic.code for diagnostic in refused.diagnostics})
    if certificate.reverse is not None and certificate.reverse.mismatches:
        certificate.verdict = "mismatch"
        certificate.mismatches.extend(certificate.reverse.mismatches)


def _conclude(model: Model, judged: Sequence[Judged], certificate: Certificate) -> None:
    own = {one.candidate.name for one in judged if one.candidate.own}
    for name in dict.fromkeys(one.candidate.name for one in judged):
        of_name = [one for one in judged if one.candidate.name == name]
        worst = max(of_name, key=lambda one: (one.judgement.finding.value, one.judgement.deviation))
        judgement = worst.judgement
        if judgement.finding is Finding.STILL:
            certificate.not_exercised.append(name)
        elif judgement.finding is Finding.UNDECIDED:
            certificate.undecided.append(name)
        else:
            certificate.parameters.append(name)
        if judgement.finding is Finding.MISMATCH:
            certificate.mismatches.append(
                f"{worst.candidate.key}: off by {judgement.deviation:.1e} in {judgement.where}, differences good to "
                f"{judgement.uncertainty:.0e} ({worst.drive.name} drive)"
            )
    deviations = [one.judgement.deviation for one in judged if one.judgement.judged]
    certificate.worst = max([0.0, *deviations]) if certificate.parameters else None
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


def _is_seen(model: Model, judged: Sequence[Judged], own: Collection[str]) -> bool:
    """Whether the mechanism shows although none of its own parameters was judged."""
    traces = {name for one in judged for name in one.judgement.judged}
    return any(model.traces[name][1] != "v" for name in traces) or bool(traces and not own and model.declared.acts)


def _reason(log: str) -> str:
    """The line of a compiler's log that says why."""
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    errors = [line for line in lines if re.search(r"\berror\b|rror:", line) and "CalledProcessError" not in line]
    return (errors or lines or [""])[0][:300]
