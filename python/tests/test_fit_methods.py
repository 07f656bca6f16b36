"""What methods have in common: history, callbacks, early stops, bars, checkpoints, pictures."""

from __future__ import annotations

import json
import unittest.mock
from pathlib import Path
from typing import Any

import gradmod
import numpy as np
import optax
import pytest
import scipy.optimize
from gradmod import fit
from models.fitted import TRUTH, problem

START = {"gna": 0.15, "gk": 0.03, "cm": 0.9}


def adam() -> Any:
    return optax.chain(optax.clip_by_global_norm(1e4), optax.adam(0.02))


METHODS = {
    "least_squares": fit.least_squares,
    "minimise": fit.minimise,
    "descend": lambda made, start=None, **options: fit.descend(made, adam(), start, **options),
}


@pytest.fixture
def made() -> Any:
    with problem() as found:
        yield found


@pytest.mark.parametrize("name", METHODS)
def test_what_all_methods_do(made: fit.Problem, name: str) -> None:
    seen: list[tuple[int, float, dict[str, float]]] = []
    before = made.evaluations
    found = METHODS[name](made, START, runs=12, progress=False, callback=lambda *step: seen.append(step))
    assert found.evaluations == len(seen) == 12
    assert made.evaluations - before in (12, 13)  # once more for the best
    assert found.history == seen
    assert found.cost == min(cost for _, cost, _ in seen) < seen[0][1]
    assert found.x == min(seen, key=lambda step: step[1])[2]
    assert np.array_equal(made.x, list(found.x.values()))
    assert "as many evaluations as allowed" in found.why or "max" in found.why.lower()
    assert [trace.name for trace in found.traces] == ["0.3 nA", "0.12 nA"]
    assert found.certainty is not None


@pytest.mark.parametrize("name", METHODS)
def test_early_stops(made: fit.Problem, name: str) -> None:
    method = METHODS[name]
    assert method(made, START, runs=30, progress=False, callback=lambda n, *_: n == 4).evaluations == 4
    enough = method(made, START, runs=30, progress=False, enough=1e9)
    assert enough.evaluations == 1 and "not above 1e+09" in enough.why
    with pytest.raises(KeyboardInterrupt):
        method(made, START, runs=30, progress=False, callback=_interrupts)
    with pytest.raises(gradmod.Error, match="it needs one at least"):
        method(made, START, runs=0)
    with pytest.raises(gradmod.Error, match="the start has no gk"):
        method(made, {"gna": 0.1, "cm": 1.0})
    with pytest.raises(gradmod.Error, match="which is no parameter"):
        method(made, {**START, "other": 1.0})


def _interrupts(*_: object) -> None:
    raise KeyboardInterrupt


def test_patience(made: fit.Problem) -> None:
    found = fit.descend(made, optax.sgd(1e-12), START, runs=50, patience=5, progress=False)
    assert found.evaluations == 6
    assert found.why == "no improvement in 5 evaluations"


@pytest.mark.parametrize("name", METHODS)
def test_a_checkpoint_goes_on(made: fit.Problem, name: str, tmp_path: Path) -> None:
    method, path = METHODS[name], tmp_path / "deep" / "fit.json"
    whole = method(made, START, runs=16, progress=False)

    def interrupt(n: int, *_: object) -> None:
        if n == 7:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        method(made, START, runs=16, progress=False, checkpoint=path, callback=interrupt)
    saved = json.loads(path.read_text())
    assert len(saved["history"]) in (6, 7)
    found = method(made, START, runs=16, progress=False, checkpoint=path)
    assert 7 < found.evaluations <= 16
    assert found.cost <= min(cost for _, cost, _ in whole.history[:7])
    assert [step[2] for step in found.history[:6]] == [step[2] for step in whole.history[:6]]
    if name == "descend":  # with all that it remembers
        assert [step[2] for step in found.history] == [step[2] for step in whole.history]
    before = made.evaluations
    again = method(made, START, runs=16, progress=False, checkpoint=path)
    assert made.evaluations - before <= 1
    assert again.x == found.x and again.history == found.history
    more = method(made, START, runs=20, progress=False, checkpoint=path)
    assert 16 < more.evaluations <= 20 or more.why == found.why
    assert more.history[:16] == found.history
    assert not list(path.parent.glob(".*"))


def test_a_checkpoint_of_another_fit(made: fit.Problem, tmp_path: Path) -> None:
    path = tmp_path / "fit.json"
    fit.least_squares(made, START, runs=3, progress=False, checkpoint=path)
    with pytest.raises(gradmod.Error, match="with other method"):
        fit.minimise(made, START, checkpoint=path, progress=False)
    with pytest.raises(gradmod.Error, match="began elsewhere"):
        fit.least_squares(made, {**START, "cm": 1.1}, checkpoint=path, progress=False)
    saved = json.loads(path.read_text())
    changed = {**saved, "history": [[0.5 * cost, x] for cost, x in saved["history"]]}
    path.write_text(json.dumps(changed))
    with pytest.raises(gradmod.Error, match="of another problem"):
        fit.least_squares(made, START, runs=5, checkpoint=path, progress=False)
    path.write_text(json.dumps({**saved, "parameters": {"gna": [0, 1, "log"]}}))
    with pytest.raises(gradmod.Error, match="with other parameters"):
        fit.least_squares(made, START, checkpoint=path, progress=False)
    for text, said in (("{", "cannot be read"), ("[1]", "no checkpoint"), ('{"format": 9}', "another version")):
        path.write_text(text)
        with pytest.raises(gradmod.Error, match=said):
            fit.least_squares(made, START, checkpoint=path, progress=False)
    path.unlink()
    with (
        unittest.mock.patch("os.replace", side_effect=OSError(28, "No space left on device")),
        pytest.raises(gradmod.Error, match="cannot be written: No space left"),
    ):
        fit.least_squares(made, START, runs=2, checkpoint=path, progress=False)
    assert not list(tmp_path.iterdir())


def test_optimisers_of_optax(made: fit.Problem) -> None:
    for optimiser in (optax.polyak_sgd(max_learning_rate=1.0), optax.sgd(1e-5, momentum=0.5), optax.lion(0.01)):
        found = fit.descend(made, optimiser, START, runs=10, progress=False)
        assert found.cost < found.history[0][1]
    with pytest.raises(gradmod.Error, match="line searches are not supported"):
        fit.descend(made, optax.lbfgs(), START, runs=5, progress=False)
    with pytest.raises(gradmod.Error, match="is no optimiser of optax"):
        fit.descend(made, "adam", START)


def test_methods_keep_bounds(made: fit.Problem) -> None:
    low, high = made.bounds
    found = fit.descend(made, optax.sgd(1.0), START, runs=6, progress=False)
    assert all(np.all(made.inner(list(x.values())) >= low - 1e-12) for _, _, x in found.history)
    assert all(np.all(made.inner(list(x.values())) <= high + 1e-12) for _, _, x in found.history)
    with pytest.raises(gradmod.Error, match="no method 'BFGS' that keeps bounds"):
        fit.minimise(made, START, method="BFGS")  # type: ignore[arg-type]
    for method in ("TNC", "SLSQP", "trust-constr"):
        assert fit.minimise(made, START, method=method, runs=8, progress=False).cost < found.history[0][1]


def test_steps_are_measured_from_bound_to_bound(made: fit.Problem) -> None:
    low, high = made.bounds
    with unittest.mock.patch("scipy.optimize.least_squares", wraps=scipy.optimize.least_squares) as called:
        fit.least_squares(made, runs=2, progress=False)
        fit.least_squares(made, runs=2, progress=False, x_scale="jac")
    assert [one.kwargs["x_scale"] for one in called.call_args_list][1] == "jac"
    assert np.array_equal(called.call_args_list[0].kwargs["x_scale"], high - low)


def test_the_bar(made: fit.Problem, capsys: pytest.CaptureFixture[str]) -> None:
    fit.least_squares(made, TRUTH, runs=5)
    assert "evaluation" in capsys.readouterr().err
    fit.least_squares(made, TRUTH, runs=5, progress=False)
    assert not capsys.readouterr().err


def test_a_picture(made: fit.Problem) -> None:
    found = fit.least_squares(made, START, runs=15, progress=False)
    figure = found.plot()
    panels = [axes for part in figure.subfigs for axes in part.axes]
    assert [axes.get_title(loc="left") for axes in panels[:2]] == ["0.3 nA", "0.12 nA"]
    assert panels[0].get_ylabel() == "v (mV)"
    assert len(panels[1].lines) == 2 and len(panels[0].lines) == 2  # the data: a trace, and peaks
    assert len(panels[0].lines[1].get_xdata()) == 2
    assert figure._repr_png_().startswith(b"\x89PNG")
    assert panels[2].get_ylabel() == "cost"
    assert len(panels[3].lines) == 3
    many = fit.Fits([found, None, found], {1: "no"}).plot()
    assert [axes.get_ylabel() for axes in many.axes] == ["cost", "parameter / that of the best"]
