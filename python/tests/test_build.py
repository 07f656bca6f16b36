"""Finding the command, building, caching, and what is said when that fails. Only nrnivmodl is the real one."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import gradmod
import numpy as np
import pytest
from gradmod._build.cache import cache_directory
from gradmod._build.library import library, load
from gradmod._build.transform import Request, build, request_of
from gradmod._model.regions import Source
from neuron import h

BROKEN = "NEURON { SUFFIX broken }\nthis is no NMODL\n"
GOOD = "NEURON { SUFFIX stand_in_%s  RANGE x }\nASSIGNED { x }\n"
MANIFEST = {
    "gradmod": "0.1.0", "directions": 1, "regions": [], "passed_over": [], "watchers": {}, "spikes": None,
    "solver": {
        "name": "stand_in", "axial": "stand_in", "end": "stand_in", "faults": {}, "secondorder": 0, "layers": None,
    },
}  # fmt: skip


def request(text: str = "TITLE one\n") -> Request:
    return request_of([Source("one", text, "/nowhere/one.mod")], [("r", ("one",))], [], ["g_one"], 1)


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A stand-in for the gradmod command, to be written by the test, and an empty cache."""
    monkeypatch.setenv("GRADMOD_CACHE", str(tmp_path / "cache"))
    command = tmp_path / "gradmod"
    monkeypatch.setenv("GRADMOD_BINARY", str(command))
    return command


def write(command: Path, body: str) -> None:
    lines = f"#!{sys.executable}\nimport json, sys\nfrom pathlib import Path\narguments = sys.argv[1:]\n{body}\n"
    command.write_text(lines)
    command.chmod(0o755)


def emits(text: str) -> str:
    return (
        "out = Path(arguments[arguments.index('-o') + 1])\n"
        f"(out / 'emitted.mod').write_text({text!r})\n"
        f"(out / 'gradmod.json').write_text({json.dumps(MANIFEST)!r})"
    )


def test_the_command_is_named_by_the_environment(fake: Path) -> None:
    with pytest.raises(gradmod.Error, match="which is not a file"):
        gradmod.find_binary()
    write(fake, "")
    assert gradmod.find_binary() == fake


def test_without_a_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GRADMOD_BINARY", raising=False)
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr("gradmod._command.binary._candidates", lambda: [])
    with pytest.raises(gradmod.Error, match=r"pip install|cargo build"):
        gradmod.find_binary()


def test_the_cache_can_be_moved(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GRADMOD_CACHE", str(tmp_path))
    assert cache_directory() == tmp_path
    monkeypatch.delenv("GRADMOD_CACHE")
    assert cache_directory().name == "gradmod"


def compiled(quiet: bool = True) -> Path:
    """The library of what the stand-in emits."""
    return library(sorted(build(request()).directory.glob("*.mod")), quiet=quiet)


def test_emitting_and_compiling_are_done_once(fake: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(fake, emits(GOOD % "once"))
    first = compiled(quiet=False)
    assert first.is_file()
    (said,) = capsys.readouterr().err.splitlines()
    assert re.fullmatch(r"gradmod: compiling .* \d+\.\d s", said)
    assert compiled(quiet=False) == first
    assert capsys.readouterr().err == ""
    assert build(request("TITLE two\n")).directory != build(request()).directory
    assert not list(cache_directory().glob(".building-*"))


def test_another_command_makes_another_build(fake: Path) -> None:
    write(fake, emits(GOOD % "a"))
    before = request().key(fake)
    write(fake, emits(GOOD % "b"))
    assert request().key(fake) != before


def test_the_order_of_what_is_asked_for_does_not_matter(fake: Path) -> None:
    write(fake, "")
    one, two = Source("a", "1", ""), Source("b", "2", "")
    regions = [("r", ("a", "b")), ("s", ("a",))]
    first = request_of([one, two], regions, ["P", "Q"], ["x", "y"], 2)
    second = request_of([two, one], regions[::-1], ["Q", "P", "P"], ["y", "x", "x"], 2)
    assert first.key(fake) == second.key(fake)


@pytest.mark.parametrize("level", ["error", "refusal"])
def test_a_refusal_names_file_line_and_reason(fake: Path, tmp_path: Path, level: str) -> None:
    diagnostic = {
        "line": 3, "column": 5, "end_line": 3, "end_column": 9, "code": "unsupported", "level": level,
        "message": "cannot differentiate WATCH", "label": "here", "help": "remove it",
    }  # fmt: skip
    write(fake, f"print(json.dumps({diagnostic!r} | {{'file': arguments[1]}}), file=sys.stderr)\nsys.exit(1)")
    with pytest.raises(gradmod.Refused) as caught:
        build(request())
    text = str(caught.value)
    assert f"one.mod:3:5: {level}[unsupported]: cannot differentiate WATCH" in text
    assert "help: remove it" in text and "building" not in text
    assert caught.value.diagnostics[0].line == 3
    # If the file that NEURON compiled still is what it was, it is named with its path.
    path = tmp_path / "one.mod"
    path.write_text("TITLE one\n")
    with pytest.raises(gradmod.Refused, match=str(path)):
        build(request_of([Source("one", "TITLE one\n", str(path))], [("r", ("one",))], [], [], 1))
    assert not list(cache_directory().iterdir())


def test_a_command_that_crashes_is_no_refusal(fake: Path) -> None:
    write(fake, "print('out of luck', file=sys.stderr)\nsys.exit(101)")
    with pytest.raises(gradmod.Error, match=r"exit code 101:\nout of luck") as caught:
        build(request())
    assert not isinstance(caught.value, gradmod.Refused)


def test_what_does_not_compile_shows_its_log(fake: Path) -> None:
    write(fake, emits(BROKEN))
    with pytest.raises(gradmod.Error, match=r"(?s)emitted\.mod cannot be compiled .*syntax error"):
        compiled()
    assert [path for path in cache_directory().iterdir() if path.is_file() or path.name.startswith(".")] == []


COMPILING = """
import os, sys, test_build
from gradmod._build.compiler import Compiler
whole = Compiler.objects
def objects(*arguments):
    print("compiles", flush=True)
    if "die" in sys.argv:
        os.kill(os.getpid(), 9)
    whole(*arguments)
Compiler.objects = objects
print(test_build.compiled().stat().st_size > 0)
"""


def process(*words: str) -> subprocess.Popen[str]:
    path = os.pathsep.join([str(Path(__file__).parent), *sys.path])
    environment = os.environ | {"PYTHONPATH": path}
    return subprocess.Popen(
        [sys.executable, "-c", COMPILING, *words], env=environment, stdout=subprocess.PIPE, text=True
    )


def test_two_processes_build_the_same(fake: Path) -> None:
    write(fake, emits(GOOD % "both"))
    both = [process() for _ in range(2)]
    said = [one.communicate(timeout=60)[0].split() for one in both]
    assert [one.returncode for one in both] == [0, 0]
    assert sorted(said) == [["True"], ["compiles", "True"]], "one waits for the other"
    others = ("headers-", "recipe-")
    assert len([path for path in cache_directory().iterdir() if not path.name.startswith(others)]) == 2


def test_nobody_waits_for_a_process_that_was_killed(fake: Path) -> None:
    write(fake, emits(GOOD % "killed"))
    assert process("die").wait(timeout=60) == -9
    assert list(cache_directory().glob(".lock-*"))
    assert process().communicate(timeout=60)[0].split() == ["compiles", "True"]
    assert not list(cache_directory().glob(".lock-*"))


def test_headers_that_the_compiler_does_not_know(fake: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gradmod._build.compiler._WORTH_HEADERS", 1)
    write(fake, emits(GOOD % "first"))
    compiled()
    kept = list(cache_directory().glob("headers-*/*.gch"))
    assert len(kept) <= 1
    for path in kept:
        path.write_bytes(b"of another compiler")
    write(fake, emits(GOOD % "second"))
    assert compiled().stat().st_size > 0


def test_how_to_compile_is_asked_once(fake: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(fake, emits(GOOD % "asked"))
    compiled()
    monkeypatch.setattr("gradmod._build.recipe.call", lambda *_, **__: pytest.fail("asked again"))
    write(fake, emits(GOOD % "not_asked"))
    assert compiled().stat().st_size > 0


def test_a_nrnivmodl_whose_calls_are_not_understood(fake: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gradmod._build.recipe.rehearsal", lambda _: "ninja: nothing to show")
    write(fake, emits(GOOD % "by_nrnivmodl"))
    assert compiled().stat().st_size > 0
    assert not list(cache_directory().glob("recipe-*"))
    with pytest.raises(gradmod.Error, match=r"(?s)nrnivmodl failed .*emitted\.mod"):
        write(fake, emits(BROKEN))
        compiled()


@pytest.mark.parametrize("missing", [("nrnivmodl",), ("make",), ("g++", "gcc")])
def test_without_a_compiler(fake: Path, monkeypatch: pytest.MonkeyPatch, missing: tuple[str, ...]) -> None:
    write(fake, emits(GOOD % "never"))
    known = shutil.which
    monkeypatch.setattr("shutil.which", lambda name: None if name in missing else known(name))
    if missing == ("nrnivmodl",):
        monkeypatch.setattr("sysconfig.get_path", lambda _: "/nowhere")
    with pytest.raises(
        gradmod.Error, match=rf"not compiled \(emitted\).*({'|'.join(map(re.escape, missing))}) was not found"
    ):
        load(build(request()).directory)


def test_what_a_killed_build_left_is_no_build_and_is_swept(fake: Path) -> None:
    write(fake, emits(GOOD % "swept"))
    old, new = cache_directory() / ".building-old", cache_directory() / ".building-new"
    for path in (old, new):
        (path / "emitted").mkdir(parents=True)
    long_ago = time.time() - 2 * 86_400
    os.utime(old, (long_ago, long_ago))
    assert build(request()).directory.is_dir()
    assert not old.exists() and new.exists()


def test_a_manifest_of_another_version(fake: Path) -> None:
    write(fake, emits(GOOD % "other").replace('"axial"', '"ax"'))
    with pytest.raises(gradmod.Error, match="different versions"):
        build(request())


def test_what_was_loaded_without_a_part() -> None:
    """A direction in Ra needs a mechanism that was left out of the same model before: all get other names."""
    soma, dend = h.Section(name="soma"), h.Section(name="dend")
    dend.connect(soma(1))
    for section in (soma, dend):
        section.insert("hh")
    clamp = h.IClamp(soma(0.5))
    clamp.dur, clamp.amp = 5.0, 0.1
    # Parameters that make the same mechanisms: Ra is in none.
    for parameter in (gradmod.Range("cm", soma), gradmod.Range("Ra", dend), gradmod.Range("Ra", soma)):
        grad = gradmod.attach(one=parameter, quiet=True)
        dv = grad.record(dend(0.5))
        h.finitialize(-60)
        h.continuerun(2)
        assert np.any(dv["one"])
        grad.detach()
