"""What the head of an emitted file tells a HOC programmer to do gives the gradient of the run; less gives no number."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradmod
import numpy as np
import pytest
from models import library

MECHANISMS = ("naf", "sk", "capool", "cah")
#: By section: what is inserted there.
CELL = {"soma": MECHANISMS, "dend[0]": ("naf",), "dend[1]": ("naf", "cah", "capool")}
DIRECTIONS = {"gbar_naf": (0.09, 1e-6), "gbar_cah": (2e-4, 1e-8)}


@dataclass
class Emitted:
    """The files, and what their head names."""

    place: Path

    def __post_init__(self) -> None:
        self.name = next(self.place.glob("gm_all_*.mod")).stem
        self.solver = next(self.place.glob("gm_solver_*.mod")).stem
        self.head = (self.place / f"{self.name}.mod").read_text().split("\nNEURON {")[0]
        self.pointers = re.findall(r":   (\w+) -> (\w+) \((\w+)\)", self.head)
        self.styles: dict[str, list[tuple[str, list[str]]]] = {}
        for name, ion, bits in re.findall(
            r"((?:nernst_init|nernst|conc_init)_(\w+)): 1 if ((?:int\(style/\d+\)%2(?: or )?)+)", self.head
        ):
            self.styles.setdefault(ion, []).append((name, re.findall(r"style/(\d+)", bits)))
        self.starts = re.findall(r"(start_\w+) = (\w+)", self.head)


@pytest.fixture(scope="module")
def emitted(tmp_path_factory: pytest.TempPathFactory) -> Emitted:
    """Compiled, beside the model's own files."""
    place = tmp_path_factory.mktemp("hand")
    wrt = [f"--wrt={name}" for name in DIRECTIONS]
    files = [str(library.CHANNELS / f"{name}.mod") for name in MECHANISMS]
    command = [gradmod.find_binary(), "transform", "-o", str(place), *files, "--directions=2", *wrt]
    subprocess.run(command, check=True, capture_output=True)
    nrnivmodl = Path(sys.executable).parent / "nrnivmodl"
    subprocess.run([nrnivmodl, "."], cwd=place, check=True, capture_output=True)
    return Emitted(place)


def build() -> list[str]:
    """A cell: unequal sections, other values in every segment."""
    lines = ["create soma, dend[2]", "connect dend[0](0), soma(1)"]
    lines += ["connect dend[1](0), soma(0.5)", "soma { L = 22 diam = 18 Ra = 120 cm = 1.1 }"]
    for i, (length, nseg) in enumerate(((150, 3), (90, 2))):
        lines.append(f"dend[{i}] {{ L = {length} nseg = {nseg} diam(0:1) = 2.5:{1.2 + i} Ra = 90 cm = 0.9 }}")
    for section, names in CELL.items():
        lines.append(f"{section} {{ {' '.join(f'insert {name}' for name in names)} }}")
    return lines


def wire(emitted: Emitted, without: str) -> list[str]:
    """What the head says; ``without`` leaves one thing out."""
    name = emitted.name
    lines: list[str] = []
    for section, inserted in CELL.items():
        if without == "row" and section == "dend[1]":
            continue
        lines += [f"{section} insert {name}", f"{section} for (x, 0) {{"]
        ions = {ion for mechanism in inserted for ion in {"naf": ["na"], "sk": ["k", "ca"]}.get(mechanism, ["ca"])}
        for pointer, source, scope in emitted.pointers:
            owner = pointer.split("_")[1] if pointer.split("_")[1] in MECHANISMS else ""
            ion = "".join(one for one in ("na", "ca", "k") if scope == "segment" and one in source)
            if (owner and owner not in inserted) or (ion and ion not in ions) or without == pointer:
                continue
            lines.append(f"  setpointer {pointer}_{name}(x), {source}" + ("" if scope == "global" else "(x)"))
        lines += [
            f"  has_{mechanism}_{name}(x) = {int(mechanism in inserted)}"
            for mechanism in MECHANISMS
            if without != "has"
        ]
        for k, direction in enumerate(DIRECTIONS):
            if direction.split("_")[1] in inserted:
                lines.append(f"  w_{direction}_{name}[{k}](x) = 1")
        for ion, settings in emitted.styles.items():
            lines.append(f"  style = {f'ion_style({chr(34)}{ion}_ion{chr(34)})' if ion in ions else 0}")
            for setting, bits in settings:
                if without != "ions":
                    lines.append(f"  {setting}_{name}(x) = {' || '.join(f'int(style/{bit})%2' for bit in bits)}")
        lines += [f"  {start}_{name}(x) = {value}" for start, value in emitted.starts if without != "ions"]
        lines.append("}")
    if without != "solver":
        lines.append(f"soma solver = new {emitted.solver}(0.5)")
    return lines


def program(emitted: Emitted, without: str) -> str:
    """A whole session, without a word of Python."""
    lines = ['load_file("stdrun.hoc")']
    lines += [
        *build(),
        "objref clamp, trace, plain, high, low, g[2], solver",
        "double delta[2], base[2]",
    ]
    lines += ["dend[1] clamp = new IClamp(0.8)", "{ clamp.del = 1 clamp.dur = 4 clamp.amp = 0.6 celsius = 20 n = 0 }"]
    lines += [f"{{ base[{k}] = {at} delta[{k}] = {step} }}" for k, (at, step) in enumerate(DIRECTIONS.values())]
    for k, direction in enumerate(DIRECTIONS):
        mechanism = direction.split("_")[1]
        lines.append(f"proc set{k}() {{")
        lines += [
            f"  n = 0  {section} for (x, 0) {{ n += 1  {direction}(x) = base[{k}]*(1 + 0.1*n) + $1 }}"
            for section, names in CELL.items()
            if mechanism in names
        ]
        lines += ["}", f"set{k}(0)"]
    lines += ["proc go() { dt = 0.05 steps_per_ms = 20 tstop = 6 v_init = -66 init() run() }"]
    lines += ["{ trace = new Vector() trace.record(&soma.v(0.5)) go() plain = trace.c }"]
    lines += wire(emitted, without)
    # Where a row is missing, another is recorded.
    place = "dend[0]" if without == "row" else "dend[1]"
    lines.append("x = 0.25")
    for k in range(2):
        lines.append(f"{{ g[{k}] = new Vector() g[{k}].record(&{place}.W_{emitted.name}[{k}](x)) }}")
    lines.append("go()")
    lines += ['print "same ", trace.eq(plain)', "fault = 0"]
    there = [section for section in CELL if without != "row" or section != "dend[1]"]
    lines += [f"{section} for (x, 0) {{ fault += fault_{emitted.name}(x) }}" for section in there]
    if without != "solver":
        lines.append("fault += solver.fault")
    lines.append('print "fault ", fault')
    lines.append("objref mine[2]\nfor k = 0, 1 { mine[k] = g[k].c }")
    lines.append("trace.record(&dend[1].v(0.25))")
    for k in range(2):
        lines += [f"{{ set{k}(delta[{k}]) go() high = trace.c set{k}(-delta[{k}]) go() low = trace.c set{k}(0) }}"]
        lines.append(f"high.sub(low).div(2*delta[{k}])")
        lines.append(f'for i = 0, high.size() - 1 print "row ", {k}, high.x[i], mine[{k}].x[i]')
    return "\n".join(lines) + "\n"


def session(emitted: Emitted, without: str = "") -> tuple[dict[str, str], dict[int, Any]]:
    """Run it: what it says, and by direction [sample, (differences, gradient)]."""
    script = emitted.place / f"wired{without}.hoc"
    script.write_text(program(emitted, without))
    code = f"from neuron import h; h.nrn_load_dll({str(library.compile_fixtures())!r}); h.load_file({str(script)!r})"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=emitted.place, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    said = dict(line.split() for line in done.stdout.splitlines() if line.startswith(("same", "fault")))
    rows = [line.split()[1:] for line in done.stdout.splitlines() if line.startswith("row")]
    return said, {k: np.array([row[1:] for row in rows if row[0] == str(k)], dtype=float) for k in range(2)}


def test_what_the_head_says_gives_the_gradient_of_the_run(emitted: Emitted) -> None:
    said, found = session(emitted)
    assert said == {"same": "1", "fault": "0"}
    for theirs, mine in (rows.T for rows in found.values()):
        assert np.abs(theirs).max() > 1
        assert np.abs(mine - theirs).max() <= 1e-6 * np.abs(theirs).max()


@pytest.mark.parametrize("without", ["has", "ions", "to_naf_gbar", "to_cai_now", "to_cm_now", "solver", "row"])
def test_what_is_left_out_gives_no_number(emitted: Emitted, without: str) -> None:
    said, found = session(emitted, without)
    assert said["same"] == "1"
    assert (said["fault"] != "0") == (without != "solver")
    assert any(np.isnan(mine[1:]).all() for _, mine in (rows.T for rows in found.values()))
