"""Fits in several processes: sweeps at the same time, many starts, what interrupts and workers that die leave."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import sysconfig
import textwrap
import time
from concurrent.futures import Executor, ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import gradmod
import numpy as np
import pytest
from gradmod import fit
from models.fitted import TRUTH, problem

MPIEXEC = Path(sysconfig.get_path("scripts")) / "mpiexec"
START = {"gna": 0.15, "gk": 0.03, "cm": 0.9}


def executor(kind: str) -> Executor | None:
    return None if kind == "loky" else ProcessPoolExecutor(2, get_context("spawn"))


@pytest.mark.parametrize("kind", ["loky", "spawn"])
def test_sweeps_at_the_same_time(kind: str) -> None:
    given = executor(kind)
    with problem() as alone:
        u = alone.inner(list(START.values()))
        expected = alone.evaluate(u)
    with fit.Parallel(problem, executor=given, jobs=2) as made:
        assert made.names == alone.names
        assert made.bounded == alone.bounded
        assert np.array_equal(made.x, list(TRUTH.values()))
        found = made.evaluate(u)
        assert found.names == expected.names
        assert np.array_equal(found.values, expected.values)
        assert np.array_equal(found.jacobian, expected.jacobian)
        assert [seen.name for seen in found.traces] == ["0.3 nA", "0.12 nA"]
        result = fit.least_squares(made, START, runs=40, progress=False)
        assert result.cost < 1e-6
        assert np.array_equal(made.x, list(result.x.values()))
    with pytest.raises(gradmod.Error, match="this problem was closed"):
        made.evaluate(u)
    if given is not None:
        assert given.submit(os.getpid).result() != os.getpid()  # the user's executor lives on
        given.shutdown()


def test_workers_of_dask() -> None:
    from dask.distributed import Client, LocalCluster

    with (
        LocalCluster(n_workers=1, threads_per_worker=1, processes=True, dashboard_address=None) as cluster,
        Client(cluster) as client,
    ):
        given = client.get_executor()
        found = fit.from_starts(problem, [START], executor=given, runs=30, progress=False)
        assert found.best.cost < 1e-6
        with fit.Parallel(problem, executor=given) as made:
            assert fit.least_squares(made, START, runs=30, progress=False).cost < 1e-6


@pytest.mark.skipif(not MPIEXEC.is_file(), reason="there is no MPI: pip install mpich")
def test_workers_of_mpi(tmp_path: Path) -> None:
    """As on a cluster: mpiexec -n 3 python -m mpi4py.futures script.py."""
    script = tmp_path / "script.py"
    script.write_text(
        textwrap.dedent(
            f"""
            from gradmod import fit
            from models.fitted import problem

            if __name__ == "__main__":
                from mpi4py.futures import MPIPoolExecutor

                starts = [{START!r}, {{"gna": 0.1, "gk": 0.045, "cm": 1.1}}]
                with MPIPoolExecutor() as given:
                    found = fit.from_starts(problem, starts, executor=given, runs=30, progress=False)
                assert len(found.ranked) == 2 and found.ranked[1].cost < 1e-6, found
                print("both came to an end")
            """
        )
    )
    paths = [str(Path(__file__).parent), *sys.path]
    done = subprocess.run(
        [str(MPIEXEC), "-n", "3", sys.executable, "-m", "mpi4py.futures", str(script)],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(paths)}, capture_output=True, text=True, timeout=200,
    )  # fmt: skip
    assert "both came to an end" in done.stdout, done.stdout + done.stderr


def _stumbles() -> fit.Problem:
    raise ValueError("nothing to build")


def test_what_a_maker_raises() -> None:
    with pytest.raises(ValueError, match="nothing to build"):
        fit.Parallel(_stumbles, jobs=1)


def _dies(*_: object) -> None:
    os._exit(3)


def test_a_worker_that_dies() -> None:
    """The others are told; a new problem works."""
    with ProcessPoolExecutor(1, get_context("spawn")) as given, fit.Parallel(problem, executor=given) as made:
        given.submit(_dies)
        with pytest.raises(Exception, match=r"terminated abruptly|not usable"):
            made.evaluate(made.inner(made.x))
    found = fit.from_starts(problem, [START], jobs=1, progress=False, runs=30)
    assert found.best.cost < 1e-6


def test_starts_go_on(tmp_path: Path) -> None:
    starts = [START, {"gna": 0.1, "gk": 0.045, "cm": 1.1}]
    first = fit.from_starts(problem, starts, jobs=2, progress=False, runs=4, folder=tmp_path)
    assert [one.evaluations for one in first.ranked] == [4, 4]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["start-0000.json", "start-0001.json"]
    second = fit.from_starts(problem, starts, jobs=2, progress=False, runs=40, folder=tmp_path)
    assert second.best.cost < 1e-6
    for before, after in zip(first.fits, second.fits, strict=True):
        assert before is not None and after is not None
        assert after.history[:4] == before.history
    third = fit.from_starts(problem, starts, jobs=1, progress=False, runs=40, folder=tmp_path)
    assert [one.history for one in third.ranked] == [one.history for one in second.ranked]
    with pytest.raises(gradmod.Error, match="name a folder instead"):
        fit.from_starts(problem, starts, checkpoint="fit.json")


def _by(made: fit.Problem, start: dict[str, float], **options: Any) -> fit.Fit:
    return fit.minimise(made, start, **options)


def test_starts_by_other_methods() -> None:
    found = fit.from_starts(problem, [START], by=_by, jobs=1, progress=False, runs=20, method="SLSQP")
    assert 5 < found.best.evaluations <= 20
    assert found.best.cost < 0.5 * found.best.history[0][1]


SCRIPT = """
    import os, sys, time
    from pathlib import Path
    sys.path.insert(0, {tests!r})
    from gradmod import fit
    from models.fitted import problem

    def make():
        Path({folder!r}, f"worker-{{os.getpid()}}").touch()
        return problem()

    def slow(*_):
        time.sleep(1.0)

    if __name__ == "__main__":
        start = {{"gna": 0.15, "gk": 0.03, "cm": 0.9}}
        if {what!r} == "starts":
            fit.from_starts(make, [start] * 6, jobs=2, folder={folder!r}, callback=slow)
        elif {what!r} == "parallel":
            with fit.Parallel(make, jobs=2) as shared:
                fit.least_squares(shared, start, checkpoint={folder!r} + "/fit.json", callback=slow)
        else:
            fit.least_squares(make(), start, checkpoint={folder!r} + "/fit.json", callback=slow)
"""


@pytest.mark.parametrize("to", ["process", "group"])
@pytest.mark.parametrize("what", ["alone", "starts", "parallel"])
def test_interrupts(what: str, to: str, tmp_path: Path) -> None:
    """Ctrl-C in a notebook goes to the one process, in a terminal to all: it ends soon, and leaves no process."""
    script = tmp_path / "script.py"
    script.write_text(textwrap.dedent(SCRIPT).format(tests=str(Path(__file__).parent), folder=str(tmp_path), what=what))
    process = subprocess.Popen(
        [sys.executable, str(script)], cwd=Path(__file__).parent, stderr=subprocess.PIPE, text=True,
        start_new_session=True, preexec_fn=_hears_interrupts,
    )  # fmt: skip
    try:
        deadline = time.monotonic() + 120
        while not list(tmp_path.glob("*.json")) and time.monotonic() < deadline and process.poll() is None:
            time.sleep(0.05)
        time.sleep(0.5)
        (os.killpg if to == "group" else os.kill)(process.pid, signal.SIGINT)
        _, told = process.communicate(timeout=30)
    finally:
        process.kill()
        process.wait()
    assert "KeyboardInterrupt" in told, told
    assert process.returncode != 0
    workers = [int(path.name.removeprefix("worker-")) for path in tmp_path.glob("worker-*")]
    assert workers
    deadline = time.monotonic() + 10
    while (left := [pid for pid in workers if _lives(pid)]) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not left
    # What was written is whole.
    for path in tmp_path.glob("*.json"):
        with problem() as made:
            names = {name: [b.low, b.high, b.scale.value] for name, b in zip(made.names, made.bounded, strict=True)}
        from gradmod._fit.checkpoint import Checkpoint

        saved = Checkpoint.read(path, "least_squares", names)
        assert saved is not None and saved.history


def _hears_interrupts() -> None:
    """A process that was started in the background of a shell ignores Ctrl-C, and so would its children."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
