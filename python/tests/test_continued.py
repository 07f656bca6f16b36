"""Runs that gradients act on, saved by one process and continued by another: bit for bit, or not at all."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import neuron
import numpy as np
import pytest
from models.continued import PARTS

pytestmark = pytest.mark.skipif(neuron.__version__.startswith("8."), reason="NEURON 8 has no RANDOM")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What two processes wrote."""
    place = tmp_path_factory.mktemp("continued")
    for what in ("save", "restore"):
        command = [sys.executable, "-m", "models.continued", what, str(place)]
        done = subprocess.run(command, cwd=Path(__file__).parent, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    return place


def different(folder: Path, run: str) -> list[str]:
    """What of a run is not, to the last bit, what it is without interruption."""
    expected, found = (dict(np.load(folder / f"{name}.npz")) for name in ("uninterrupted", run))
    assert expected.keys() == found.keys()
    return [name for name, values in expected.items() if values.tobytes() != found[name].tobytes()]


def messages(folder: Path, process: str) -> dict[str, str]:
    return json.loads((folder / f"{process}.json").read_text())


def test_continued_is_as_uninterrupted(folder: Path) -> None:
    """Voltages, gradients, parameters, recordings; spikes and random numbers on their way; saving changes nothing."""
    expected: Any = np.load(folder / "uninterrupted.npz")
    for i in range(6):
        v = expected[f"v{i}"]
        assert np.sum((v[1:] > -10) & (v[:-1] <= -10)) >= 3
    assert np.all(np.ptp(expected["history0"], axis=1) > 0)
    assert different(folder, "saved") == []
    assert different(folder, "continued") == []


@pytest.mark.parametrize("part", PARTS)
def test_every_part_counts(folder: Path, part: str) -> None:
    if f"without {part}" not in messages(folder, "restore"):
        assert different(folder, f"without {part}")


def test_what_cannot_be_saved(folder: Path) -> None:
    found = messages(folder, "save")
    assert not list(folder.glob("*.new"))
    assert found.pop("nothing") == ""
    assert found.pop("new") == ""
    for what, message in {
        "random": "there is a Random object",
        "address": "APCount holds the address of an object",
        "script": "an event is on its way that calls the script",
        "delay": "the delay of NetCon[6] was changed during the run",
        "watch": "the mechanism Crossings has WATCH",
        "draws": "the mechanism jitter draws from a generator that all mechanisms share",
        "others": "belongs to gradients that are not among these homeostats",
        "steps": "gradients.record() remembers every step",
    }.items():
        assert message in found.pop(what), what
    assert not found


def test_checkpoints_of_other_models(folder: Path) -> None:
    found = messages(folder, "restore")
    for what, message in {
        "dt": "the checkpoint of another model: dt is not the same",
        "length": "free is not the same",
        "delay": "NetCon[0] is not the same",
        "order": "homeostat 0 is not the same",
        "recorded": "the checkpoint of another model: what is recorded and played are not the same",
        "cut": "is no checkpoint, or is damaged",
    }.items():
        assert message in found[what], what
