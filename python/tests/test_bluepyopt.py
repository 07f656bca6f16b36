"""BluePyOpt: an evaluator of our own, its gradient beside differences of the untouched model, polished, refused."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gradmod
import numpy as np
import pytest
from gradmod import bluepyopt, fit
from gradmod.features import Features
from neuron import h

pytest.importorskip("bluepyopt")
from bluepyopt import ephys

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:the number of spikes has no derivative"),
]

#: A soma, two basal dendrites, and an apical one that branches: [number, type, x, y, z, radius, parent] in um.
MORPHOLOGY = """\
1 1 0 0 0 8 -1
2 1 0 8 0 8 1
3 1 0 16 0 8 2
4 3 -10 0 0 1 1
5 3 -90 -20 0 0.7 4
6 3 10 0 0 1 1
7 3 80 -30 0 0.6 6
8 4 0 18 0 1.5 3
9 4 0 120 0 1.2 8
10 4 -40 200 0 0.8 9
11 4 40 210 0 0.8 9
"""
#: The free parameters and values near the middle of what makes spikes.
TRUTH = {
    "gna": 0.28,
    "gk.somatic": 0.04,
    "gk.apical": 0.004,
    "decay": 90.0,
    "g_pas": 1.5e-4,
    "cm": 1.1,
    "e_pas": -66.0,
    "celsius": 9.0,
    "amp": 0.2,
}
WANTED = {
    "Step": {
        "AP_height": 2.0,
        "mean_frequency": 1.0,
        "AHP_depth_abs": 1.0,
        "time_to_first_spike": 0.5,
        "ISI_CV": 0.02,
        "Spikecount": 0.2,
    },
    "Weak": {"voltage_deflection": 0.5, "voltage_base": 0.3},
}


def listed(name: str) -> Any:
    return ephys.locations.NrnSeclistLocation(name, seclist_name=name)


def parameters() -> list[Any]:
    kinds, scalers = ephys.parameters, ephys.parameterscalers
    falling = scalers.NrnSegmentSomaDistanceScaler(
        distribution="math.exp(-({distance})/({length}))*({value})", dist_param_names=["length"]
    )
    rising = scalers.NrnSegmentSomaDistanceScaler(distribution="(0.5 + 2*math.exp(({distance})*0.003))*{value}")
    return [
        kinds.NrnSectionParameter("Ra", value=120, frozen=True, param_name="Ra", locations=[listed("all")]),
        kinds.NrnSectionParameter("cm", param_name="cm", bounds=[0.7, 1.6], locations=[listed("all")]),
        # Overwritten in the apical dendrite.
        kinds.NrnSectionParameter("cm.apical", value=1.7, frozen=True, param_name="cm", locations=[listed("apical")]),
        kinds.NrnMetaListEqualParameter(
            "g_pas",
            bounds=[3e-5, 6e-4],
            sub_parameters=[
                kinds.NrnSectionParameter("g1", param_name="g_pas", locations=[listed("somatic"), listed("basal")]),
                kinds.NrnRangeParameter("g2", param_name="g_pas", locations=[listed("apical")], value_scaler=rising),
            ],
        ),
        kinds.NrnSectionParameter("e_pas", param_name="e_pas", bounds=[-75, -55], locations=[listed("all")]),
        kinds.NrnSectionParameter("gna", param_name="gnabar_hh", bounds=[0.05, 0.4], locations=[listed("somatic")]),
        kinds.NrnRangeParameter(
            "gna.apical", value=0.01, frozen=True, param_name="gnabar_hh", locations=[listed("apical")]
        ),
        kinds.NrnSectionParameter(
            "gk.somatic", param_name="gkbar_hh", bounds=[0.008, 0.12], locations=[listed("somatic")]
        ),
        kinds.NrnRangeParameter(
            "gk.apical", param_name="gkbar_hh", bounds=[0.001, 0.02], locations=[listed("apical")], value_scaler=falling
        ),
        kinds.MetaParameter("decay", obj=falling, attr_name="length", bounds=[30, 300]),
        kinds.NrnGlobalParameter("v_init", value=-66, frozen=True, param_name="v_init"),
        kinds.NrnGlobalParameter("celsius", param_name="celsius", bounds=[6.3, 14]),
    ]


def evaluator(folder: Path, *, cvode: bool = False, extra: Callable[[list[Any]], Any] = lambda made: None) -> Any:
    """With features whose means are those of :data:`TRUTH`."""
    path = folder / "cell.swc"
    path.write_text(MORPHOLOGY)
    soma = ephys.locations.NrnSeclistCompLocation("soma", seclist_name="somatic", sec_index=0, comp_x=0.5)
    far = ephys.locations.NrnSomaDistanceCompLocation("far", soma_distance=110, seclist_name="apical")
    step = ephys.stimuli.NrnSquarePulse(0.3, 10, 80, 100, soma)
    holding = ephys.stimuli.NrnSquarePulse(-0.01, 0, 100, 100, soma)
    weak = ephys.stimuli.NrnRampPulse(-0.02, -0.05, 30, 50, 100, soma)
    records = {
        name: ephys.recordings.CompRecording(f"{name}.v", location=place)
        for name, place in {"Step.soma": soma, "Step.far": far, "Weak.soma": soma}.items()
    }
    protocols = [
        ephys.protocols.StepProtocol("Step", step, holding, [records["Step.soma"], records["Step.far"]]),
        ephys.protocols.SweepProtocol("Weak", [weak, holding], [records["Weak.soma"]]),
    ]
    cell = ephys.models.CellModel(
        "Polished",
        ephys.morphologies.NrnFileMorphology(str(path)),
        [
            ephys.mechanisms.NrnMODMechanism("pas", suffix="pas", locations=[listed("all")]),
            ephys.mechanisms.NrnMODMechanism("hh", suffix="hh", locations=[listed("somatic"), listed("apical")]),
        ],
        [*parameters(), ephys.parameters.MetaParameter("amp", step, "step_amplitude", bounds=[0.1, 0.8])],
    )
    windows = {"Step": (10, 90), "Weak": (30, 80)}
    objectives = [
        ephys.objectives.SingletonObjective(
            f"{protocol}.{name}",
            ephys.efeatures.eFELFeature(
                f"{protocol}.{name}", name, {"": f"{protocol}.soma.v"}, *windows[protocol], 1.0, size, interp_step=0.025
            ),
        )
        for protocol, sizes in WANTED.items()
        for name, size in sizes.items()
    ]
    dendrite = ephys.efeatures.eFELFeature(
        "Step.far", "maximum_voltage_from_voltagebase", {"": "Step.far.v"}, 10, 90, 1.0, 2.0, threshold=-55
    )
    objectives.append(ephys.objectives.SingletonWeightObjective("Step.far", dendrite, 0.5))
    extra(objectives)
    made = ephys.evaluators.CellEvaluator(
        cell,
        list(TRUTH),
        {"all": ephys.protocols.SequenceProtocol("all", protocols)},
        ephys.objectivescalculators.ObjectivesCalculator(objectives),
        isolate_protocols=False,
        sim=ephys.simulators.NrnSimulator(dt=0.025, cvode_active=cvode),
    )
    if cvode:
        return made
    found = made.evaluate_with_dicts(TRUTH, target="values")
    for objective in objectives:
        objective.features[0].exp_mean = found[objective.name]
    return made


@pytest.fixture(autouse=True)
def clean() -> Iterator[None]:
    """BluePyOpt sets NEURON's globals."""
    if hasattr(h, "usetable_hh"):
        h.usetable_hh = 0
    before = float(h.celsius), float(h.dt), float(h.steps_per_ms), float(h.v_init)
    yield
    h.celsius, h.dt, h.steps_per_ms, h.v_init = before
    h.cvode_active(0)
    assert not list(h.allsec())


def individual(**changed: float) -> list[float]:
    return list({**TRUTH, **changed}.values())


#: Near the truth, with as many spikes.
NEAR = individual(gna=0.29, cm=1.05, decay=100.0, amp=0.21)


def plain(made: Any, values: list[float]) -> dict[str, np.ndarray]:
    """The features of BluePyOpt's own runs of an individual, by our definitions, but the count of spikes.

    Returns:
        {objective: what its residuals should be, without weight}
    """
    names = [objective.name for objective in made.fitness_calculator.objectives]
    responses = made.run_protocols(made.fitness_protocols.values(), made.param_dict(values))
    found = {}
    for name, objective in zip(names, made.fitness_calculator.objectives, strict=True):
        feature = objective.features[0]
        if feature.efel_feature_name == "Spikecount":
            continue
        response = responses[feature.recording_names[""]]
        settings: dict[str, Any] = {"interp_step": feature.interp_step or 0.1}
        if feature.threshold is not None:
            settings["threshold"] = feature.threshold
        asked = Features(
            [feature.efel_feature_name], stim_start=feature.stim_start, stim_end=feature.stim_end, **settings
        )
        own = asked.of(response["time"], response["voltage"])[feature.efel_feature_name]
        found[name] = np.array([(np.mean(own) - feature.exp_mean) / feature.exp_std, np.std(own) / feature.exp_std])
    return found


def test_the_gradient_is_that_of_the_evaluators_own_runs(tmp_path: Path) -> None:
    made = evaluator(tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # the step is the same: there is nothing to warn of
        warnings.filterwarnings("ignore", "the number of spikes")
        warnings.simplefilter("ignore", DeprecationWarning)
        with bluepyopt.problem(made, NEAR, robust=fit.Robust.NONE) as problem:
            assert problem.names == list(TRUTH)
            assert problem.x == pytest.approx(NEAR, rel=1e-12)
            evaluated = problem.evaluate(problem.inner(NEAR))
            slopes = problem.slopes(problem.inner(NEAR))
    rows = {name.rpartition("v: ")[2]: i for i, name in enumerate(evaluated.names)}
    here = plain(made, NEAR)
    mine: dict[str, np.ndarray] = {}
    for name, values in here.items():
        own = [i for title, i in rows.items() if title.split(": ")[-1] == name or title.endswith(f"{name}: spread")]
        weight = 0.5 if name == "Step.far" else 1.0
        mine[name] = evaluated.jacobian[own] / slopes / weight
        assert evaluated.values[own] == pytest.approx(values[: len(own)] * weight, rel=1e-9, abs=1e-9), name
    for k, name in enumerate(TRUTH):
        best = {title: np.inf for title in here}
        for step in (1e-3, 1e-4, 3e-5, 1e-5, 1e-6):
            by = step * abs(NEAR[k])
            shifted = [plain(made, [*NEAR[:k], NEAR[k] + n * by, *NEAR[k + 1 :]]) for n in (-2, -1, 1, 2)]
            for title in here:
                far, near, after, last = (one[title][: len(mine[title])] for one in shifted)
                theirs = (8 * (after - near) - (last - far)) / (12 * by)  # of fourth order
                error = float(np.abs(mine[title][:, k] - theirs).max() / max(np.abs(theirs).max(), 1e-6 / abs(NEAR[k])))
                best[title] = min(best[title], error)
        assert max(best.values()) < 1e-6, (name, best)


@pytest.mark.parametrize("isolate", [False, pytest.param(True, marks=pytest.mark.thorough)])
def test_polished(tmp_path: Path, isolate: bool) -> None:
    made = evaluator(tmp_path)
    made.isolate_protocols = isolate
    # One spike, and a block after it.
    start = individual(**{"gna": 0.2, "gk.somatic": 0.05, "cm": 1.25, "amp": 0.25, "celsius": 8.0})
    with pytest.warns(
        UserWarning, match=r"the number of spikes has no derivative.* in Step\.mean_frequency, Step\.Spikecount"
    ):
        polished = bluepyopt.polish(made, start, runs=25, progress=False)
    assert polished.before is not None and polished.after is not None
    before, after = sum(polished.before.values()), sum(polished.after.values())
    assert after < 0.1 * before
    assert made.objective_dict(made.evaluate_with_lists(polished.individual)) == pytest.approx(polished.after)
    # The step is the same, and so are the scores of its own runs.
    assert polished.scored[0].scores == pytest.approx(polished.before, rel=1e-6, abs=1e-6)
    assert min(one.total for one in polished.scored) == pytest.approx(after, rel=1e-4, abs=1e-4)
    text = str(polished)
    assert f"scores: {before:.4g} -> " in text and "gk.somatic = " in text
    for name, value in zip(TRUTH, polished.individual, strict=True):
        low, high = made.cell_model.params[name].bounds
        assert low <= value <= high


def test_scouts(tmp_path: Path) -> None:
    made = evaluator(tmp_path)
    # Far from firing.
    start = individual(**{"gna": 0.06, "gk.somatic": 0.1, "g_pas": 5e-4, "amp": 0.1})
    polished = bluepyopt.polish(made, start, runs=7, scouts=4, seed=2, own_scores=False, progress=False)
    totals = [one.total for one in polished.scored]
    assert polished.scored[0].individual == pytest.approx(start)
    assert min(totals[1:5]) < totals[0]
    assert len({tuple(one.individual) for one in polished.scored[:5]}) == 5
    # The fit begins with the best of them, and has the runs that are left.
    assert polished.fit.evaluations == 2
    best = polished.scored[int(np.argmin(totals[:5]))].individual
    assert list(polished.fit.history[0][2].values()) == pytest.approx(best)
    assert min(totals) == min(one.total for one in polished.scored if one.individual == polished.individual)
    with pytest.raises(gradmod.Error, match="there are 6 scouts and 7 runs: give 2 more runs at least"):
        bluepyopt.polish(made, start, runs=7, scouts=6)


def test_by_the_variable_step(tmp_path: Path) -> None:
    """As the evaluator itself runs: there is nothing to tell, and the gradient is that of these runs."""
    made = evaluator(tmp_path, cvode=True)
    del made.fitness_protocols["all"].protocols[1]  # its ramp is a played vector
    # The trough is at a sample, which is soon another one.
    names = [one.name for one in made.fitness_calculator.objectives]
    left = [name for name in names if name.startswith("Weak") or "AHP" in name]
    tables, h.usetable_hh = h.usetable_hh, 0
    h.cvode.atol(1e-8)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", UserWarning)
            warnings.filterwarnings("ignore", "the number of spikes")
            with bluepyopt.problem(made, TRUTH, variable_step=True, leave_out=left) as problem:
                assert problem.mode == "variable"
                u = problem.inner([1.03 * value for value in individual()])
                found = problem.evaluate(u).gradient
                h.cvode.atol(1e-11)
                k = problem.names.index("gna")
                sides = [problem.evaluate(u + sign * 3e-6 * (np.arange(len(u)) == k)).cost for sign in (1, -1)]
                assert abs(found[k] - (sides[0] - sides[1]) / 6e-6) < 2e-3 * np.max(np.abs(found))
    finally:
        h.usetable_hh = tables
        h.cvode.atol(1e-3)


def test_the_variable_step_is_told(tmp_path: Path) -> None:
    made = evaluator(tmp_path, cvode=True)
    means = evaluator(tmp_path).evaluate_with_dicts(TRUTH, target="values")
    for objective in made.fitness_calculator.objectives:
        objective.features[0].exp_mean = means[objective.name]
    told = r"by steps of 0\.025 ms, the evaluator by a variable time step: Of the first"
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        with bluepyopt.problem(made, TRUTH) as problem:
            first = problem.evaluate(problem.inner(individual()))
            again = problem.evaluate(problem.inner(individual()))
    said = [str(one.message) for one in found if "a variable time step" in str(one.message)]
    assert len(said) == 1 and "most apart are those of" in said[0]
    with pytest.warns(UserWarning, match=told):
        warnings.warn(said[0], stacklevel=1)
    # The run by the variable step has left nothing behind.
    assert np.array_equal(first.values, again.values) and np.array_equal(first.jacobian, again.jacobian)
    assert h.dt == 0.025


def test_another_step(tmp_path: Path) -> None:
    made = evaluator(tmp_path)
    before = made.evaluate_with_lists(individual())
    with bluepyopt.problem(made, TRUTH, dt=0.05, leave_out=["Step.Spikecount"]) as problem:
        with pytest.warns(UserWarning, match=r"steps of 0\.05 ms, the evaluator by steps of 0\.025 ms: Of the first"):
            problem.evaluate(problem.inner(individual()))
        assert h.dt == 0.05
    assert h.dt == 0.025
    assert made.evaluate_with_lists(individual()) == before


@pytest.mark.thorough
def test_from_several_starts(tmp_path: Path) -> None:
    def make() -> Any:
        return bluepyopt.problem(evaluator(tmp_path), leave_out=["Step.Spikecount"])

    starts = [dict(zip(TRUTH, individual(gna=gna, cm=1.2), strict=True)) for gna in (0.25, 0.33)]
    found = fit.from_starts(make, starts, jobs=1, progress=False, runs=6)
    assert found.errors == {}
    assert all(one.cost < 5.0 for one in found.ranked)


def feature(name: str, efel: str, **changed: Any) -> Any:
    given = {"recording_names": {"": "Step.soma.v"}, "stim_start": 10, "stim_end": 90, "exp_mean": 1, "exp_std": 1}
    return ephys.efeatures.eFELFeature(name, efel, **{**given, **changed})


def alone(objective: Any) -> Callable[[list[Any]], None]:
    def add(made: list[Any]) -> None:
        made.append(objective)

    return add


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (lambda f: ("a", f("x", "burst_number")), r"a: gradmod\.features has no burst_number"),
        (lambda f: ("a", f("x", "peak_indices")), "a: peak_indices is a whole number"),
        (lambda f: ("a", f("x", "AP_width", stim_end=None)), "a: it has no stim_start and stim_end"),
        (lambda f: ("a", f("x", "AP_width", exp_mean=None)), "a: it has no exp_mean and exp_std"),
        (lambda f: ("a", f("x", "AP_width", exp_std=0)), "a: the mean is 1.0, the deviation 0.0"),
        (lambda f: ("a", f("x", "AP_width", int_settings={"max_spike_skip": 3})), "a: .*has no setting max_spike_skip"),
        (
            lambda f: ("a", f("x", "AP_width", recording_names={"": "Step.soma.v", "far": "Step.far.v"})),
            "a: AP_width looks at several recordings",
        ),
    ],
)
def test_features_that_are_not_known_are_named(tmp_path: Path, wrong: Any, said: str) -> None:
    name, bad = wrong(feature)
    made = evaluator(tmp_path, cvode=True, extra=alone(ephys.objectives.SingletonObjective(name, bad)))
    with pytest.raises(gradmod.Refused, match=rf"(?s){said}.*leave_out=\[\.\.\.\] leaves objectives out"):
        bluepyopt.problem(made)
    assert made.cell_model.icell is None
    with bluepyopt.problem(made, leave_out=[name, "Step.Spikecount"]) as problem:
        assert len(problem.names) == len(TRUTH)


def test_objectives(tmp_path: Path) -> None:
    kinds = ephys.objectives
    pair = [feature("first", "AP_height"), feature("second", "AP_width")]
    made = evaluator(tmp_path, cvode=True, extra=alone(kinds.MaxObjective("largest", pair)))
    with pytest.raises(gradmod.Refused, match="largest: a MaxObjective is no weighted sum of scores"):
        bluepyopt.problem(made)
    made = evaluator(tmp_path, cvode=True, extra=alone(kinds.WeightedSumObjective("both", pair, [2.0, -1.0])))
    with pytest.raises(gradmod.Refused, match="both: a weight is below 0"):
        bluepyopt.problem(made)
    pair[0].exp_mean, pair[1].exp_mean = 10.0, 2.0
    made = evaluator(tmp_path, cvode=True, extra=alone(kinds.WeightedSumObjective("both", pair, [2.0, 0.5])))
    made.sim.cvode_active = False
    with bluepyopt.problem(made, NEAR, robust=fit.Robust.NONE, leave_out=["Step.Spikecount"]) as problem:
        evaluated = problem.evaluate(problem.inner(NEAR))
        score = problem.scored[0].scores["both"]
    both = {name: value for name, value in zip(evaluated.names, evaluated.values, strict=True) if "both: " in name}
    assert len(both) == 4
    # All values are on one side of the mean, so that the scores are the differences of the means.
    mine = sum(abs(value) for name, value in both.items() if not name.endswith(": spread"))
    assert score == pytest.approx(mine, rel=0.02)


def set_range(made: Any, scaler: Any) -> None:
    parameter = made.cell_model.params["gk.apical"]
    parameter.value_scaler, parameter.value_scale_func = scaler, scaler.scale
    made.cell_model.params.pop("decay")
    made.param_names.remove("decay")


class Bent(ephys.parameterscalers.NrnSegmentLinearScaler):
    """A scaler of a user's own."""

    def scale(self, values: Any, segment: Any = None, sim: Any = None) -> float:
        return values["value"] ** 2


class Halved(ephys.parameterscalers.NrnSegmentLinearScaler):
    """One that is a multiple of the value."""

    def scale(self, values: Any, segment: Any = None, sim: Any = None) -> float:
        return 0.5 * values["value"]


SCALERS = ephys.parameterscalers


@pytest.mark.parametrize(
    "scaler",
    [
        SCALERS.NrnSegmentLinearScaler(multiplier=0.3, offset=0.001),
        SCALERS.NrnSegmentSomaDistanceScaler(distribution="math.sqrt({value})*0.01/(1 + {distance}/100)"),
        SCALERS.NrnSegmentSomaDistanceScaler(distribution="math.pow({value}, 1.3)*(2 - math.cos({distance}))"),
        Halved(),
    ],
)
def test_scalers(tmp_path: Path, scaler: Any) -> None:
    made = evaluator(tmp_path)
    set_range(made, scaler)
    values = [value for name, value in zip(TRUTH, NEAR, strict=True) if name != "decay"]
    k = made.param_names.index("gk.apical")
    with bluepyopt.problem(made, values, robust=fit.Robust.NONE, leave_out=["Step.Spikecount"]) as problem:
        evaluated = problem.evaluate(problem.inner(values))
        slopes = problem.slopes(problem.inner(values))
    (row,) = [i for i, name in enumerate(evaluated.names) if name.endswith("voltage_base")]
    mine = evaluated.jacobian[row, k] / slopes[k]
    best = np.inf
    for step in (1e-2, 1e-3, 1e-4):
        by = step * values[k]
        above, below = (plain(made, [*values[:k], values[k] + n * by, *values[k + 1 :]]) for n in (1, -1))
        theirs = (above["Weak.voltage_base"][0] - below["Weak.voltage_base"][0]) / (2 * by)
        best = min(best, abs(mine / theirs - 1))
    assert best < 1e-6


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda m: set_range(m, Bent()), "gk.apical: its scaler, a Bent, is no multiple of the value"),
        (
            lambda m: set_range(m, SCALERS.NrnSegmentSomaDistanceScaler(distribution="max({value}, 0.004)")),
            "gk.apical: the derivative|gk.apical: the profile of gkbar_hh has no derivative",
        ),
        (lambda m: setattr(m, "sim", object()), "the simulator is a object: gradients need a NrnSimulator"),
        (
            lambda m: m.cell_model.params.update(gna=unknown(m.cell_model.params["gna"])),
            "the parameter gna is a Unknown, which gradmod does not know: freeze it",
        ),
        (lambda m: setattr(protocol(m), "run", None) or own_run(m), "the protocol Step is a Own: gradmod runs"),
        (
            lambda m: protocol(m).stimuli.append(ephys.stimuli.NrnNetStimStimulus([], 100, 5, 3, 10, noise=0.5)),
            "the stimulus NrnNetStimStimulus is random",
        ),
        (
            lambda m: protocol(m).stimuli.append(ephys.stimuli.NrnNetStimStimulus([], 100, 5, 3, 10)),
            "the stimulus NrnNetStimStimulus makes no point process",
        ),
        (
            lambda m: setattr(protocol(m).recordings[1].location, "soma_distance", 5000),
            r"there is no place for the recording Step\.far\.v .*leave_out",
        ),
        (
            lambda m: setattr(m.cell_model.mechanisms[0], "deterministic", False),
            "the mechanism pas is stochastic",
        ),
    ],
)
def test_refused(tmp_path: Path, change: Callable[[Any], object], said: str) -> None:
    made = evaluator(tmp_path, cvode=True)
    change(made)
    with pytest.raises(gradmod.Refused, match=said):
        bluepyopt.problem(made, leave_out=["Step.Spikecount"])
    assert made.cell_model.icell is None
    assert not list(h.List("IClamp"))


def protocol(made: Any) -> Any:
    return made.fitness_protocols["all"].protocols[0]


class Unknown(ephys.parameters.NrnParameter):
    """A parameter of a user's own."""


def unknown(parameter: Any) -> Any:
    return Unknown(parameter.name, bounds=parameter.bounds)


class Own(ephys.protocols.SweepProtocol):
    """A protocol that runs as it likes."""

    def run(self, *arguments: Any, **options: Any) -> Any:
        raise NotImplementedError


def own_run(made: Any) -> None:
    old = protocol(made)
    made.fitness_protocols["all"].protocols[0] = Own("Step", old.stimuli, old.recordings)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda m: bluepyopt.problem(m, leave_out=["nothing"]), "leave_out has 'nothing'"),
        (lambda m: bluepyopt.problem(m, [1.0, 2.0]), "the individual has 2 values, there are 9 parameters"),
        (lambda m: bluepyopt.problem(m, {"gna": 1.0}), "the individual has values of gna"),
        (lambda m: bluepyopt.problem(m, dt=0.0), "dt is 0.0 ms"),
        (
            lambda m: m.cell_model.params["cm"].__dict__.update(bounds=None) or bluepyopt.problem(m),
            "without bounds: cm",
        ),
        (lambda m: m.param_names.remove("cm") or bluepyopt.problem(m), "neither frozen nor in param_names: cm"),
        (
            lambda m: m.cell_model.params["cm.apical"].locations.append(listed("all")) or bluepyopt.problem(m),
            "the parameter cm sets nothing that others do not overwrite",
        ),
    ],
)
def test_misuse(tmp_path: Path, call: Callable[[Any], object], said: str) -> None:
    with pytest.raises(gradmod.Error, match=said):
        call(evaluator(tmp_path, cvode=True))


@pytest.mark.thorough
def test_the_code_of_the_page_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = (Path(__file__).parents[2] / "docs" / "bluepyopt.md").read_text(encoding="utf-8")
    first, second = (part.split("```")[0] for part in page.split("```python\n")[1:3])
    names: dict[str, Any] = {"evaluator": evaluator(tmp_path), "individual": individual(gna=0.25, cm=1.2)}
    exec(first, names)
    assert "by the evaluator's own runs: " in capsys.readouterr().out
    exec(second, names)
    assert names["individual"] == names["problem"].individual(names["result"].x)
    assert names["result"].cost < 5.0
