"""The mutants of `make mutate` fit the source: each breaks one place."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "mutation"))

from mutants import MUTANTS, Mutant  # noqa: E402


def test_each_mutant_has_its_place() -> None:
    found = {mutant.name: len(mutant.places((ROOT / mutant.file).read_text())) for mutant in MUTANTS}
    assert {name: count for name, count in found.items() if count != 1} == {}


def test_each_mutant_changes_what_counts() -> None:
    for mutant in MUTANTS:
        text = (ROOT / mutant.file).read_text()
        assert mutant.applied(text).split() != text.split(), mutant.name


def test_how_lines_are_broken_does_not_matter() -> None:
    mutant = Mutant("sum", "src/a.rs", "g.add(a, b);", "g.sub(a, b);")
    assert mutant.applied("let c = g\n    .add(\n        a,\n        b,\n    );\n") == "let c = g.sub(a, b);\n"
    for text in ("g.add(b, a);", "g.add(a, b); g.add(a,b);"):
        with pytest.raises(ValueError, match="not once"):
            mutant.applied(text)
