"""Membrane currents and sums of them (field potentials), as traces of both modes, beside differences of NEURON's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gradmod
import numpy as np
import pytest
from conftest import Passive, central, run, segments
from gradmod import MembraneCurrents, Range, Stimulus, finite
from models.pair import Pair
from neuron import h
from test_passive import changes, directions

V = "i_membrane_"


@pytest.fixture(autouse=True)
def fast_imem() -> Iterator[None]:
    h.CVode().use_fast_imem(1)
    yield
    h.CVode().use_fast_imem(0)


@pytest.fixture(params=[0, 2], ids=["order 0", "order 2"])
def order(request: pytest.FixtureRequest) -> Iterator[int]:
    h.secondorder = request.param
    yield request.param
    h.secondorder = 0


def weights(places: list[Any], count: int) -> np.ndarray:
    """[electrode, segment] of other values everywhere."""
    return np.random.default_rng(7).normal(1.0, 0.6, (count, len(places)))


def whole(cell: Passive) -> dict[str, Any]:
    """All but amplitudes of clamps, which act on the current of electrodes."""
    return {name: d for name, d in directions(cell).items() if not isinstance(d, Stimulus)}


def test_every_direction_of_a_cell_without_symmetry(passive: Passive, order: int) -> None:
    """Ends, branches that count twice, sections without mechanisms, edges whose Ra changes; each segment, and sums."""
    # A branch that counts twice in a segment; the cell has one at an end.
    passive["twig"].rallbranch = 2
    places = segments(passive.all)
    matrix = np.vstack([np.eye(len(places)), weights(places, 3)])
    sums = MembraneCurrents.rows(places, matrix)
    own = [h.Vector().record(getattr(seg, f"_ref_{V}")) for seg in places]
    voltage = h.Vector().record(passive["soma"](0.5)._ref_v)

    def simulate() -> Any:
        run()
        return matrix @ np.array(own)

    value = simulate()
    before = np.array(voltage)
    wanted = whole(passive)
    grad = gradmod.attach(wanted)
    records = [grad.record(one) for one in sums]
    single = grad.record(places[2], V)
    run()
    forward = {name: np.array([record[name] for record in records]) for name in wanted}
    assert all(np.array_equal(single[name], forward[name][2]) for name in wanted)
    assert np.array_equal(before, voltage)
    grad.detach()
    for name, (change, step) in changes(passive).items():
        if name in wanted:
            theirs = central(simulate, change, step)
            scale = np.abs(theirs).max(axis=1)
            assert np.all(np.abs(forward[name] - theirs).max(axis=1) <= 1e-7 * scale + 1e-9 * scale.max()), name
    seeds = weights([*range(value.shape[1])], len(sums)) - 1.0
    with gradmod.Reverse(wanted, quiet=True) as back:
        traces = [back.record(one) for one in sums]
        back.run(8.0, v_init=-66.0)
        assert np.allclose([trace.values for trace in traces], value, rtol=1e-13, atol=1e-13)
        found = back.gradient(dict(zip(traces, seeds, strict=True)))
    for name in wanted:
        terms = seeds * forward[name]
        assert abs(found[name] - terms.sum()) < 1e-10 * np.abs(terms).sum(), name


def spiking() -> Pair:
    """Other values in every segment; a synapse that events reach beside the clamp, another one in the other cell."""
    pair = Pair()
    for n, seg in enumerate(segments(pair.all)):
        seg.cm, seg.hh.gnabar, seg.hh.gl = 1 + 0.05 * n, 0.12 * (1 - 0.02 * n), 3e-4 * (1 + 0.1 * n)
    for n, place in enumerate((pair.at(0, "dendrite", 0.9), pair.at(1, "twig", 0.5))):
        synapse = h.ExpSyn(place)
        synapse.tau = 1 + n
        source = h.NetStim()
        source.start, source.number, source.interval, source.noise = 0.7 + n, 3, 1.1, 0
        wire = h.NetCon(source, synapse)
        wire.weight[0], wire.delay = 0.004, 0.3
        pair.processes += [synapse, source, wire]
    return pair


def kinds(pair: Pair) -> dict[str, Any]:
    some = [pair.at(0, "dendrite", 0.5).sec, pair.at(1, "soma", 0.5).sec]
    synapse, netcon = pair.processes[0], pair.processes[2]
    return {
        "gNa": Range("gnabar_hh", pair.all, weight="present"),
        "cm": Range("cm", pair.all, weight="present"),
        "Ra": Range("Ra", some),
        "tau": Stimulus(synapse, "tau"),
        "weight": gradmod.NetConWeight(netcon),
        "v": gradmod.InitialVoltage(),
    }


def shift(pair: Pair, name: str) -> tuple[Any, float]:
    def scale(owners: list[Any], what: str) -> Any:
        values = [getattr(owner, what) for owner in owners]

        def change(x: float) -> None:
            for owner, value in zip(owners, values, strict=True):
                setattr(owner, what, value * (1 + x))

        return change

    def add(objects: list[Any], what: str) -> Any:
        values = [getattr(one, what) for one in objects]

        def change(x: float) -> None:
            for one, value in zip(objects, values, strict=True):
                setattr(one, what, value + x)

        return change

    netcon = pair.processes[2]
    weight = float(netcon.weight[0])
    return {
        "gNa": (scale([seg.hh for seg in segments(pair.all)], "gnabar"), 1.0),
        "cm": (scale(segments(pair.all), "cm"), 1.0),
        "Ra": (add([pair.at(0, "dendrite", 0.5).sec, pair.at(1, "soma", 0.5).sec], "Ra"), 100.0),
        "tau": (add([pair.processes[0]], "tau"), 1.0),
        "weight": (lambda x: netcon.weight.__setitem__(0, weight + x), 0.01),
        "v": (add([pair], "v_init"), 10.0),
    }[name]


def test_potentials_of_two_spiking_cells() -> None:
    pair = spiking()
    places = segments(pair.all)
    matrix = weights(places, 4) / 100
    sums = MembraneCurrents.rows(places, matrix)
    own = [h.Vector().record(getattr(seg, f"_ref_{V}")) for seg in places]

    def traces() -> dict[str, Any]:
        pair.run()
        return {str(row): matrix[row] @ np.array(own) for row in range(len(matrix))}

    pair.run()
    wanted = kinds(pair)
    grad = gradmod.attach(wanted)
    records = [grad.record(one) for one in sums]
    value = np.array(list(traces().values()))
    forward = {name: {str(row): records[row][name] for row in range(len(matrix))} for name in wanted}
    grad.detach()
    for name in wanted:
        change, size = shift(pair, name)
        theirs = finite.differentiate(traces, change, 0.0, scale=size, steps=(1e-3, 1e-4, 1e-5))
        assert finite.compare(forward[name], theirs).deviation <= 1e-6, name
    target = value + weights([*range(value.shape[1])], len(matrix))
    settable = {name: d for name, d in wanted.items() if name != "v"}
    f = gradmod.value_and_grad(
        lambda y: (float(np.sum((y - target) ** 2) / 2), y - target),
        settable | {"gK": gradmod.PerSegment("gkbar_hh", pair.all)},
        record=sums,
        duration=5.0,
        simulate=pair.run,
        mode="reverse",
        quiet=True,
    )
    _, gradient = f(f.simulation.x)
    for k, name in enumerate(settable):
        terms = (value - target) * np.array(list(forward[name].values()))
        assert abs(gradient[k] - terms.sum()) < 1e-9 * np.abs(terms).sum(), name
    f.close()


def test_a_fit_looks_at_them() -> None:
    """One number of a trace of each kind, through the layers above."""
    pair = spiking()
    place = pair.at(0, "twig", 0.5)
    with gradmod.Simulation(
        {"gNa": Range("gnabar_hh", pair.all, weight="present")},
        record=[MembraneCurrents({place: 2.0}), (place, V), place],
        duration=3.0,
        v_init=-66.3,
        mode="forward",
        quiet=True,
    ) as simulation:
        y = simulation(simulation.x)
        jacobian = simulation.jacobian(simulation.x)
    assert np.allclose(y[0], 2 * y[1], rtol=1e-14) and not np.allclose(y[1], y[2])
    assert np.allclose(jacobian[0], 2 * jacobian[1], rtol=1e-14) and np.abs(jacobian[1]).max() > 0
    assert simulation.variables == [V, V, "v"]


@pytest.mark.parametrize("mode", ["forward", "reverse"])
def test_electrodes_whose_current_has_a_derivative_are_refused(mode: str) -> None:
    """A clamp of the voltage, and an amplitude that is a direction; a clamp of given current is none of these."""
    pair = spiking()
    soma, dendrite = pair.at(0, "soma", 0.5), pair.at(0, "dendrite", 0.5)
    clamp = h.SEClamp(dendrite)
    clamp.dur1, clamp.amp1, clamp.rs = 2, -60, 10
    wanted = {"gNa": Range("gnabar_hh", pair.all), "amp": Stimulus(pair.stimulus, "amp")}

    def look(wanted: dict[str, Any], place: Any) -> None:
        if mode == "forward":
            grad = gradmod.attach(wanted, quiet=True)
            try:
                grad.record(place, V)
            finally:
                grad.detach()
        else:
            with gradmod.Reverse(wanted, quiet=True) as back:
                back.record(place, V)

    with pytest.raises(gradmod.Refused, match=r"SEClamp\[0\] there is an electrode whose current depends on the v"):
        look(wanted, dendrite)
    with pytest.raises(gradmod.Refused, match=r"IClamp\[0\] there is an electrode whose current depends on amp;"):
        look(wanted, soma)
    look({"gNa": wanted["gNa"]}, soma)
    look(wanted, pair.at(1, "soma", 0.5))


@pytest.mark.parametrize("mode", ["forward", "reverse"])
def test_layers_around_the_cell_are_refused(mode: str) -> None:
    """There v is not the potential that drives currents along the cell."""
    pair = spiking()
    pair.at(0, "twig", 0.5).sec.insert("extracellular")
    wanted = {"gNa": Range("gnabar_hh", pair.all)}
    place = pair.at(0, "dendrite", 0.5)
    if mode == "forward":
        grad = gradmod.attach(wanted, quiet=True)
        with pytest.raises(gradmod.Refused, match="which has extracellular: record i_membrane"):
            grad.record(place, V)
        grad.detach()
    else:
        with gradmod.Reverse(wanted, quiet=True) as back, pytest.raises(gradmod.Refused, match="record i_membrane"):
            back.record(place, V)


def test_misuse_is_told() -> None:
    pair = spiking()
    place = pair.at(0, "soma", 0.5)
    for given, match in (
        ({place.sec(0): 1.0}, "has no membrane"),
        ({place: float("nan")}, "the weight at"),
        ({place: 0.0}, "no segment has a weight"),
    ):
        with pytest.raises(gradmod.Error, match=match):
            MembraneCurrents(given)
    with pytest.raises(gradmod.Error, match=r"the matrix has shape \(2,\)"):
        MembraneCurrents.rows([place], [1.0, 2.0])
    h.CVode().use_fast_imem(0)
    with gradmod.Reverse(gNa=Range("gnabar_hh", pair.all)) as back, pytest.raises(gradmod.Error, match="use_fast_imem"):
        back.record(place, V)
