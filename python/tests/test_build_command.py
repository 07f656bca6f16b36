"""``gradmod build``: what it makes serves where there is no compiler."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from gradmod import build as command
from gradmod._command.binary import find_binary

CHANNEL = """
NEURON { SUFFIX leaky  NONSPECIFIC_CURRENT i  RANGE g, e }
PARAMETER { g = 1e-4 (S/cm2)  e = -60 (mV) }
ASSIGNED { v (mV)  i (mA/cm2) }
BREAKPOINT { i = g*(v - e) }
"""
SCRIPT = """
import sys
import gradmod
import numpy as np
from neuron import h

soma = h.Section(name="soma")
soma.insert("leaky")
clamp = h.IClamp(soma(0.5))
clamp.dur, clamp.amp = 1e9, 0.01
print("built", flush=True)
by = {"g": gradmod.Range(sys.argv[1] if len(sys.argv) > 1 else "g_leaky", soma), "amp": gradmod.Stimulus(clamp, "amp")}
gradients = gradmod.attach(by)
record = gradients.record(soma(0.5))
reverse = gradmod.Reverse(by)
trace = reverse.record(soma(0.5))
reverse.run(1.0, v_init=-65.0)
last = np.zeros(len(trace.values))
last[-1] = 1.0
found = reverse.gradient({trace: last})
for name in by:
    assert abs(found[name] - record[name][-1]) <= 1e-9 * abs(found[name]) > 0
print("run", flush=True)
"""
NOT_HERE = ("GRADMOD_BUILD", "NEURON_MODULE_OPTIONS")


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A folder with channels and a script."""
    channels = tmp_path / "channels"
    channels.mkdir()
    (channels / "leaky.mod").write_text(CHANNEL)
    (tmp_path / "fit.py").write_text(SCRIPT)
    return tmp_path


def environment(model: Path, **more: str) -> dict[str, str]:
    path = os.pathsep.join(sys.path)
    kept = {name: value for name, value in os.environ.items() if name not in NOT_HERE}
    return kept | {"PYTHONPATH": path, "GRADMOD_CACHE": str(model / "cache"), "GRADMOD_PYTHON": sys.executable} | more


def make(model: Path, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(find_binary()), "build", *words],
        cwd=model, env=environment(model, **more), capture_output=True, text=True, check=False,
    )  # fmt: skip


def run_without_compiler(model: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """On another machine: no compiler, no make, nothing in the cache."""
    empty = model / "empty"
    empty.mkdir(exist_ok=True)
    there = environment(model, PATH=str(empty), GRADMOD_CACHE=str(model / "other"), GRADMOD_BINARY=str(find_binary()))
    return subprocess.run(
        [sys.executable, "fit.py", *words], cwd=model, env=there, capture_output=True, text=True, check=False
    )


def test_without_a_compiler(model: Path) -> None:
    done = make(model, "channels", "fit.py")
    assert done.returncode == 0, done.stderr
    assert "run" not in done.stdout.split(), "the script was not stopped"
    there = run_without_compiler(model)
    assert there.returncode == 0, there.stderr
    assert "run" in there.stdout.split()
    assert "compiling" not in there.stderr
    # Another parameter was not built.
    there = run_without_compiler(model, "e_leaky")
    assert there.returncode != 0
    last = there.stderr.strip().splitlines()[-1]
    assert "the gradients of this model are not compiled (gm_" in last and "`gradmod build CHANNELS SCRIPT`" in last
    # It is built again, with the words of the script; what was there is gone.
    done = make(model, "channels", "fit.py", "--", "e_leaky")
    assert done.returncode == 0, done.stderr
    assert run_without_compiler(model, "e_leaky").returncode == 0
    assert run_without_compiler(model).returncode != 0


def test_into_another_folder_for_other_processors(model: Path) -> None:
    portable = {"GRADMOD_CXXFLAGS": "-march=x86-64-v2"} if os.uname().machine == "x86_64" else {}
    done = make(model, "channels/leaky.mod", "fit.py", "-o", "there", "--runs", **portable)
    assert done.returncode == 0, done.stderr
    assert "run" in done.stdout.split()
    assert not list(model.glob("*/libnrnmech.so"))
    (library,) = model.glob("there/*/libnrnmech.so")
    library.parent.rename(model / library.parent.name)
    assert run_without_compiler(model).returncode == 0


@pytest.mark.thorough
def test_a_library_of_the_model_is_not_replaced_by_gradients_alone(model: Path) -> None:
    assert make(model, "channels", "fit.py").returncode == 0
    done = make(model, "fit.py")
    assert done.returncode == 1 and "name the .mod files" in done.stderr
    assert run_without_compiler(model).returncode == 0


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="other processors are not asked")
@pytest.mark.thorough
def test_a_processor_that_lacks_something(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gradmod._build.processor._EXTENSIONS", {"__x86_64__": "avx5124fmaps"})
    monkeypatch.chdir(model)
    for name in NOT_HERE:
        monkeypatch.delenv(name, raising=False)
    for name, value in environment(model).items():
        monkeypatch.setenv(name, value)
    assert command.main(["channels", "fit.py"]) == 0
    there = run_without_compiler(model)
    assert "need a processor with avx5124fmaps" in there.stderr
    assert "built" in there.stdout.split() and "not compiled" in there.stderr


@pytest.mark.parametrize(
    ("words", "script", "said"),
    [
        (["channels"], SCRIPT, "one script is needed"),
        (["channels", "nowhere", "fit.py"], SCRIPT, "nowhere is no file"),
        (["channels", "fit.py"], "1 / 0", "fit.py failed with exit code 1"),
        (["channels", "fit.py"], "import gradmod", "fit.py ended without attaching gradients"),
        (["channels", "fit.py"], "import gradmod, neuron; neuron.h.finitialize()", "without attaching gradients"),
        (["channels", "bad.mod", "fit.py"], SCRIPT, "nrnivmodl failed"),
    ],
)
def test_what_goes_wrong(model: Path, words: list[str], script: str, said: str) -> None:
    (model / "fit.py").write_text(script)
    (model / "bad.mod").write_text("NEURON { SUFFIX bad }\nthis is no NMODL\n")
    done = make(model, *words)
    assert done.returncode == 1
    assert said in done.stderr
