"""The inferior-olive cell of the examples, shortened: its gradients, and Adam that goes by them."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from models import load_fixtures

sys.path.insert(0, str(Path(__file__).parents[2] / "examples"))

import inferior_olive
import olive

#: Over the first peak of the voltage, in which all conductances have a part.
DURATION = 130.0


@pytest.fixture
def problem(monkeypatch: pytest.MonkeyPatch) -> inferior_olive.Problem:
    """With four times the example's time step, to be quick: the gradient is that of the run at any."""
    load_fixtures(olive.MECHANISMS)
    monkeypatch.setattr(olive, "DT", 0.1)
    return inferior_olive.Problem(None, DURATION)


def test_twelve_gradients(problem: inferior_olive.Problem) -> None:
    """Of the loss, in units of the start, at a place that is neither start nor target."""
    x = inferior_olive.start(1)
    voltage = problem.voltage(x)
    assert voltage.max() > -35
    function = problem.with_gradient()
    value, _ = function(x)
    function.close()
    assert value == problem.plain(x)
    assert np.array_equal(problem.voltage(x), voltage)
    for name, found in inferior_olive.check(problem, x, steps=(1e-2, 3e-3, 1e-3, 1e-4)).items():
        assert found.deviation < 1e-6, f"{name}: {found}"


def test_adam_lowers_the_loss_and_goes_on_where_it_was(problem: inferior_olive.Problem, tmp_path: Path) -> None:
    function = problem.with_gradient()
    whole, parts = inferior_olive.Log(tmp_path / "whole.csv"), inferior_olive.Log(tmp_path / "parts.csv")
    inferior_olive.adam(function, inferior_olive.start(0), 5, whole)
    losses = [row[0] for row in whole.rows]
    assert losses == sorted(losses, reverse=True)
    inferior_olive.adam(function, inferior_olive.start(0), 2, parts)
    with (tmp_path / "parts.csv").open("a") as file:
        file.write("1.5,0.2")  # stopped while writing
    parts = inferior_olive.Log(tmp_path / "parts.csv")
    assert len(parts.rows) == 3
    inferior_olive.adam(function, inferior_olive.start(0), 5, parts)
    function.close()
    assert [[row[0], *row[2:]] for row in parts.rows] == [[row[0], *row[2:]] for row in whole.rows]


def test_search_without_gradients_goes_on_where_it_was(tmp_path: Path) -> None:
    def bowl(x: olive.Floats) -> float:
        return float(x @ x)

    whole, parts = inferior_olive.Log(tmp_path / "whole.csv"), inferior_olive.Log(tmp_path / "parts.csv")
    inferior_olive.evolve(bowl, np.ones(3), 0, 60, whole)
    inferior_olive.evolve(bowl, np.ones(3), 0, 40, parts)
    inferior_olive.evolve(bowl, np.ones(3), 0, 60, inferior_olive.Log(tmp_path / "parts.csv"))
    again = inferior_olive.Log(tmp_path / "parts.csv")
    assert [[row[0], *row[2:]] for row in again.rows] == [[row[0], *row[2:]] for row in whole.rows]


def test_morphology(problem: inferior_olive.Problem) -> None:
    """The figures of the cell that the paper took."""
    cell = problem.cell
    areas = [
        sum(seg.area() for section in region for seg in section) for region in (cell.soma, cell.dendrites, cell.axon)
    ]
    assert areas == pytest.approx([1472, 3496, 78])
    assert sum(section.L for section in cell.dendrites) == pytest.approx(1318)
    assert len(cell.all) == 64
