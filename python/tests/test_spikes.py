"""Spikes whose times depend on parameters.

The fixed step knows no such times, so the oracle is NEURON's variable step, which finds each crossing: central
differences of its runs. What does not need the limit of small steps is compared with differences of the same run.
"""

from __future__ import annotations

from typing import Any

import gradmod
import numpy as np
import pytest
from models import circuit, comparing, everything, twig
from neuron import h

#: In a ring each spike must bring on one more.
KINDS = [kind for kind in circuit.SYNAPSES if kind not in ("StepSyn", "HandSyn")]
T_STOP = 12.0


def attach(directions: everything.Everything, **settings: Any) -> gradmod.Gradients:
    return gradmod.attach(quiet=True, **settings, **{name: wanted for name, (wanted, _, _) in directions.items()})


def by_variable_step(run: Any, directions: everything.Everything) -> dict[str, dict[str, np.ndarray]]:
    """direction -> output -> derivative, from two central differences with steps far above the solver's errors."""
    found = {}
    for name, (_, shift, size) in directions.items():
        differences = []
        for step in (0.02 * size, 0.01 * size):
            shift(step)
            above = run()
            shift(-step)
            below = run()
            shift(0.0)
            differences.append({output: (above[output] - below[output]) / (2 * step) for output in above})
        wide, narrow = differences
        found[name] = {output: (4 * narrow[output] - wide[output]) / 3 for output in wide}
    return found


def deviations(found: dict[str, dict[str, np.ndarray]], expected: dict[str, dict[str, np.ndarray]]) -> np.ndarray:
    """[direction, output] largest deviation relative to the largest value."""
    return np.array(
        [
            [np.max(np.abs(found[d][output] - value)) / np.max(np.abs(value)) for output, value in of.items()]
            for d, of in expected.items()
        ]
    )


@pytest.mark.parametrize("kind", KINDS)
def test_ring(kind: str) -> None:
    """The times of six spikes, each brought on by the one before: 1 % at a small dt, in proportion to dt."""
    cells = circuit.Circuit(kind)
    directions = cells.directions()
    if kind == "PulseSyn":  # it ends its pulse by an event of its own
        synapse = cells.synapses[0]
        directions["width"] = (gradmod.Stimulus(synapse, "width"), everything.shift([synapse], "width"), synapse.width)
    expected = by_variable_step(lambda: cells.run_variable(T_STOP), directions)
    assert sum(len(times) for times in expected["amp"].values()) >= 6
    grad = attach(directions, spike_times=True)
    assert "in the limit of small dt, not of the run itself" in repr(grad)
    spikes = {f"c{i}": grad.record_spikes(netcon) for i, netcon in enumerate(cells.seen)}
    found = {}
    small = 0.00025 if kind in ("BindSyn", "PulseSyn") else 0.001
    for dt in (0.016, 0.004, small):
        cells.run(dt, T_STOP)
        times = {d: {name: np.array(of[d]) for name, of in spikes.items()} for d in directions}
        found[dt] = deviations(times, expected)
    grad.detach()
    assert np.max(found[small]) <= 0.01
    coarse, middle, fine = (float(np.sqrt(np.mean(of**2))) for of in found.values())
    assert fine < coarse / 8
    assert middle < coarse / 2


@pytest.mark.parametrize("kind", ["ExpSyn", "NmdaSyn", "BindSyn", "StepSyn"])
def test_what_a_spike_does_to_its_target(kind: str) -> None:
    """Voltage and states after four events, two of them in one step; the last cell is too weakly excited to fire."""
    cells = circuit.Circuit(kind, closed=False)
    synapse = cells.synapses[1]
    cells.netcons[1].weight[0] *= 0.004 if kind == "StepSyn" else 0.02
    cells.netcons.append(cells.connect(cells.cells[1], synapse, 0.9, 0.3 * cells.netcons[1].weight[0]))
    directions = cells.directions()
    names = {"ExpSyn": ("g",), "NmdaSyn": ("a", "b")}.get(kind, ())
    places = [
        (cells.cells[2]["dendrite"](0.5), "v"),
        (cells.cells[2]["soma"](0.5), "v"),
        *((synapse, n) for n in names),
    ]
    # Where an event comes the derivative jumps.
    events = cells.run_variable(14.0)["c1"] + 0.9
    at = np.array([t for t in np.arange(1.0, 14.0, 0.25) if np.min(np.abs(t - events)) > 0.3])
    looks = [getattr(place, f"_ref_{name}") for place, name in places]

    def run() -> dict[str, np.ndarray]:
        return {name: row for name, row in cells.run_variable(14.0, looks, at).items() if name.startswith("look")}

    expected = by_variable_step(run, directions)
    grad = attach(directions, spike_times=True)
    records = [grad.record(place, name) for place, name in places]
    found = {}
    for dt in (0.008, 0.0005):
        cells.run(dt, 14.0)
        samples = np.rint(at / dt).astype(int)
        found[dt] = {d: {f"look{i}": record[d][samples] for i, record in enumerate(records)} for d in directions}
    grad.detach()
    coarse, fine = (deviations(of, expected) for of in found.values())
    assert np.max(fine) <= 0.01
    assert np.max(coarse) > 6 * np.max(fine)


def test_a_synapse_that_advances_by_hand() -> None:
    """The variable step can't run it, but it does what ExpSyn does; and it knows the time of the last spike."""
    cells = circuit.Circuit("ExpSyn")
    expected = by_variable_step(lambda: cells.run_variable(T_STOP), {"amp": cells.directions()["amp"]})
    cells = circuit.Circuit("HandSyn")
    grad = attach({"amp": cells.directions()["amp"]}, spike_times=True)
    spikes = [grad.record_spikes(netcon) for netcon in cells.seen]
    last = grad.record(cells.synapses[0], "last")
    cells.run(0.001, T_STOP)
    found = {"amp": {f"c{i}": times["amp"] for i, times in enumerate(spikes)}}
    assert np.max(deviations(found, expected)) <= 0.01
    assert np.isclose(last["amp"][-1], spikes[0]["amp"][-1], rtol=1e-9)
    grad.detach()


def driven() -> circuit.Circuit:
    """No spike reaches another cell."""
    cells = circuit.Circuit("ExpSyn", closed=False)
    for netcon in cells.netcons:
        netcon.active(False)
    return cells


def crossings(cells: circuit.Circuit, v: Any, t: Any, level: float) -> np.ndarray:
    voltage, time = v.as_numpy(), t.as_numpy()
    n = np.flatnonzero((voltage[:-1] <= level) & (voltage[1:] > level))
    return time[n] + (level - voltage[n]) / (voltage[n + 1] - voltage[n]) * (time[n + 1] - time[n])


@pytest.mark.parametrize("spike_times", [False, True])
def test_times_of_spikes_are_exact_where_nothing_else_is_moved(spike_times: bool) -> None:
    """The interpolated crossings of one run, against differences of that run."""
    cells = driven()
    source, netcon = cells.cells[0]["soma"](1), cells.seen[0]
    v, t = (h.Vector().record(ref) for ref in (source._ref_v, h._ref_t))
    directions = {name: wanted for name, wanted in cells.directions().items() if name in ("gnabar", "cm", "amp")}
    directions["Ra"] = everything.range_of("Ra", "Ra", cells.all[:2])

    def run() -> dict[str, Any]:
        cells.run(0.025, 20.0)
        return {"spikes": crossings(cells, v, t, netcon.threshold)}

    run()
    plain = v.as_numpy().copy()
    grad = attach(directions, spike_times=spike_times)
    spikes = grad.record_spikes(netcon)
    expected = run()["spikes"]
    assert np.array_equal(v.as_numpy(), plain)
    assert len(spikes.t) == len(cells.times[0]) >= 3
    assert np.allclose(spikes.t, expected, rtol=0, atol=1e-12)
    # NEURON sees each one at the end of its step.
    assert np.all((cells.times[0].as_numpy() >= spikes.t) & (cells.times[0].as_numpy() < spikes.t + 0.0251))
    found = {d: {"spikes": np.array(spikes[d])} for d in directions}
    grad.detach()
    assert comparing.wrong(found, directions, run) == {}


def test_the_model_is_untouched() -> None:
    cells = circuit.Circuit("TmSyn")
    vectors = [h.Vector().record(section(0.5)._ref_v) for section in cells.all]
    cells.run(0.025, T_STOP)
    plain = [vector.as_numpy().copy() for vector in vectors]
    weights = [list(netcon.weight[i] for i in range(4)) for netcon in cells.netcons]
    grad = attach(cells.directions(), spike_times=True)
    cells.run(0.025, T_STOP)
    assert all(np.array_equal(vector.as_numpy(), before) for vector, before in zip(vectors, plain, strict=True))
    assert weights == [list(netcon.weight[i] for i in range(4)) for netcon in cells.netcons]
    grad.detach()


def test_delays_of_events_from_outside() -> None:
    """A NetStim and a delay: the target's spike moves along, to the digit."""
    cells = circuit.Circuit("ExpSyn", closed=False)
    cells.stimulus.amp = 0.0
    source = h.NetStim()
    source.start, source.number = 2.0, 1
    netcon = h.NetCon(source, cells.synapses[0])
    netcon.weight[0], netcon.delay = cells.netcons[0].weight[0], 1.0
    parameters = {"delay": gradmod.NetConDelay(netcon), "weight": gradmod.NetConWeight(netcon)}
    with pytest.raises(
        gradmod.Refused, match="the delay of a NetCon as a parameter is differentiated in the limit of small dt only"
    ):
        gradmod.attach(**parameters)
    with pytest.raises(gradmod.Refused, match="is differentiated in the limit of small dt only"):
        gradmod.Reverse(**parameters)
    with gradmod.Simulation(
        parameters, [cells.cells[1]["soma"](0.5)], 8.0, mode="forward", spike_times=True, quiet=True
    ) as simulation:
        assert list(simulation.x) == [1.0, netcon.weight[0]]
    grad = gradmod.attach(spike_times=True, quiet=True, **parameters)
    spikes = [grad.record_spikes(cells.seen[i]) for i in (1, 2)]
    cells.run(0.002, 8.0)
    assert [len(times.t) for times in spikes] == [1, 1]
    # The cells are nearly at rest.
    assert np.allclose([times["delay"][0] for times in spikes], 1.0, atol=0.01)
    directions = {
        "delay": (parameters["delay"], everything.shift([netcon], "delay"), 1.0),
        "weight": everything.weight_of(netcon),
    }
    found = {d: {f"c{i}": times[d] for i, times in zip((1, 2), spikes, strict=True)} for d in directions}
    grad.detach()

    def run() -> dict[str, np.ndarray]:
        return {name: times for name, times in cells.run_variable(8.0).items() if name != "c0"}

    assert np.max(deviations(found, by_variable_step(run, directions))) <= 0.01


def test_nothing_comes_from_elsewhere() -> None:
    cells = circuit.Circuit("ExpSyn", closed=False)
    amp = cells.directions()["amp"][0]
    with pytest.raises(gradmod.Error, match=r"far: nothing comes from elsewhere: that needs .* several MPI ranks"):
        gradmod.attach(quiet=True, spike_times=True, amp=amp, far=gradmod.Elsewhere())


def test_without_spikes_of_cells_the_gradient_is_that_of_the_run() -> None:
    """Events at given times: the same numbers with the option and without."""
    cell = twig.Twig(())
    synapse = h.NmdaSyn(cell.long(0.8))
    source = h.NetStim()
    source.start, source.interval, source.number = 0.7, 0.4, 5
    netcon = h.NetCon(source, synapse)
    netcon.weight[0], netcon.delay = 0.01, 0.0
    found = []
    for spike_times in (False, True):
        directions = {"cm": gradmod.Range("cm", cell.all), "weight": gradmod.NetConWeight(netcon)}
        grad = gradmod.attach(quiet=True, spike_times=spike_times, **directions)
        record = grad.record(cell.soma(0.5))
        cell.run(0.025, 4.0)
        found.append(record.jacobian())
        grad.detach()
    assert np.array_equal(*found)
    assert np.max(np.abs(found[0][:, 1])) > 0


def test_without_the_option_the_times_are_fixed_and_the_other_cells_have_no_gradient() -> None:
    cells = circuit.Circuit("ExpSyn", closed=False)
    grad = attach({"amp": cells.directions()["amp"]})
    with pytest.raises(gradmod.Error, match="no direction acts on the cell"):
        grad.record(cells.cells[1]["soma"](0.5))
    grad.detach()
    grad = attach({"amp": cells.directions()["amp"], "gkbar": cells.directions()["gkbar"]})
    assert "the times of events count as fixed" in repr(grad)
    grad.detach()


def test_netcons_may_change_between_runs() -> None:
    """Delay, threshold; and a new one from a place that is watched already."""
    cells = circuit.Circuit("ExpSyn", closed=False)
    directions = {"amp": cells.directions()["amp"]}
    grad = attach(directions, spike_times=True)
    spikes = grad.record_spikes(cells.seen[1])
    cells.run(0.0005, T_STOP)
    first = spikes.t[0]
    for netcon in cells.netcons:
        netcon.delay += 7.0
        netcon.threshold = -10
    cells.run(0.0005, 2 * T_STOP)
    assert spikes.t[0] > first + 6.9
    late = {"amp": {"c1": spikes["amp"]}}
    grad.detach()
    expected = by_variable_step(lambda: {"c1": cells.run_variable(2 * T_STOP)["c1"]}, directions)
    assert np.max(deviations(late, expected)) <= 0.01
    grad = attach(directions, spike_times=True)
    spikes = grad.record_spikes(cells.seen[1])
    extra = cells.connect(cells.cells[0], cells.synapses[0], 1.0, 0.0)
    cells.run(0.025, T_STOP)
    assert np.all(np.isfinite(spikes["amp"]))
    del extra
    backwards = cells.connect(cells.cells[2], cells.synapses[0], 1.0, 0.01)
    h.finitialize(-65)
    with pytest.raises(gradmod.Error, match="was added, and its spikes are not followed yet"):
        spikes["amp"]
    grad.detach()
    del backwards


def refused(cells: circuit.Circuit, match: str) -> None:
    with pytest.raises(gradmod.Refused, match=match):
        attach({"amp": cells.directions()["amp"]}, spike_times=True)
    assert not any("gm_" in name for section in h.allsec() for name in section.psection()["density_mechs"])


def test_what_is_refused() -> None:
    cells = circuit.Circuit("ExpSyn", closed=False)
    segment = cells.cells[1]["dendrite"](0.5)
    cells.netcons[0].delay = 0.01
    refused(cells, r"the delay of NetCon\[.*\] to ExpSyn\[.*\] is 0.01 ms; spike_times needs at least dt")
    cells.netcons[0].delay = 1.0
    relay = h.IntFire1()
    on = [cells.connect(cells.cells[0], relay, 1.0, 2.0), h.NetCon(relay, cells.synapses[1])]
    refused(cells, r"brings spikes whose times depend on parameters to IntFire1\[.*\], which sends events on")
    on.clear()
    synapse = h.RingSyn(segment)
    netcon = cells.connect(cells.cells[0], synapse, 1.0, 0.001)
    refused(
        cells, "spikes whose times depend on parameters, and RingSyn can't take such events: its events write an array"
    )
    del netcon, synapse
    kicked = h.KickSyn(segment)
    netcon = cells.connect(cells.cells[0], kicked, 1.0, 1.0)
    refused(cells, "KickSyn can't take such events: its events set v")
    del netcon, kicked
    kicked = h.KickSyn(cells.cells[1]["dendrite"](0.5))
    watching = h.NetCon(cells.cells[1]["dendrite"](0.5)._ref_v, cells.synapses[1], sec=cells.cells[1]["dendrite"])
    refused(cells, "watches a v that events set")
    del watching, kicked
    watching = h.AdaptWatch(segment)
    refused(cells, r"AdaptWatch\[.*\] has a WATCH")
    del watching


def test_reverse_mode_refuses() -> None:
    cells = circuit.Circuit("ExpSyn", closed=False)
    parameters = {"amp": cells.directions()["amp"][0]}
    with pytest.raises(gradmod.Refused, match="is for forward mode"):
        gradmod.Reverse(spike_times=True, **parameters)
    look = cells.cells[1]["soma"](0.5)
    with pytest.raises(gradmod.Refused, match="is for forward mode"):
        gradmod.Simulation(parameters, [look], 5.0, mode="reverse", spike_times=True)
    with gradmod.Simulation(parameters, [look], 5.0, spike_times=True, quiet=True) as simulation:
        assert simulation.mode == "forward"
        assert np.any(simulation.jacobian(simulation.x))
