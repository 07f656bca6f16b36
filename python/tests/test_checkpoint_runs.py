"""Which run a checkpoint is of: one that this process is in, and that has not ended."""

from __future__ import annotations

import json
import os
import zipfile
from pathlib import Path
from typing import Any

import gradmod
import neuron
import numpy as np
import pytest
from conftest import Passive
from neuron import h

pytestmark = pytest.mark.skipif(neuron.__version__.startswith("8."), reason="NEURON 8 moves its variables")


def regulate(cell: Passive) -> gradmod.Homeostat:
    return gradmod.Homeostat(
        gradmod.Average("v", 3.0),
        cell["trunk"](0.5),
        target=-60,
        alpha=1e-9,
        quiet=True,
        g=gradmod.Range("g_pas", cell.with_pas, weight="present"),
    )


def solve(until: float) -> None:
    context = h.ParallelContext()
    context.set_maxstep(10)
    context.psolve(until)


def begin() -> None:
    h.dt = 0.1
    h.finitialize(-66)
    solve(3)


def rest(cell: Passive) -> Any:
    v = h.Vector().record(cell["twig"](0.5)._ref_v)
    h.frecord_init()
    solve(6)
    return np.array(v)[-20:]


def test_it_goes_on_where_it_was(passive: Passive, tmp_path: Path) -> None:
    homeostat = regulate(passive)
    begin()
    gradmod.save_run(tmp_path / "here", homeostat)
    expected = rest(passive)
    begin()
    gradmod.restore_run(tmp_path / "here", homeostat)
    # That is a run of this process, which can be saved again.
    gradmod.save_run(tmp_path / "again", homeostat)
    assert np.array_equal(rest(passive), expected)
    homeostat.detach()


def test_no_run(passive: Passive, tmp_path: Path) -> None:
    homeostat = regulate(passive)
    with pytest.raises(gradmod.Error, match="there was no run since the homeostat was made"):
        gradmod.save_run(tmp_path / "none", homeostat)
    begin()
    homeostat.detach()
    with pytest.raises(gradmod.Error, match="these gradients were detached"):
        gradmod.save_run(tmp_path / "none", homeostat)
    assert not list(tmp_path.iterdir())


def test_a_run_whose_finitialize_did_not_end(passive: Passive, tmp_path: Path) -> None:
    homeostat = regulate(passive)
    begin()
    handler = h.FInitializeHandler(3, lambda: 1 / 0)
    with pytest.raises(RuntimeError):
        begin()
    del handler
    with pytest.raises(gradmod.Error, match=r"initialised again|did not end|did not come to its end"):
        gradmod.save_run(tmp_path / "broken", homeostat)
    homeostat.detach()


def test_in_the_middle_of_a_step(passive: Passive, tmp_path: Path) -> None:
    homeostat = regulate(passive)
    said: list[str] = []

    def save() -> None:
        for call in (gradmod.save_run, gradmod.restore_run):
            try:
                call(tmp_path / "middle", homeostat)
            except gradmod.Error as error:
                said.append(str(error))

    handler = h.FInitializeHandler(1, lambda: h.CVode().event(1.0, save))
    begin()
    del handler
    assert [text.split(" was called while")[0] for text in said] == ["save_run()", "restore_run()"]
    homeostat.detach()


def test_a_forked_child_has_a_run_of_its_own(passive: Passive, tmp_path: Path) -> None:
    homeostat = regulate(passive)
    begin()
    child = os.fork()
    if child == 0:
        said = "saved"
        try:
            gradmod.save_run(tmp_path / "child", homeostat)
        except gradmod.Error as error:
            said = str(error)
        (tmp_path / "said").write_text(said)
        os._exit(0)
    os.waitpid(child, 0)
    assert "this run was begun in another process" in (tmp_path / "said").read_text()
    assert not (tmp_path / "child").exists()
    gradmod.save_run(tmp_path / "parent", homeostat)
    homeostat.detach()


def test_parts_of_two_checkpoints(passive: Passive, tmp_path: Path) -> None:
    homeostat = regulate(passive)
    begin()
    gradmod.save_run(tmp_path / "early", homeostat)
    solve(4)
    gradmod.save_run(tmp_path / "late", homeostat)
    with zipfile.ZipFile(tmp_path / "early") as early, zipfile.ZipFile(tmp_path / "late") as late:
        assert json.loads(late.read("gradmod.json"))["run"]["t"] == pytest.approx(4)
        with zipfile.ZipFile(tmp_path / "mixed", "w") as mixed:
            mixed.writestr("neuron", early.read("neuron"))
            for name in ("gradmod.json", "histories.npz"):
                mixed.writestr(name, late.read(name))
    with pytest.raises(gradmod.Error, match="it was saved at t = 4 ms, what NEURON saved is of 3 ms"):
        gradmod.restore_run(tmp_path / "mixed", homeostat)
    homeostat.detach()
