"""The finite-difference oracle, on functions whose derivative is known and on stale tables."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from gradmod import finite
from models import CHANNELS, load_fixtures
from neuron import h

X = np.linspace(0.0, 3.0, 50)


class Knob:
    """A parameter and a function of it, standing for a model."""

    def __init__(self, function: Callable[[float], dict[str, np.ndarray]]) -> None:
        self.value = 0.0
        self.function = function
        self.history: list[float] = []

    def set(self, value: float) -> None:
        self.value = value
        self.history.append(value)

    def run(self) -> dict[str, np.ndarray]:
        return self.function(self.value)


def test_smooth_function_is_good_to_1e9_and_knows_it() -> None:
    knob = Knob(lambda p: {"s": np.sin(p * X), "e": np.exp(-p * X)})
    difference = finite.differentiate(knob.run, knob.set, at=1.3)
    exact = {"s": X * np.cos(1.3 * X), "e": -X * np.exp(-1.3 * X)}
    result = finite.compare(exact, difference)
    assert result.deviation < 1e-9
    assert result.uncertainty < 1e-8
    assert set(result.each) == {"s", "e"}
    assert knob.value == 1.3
    assert difference.runs == len(knob.history) - 1 == 12


def test_each_output_has_its_own_step() -> None:
    noise = np.random.default_rng(1)
    knob = Knob(lambda p: {"clean": np.sin(500 * p * X), "noisy": np.sin(p * X) + 1e-8 * noise.standard_normal(X.size)})
    difference = finite.differentiate(knob.run, knob.set, at=1.0)
    assert difference.step["noisy"] > difference.step["clean"]
    assert difference.uncertainty("clean") < 1e-8
    assert 1e-7 < difference.uncertainty("noisy") < 1e-4


@pytest.mark.parametrize("amplitude", [1e-12, 1e-9, 1e-6])
def test_estimated_error_covers_the_true_error(amplitude: float) -> None:
    noise = np.random.default_rng(2)
    knob = Knob(lambda p: {"y": np.sin(3 * p * X) + amplitude * noise.standard_normal(X.size)})
    difference = finite.differentiate(knob.run, knob.set, at=1.0)
    truth = 3 * X * np.cos(3 * X)
    assert float(np.max(np.abs(difference.value["y"] - truth))) < 3 * difference.error["y"]


def test_kink_inside_the_step_is_seen_as_error() -> None:
    knob = Knob(lambda p: {"y": np.abs(p - 1.0) * X})
    difference = finite.differentiate(knob.run, knob.set, at=1.0 + 2e-7)
    assert difference.uncertainty("y") < 1e-6  # the steps below 2e-7 are clean, and are the ones chosen
    assert difference.step["y"] < 2e-7
    coarse = finite.differentiate(knob.run, knob.set, at=1.0 + 2e-7, steps=(1e-4, 1e-5, 1e-6))
    assert coarse.uncertainty("y") > 0.1


@pytest.mark.parametrize("amplitude", [1e-12, 1e-9, 1e-6])
def test_fit_is_better_than_one_difference_and_covers_its_error(amplitude: float) -> None:
    noise = np.random.default_rng(3)
    knob = Knob(lambda p: {"y": np.sin(3 * p * X) + amplitude * noise.standard_normal(X.size)})
    truth = 3 * X * np.cos(3 * X)
    width = 1e-3
    deviations = []
    for pairs in (12, 300):
        difference = finite.fit(knob.run, knob.set, at=1.0, width=width, pairs=pairs)
        assert difference.runs == 2 * pairs
        deviations.append(float(np.max(np.abs(difference.value["y"] - truth))))
        assert deviations[-1] < 2 * difference.error["y"] + 1e-7
    assert deviations[1] < 3 * amplitude / width / math.sqrt(300) * 3 + 1e-7
    assert knob.value == 1.0


def test_fit_stays_within_its_width() -> None:
    knob = Knob(lambda p: {"y": np.abs(p - 1.0) * X})
    clean = finite.fit(knob.run, knob.set, at=1.01, width=0.009)
    assert finite.compare({"y": X}, clean).deviation < 1e-12
    assert max(abs(value - 1.01) for value in knob.history) == pytest.approx(0.009)
    across = finite.fit(knob.run, knob.set, at=1.01, width=0.03)
    assert across.uncertainty("y") > 0.03


def test_best_takes_each_output_from_the_better_difference() -> None:
    knob = Knob(lambda p: {"kink": np.abs(p - 1.0) * X, "curve": np.sin(p * X) + 1e-9 * np.sin(1e9 * p * X)})
    fits = [finite.fit(knob.run, knob.set, at=1.01, width=width) for width in (0.03, 0.003)]
    chosen = finite.best(*fits)
    assert chosen.step == {"kink": 0.003, "curve": 0.03}
    assert chosen.error == {"kink": fits[1].error["kink"], "curve": fits[0].error["curve"]}


def test_parameter_at_zero_uses_an_absolute_step() -> None:
    knob = Knob(lambda p: {"y": np.exp(p * X)})
    difference = finite.differentiate(knob.run, knob.set, at=0.0, scale=0.1)
    assert finite.compare({"y": X}, difference).deviation < 1e-9
    assert max(knob.history) == pytest.approx(1e-4)


def test_parameter_is_put_back_after_an_error() -> None:
    def fail(_: float) -> dict[str, np.ndarray]:
        raise RuntimeError("the model blew up")

    knob = Knob(fail)
    with pytest.raises(RuntimeError, match="blew up"):
        finite.differentiate(knob.run, knob.set, at=0.7)
    assert knob.value == 0.7


def test_outputs_that_change_are_refused() -> None:
    sizes = iter(range(1, 100))
    knob = Knob(lambda p: {"y": np.zeros(next(sizes))})
    with pytest.raises(ValueError, match="must not change"):
        finite.differentiate(knob.run, knob.set, at=1.0)


@pytest.mark.parametrize("steps", [(1e-3,), (1e-3, 1e-4), (1e-3, 1e-3, 1e-4), (1e-3, 1e-4, 0.0)])
def test_bad_steps_are_refused(steps: tuple[float, ...]) -> None:
    knob = Knob(lambda p: {"y": p * X})
    with pytest.raises(ValueError, match="three different positive steps"):
        finite.differentiate(knob.run, knob.set, at=1.0, steps=steps)


def _known(**value: np.ndarray) -> finite.Difference:
    names = list(value)
    return finite.Difference(value, dict.fromkeys(names, 1e-9), dict.fromkeys(names, 1e-4), 12)


def test_compare_names_the_worst_place() -> None:
    difference = _known(a=np.array([1.0, -4.0]), b=np.array([[1.0, 2.0], [3.0, 10.0]]))
    result = finite.compare({"a": [1.0, -4.0], "b": [[1.0, 2.0], [4.0, 10.0]]}, difference)
    assert (result.name, result.index, result.deviation) == ("b", (1, 0), 0.1)
    assert result.each == {"a": 0.0, "b": 0.1}
    assert str(result) == "1.0e-01 in b[1, 0] (differences good to 1e-10)"


def test_compare_with_zero_and_nan() -> None:
    difference = _known(a=np.zeros(3))
    assert finite.compare({"a": np.zeros(3)}, difference).deviation == 0
    assert finite.compare({"a": np.array([0, 1e-30, 0])}, difference).deviation == math.inf
    assert finite.compare({"a": np.array([0, math.nan, 0])}, _known(a=np.ones(3))).deviation == math.inf


def test_compare_refuses_different_names_and_shapes() -> None:
    with pytest.raises(ValueError, match="outputs differ"):
        finite.compare({"a": [1.0]}, _known(b=np.ones(1)))
    with pytest.raises(ValueError, match="shape"):
        finite.compare({"a": [1.0]}, _known(a=np.ones(2)))


def test_tables_are_read_from_neurons_own_sources() -> None:
    load_fixtures()
    soma = h.Section(name="soma")
    for mechanism in ("naf", "ktab", "kdr"):
        soma.insert(mechanism)
    assert finite.tables() == [
        finite.Table("ktab", ("vhalf", "slope")),
        finite.Table("ktab", ("vhalf",)),
        finite.Table("naf", ("celsius", "q10", "tref", "vshift")),
    ]


def test_rebuilding_refreshes_a_table_whose_depend_misses_the_parameter() -> None:
    load_fixtures(CHANNELS.parent / "stale")
    soma = h.Section(name="soma")
    soma.insert("kstale")

    def gate(shift: float, rebuild: bool) -> float:
        h.vhalf_kstale = -40 + shift
        if rebuild:
            assert finite.rebuild_tables() == []
        h.finitialize(-40.1)
        return soma(0.5).kstale.n

    try:
        before = gate(0.0, rebuild=True)
        slope = h.slope_kstale
        assert gate(5.0, rebuild=False) == before  # stale
        assert gate(5.0, rebuild=True) < 0.9 * before
        assert h.slope_kstale == slope
        assert gate(0.0, rebuild=True) == before
    finally:
        gate(0.0, rebuild=True)


def test_table_without_depend_is_reported_as_stuck(monkeypatch: pytest.MonkeyPatch) -> None:
    load_fixtures()
    soma = h.Section(name="soma")
    soma.insert("kdr")
    source = (
        "PROCEDURE rates(v) {\n TABLE inf, tau FROM -100 TO 100 WITH 200\n}\n: TABLE x DEPEND y FROM 1 TO 2 WITH 3\n"
    )
    monkeypatch.setattr(finite, "source_of", lambda name, point: (source, ""))
    assert finite.tables() == [finite.Table("kdr", ())]
    assert finite.rebuild_tables() == [finite.Table("kdr", ())]
