"""A cell of BluePyOpt with published channels, polished: nine parameters until all spikes are where they should be.

    pip install 'gradmod[bluepyopt,fit]'
    python examples/polish.py

The channels are downloaded (see package.py), the morphology is this file's. The target is the cell with known values;
three individuals have each of them up to a factor of two away. Each is polished twice: to the evaluator's features,
which are means over spikes, as BluePyOpt scores them; and from there, in the evaluator's sweeps, to the time, peak and
trough of each spike. The picture, of the best, is `examples/out/polish.png`. Two minutes.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import package
from bluepyopt import ephys
from gradmod import bluepyopt, fit
from gradmod.features import Features
from matplotlib.figure import Figure

OUT = Path(__file__).parent / "out"
SWC = """\
1 1 0 0 0 9 -1
2 1 0 9 0 9 1
3 1 0 18 0 9 2
4 4 0 19 0 1.8 3
5 4 0 150 0 1.5 4
6 4 -60 260 0 0.9 5
7 4 70 270 0 0.8 5
8 3 -9 0 0 0.9 1
9 3 -110 -40 0 0.6 8
10 3 9 0 0 0.9 1
11 3 90 -60 0 0.6 10
"""
#: Conductance in S/cm2, or a number without unit: (regions, bounds, that of the target).
PARAMETERS: dict[str, tuple[tuple[str, ...], tuple[float, float], float]] = {
    "gNaTgbar_NaTg": (("somatic",), (0.1, 1.2), 0.4),
    "gSKv3_1bar_SKv3_1": (("somatic",), (0.05, 0.6), 0.2),
    "gK_Pstbar_K_Pst": (("somatic",), (1e-4, 0.02), 2e-3),
    "gK_Tstbar_K_Tst": (("somatic",), (1e-3, 0.05), 8e-3),
    "gSK_E2bar_SK_E2": (("somatic",), (1e-4, 0.02), 2e-3),
    "gCa_HVAbar_Ca_HVA2": (("somatic",), (2e-5, 1e-3), 2e-4),
    "gIhbar_Ih": (("somatic", "basal", "apical"), (1e-5, 5e-4), 8e-5),
    "g_pas": (("somatic", "basal", "apical"), (1e-5, 3e-4), 7e-5),
    "cm": (("somatic", "basal", "apical"), (0.6, 2.0), 1.0),
}
STEPS = {"weak": 0.12, "strong": 0.18}
START, END, TOTAL = 20.0, 220.0, 250.0
#: Features of the voltage of the soma, and how far from the target counts 1.
FEATURES = {
    "time_to_first_spike": 0.5, "time_to_second_spike": 1.0, "time_to_last_spike": 1.0, "mean_frequency": 0.5,
    "ISI_values": 1.0, "peak_voltage": 1.0, "AHP_depth_abs": 0.5, "AP_duration_half_width": 0.05, "voltage_base": 0.2,
}  # fmt: skip
#: What each spike has, and its uncertainty.
SPIKES = {"peak_time": 0.5, "peak_voltage": 2.0, "min_AHP_values": 1.0, "voltage_base": 0.3}
TARGET = {name: target for name, (_, _, target) in PARAMETERS.items()}


def listed(*names: str) -> list[Any]:
    """Places of BluePyOpt."""
    return [ephys.locations.NrnSeclistLocation(name, seclist_name=name) for name in names]


def cell() -> Any:
    """The cell model: channels in the soma, Ih and a leak everywhere."""
    path = OUT / "polish.swc"
    path.write_text(SWC)
    channels = {"pas": listed("all"), "Ih": listed("all"), package.POOL: listed("somatic")}
    channels |= {name: listed("somatic") for name in package.CHANNELS if name not in channels}
    kinds = ephys.parameters
    every = listed("all")
    fixed = {"Ra": 120.0, "e_pas": -78.0, "ena": 50.0, "ek": -85.0}
    places = {"ena": listed("somatic"), "ek": listed("somatic")}
    parameters = [
        kinds.NrnSectionParameter(name, value=value, frozen=True, param_name=name, locations=places.get(name, every))
        for name, value in fixed.items()
    ]  # fmt: skip
    parameters += [
        kinds.NrnGlobalParameter(name, value=value, frozen=True, param_name=name)
        for name, value in {"v_init": -78.0, "celsius": 34.0}.items()
    ]
    parameters += [
        kinds.NrnSectionParameter(name, bounds=bounds, param_name=name, locations=listed(*regions))
        for name, (regions, bounds, _) in PARAMETERS.items()
    ]
    return ephys.models.CellModel(
        "Polished",
        ephys.morphologies.NrnFileMorphology(str(path)),
        [ephys.mechanisms.NrnMODMechanism(name, suffix=name, locations=where) for name, where in channels.items()],
        parameters,
    )


def evaluator() -> Any:
    """Two steps of current, and the features of the target."""
    soma = ephys.locations.NrnSeclistCompLocation("soma", seclist_name="somatic", sec_index=0, comp_x=0.5)
    protocols: dict[str, Any] = {}
    objectives = []
    for name, amp in STEPS.items():
        pulse = ephys.stimuli.NrnSquarePulse(amp, START, END - START, TOTAL, soma)
        recording = ephys.recordings.CompRecording(f"{name}.v", location=soma)
        protocols[name] = ephys.protocols.SweepProtocol(name, [pulse], [recording])
        for feature, size in FEATURES.items():
            asked = ephys.efeatures.eFELFeature(
                f"{name}.{feature}", feature, {"": f"{name}.v"}, START, END, 0.0, size, interp_step=0.025
            )
            objectives.append(ephys.objectives.SingletonObjective(asked.name, asked))
    made = ephys.evaluators.CellEvaluator(
        cell(), list(PARAMETERS), protocols, ephys.objectivescalculators.ObjectivesCalculator(objectives),
        sim=ephys.simulators.NrnSimulator(dt=0.025, cvode_active=False), isolate_protocols=False,
    )  # fmt: skip
    responses = made.run_protocols(protocols.values(), TARGET)
    for objective in objectives:
        objective.features[0].exp_mean = objective.features[0].calculate_feature(responses)
    return made


def voltages(made: Any, individual: list[float]) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """By step: times in ms and the voltage of the soma in mV."""
    responses = made.run_protocols(made.fitness_protocols.values(), made.param_dict(individual))
    found = {name: responses[f"{name}.v"] for name in STEPS}
    return {name: (np.array(one["time"]), np.array(one["voltage"])) for name, one in found.items()}


def spikes(t: np.ndarray, v: np.ndarray) -> np.ndarray:
    """When v rises through -20 mV, in ms."""
    at = np.flatnonzero((v[:-1] < -20.0) & (v[1:] >= -20.0))
    return t[at] + (t[at + 1] - t[at]) * (-20.0 - v[at]) / (v[at + 1] - v[at])


def to_each_spike(made: Any, individual: list[float]) -> fit.Fit:
    """Fit the spikes of the target one by one, in the evaluator's sweeps."""
    data = voltages(made, list(TARGET.values()))
    asked = Features([*SPIKES], stim_start=START, stim_end=END, interp_step=0.025)
    with bluepyopt.problem(made, individual) as given:
        targets = {name: fit.FeatureTarget(asked, dict(asked.of(*trace)), SPIKES) for name, trace in data.items()}
        sweeps = [replace(sweep, targets=[targets[sweep.name]], robust=fit.Robust.NONE) for sweep in given.sweeps]
        with fit.Problem(given.free, sweeps) as problem:
            return fit.least_squares(problem, dict(zip(PARAMETERS, individual, strict=True)), runs=60)


def main() -> None:
    """Polish individuals, and draw what came of the best."""
    OUT.mkdir(exist_ok=True)
    if not package.load(OUT):
        return
    made = evaluator()
    low, high = np.array([bounds for _, bounds, _ in PARAMETERS.values()]).T
    target, random = np.array(list(TARGET.values())), np.random.default_rng(5)
    found: list[tuple[fit.Fit, list[float], list[float]]] = []
    for number in range(3):
        start = np.clip(target * 2.0 ** random.uniform(-1, 1, len(target)), low, high).tolist()
        polished = bluepyopt.polish(made, start, runs=30, own_scores=False)
        best = min((start, polished.individual), key=lambda one: sum(made.evaluate_with_lists(one)))
        found.append((to_each_spike(made, best), start, polished.individual))
        print(f"individual {number}: sum of scores {polished.scored[0].total:.1f} -> ", end="")
        print(f"{min(one.total for one in polished.scored):.1f}; each spike: cost {found[-1][0].cost:.3g}")
    result, start, means = min(found, key=lambda one: one[0].cost)
    print(result)
    rows = {
        name: voltages(made, one)
        for name, one in {"target": target.tolist(), "before": start, "to the features": means,
                          "to each spike": list(result.x.values())}.items()
    }  # fmt: skip
    for step in STEPS:
        wanted = spikes(*rows["target"][step])
        for name in ("before", "to the features", "to each spike"):
            own = spikes(*rows[name][step])
            worst = f", all within {np.abs(wanted - own).max():.2g} ms" if len(wanted) == len(own) else ""
            print(f"{step}, {name}: {len(own)} of {len(wanted)} spikes{worst}")
    draw(rows, [cost for _, cost, _ in result.history]).savefig(OUT / "polish.png", dpi=110)


def draw(rows: dict[str, dict[str, tuple[np.ndarray, np.ndarray]]], costs: list[float]) -> Figure:
    """Voltages by step, and the cost of each evaluation."""
    figure = Figure(figsize=(10, 6.5), layout="constrained")
    axes: Any = figure.subplots(3, 1, height_ratios=[2, 2, 1.4])
    looks = {"target": ("0.7", 3.5, "-"), "before": ("C1", 0.7, "-"), "to each spike": ("C0", 1.0, "-")}
    for axis, (step, amp) in zip(axes, STEPS.items(), strict=False):
        for name, (colour, width, style) in looks.items():
            axis.plot(*rows[name][step], color=colour, linewidth=width, linestyle=style, label=name)
        axis.set_title(f"{amp} nA", fontsize=9, loc="left")
        axis.set_ylabel("v of the soma (mV)")
    axes[1].set_xlabel("t (ms)")
    axes[0].legend(fontsize=8, loc="upper right")
    axes[2].plot(np.arange(1, len(costs) + 1), costs, ".", color="0.6")
    axes[2].plot(np.arange(1, len(costs) + 1), np.minimum.accumulate(costs), color="C0")
    axes[2].set_yscale("log")
    axes[2].set_xlabel("evaluation of both steps, to each spike")
    axes[2].set_ylabel("cost")
    return figure


if __name__ == "__main__":
    main()
