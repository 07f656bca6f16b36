"""``gradmod check``: the command, on files of every verdict, with real NEURON."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gradmod
import numpy as np
import pytest
from gradmod import _neuron as nrn
from gradmod import finite
from gradmod.check.differences import decided
from gradmod.check.judge import Finding, Judgement, judge
from gradmod.check.sides import Sides

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures"
CHANNELS = FIXTURES / "channels"
UNSUPPORTED = FIXTURES / "unsupported"


def command(*arguments: str | Path, python: Path | None = None) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"GRADMOD_PYTHON": str(python or sys.executable)}
    return subprocess.run(
        [gradmod.find_binary(), "check", *map(str, arguments)],
        env=environment | {"PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )


def certificates(*files: Path, status: int = 0, python: Path | None = None) -> list[dict[str, Any]]:
    done = command(*files, "--message-format", "json", python=python)
    assert done.returncode == status, done.stderr
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert [certificate["file"] for certificate in found] == [str(file) for file in files]
    assert all(certificate["seconds"] > 0 for certificate in found)
    return found


def stand_in(tmp_path: Path, patch: str) -> Path:
    """An interpreter that changes something before it runs the check."""
    script = tmp_path / "python"
    script.write_text(
        f"#!{sys.executable}\nimport runpy, sys\n"
        "if sys.argv[1] == '-c':\n    exec(sys.argv[2])\n"
        f"{patch}\nsys.argv = sys.argv[2:]\nrunpy.run_module('gradmod.check', run_name='__main__', alter_sys=True)\n"
    )
    script.chmod(0o755)
    return script


def test_exact_refused_rejected_and_empty(tmp_path: Path) -> None:
    empty = tmp_path / "nothing here.mod"
    empty.write_text("NEURON { SUFFIX idle RANGE x }\nASSIGNED { x }\n")
    exact, pool, refused, rejected, idle = certificates(
        CHANNELS / "kdr.mod",
        CHANNELS / "capool.mod",
        FIXTURES / "unsupported" / "verbatim.mod",
        FIXTURES / "syntax" / "err" / "end.mod",
        empty,
    )
    assert exact["verdict"] == pool["verdict"] == "exact"
    assert exact["mechanism"] == "kdr" and "gbar_kdr" in exact["parameters"] and "ek" in exact["parameters"]
    assert 0 < exact["worst"] <= 1e-6 and exact["codes"] == []
    # Nobody in the file writes a calcium current: a source stands beside it.
    assert "depth_capool" in pool["parameters"]
    assert refused["verdict"] == "refused" and refused["codes"] == ["verbatim"] and refused["worst"] is None
    assert rejected["verdict"] == "not-accepted-by-neuron" and rejected["parameters"] == []
    assert idle["verdict"] == "nothing-to-differentiate"


def test_what_acts_on_no_membrane_is_nothing_to_differentiate() -> None:
    found = certificates(
        *(FIXTURES / "bystanders" / f"{name}.mod" for name in ("growstim", "crossings", "jitter", "functions"))
    )
    assert [certificate["verdict"] for certificate in found] == ["nothing-to-differentiate"] * 4
    codes = [code for certificate in found for code in certificate["codes"]]
    assert codes == ["artificial-cell", "only-watches", "only-watches", "no-mechanism"]


@pytest.mark.thorough
@pytest.mark.skipif(nrn.version().startswith("8."), reason="NEURON 8 has no RANDOM")
def test_noise_is_the_same_in_every_run() -> None:
    flicker, synapse = certificates(*(FIXTURES / "random" / f"{name}.mod" for name in ("kflicker", "failsyn")))
    assert flicker["verdict"] == synapse["verdict"] == "exact"
    assert "spread_kflicker" in flicker["parameters"] and "FailSyn.spread" in synapse["parameters"]


def test_a_table_that_does_not_watch_all_is_checked_without_it() -> None:
    (stale,) = certificates(FIXTURES / "stale" / "kstale.mod")
    assert stale["verdict"] == "exact" and "vhalf_kstale" in stale["parameters"]


@pytest.mark.thorough
def test_pointers_see_a_voltage_unless_c_code_uses_them(tmp_path: Path) -> None:
    stream = tmp_path / "stream.mod"
    text = (CHANNELS / "leakc.mod").read_text().replace("SUFFIX leakc", "SUFFIX stream POINTER rng")
    asked = 'INITIAL {\nVERBATIM\n    if (_p_rng) { printf("a stream\\n"); }\nENDVERBATIM\n}\n'
    stream.write_text(text + "ASSIGNED { rng }\n" + asked)
    found = certificates(CHANNELS / "gap.mod", CHANNELS / "graded.mod", stream)
    assert [(one["verdict"], one["reverse"]["verdict"]) for one in found] == [("exact", "exact")] * 3
    assert "Gap.g" in found[0]["parameters"] and "Graded.half" in found[1]["parameters"]


def test_a_table_made_with_range_variables_is_checked_without_it() -> None:
    (shift,) = certificates(CHANNELS / "kshift.mod")
    assert shift["verdict"] == "exact" and "shift_kshift" in shift["parameters"]


def test_a_built_in_mechanism_is_checked_beside_the_built_in_one(tmp_path: Path) -> None:
    copy = tmp_path / "hh.mod"
    copy.write_text((CHANNELS / "kdr.mod").read_text().replace("SUFFIX kdr", "SUFFIX hh"))
    (found,) = certificates(copy)
    assert found["verdict"] == "exact" and found["mechanism"] == "hh"


def test_what_a_mechanism_carries_from_run_to_run_is_set_back(tmp_path: Path) -> None:
    """A current that is set under a condition keeps its last value: the differences of all others would see it."""
    file = tmp_path / "sticky.mod"
    file.write_text(
        "NEURON { SUFFIX sticky NONSPECIFIC_CURRENT i, j RANGE on, g, i, j }\n"
        "PARAMETER { on = 0 g = 1e-3 (S/cm2) }\nASSIGNED { v (mV) i (mA/cm2) j (mA/cm2) }\n"
        "BREAKPOINT { i = g*(v + 50) IF (on != 0) { j = 0.01 + 0.02*on } }\n"
    )
    (found,) = certificates(file)
    # At 0, which the code asks for, the current jumps: there is no gradient.
    assert found["verdict"] == "exact" and "g_sticky" in found["parameters"]
    assert found["isolated"] == ["on_sticky"]


def test_a_single_ion_variable_is_seen_as_it_changes(tmp_path: Path) -> None:
    """NEURON's translator forgets to copy it into BEFORE blocks when it is the only one."""
    file = tmp_path / "extrude.mod"
    file.write_text(
        "NEURON { SUFFIX extrude USEION ca READ cai WRITE ica RANGE top, half }\n"
        "PARAMETER { top = 1e-3 (mA/cm2) half = 5e-4 (mM) }\nASSIGNED { cai (mM) ica (mA/cm2) }\n"
        "BREAKPOINT { ica = top*cai/(cai + half) }\n"
    )
    (found,) = certificates(file)
    assert found["verdict"] == "exact" and {"top_extrude", "half_extrude"} <= set(found["parameters"])


@pytest.mark.parametrize(
    ("simulation", "gradient", "finding"),
    [
        (lambda x: 3 * x, 3.0, Finding.EXACT),
        (lambda x: 3 * x, 3.0 + 1e-5, Finding.MISMATCH),
        (lambda x: 3 * x + 1e3 * x * x, 3.0, Finding.EXACT),
        (lambda x: 3 * x + 1e3 * x * x, 3.0 + 1e-5, Finding.MISMATCH),
        (lambda x: abs(x), 1.0, Finding.UNDECIDED),
        (lambda x: 3 * x + (x != 0), 0.0, Finding.UNDECIDED),
        (lambda x: 0.0, 0.0, Finding.STILL),
        (lambda x: 0.0, 1.0, Finding.MISMATCH),
        (lambda x: 3 * x, 0.0, Finding.MISMATCH),
        (lambda x: 3 * x, float("nan"), Finding.MISMATCH),
        # Flat but for a place much narrower than the widest differences.
        (lambda x: 1 / (1 + math.exp(-max(x - 2e-8, -1e-6) / 1e-8)), 1e7, Finding.UNDECIDED),
    ],
)
def test_what_is_found(simulation: Callable[[float], float], gradient: float, finding: Finding) -> None:
    def traces(x: float) -> dict[str, Any]:
        return {"v": np.array([0.0, 1.0 + simulation(x)])}

    at = [0.0]
    sides = Sides(traces(0.0))
    run = sides.ran(lambda: traces(at[0]))
    difference = finite.differentiate(run, sides.moved(lambda x: at.__setitem__(0, x)), 0.0, scale=1.0)
    assert judge({"v": np.array([0.0, gradient])}, difference, sides).finding is finding


@pytest.mark.parametrize(
    ("deviations", "finding"),
    [((4e-3, 4e-3), Finding.MISMATCH), ((math.inf, math.inf), Finding.MISMATCH), ((4e-3, 1e-3), Finding.UNDECIDED)],
)
def test_steps_in_between_confirm_a_mismatch(deviations: tuple[float, float], finding: Finding) -> None:
    """Over kinks some differences agree with each other by chance."""
    undecided = Judgement(Finding.UNDECIDED)
    fine, between = (Judgement(Finding.MISMATCH, deviation, 1e-5, "v", ("v",)) for deviation in deviations)
    sweeps = iter((undecided, fine, undecided, between))
    assert decided(lambda steps: next(sweeps)).finding is finding


@pytest.mark.parametrize(("factor", "verdict"), [(1 + 3e-6, "mismatch"), (1 + 2e-7, "exact")])
def test_a_gradient_that_is_a_little_wrong(tmp_path: Path, factor: float, verdict: str) -> None:
    python = stand_in(
        tmp_path,
        "from gradmod.gradient import Gradient\nfrom gradmod.recording import Recording\n"
        "def wrong(kind):\n    right = kind.__getitem__\n"
        f"    kind.__getitem__ = lambda self, name: right(self, name)*({factor!r} if name == 'd0' else 1)\n"
        "wrong(Gradient)\nwrong(Recording)",
    )
    wrong = verdict == "mismatch"
    (found,) = certificates(CHANNELS / "kdr.mod", python=python, status=int(wrong))
    assert found["verdict"] == verdict
    assert len(found["mismatches"]) == int(wrong)
    if wrong:
        assert found["mismatches"][0].startswith("gbar_kdr: off by 3")
        table = command(CHANNELS / "kdr.mod", python=python)
        assert table.returncode == 1 and "kdr.mod: gbar_kdr: off by 3" in table.stdout


@pytest.mark.thorough
def test_neurons_whose_events_set_v_stand_apart() -> None:
    (found,) = certificates(CHANNELS / "expreset.mod")
    assert found["verdict"] == found["reverse"]["verdict"] == "exact"


def test_a_gradient_that_is_another_in_a_second_run(tmp_path: Path) -> None:
    python = stand_in(
        tmp_path,
        "from gradmod.check import forward\n"
        "from gradmod.gradient import Gradient\nfrom gradmod.recording import Recording\n"
        "right, seen, again = forward._Attached.run, [], [False]\n"
        "def run(self, drive):\n    again[0] = drive in seen\n    seen.append(drive)\n    return right(self, drive)\n"
        "forward._Attached.run = run\n"
        "def wrong(kind):\n    item = kind.__getitem__\n"
        "    kind.__getitem__ = lambda self, name: item(self, name)*(1 + again[0]*(name == 'd0'))\n"
        "wrong(Gradient)\nwrong(Recording)",
    )
    (found,) = certificates(CHANNELS / "kdr.mod", python=python, status=1)
    assert found["verdict"] == "mismatch"
    assert found["mismatches"][0] == "gbar_kdr: another gradient in a second run"


def test_reverse_mode_is_compared_with_forward_mode(tmp_path: Path) -> None:
    files = (CHANNELS / "tmsyn.mod", UNSUPPORTED / "reverse_event_array.mod", CHANNELS / "clsyn.mod")
    taken, refused, ions = certificates(*files)
    # Ions of a point process are not in all segments.
    assert ions["verdict"] == ions["reverse"]["verdict"] == "exact" and {"ecl", "cao"} <= set(ions["parameters"])
    assert taken["verdict"] == "exact" and taken["reverse"]["verdict"] == "exact"
    assert 0 < taken["reverse"]["worst"] <= 1e-9 and taken["reverse"]["codes"] == []
    assert refused["verdict"] == "exact" and refused["reverse"]["verdict"] == "refused"
    assert refused["reverse"]["codes"] == ["reverse-event-array"] and "Queue.mod:5" in refused["reverse"]["message"]
    python = stand_in(
        tmp_path,
        "from gradmod.gradient import Gradient\nright = Gradient.__getitem__\n"
        "Gradient.__getitem__ = lambda self, name: right(self, name)*(1 + 1e-7*(name == 'd0'))",
    )
    (wrong,) = certificates(CHANNELS / "tmsyn.mod", python=python, status=1)
    assert wrong["verdict"] == wrong["reverse"]["verdict"] == "mismatch"
    assert len(wrong["mismatches"]) > 0
    assert all(text.startswith("TmSyn.tau: reverse mode off by") for text in wrong["mismatches"])


def test_the_last_name_counts_and_a_point_process_stays_one() -> None:
    (found,) = certificates(CHANNELS.parent / "check" / "twonames.mod")
    assert found["verdict"] == "exact" and found["mechanism"] == "OneName"
    assert "OneName.g" in found["parameters"]


def test_a_gradient_that_is_forgotten(tmp_path: Path) -> None:
    python = stand_in(
        tmp_path,
        "from gradmod.check import emitted\nknown = emitted.known\n"
        "emitted.known = lambda made: known(made) - {'gbar_kdr'}",
    )
    (found,) = certificates(CHANNELS / "kdr.mod", python=python, status=1)
    assert found["verdict"] == "mismatch" and "gbar_kdr: off by 1" in found["mismatches"][0]


def test_a_crash_stops_nothing(tmp_path: Path) -> None:
    python = stand_in(tmp_path, "import os, signal\nif 'kdr' in sys.argv[-1]: os.kill(os.getpid(), signal.SIGSEGV)")
    crashed, fine = certificates(CHANNELS / "kdr.mod", CHANNELS / "leakc.mod", python=python)
    assert crashed["verdict"] == "failed" and "signal 11" in crashed["message"]
    assert fine["verdict"] == "exact"


def test_a_time_limit_ends_everything_that_was_started(tmp_path: Path) -> None:
    """Also what the check started itself, such as a compiler."""
    noted = tmp_path / "pid"
    python = stand_in(
        tmp_path,
        "import subprocess\nchild = subprocess.Popen(['sleep', '600'])\n"
        f"open({str(noted)!r}, 'w').write(str(child.pid))\nchild.wait()",
    )
    done = command(CHANNELS / "ih.mod", "--message-format", "json", "--timeout", "3", python=python)
    late = json.loads(done.stdout)
    assert done.returncode == 0 and "[1/1]" in done.stderr
    assert late["verdict"] == "failed" and "longer than 3 s" in late["message"]
    wait_until(lambda: has_ended(noted.read_text()))


def test_what_is_interrupted_leaves_nothing(tmp_path: Path) -> None:
    """Killed without warning: the processes of the files end, their temporary folders go."""
    python = stand_in(
        tmp_path,
        f"import os, time\nopen({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid()))\n"
        "from gradmod.check import certificate\ncertificate.certify = lambda path: time.sleep(600)",
    )
    (tmp_path / "scratch").mkdir()
    environment = os.environ | {"GRADMOD_PYTHON": str(python), "TMPDIR": str(tmp_path / "scratch")}
    running = subprocess.Popen(
        [gradmod.find_binary(), "check", CHANNELS / "ih.mod"],
        env=environment | {"PYTHONPATH": os.pathsep.join(sys.path)},
        stderr=subprocess.PIPE,
    )
    wait_until(lambda: (tmp_path / "pid").is_file() and (tmp_path / "pid").read_text() != "")
    running.kill()
    running.communicate()
    wait_until(lambda: has_ended((tmp_path / "pid").read_text()))
    assert not list((tmp_path / "scratch").iterdir())


def has_ended(pid: str) -> bool:
    # Ended, but not yet waited for by whoever inherits it, is ended.
    state = subprocess.run(["ps", "-o", "stat=", "-p", pid], capture_output=True, text=True, check=False).stdout
    return not state.strip() or state.strip().startswith("Z")


def wait_until(true: Callable[[], bool]) -> None:
    for _ in range(300):
        if true():
            return
        time.sleep(0.1)
    pytest.fail("it did not happen within 30 s")


def test_the_table_for_people() -> None:
    done = command(CHANNELS / "leakc.mod", "--jobs", "1")
    assert done.returncode == 0
    head, row, *_, sums = done.stdout.splitlines()
    assert head.split() == ["file", "verdict", "worst", "parameters", "remarks"]
    assert row.split()[1] == "exact"
    assert sums == "1 files: 1 exact"


def test_wrong_usage_ends_with_2(tmp_path: Path) -> None:
    assert command().returncode == 2
    assert command(tmp_path / "none.mod").returncode == 2
    done = command(CHANNELS / "kdr.mod", python=tmp_path / "nobody")
    assert done.returncode == 2 and "GRADMOD_PYTHON" in done.stderr


def test_parameters_that_initial_corrects(tmp_path: Path) -> None:
    """There is no gradient in what INITIAL replaces: the check takes values near by that it keeps."""
    file = tmp_path / "corrects.mod"
    file.write_text("""
NEURON { SUFFIX corrects NONSPECIFIC_CURRENT i RANGE g, low, high }
PARAMETER { g = 1e-4 low = 5 (ms) high = 3 (ms) }
ASSIGNED { v (mV) i (mA/cm2) }
STATE { x }
INITIAL {
    IF (low > 0.9*high) { low = 0.9*high }
    x = 0
}
BREAKPOINT { SOLVE states METHOD cnexp  i = g*x*(v + 50) }
DERIVATIVE states { x' = (1 - x)/(high - low) }
""")
    (certificate,) = certificates(file)
    assert certificate["verdict"] == "exact"
    assert {"low_corrects", "high_corrects"} <= set(certificate["parameters"])


def test_variables_that_the_user_is_to_set(tmp_path: Path) -> None:
    """ASSIGNED variables that nothing sets, and that the mechanism divides by."""
    file = tmp_path / "scaled.mod"
    file.write_text("""
NEURON { SUFFIX scaled NONSPECIFIC_CURRENT i RANGE g, parts }
PARAMETER { g = 1e-4 }
ASSIGNED { v (mV) i (mA/cm2) parts }
BREAKPOINT { i = g/parts*(v + 50) }
""")
    (certificate,) = certificates(file)
    assert certificate["verdict"] == "exact"
    assert "g_scaled" in certificate["parameters"]
