"""Features: their values beside eFEL's, their derivatives beside differences."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import efel
import gradmod
import numpy as np
import pytest
from gradmod import features, finite
from gradmod.features import Features
from models import recorded, twig
from models.everything import range_of, shift
from models.recorded import Run
from neuron import h

#: Without a counterpart in eFEL.
OWN = {"soft_spike_count", "missed_peak_voltage", "depolarization_block"}
COUNTS = ("spike_count", "Spikecount", "spike_count_stimint", "peak_indices", "AP_begin_indices", "min_AHP_indices")
#: In units of the grid's step: how far times between points may be from those at points.
APART = {"AHP_time_from_peak": 1.1, "AP_duration_half_width": 1.6, "AP_begin_time": 1.0, "AP_width": 1.6}


#: Of a spike before the stimulus eFEL looks for the rise after it, where there is none; we say that it has no width.
WIDTHS = {"spike_half_width", "AP1_width", "AP2_width", "APlast_width"}


def peaked_before(run: Run, **settings: Any) -> bool:
    found = asked(run, ["peak_time"], interpolated=False, **settings)
    return "peak_time" in found and bool(found["peak_time"][0] < run.stim_start)


@pytest.fixture(scope="module")
def runs() -> list[Run]:
    return recorded.runs(200, seed=5)


def asked(run: Run, names: list[Any] | None = None, **settings: Any) -> features.Found:
    names = features.names() if names is None else names
    given = {"stim_start": run.stim_start, "stim_end": run.stim_end, "stimulus_current": run.current, **settings}
    return Features(names, **given).of(run.t, run.v)


def of_efel(run: Run, names: list[str], **settings: Any) -> dict[str, Any]:
    efel.reset()
    for name, value in settings.items():
        efel.set_setting(name, value)
    trace = {"T": run.t, "V": run.v, "stim_start": [run.stim_start], "stim_end": [run.stim_end]}
    trace["stimulus_current"] = [run.current]
    (found,) = efel.get_feature_values([trace], names, raise_warnings=False)
    efel.reset()
    return found


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ({}, {}),
        ({"interp_step": 0.025}, {"interp_step": 0.025}),
        (
            {"Threshold": -35.0, "DerivativeThreshold": 20.0, "strict_stiminterval": True, "ignore_first_ISI": False},
            {"threshold": -35.0, "derivative_threshold": 20.0, "strict_stiminterval": True, "ignore_first_isi": False},
        ),
    ],
)
def test_values_are_those_of_efel(runs: list[Run], theirs: dict[str, Any], ours: dict[str, Any]) -> None:
    names = [name for name in features.names() if name not in OWN]
    seen = dict.fromkeys(names, 0)
    wrong = []
    for number, run in enumerate(runs):
        found, expected = asked(run, interpolated=False, **ours), of_efel(run, names, **theirs)
        for name in names:
            mine = found[name] if name in found else np.empty(0)
            their = np.empty(0) if expected[name] is None else np.atleast_1d(expected[name])
            their = their[np.isfinite(their)]
            if name in WIDTHS and name in found.missing and peaked_before(run, **ours):
                continue
            seen[name] += len(their)
            if mine.shape != their.shape or not np.all(np.abs(mine - their) <= 1e-9 * np.maximum(1.0, np.abs(their))):
                wrong.append((number, name, mine, their, found.missing.get(name)))
    assert wrong == []
    assert [name for name, count in seen.items() if count < 10] == []


def test_between_points_they_are_near_those_at_points(runs: list[Run]) -> None:
    for run in runs:
        between, at = asked(run), asked(run, interpolated=False)
        for name in at:
            if name not in between:
                continue
            unit = features.units()[name]
            far = np.abs(between[name] - at[name])
            if unit == "ms":
                assert np.all(far <= 0.1 * APART.get(name, 1.01)), name
            elif unit == "mV":
                # The slope there is little more than 10 mV/ms; but 5 ms after a spike the next one may rise already.
                assert np.all(far <= (100.0 if "slow" in name else 5.0)), name


def test_slopes_are_derivatives_of_the_values(runs: list[Run]) -> None:
    """Each feature of each trace, in a smooth direction of its own."""
    random = np.random.default_rng(3)
    checked = dict.fromkeys(features.names(), 0)
    windows = [features.mean(3.0, 9.0), features.standard_deviation(2.0, 12.0)]
    for run in runs[::4]:
        choice = Features(
            [*features.names(), *windows],
            stim_start=run.stim_start, stim_end=run.stim_end, stimulus_current=run.current,
        )  # fmt: skip
        phase, rate = random.uniform(0, 6.3), random.uniform(0.05, 0.4)
        direction = np.cos(phase + rate * run.t) + 0.3 * (run.v - run.v.mean()) / (1e-9 + run.v.std())
        found = choice.of(run.t, run.v)
        pairs = [
            (step, *(choice.of(run.t, run.v + sign * step * direction) for sign in (1, -1)))
            for step in (1e-3, 1e-4, 1e-5, 1e-6, 1e-7)
        ]
        for name in found:
            if name in COUNTS or not len(found[name]):
                continue
            mine = found.along(direction, [name])[name]
            best = np.full(mine.shape, np.inf)
            for step, above, below in pairs:
                if name in above and name in below and above[name].shape == below[name].shape == mine.shape:
                    theirs = (above[name] - below[name]) / (2 * step)
                    # Of a trace without spikes a soft count is all but 0, and has kinks where v stands still.
                    floor = 0.1 if name == "soft_spike_count" else 1e-2
                    best = np.minimum(best, np.abs(mine - theirs) / max(np.abs(theirs).max(), floor))
            assert np.all(best < 1e-6), (name, best, run)
            checked[name] = checked.get(name, 0) + len(mine)
    assert [name for name, count in checked.items() if count < 5 and name not in COUNTS] == []


@pytest.mark.parametrize("shift", [-0.49, -0.2, 0.0, 0.31])
def test_the_vertex_of_a_parabola(shift: float) -> None:
    """Between three of its points, a parabola is highest where it is, and as high."""
    t = np.arange(0, 10, 0.1)
    top, bend = 5.0 + 0.1 * shift, 3.7
    found = Features(["peak_time", "peak_voltage"], stim_start=1, stim_end=9).of(t, 30 - bend * (t - top) ** 2)
    assert found["peak_time"] == pytest.approx([top], abs=1e-9)
    assert found["peak_voltage"] == pytest.approx([30.0], abs=1e-9)
    # A shift of the parabola moves the vertex, and leaves its height.
    moved = found.along(2 * bend * (t - top))
    assert moved["peak_time"] == pytest.approx([1.0], abs=1e-9)
    assert moved["peak_voltage"] == pytest.approx([0.0], abs=1e-9)


@pytest.mark.parametrize("name", ["maximum_voltage", "minimum_voltage"])
def test_the_highest_and_the_lowest_voltage_of_the_stimulus(name: str) -> None:
    """The vertex where the trace turns; the point where it only enters or leaves the stimulus."""
    t = np.arange(0, 10, 0.1)
    sign = 1.0 if name == "maximum_voltage" else -1.0
    v = sign * (30 - 3.7 * (t - 5.03) ** 2)
    inside = Features([name], stim_start=1, stim_end=9).of(t, v)
    assert inside[name] == pytest.approx([sign * 30.0], abs=1e-9)
    assert inside.along(2 * 3.7 * (t - 5.03) * sign)[name] == pytest.approx([0.0], abs=1e-9)
    at = Features([name], stim_start=1, stim_end=9, interpolated=False).of(t, v)
    assert at[name] == [sign * np.max(sign * v)]
    falling = Features([name], stim_start=5.95, stim_end=9).of(t, v)
    # The grid of eFEL's interpolation is that of the trace but for rounding.
    assert falling[name] == pytest.approx([v[60]], abs=1e-12)
    assert np.flatnonzero(np.abs(falling.slopes(name)[0]) > 1e-12).tolist() == [60]


def test_back_is_the_transpose_of_along(runs: list[Run]) -> None:
    random = np.random.default_rng(4)
    for run in runs[1:40:6]:
        found = asked(run)
        names = [name for name in found if name not in COUNTS]
        weights = {name: random.normal(size=len(found[name])) for name in names}
        directions = random.normal(size=(len(run.t), 3))
        along = found.along(directions, names)
        there = sum(weights[name] @ along[name] for name in names)
        back = found.back(weights) @ directions
        assert np.abs(there - back).max() <= 1e-10 * np.abs(there).max()


#: What is compared in both modes: each file of features, and what reads between points.
#: Stimuli that between them have a trace with each feature, (nA, ms): one with spikes, and one with one after it; but
#: what comes near to a spike takes a weak one, and a block a strong one.
STIMULI = ((0.8, 30.0), (-0.5, 12.0), (0.05, 30.0), (4.0, 40.0))
ALONE = {0.05: ["missed_peak_voltage"], 4.0: ["depolarization_block"]}


def test_gradients_of_runs_in_both_modes() -> None:
    """Each feature, beside differences of runs of a branched cell with other values in every segment."""
    wanted = {name for name in features.names() if name not in COUNTS}
    seen = set[str]()
    for amp, length in STIMULI:
        cell = twig.Twig(("kdr",))
        for number, seg in enumerate(seg for section in cell.all for seg in section):
            seg.gnabar_hh *= 1 + 0.06 * number
            seg.gbar_kdr *= 1 - 0.05 * number
            seg.cm *= 1 + 0.04 * number
        seen |= compared(
            cell, amp, length, ALONE.get(amp) or sorted(wanted - {name for own in ALONE.values() for name in own})
        )
    assert wanted == seen


def compared(cell: twig.Twig, amp: float, length: float, names: list[str]) -> set[str]:
    """Compare what the trace of a stimulus has; its names."""
    cell.stimulus.delay, cell.stimulus.dur, cell.stimulus.amp = 8.0, length, amp
    duration, dt, soma = length + 30.0, 0.025, cell.soma(0.5)
    times = h.Vector().record(h._ref_t)
    directions = {
        "na": range_of("gnabar_hh", "gnabar_hh", cell.all),
        "k": range_of("gbar_kdr", "gbar_kdr", cell.all),
        "cm": range_of("cm", "cm", cell.all),
        "amp": (gradmod.Stimulus(cell.stimulus, "amp"), shift([cell.stimulus], "amp"), 0.8),
    }
    wanted = {name: parameter for name, (parameter, _, _) in directions.items()}
    asked = [*names, features.mean(5, 20)]
    whole = Features(asked, stim_start=8, stim_end=8 + length, interp_step=0.025, stimulus_current=amp)
    grad = gradmod.attach(quiet=True, **wanted)
    record = grad.record(soma)
    v = cell.run(dt, duration)[f"{soma}.v"]
    found = whole.of(record.t, v)
    there = [name for name in found if len(found[name])]
    if "peak_time" in there and found["peak_time"][0] > 8 + length:
        there.remove("soft_spike_count")  # all but 0: no spike is in the stimulus
    mine = {name: found.along(record[name], there) for name in wanted}
    grad.detach()

    def simulate() -> dict[str, np.ndarray]:
        values = whole.of(np.array(times), cell.run(dt, duration)[f"{soma}.v"])
        return {name: values[name] for name in there}

    for name, (_, change, size) in directions.items():
        theirs = finite.differentiate(simulate, change, 0.0, scale=size, steps=(1e-3, 3e-4, 1e-4, 1e-5, 1e-6))
        for feature, value in mine[name].items():
            expected = theirs.value[feature]
            # Differences of a slope that is almost 0 have a floor: the rounding of v over the step.
            allowed = max(1e-6 * np.abs(expected).max(), 1e-8)
            assert np.abs(value - expected).max() <= allowed, (name, feature, value, expected)
    weights = {name: np.linspace(0.5, 1.5, len(found[name])) for name in there}
    h.dt = dt
    with gradmod.Reverse(quiet=True, **wanted) as reverse:
        trace = reverse.record(soma)
        reverse.run(duration, simulate=lambda: cell.run(dt, duration))
        gradient = reverse.gradient({trace: whole.of(np.array(times), trace.values).back(weights)})
    for name in wanted:
        forward = sum(float(weights[feature] @ mine[name][feature]) for feature in there)
        assert abs(float(gradient[name]) - forward) <= 1e-9 * abs(forward)
    return set(there) & set(names)


def test_what_has_no_derivative_says_so(runs: list[Run]) -> None:
    run = max(runs, key=lambda one: len(asked(one, ["spike_count"])["spike_count"]))
    found = asked(run)
    with pytest.raises(gradmod.Refused, match="spike_count has no derivative: it is a whole number; soft_spike_count"):
        found.slopes("spike_count")
    at = next(f for f in (asked(one, interpolated=False) for one in runs) if "peak_time" in f)
    with pytest.raises(gradmod.Refused, match="peak_time at points of the grid has no derivative: leave interpolated"):
        at.back({"peak_time": [1.0]})


def test_what_a_trace_does_not_have_is_told() -> None:
    t = np.linspace(0.0, 50.0, 501)
    found = Features(["peak_time", "AP2_amp", "voltage_base"], stim_start=10, stim_end=40).of(t, np.full(501, -65.0))
    assert list(found) == ["voltage_base"]
    assert found.missing["peak_time"] == "it needs 1 spike, the trace has 0"
    with pytest.raises(gradmod.Error, match="the trace has no AP2_amp: it needs 1 spike, the trace has 0"):
        found["AP2_amp"]
    with pytest.raises(KeyError, match="AP_width was not asked for"):
        found["AP_width"]
    assert "peak_time: missing" in repr(found)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (
            lambda: Features(["peak_hour"], stim_start=0, stim_end=1),
            r"no feature 'peak_hour'; gradmod\.features\.names",
        ),
        (lambda: Features(["ap_width"], stim_start=0, stim_end=1), "did you mean AP_width"),
        (lambda: Features(["AP_width", "AP_width"], stim_start=0, stim_end=1), "asked for twice: AP_width"),
        (lambda: Features([], stim_start=4, stim_end=4), "begins at 4 ms and ends at 4 ms"),
        (lambda: Features([], stim_start=0, stim_end=4, Threshold=3), "no such setting: Threshold; there are interp"),
        (lambda: features.mean(4, 3), "the window from 4 to 3 ms is empty"),
        (lambda: Features([], stim_start=0, stim_end=4).of([0, 1], [0, 1]), "rows of equal length, 3 at least"),
        (lambda: Features([], stim_start=0, stim_end=4).of([0, 1, 1], [0, 1, 2]), "times do not rise"),
        (lambda: Features([], stim_start=0, stim_end=4).of([0, 1, 2], [0, np.nan, 2]), "not finite everywhere"),
    ],
)
def test_misuse(make: Any, said: str) -> None:
    with pytest.raises(gradmod.Error, match=said):
        make()


def test_wrong_shapes() -> None:
    t = np.linspace(0.0, 50.0, 501)
    found = Features(["voltage_base"], stim_start=10, stim_end=40).of(t, np.full(501, -65.0))
    with pytest.raises(gradmod.Error, match=r"the trace has 501 samples, the gradient has shape \(500,\)"):
        found.along(np.zeros(500))
    with pytest.raises(gradmod.Error, match=r"voltage_base has 1 values, there are weights of shape \(2,\)"):
        found.back({"voltage_base": [1.0, 2.0]})


def test_the_page_has_all_of_them() -> None:
    page = Path(__file__).parents[2] / "docs" / "features.md"
    assert page.read_text(encoding="utf-8").endswith(features.table())


def test_the_code_of_the_page_runs() -> None:
    page = (Path(__file__).parents[2] / "docs" / "features.md").read_text(encoding="utf-8")
    code = page.split("```python\n")[1].split("```")[0]
    soma = h.Section(name="soma")
    soma.L = soma.diam = 20.0
    soma.insert("hh")
    clamp = h.IClamp(soma(0.5))
    clamp.delay, clamp.dur, clamp.amp = 100.0, 300.0, 0.3
    names = {"gradmod": gradmod, "h": h, "numpy": np, "soma": soma, "target": 100.0}
    exec(code, names)
    found = names["found"]
    assert len(found["peak_time"]) > 3
