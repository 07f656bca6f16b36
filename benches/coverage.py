"""How much of what people use is exact: `gradmod check` over the .mod files of packages on PyPI -> docs/coverage.md.

    make coverage                 all files; an hour or more with an empty cache
    make coverage-quick           a fixed sample, part of `make test`; fails on a mismatch and on a file that got worse

The packages are downloaded to .coverage/ when this runs and are only unpacked, never imported or installed. Files that
differ in comments and white space only count once. The order is that of a hash of their content, so that the first N
are a fixed sample without a pattern. Only names and figures are written, nothing of what is in the files.
"""

from __future__ import annotations

import argparse
import collections
import hashlib
import json
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
#: Wheels that ship .mod files, with the version that the figures are of.
PACKAGES = {
    "bluepyemodel": "1.0.50",
    "bmtk": "1.2.0",
    "dbbs-catalogue": "6.0.1",
    "dbbs-mod-collection": "2.2.3",
    "dendrotweaks": "0.5.2",
    "drgpom": "1.0.5",
    "EModelRunner": "1.2.5",
    "golding-neuron": "0.1.13",
    "MEArec": "1.11.0",
    "neurodamus": "4.2.9",
    "neuron": "9.0.2",
    "nrv-py": "1.1.1",
    "pyfibers": "0.13.0",
    "PyNN": "0.13.0",
    "snudda": "3.0",
}
#: Where the certificates are written as they are made.
CERTIFICATES = ROOT / ".coverage" / "certificates.jsonl"
#: Small wheels that the quick sample is taken from.
QUICK = ("dbbs-catalogue", "dbbs-mod-collection", "pyfibers", "golding-neuron")
QUICK_FILES = 8
NOT_ONE_RUN = "**Put together from several runs of different states of the project, not from one run of this state.**"
VERDICTS = (
    "exact", "refused", "undecided", "nothing-to-differentiate", "failed", "mismatch", "not-accepted-by-neuron",
)  # fmt: skip


@dataclass(frozen=True)
class File:
    """One .mod file: the package, the path in its wheel, where it was unpacked."""

    package: str
    name: str
    path: Path


def collect(packages: Iterable[str], folder: Path) -> list[File]:
    """Download and unpack, and return all different files in the order of their hashes."""
    found: dict[str, File] = {}
    for package in sorted(packages, key=str.lower):
        for name, path in unpacked(package, folder):
            found.setdefault(digest(path), File(package, name, path))
    return [found[key] for key in sorted(found)]


def unpacked(package: str, folder: Path) -> list[tuple[str, Path]]:
    """(path in the wheel, path here) of the .mod files of a package."""
    place = folder / f"{package}-{PACKAGES[package]}"
    if not place.is_dir():
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
        command += ["--only-binary", ":all:", "--dest", str(folder), f"{package}=={PACKAGES[package]}"]
        before = set(folder.glob("*.whl"))
        subprocess.run(command, check=True)
        (wheel,) = set(folder.glob("*.whl")) - before
        partial = place.with_suffix(".partial")
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(partial, [n for n in archive.namelist() if n.endswith((".mod", ".inc"))])
        wheel.unlink()
        partial.rename(place)
    return [(str(path.relative_to(place)), path) for path in sorted(place.rglob("*.mod")) if path.is_file()]


def digest(path: Path) -> str:
    """A hash of a file's content without comments and white space."""
    text = path.read_bytes().decode("latin-1")
    code = re.sub(r"(?s)\bCOMMENT\b.*?\bENDCOMMENT\b|[:?][^\n]*", "", text)
    return hashlib.sha256(re.sub(r"\s+", "", code).encode()).hexdigest()


def check(files: Sequence[File], jobs: int | None) -> list[dict[str, Any]]:
    """[file] certificates."""
    command = [str(binary()), "check", *(str(file.path) for file in files), "--message-format", "json"]
    command += ["--jobs", str(jobs)] if jobs else []
    with CERTIFICATES.open("w", encoding="utf-8") as out:
        done = subprocess.run(command, stdout=out, check=False)
    if done.returncode not in (0, 1):
        raise SystemExit(f"gradmod check ended with exit code {done.returncode}")
    return read(CERTIFICATES)


def read(path: Path) -> list[dict[str, Any]]:
    """Certificates from a file of JSON lines."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def saved(files: Sequence[File], path: Path) -> tuple[list[File], list[dict[str, Any]]]:
    """The files that there are certificates of, and these."""
    known = {certificate["file"]: certificate for certificate in read(path)}
    chosen = [file for file in files if str(file.path) in known]
    return chosen, [known[str(file.path)] for file in chosen]


def binary() -> Path:
    """The command."""
    from gradmod import find_binary

    return find_binary()


def report(files: Sequence[File], certificates: Sequence[dict[str, Any]], total: int, note: str = "") -> str:
    """docs/coverage.md; `note` says what is special about these figures."""
    import neuron

    by_package: dict[str, collections.Counter[str]] = collections.defaultdict(collections.Counter)
    for file, certificate in zip(files, certificates, strict=True):
        by_package[file.package][certificate["verdict"]] += 1
    sums = sum(by_package.values(), collections.Counter[str]())
    accepted = len(files) - sums["not-accepted-by-neuron"]
    share = 100 * sums["exact"] / max(accepted, 1)
    active = 100 * sums["exact"] / max(accepted - sums["nothing-to-differentiate"], 1)
    some = "all" if len(files) == total else f"{len(files)} (the first in the order of a hash of their content) of"
    lines = [
        "# Coverage: .mod files that people use",
        "",
        "Written by `make coverage`; do not edit. `gradmod check` compares every parameter of every file with finite",
        "differences in NEURON; what the verdicts mean is said in the README.",
        "",
        *([note, ""] if note else []),
        f"NEURON {neuron.__version__}; {some} {total} different .mod files in {len(PACKAGES)} packages on PyPI.",
        f"NEURON compiles {accepted} of them. **{sums['exact']} are exact ({share:.1f} %; {active:.1f} % of those with "
        f"something to differentiate); mismatches: {sums['mismatch']}.**",
        "",
        "| package | version | " + " | ".join(["files", *(verdict.replace("-", " ") for verdict in VERDICTS)]) + " |",
        "|---|---|" + "---:|" * (len(VERDICTS) + 1),
    ]
    for package in sorted(by_package, key=str.lower):
        lines.append(row(package, PACKAGES[package], by_package[package]))
    lines += [row("**all**", "", sums), "", "## Accuracy", "", *accuracy(certificates)]
    lines += ["", "## Reverse mode", "", *backwards(certificates)]
    lines += ["", "## Why files are refused", "", "| code | files |", "|---|---:|"]
    codes = collections.Counter(code for c in certificates if c["verdict"] == "refused" for code in c["codes"])
    lines += [f"| {code} | {count} |" for code, count in sorted(codes.items(), key=lambda item: (-item[1], item[0]))]
    for verdict, title in (
        ("mismatch", "Mismatches"),
        ("failed", "Not checked: crashes, time limits, runs that do not stay finite"),
        ("undecided", "Undecided: the differences are too bad to tell"),
        ("nothing-to-differentiate", "Nothing to differentiate"),
    ):
        names = [
            f"- {f.package}: {f.name}" for f, c in zip(files, certificates, strict=True) if c["verdict"] == verdict
        ]
        lines += ["", f"## {title}", "", *(sorted(names) or ["none"])]
    return "\n".join(lines) + "\n"


def row(package: str, version: str, counts: collections.Counter[str]) -> str:
    numbers = [sum(counts.values()), *(counts[verdict] for verdict in VERDICTS)]
    return f"| {package} | {version} | " + " | ".join(map(str, numbers)) + " |"


def accuracy(certificates: Sequence[dict[str, Any]]) -> list[str]:
    """The distribution of the worst deviation of the exact files, and how many parameters were judged."""
    exact = [c for c in certificates if c["verdict"] == "exact"]
    judged, undecided, still = (sum(len(c[key]) for c in exact) for key in ("parameters", "undecided", "not_exercised"))
    lines = [
        f"In the exact files {judged} parameters were judged (the mechanisms' own, temperature, reversal potentials, "
        f"capacitance,",
        f"axial resistance, initial voltage); {undecided} are undecided, {still} moved nothing in any drive.",
        "",
        "| worst deviation of a file, relative | files |",
        "|---|---:|",
    ]
    limits = (1e-8, 1e-7, 3e-7, 1e-6)
    below = 0
    for limit in limits:
        count = sum(c["worst"] <= limit for c in exact)
        lines.append(f"| up to {limit:.0e} | {count - below} |")
        below = count
    return lines


def backwards(certificates: Sequence[dict[str, Any]]) -> list[str]:
    """How reverse mode fared in the files in which forward mode is exact."""
    ran = [c["reverse"] for c in certificates if c["verdict"] == "exact" and c["reverse"] is not None]
    exact = [one for one in ran if one["verdict"] == "exact"]
    worst = max((one["worst"] for one in exact), default=0.0)
    refused = collections.Counter(code for one in ran if one["verdict"] == "refused" for code in one["codes"])
    reasons = ", ".join(f"{code} {count}" for code, count in sorted(refused.items())) or "none"
    return [
        f"Of {len(ran)} exact files reverse mode takes {len(exact)}; there its gradients differ from those of forward "
        f"mode by {worst:.0e} at most,",
        f"relative to the sum of the absolute addends. Refused: {reasons}.",
    ]


def expected(folder: Path) -> dict[str, str]:
    path = folder / "coverage-quick.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def quick(files: Sequence[File], certificates: Sequence[dict[str, Any]], record: bool) -> int:
    """Compare the fixed sample with what was written down; exit code."""
    place = Path(__file__).resolve().parent
    known = expected(place)
    now = {f"{f.package}/{f.name}": c["verdict"] for f, c in zip(files, certificates, strict=True)}
    if record:
        text = json.dumps(dict(sorted(now.items())), indent=2)
        (place / "coverage-quick.json").write_text(text + "\n", encoding="utf-8")
        known = now
    worse = [name for name, verdict in now.items() if verdict != "exact" and known.get(name, "exact") == "exact"]
    wrong = [name for name, verdict in now.items() if verdict == "mismatch"]
    for name in sorted({*worse, *wrong}):
        print(f"{name}: {now[name]}, was {known.get(name, 'not known')}")
    counts = collections.Counter(now.values())
    print(f"{len(now)} files: " + ", ".join(f"{counts[v]} {v}" for v in VERDICTS if counts[v]))
    return int(bool(worse or wrong))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="the fixed sample only; nothing is written")
    parser.add_argument("--record", action="store_true", help="write down what the sample's verdicts are now")
    parser.add_argument("--first", type=int, help="only the first N files in the order of their hashes")
    parser.add_argument("--jobs", type=int)
    parser.add_argument("--saved", type=Path, help="write the report of certificates that gradmod check wrote before")
    arguments = parser.parse_args()
    folder = ROOT / ".coverage"
    folder.mkdir(exist_ok=True)
    files = collect(QUICK if arguments.quick else PACKAGES, folder)
    if arguments.saved:
        chosen, certificates = saved(files, arguments.saved)
        text = report(chosen, certificates, len(files), NOT_ONE_RUN)
        (ROOT / "docs" / "coverage.md").write_text(text, encoding="utf-8")
        return 0
    chosen = files[: QUICK_FILES if arguments.quick else arguments.first]
    certificates = check(chosen, arguments.jobs)
    if arguments.quick:
        return quick(chosen, certificates, arguments.record)
    (ROOT / "docs" / "coverage.md").write_text(report(chosen, certificates, len(files)), encoding="utf-8")
    return int(any(certificate["verdict"] == "mismatch" for certificate in certificates))


if __name__ == "__main__":
    sys.exit(main())
