"""Features beside a mean, and the number of spikes with a part that does not change by leaps."""

from __future__ import annotations

from typing import Any

import gradmod
import numpy as np
import pytest
from gradmod._problem.graded_count import GradedCount
from gradmod._problem.mean_target import Needs, needs
from gradmod.features import Features
from gradmod.fit import MeanTarget

T = np.arange(0.0, 200.0, 0.05)


def trace(peaks: dict[float, float]) -> np.ndarray:
    """[sample] round spikes with these heights in mV by their times in ms, on a slow wave."""
    v = -65.0 + 2.0 * np.sin(0.03 * T)
    for time, height in peaks.items():
        v += (height + 65.0) * np.exp(-(((T - time) / 1.2) ** 2))
    return v


def asked(name: str, **settings: Any) -> Features:
    return Features([name], stim_start=20, stim_end=150, interp_step=0.05, **settings)


REGULAR = {30.0: 20.0, 58.0: 18.0, 90.0: 21.0, 125.0: 15.0}
CASES = {
    "firing": REGULAR,
    "quiet": {40.0: -45.0, 70.0: -38.0},
    "once": {40.0: 25.0, 80.0: -40.0},
    "stopped": {30.0: 20.0, 40.0: 10.0, 60.0: -50.0},
    "after": {30.0: 20.0, 70.0: 15.0, 160.0: 12.0},
    "before": {8.0: 20.0, 60.0: 14.0},
}


def blocked(level: float) -> np.ndarray:
    """[sample] one spike, after which the voltage stays near a level in mV."""
    return trace({30.0: 20.0}) + (level + 65.0) / (1.0 + np.exp((32.0 - T) / 0.3))


TRACES = {**{name: trace(peaks) for name, peaks in CASES.items()}, "blocked": blocked(-35.0), "rising": -60.0 + 0.1 * T}


@pytest.mark.parametrize("case", list(TRACES))
@pytest.mark.parametrize(
    "make",
    [
        lambda: MeanTarget(asked("AP_height"), 10.0, 3.0, weight=2.0),
        lambda: MeanTarget(asked("ISI_CV"), 0.1, 0.02),
        lambda: MeanTarget(asked("voltage_base"), -60.0, 1.0),
        lambda: MeanTarget(asked("Spikecount"), 2.0, 0.1),
        lambda: MeanTarget(asked("Spikecount"), 6.0, 0.1),
        lambda: MeanTarget(asked("spike_count_stimint"), 1.0, 0.1),
        lambda: MeanTarget(asked("mean_frequency"), 50.0, 2.0, spikes=6.5),
    ],
)
def test_slopes_are_derivatives(case: str, make: Any) -> None:
    target, v = make(), TRACES[case]
    direction = np.cos(0.4 + 0.11 * T)
    mine = target.rows(T, v)
    assert len(mine.names) == len(mine.values) == len(mine.slopes) == len(set(mine.names))
    best = np.full(len(mine.values), np.inf)
    for step in (1e-3, 1e-4, 1e-5, 1e-6):
        above, below = (target.rows(T, v + sign * step * direction).values for sign in (1, -1))
        theirs = (above - below) / (2 * step)
        best = np.minimum(best, np.abs(mine.slopes @ direction - theirs) / np.maximum(np.abs(theirs), 1e-3))
    assert np.all(best < 1e-6), (mine.names, best)


def test_the_squares_are_the_mean_square() -> None:
    v = trace(REGULAR)
    heights = asked("AP_height").of(T, v)["AP_height"]
    rows = MeanTarget(asked("AP_height"), 12.0, 3.0, name="high").rows(T, v)
    assert rows.names == ["high", "high: spread"]
    assert rows.values @ rows.values == pytest.approx(np.mean(((heights - 12.0) / 3.0) ** 2))


def missing(v: np.ndarray) -> float:
    """What a feature counts that needs four spikes."""
    return float(MeanTarget(asked("ISI_CV"), 0.1, 0.02, absent=100.0).rows(T, v).values[0])


def test_what_is_missing_counts_less_the_nearer_it_is() -> None:
    # Four spikes are needed; the highest maximum is 18 mV below the threshold, and one spike is there.
    highest = TRACES["quiet"].max()
    assert missing(TRACES["quiet"]) == pytest.approx(100.0 * (1.0 - (1.0 + (highest + 20.0) / 100.0) / 4.0), abs=0.1)
    assert missing(trace({30.0: 20.0, 80.0: -45.0})) < missing(TRACES["quiet"])
    # A spike outside of the stimulus is none of those that are missing.
    assert missing(TRACES["before"]) == pytest.approx(missing(trace({60.0: 14.0})), abs=0.1)
    assert MeanTarget(asked("ISI_CV"), 0.1, 0.02).rows(T, TRACES["firing"]).names == ["ISI_CV"]
    # What needs no spikes, and is missing for another reason.
    flat = MeanTarget(asked("sag_amplitude"), 1.0, 0.5, absent=100.0, weight=0.5).rows(T, -65.0 + 0.1 * T)
    assert flat.values.tolist() == [50.0] and not flat.slopes.any()


def test_a_block_is_left_downwards() -> None:
    """A voltage that stays above where spikes begin is the further from the next spike the higher it is."""
    levels = [-45.0, -40.0, -35.0, -30.0, -25.0]
    counted = [missing(blocked(level)) for level in levels]
    assert np.all(np.diff(counted) > 0.0)
    rows = MeanTarget(asked("ISI_CV"), 0.1, 0.02, absent=100.0).rows(T, blocked(-30.0))
    late = (T > 140.0) & (T < 150.0)
    assert rows.slopes[0] @ late > 0.0
    # Below it, the next spike is a matter of coming up.
    quiet = MeanTarget(asked("ISI_CV"), 0.1, 0.02, absent=100.0).rows(T, trace({30.0: 20.0, 100.0: -50.0}))
    assert quiet.slopes[0] @ (np.abs(T - 100.0) < 1.0) < 0.0


def test_the_number_that_is_wanted_is_reached_without_a_leap() -> None:
    """Where a spike comes or goes, and where one goes over the end of the stimulus."""
    count = GradedCount(asked("Spikecount"))

    def number(peaks: dict[float, float], wanted: float) -> float:
        return count.towards(count.of(T, trace(peaks)), 200.0, wanted).value

    for wanted, first, last in ((0.0, 0.0, 0.5), (1.0, 0.6, 1.0)):
        rising = [number({40.0: height}, wanted) for height in np.linspace(-60.0, 30.0, 181)]
        assert np.max(np.abs(np.diff(rising))) < 0.02
        assert (rising[0], rising[-1]) == pytest.approx((first, last), abs=0.03)
    later = [number({40.0: 20.0, 90.0: 20.0, 140.0 + by: 20.0}, 1.0) for by in np.linspace(0.0, 9.9, 100)]
    # The interval after the last of them is as long as the last one: it leaves with the time of the second.
    assert np.max(np.abs(np.diff(later))) < 0.01
    assert number(REGULAR, 4.0) == 4.0
    assert number(REGULAR, 4.3) == 4.0


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("voltage_base", Needs(0, False)),
        ("AP_height", Needs(1, True)),
        ("time_to_first_spike", Needs(1, False)),
        ("doublet_ISI", Needs(2, False)),
        ("ISI_CV", Needs(4, False)),
        ("adaptation_index2", Needs(4, False)),
        ("AHP_slow_time", Needs(3, True)),
        ("AP2_amp", Needs(2, False)),
    ],
)
def test_needs(name: str, found: Needs) -> None:
    assert needs(asked(name, threshold=-30.0)) == found


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: MeanTarget(Features([], stim_start=0, stim_end=1), 1, 1), "one feature, not about none"),
        (lambda: MeanTarget(asked("AP_width"), np.nan, 1), "AP_width: the mean is nan, the deviation 1"),
        (lambda: MeanTarget(asked("AP_width"), 1, 0, name="wide"), "wide: the mean is 1, the deviation 0"),
        (lambda: MeanTarget(asked("AP_width"), 1, 1, weight=-1), "the weight is -1"),
        (lambda: MeanTarget(asked("AP_width"), 1, 1, absent=np.inf), "absent is inf, which is no number"),
        (lambda: MeanTarget(asked("mean_frequency"), 1, 1, spikes=0), "there should be 0 spikes"),
    ],
)
def test_misuse(make: Any, said: str) -> None:
    with pytest.raises(gradmod.Error, match=said):
        make()
