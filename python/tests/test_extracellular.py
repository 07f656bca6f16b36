"""``extracellular``: gradients beside differences of the untouched run, and what is refused."""

from __future__ import annotations

from typing import Any

import gradmod
import numpy as np
import pytest
from gradmod import finite
from models import comparing, everything
from models.surrounded import Surrounded
from neuron import h


def loss_of(model: Surrounded) -> tuple[dict[tuple[Any, str], np.ndarray], Any]:
    """Random weights of all samples, and the loss of traces."""
    random = np.random.default_rng(1)
    plain = model.run()
    weights = {look: random.normal(size=len(next(iter(plain.values())))) for look in model.looks}
    # vext and i_membrane are small beside v.
    for look in model.looks:
        weights[look] /= np.abs(plain[f"{look[0]}.{look[1]}"]).max()

    def loss(traces: dict[str, np.ndarray]) -> float:
        return float(sum(weights[look] @ traces[f"{look[0]}.{look[1]}"] for look in model.looks))

    return weights, loss


def gradient(model: Surrounded, asked: dict[str, Any], weights: dict[tuple[Any, str], np.ndarray]) -> dict[str, Any]:
    """In reverse mode, of a run that must be what it is without."""
    plain = model.run()
    with gradmod.Reverse(**asked) as reverse:
        traces = {look: reverse.record(*look) for look in model.looks}
        found: list[dict[str, np.ndarray]] = []
        reverse.run(4.0, simulate=lambda: found.append(model.run()))
        assert all(np.array_equal(plain[name], found[0][name]) for name in plain)
        for look, trace in traces.items():
            assert np.array_equal(trace.values, plain[f"{look[0]}.{look[1]}"])
        result = reverse.gradient({traces[look]: weights[look] for look in model.looks})
        return {name: result[name] for name in asked}


@pytest.mark.parametrize("myelin", [False, True])
@pytest.mark.parametrize("layers", [1, 2])
def test_reverse_against_differences(layers: int, myelin: bool) -> None:
    model = Surrounded(layers, myelin=myelin)
    model.watch(model.everywhere())
    directions = model.directions()
    weights, loss = loss_of(model)
    found = gradient(model, {name: wanted for name, (wanted, _, _) in directions.items()}, weights)

    def run() -> dict[str, np.ndarray]:
        return {"loss": np.array([loss(model.run())])}

    wrong = comparing.wrong({name: {"loss": np.array([value])} for name, value in found.items()}, directions, run)
    assert wrong == {}


@pytest.mark.parametrize(
    ("layers", "myelin"), [*(pytest.param(n, False, marks=pytest.mark.thorough) for n in (1, 2)), (2, True)]
)
def test_forward_against_differences(layers: int, myelin: bool) -> None:
    model = Surrounded(layers, myelin=myelin)
    looks = model.everywhere()
    model.watch(looks)
    directions = model.directions()
    found = comparing.gradients(directions, looks, model.run)
    assert comparing.wrong(found, directions, model.run) == {}


@pytest.fixture
def small() -> Surrounded:
    """One voltage is looked at."""
    model = Surrounded(where=(("soma", "dendrite", "axon"), ("twig",)), played=False)
    model.watch([(model.cells[0]["soma"](0.5), "v")])
    return model


def forward_of(model: Surrounded, direction: Any, simulate: Any = None) -> Any:
    """The gradient of v in one direction, [sample]."""
    grad = gradmod.attach(asked=direction)
    try:
        record = grad.record(*model.looks[0])
        (simulate or model.run)()
        return np.array(record["asked"])
    finally:
        grad.detach()


def reverse_of(model: Surrounded, direction: Any, simulate: Any = None) -> Any:
    """The gradient of the sum of v in one direction."""
    with gradmod.Reverse(asked=direction) as reverse:
        trace = reverse.record(*model.looks[0])
        reverse.run(4.0, simulate=simulate or model.run)
        return reverse.gradient({trace: np.ones(len(trace.values))})["asked"]


def both(model: Surrounded, direction: Any, simulate: Any = None) -> tuple[Any, Any]:
    """The gradient of the sum of v in both modes."""
    return forward_of(model, direction, simulate).sum(), reverse_of(model, direction, simulate)


#: Both modes refuse the same.
MODES = pytest.mark.parametrize("of", [forward_of, reverse_of])


def test_other_couplings_against_differences() -> None:
    """Branches that count several times, and layers that are short-circuited, as NEURON has them by default."""
    model = Surrounded()
    a, b = model.cells
    a["tip"].rallbranch, b["axon"].rallbranch, a["axon"].rallbranch = 2, 3, 2
    short = b["axon"](0.5)
    short.xg[0], short.xg[1], short.xc[0] = 1e10, 1e9, 0
    model.watch(model.everywhere())
    directions = model.directions()
    wanted = {name: directions[name] for name in ("gnabar_hh", "cm", "Ra", "e", "xraxial_0_one", "rs_SEClamp[0]")}
    weights, loss = loss_of(model)
    found = gradient(model, {name: of for name, (of, _, _) in wanted.items()}, weights)

    def run() -> dict[str, np.ndarray]:
        return {"loss": np.array([loss(model.run())])}

    wrong = comparing.wrong({name: {"loss": np.array([value])} for name, value in found.items()}, wanted, run)
    assert wrong == {}


def test_several_windows_and_cells_without_it(small: Surrounded) -> None:
    """A run that is gone through in windows has the same gradient, bit for bit but for sums."""
    asked = {name: wanted for name, (wanted, _, _) in small.directions().items() if name in ("gnabar_hh", "rs", "e")}
    found: list[Any] = []
    for memory in (512.0, 0.05):
        with gradmod.Reverse(asked, memory=memory) as reverse:
            trace = reverse.record(*small.looks[0])
            reverse.run(4.0, simulate=small.run)
            found.append(reverse.gradient({trace: trace.values}))
    for name in asked:
        assert found[0][name] == pytest.approx(found[1][name], rel=1e-13)


def test_parameters_can_be_set_and_fitted(small: Surrounded) -> None:
    """Elements of arrays are parameters, also one for each segment, and coefficients of profiles."""
    axon = small.cells[0]["axon"]
    profile = gradmod.Profile("xg[1]", axon, lambda seg, scale: scale * (1 + seg.x), scale=0.03)
    parameters = {
        "xc": gradmod.PerSegment("xc[0]", axon),
        "xraxial": gradmod.Range("xraxial[1]", axon, weight="present"),
        "scale": profile["scale"],
    }
    f = gradmod.value_and_grad(
        lambda values: (float((values[0] ** 2).sum()), [2 * values[0]]),
        parameters,
        record=[(axon(0.5), "vext[1]")],
        duration=4.0,
        simulate=small.run,
        quiet=True,
    )
    x = f.simulation.x
    _, slope = f(x)

    def deviation(index: int) -> float:
        shifted = x.copy()

        def set_value(value: float) -> None:
            shifted[index] = value

        difference = finite.differentiate(lambda: {"loss": f(shifted)[0]}, set_value, float(x[index]))
        return finite.compare({"loss": slope[index]}, difference).deviation

    assert max(map(deviation, range(len(x)))) <= 1e-6


def test_a_cell_beside_one_that_has_it(small: Surrounded) -> None:
    """NEURON solves for it in another way too; and goes on to, when no section has it any more."""
    model = Surrounded(where=(("soma",), ()), played=False)
    b = model.cells[1]
    look = (b["soma"](0.5), "v")
    model.watch([look])
    directions = {"g": everything.range_of("gnabar_hh", "gnabar_hh", list(b.values()))}
    for _ in range(2):
        found = comparing.gradients(directions, [look], model.run)
        assert comparing.wrong(found, directions, model.run) == {}
        for sec in (*model.outside, *small.outside):
            sec.uninsert("extracellular")


def test_both_modes_agree_at_ends(small: Surrounded) -> None:
    """An IClamp and a synapse at an end that has layers and no area, and one at an end of a section without it."""
    a = small.cells[0]
    clamps = [h.IClamp(place) for place in (a["axon"](1), a["soma"](0), a["tip"](1))]
    for clamp in clamps:
        clamp.dur, clamp.amp = 2, 0.1
    small.synapse.loc(a["dendrite"](1))
    directions = [gradmod.Stimulus(clamp, "amp") for clamp in clamps]
    directions += [gradmod.NetConWeight(small.netcon), gradmod.Range("xraxial[1]", small.outside)]
    for direction in directions:
        forward, reverse = both(small, direction)
        assert forward == pytest.approx(reverse, rel=1e-9)


def test_ways_that_do_not_support_it(small: Surrounded) -> None:
    g = gradmod.Range("gnabar_hh", small.all)
    with pytest.raises(gradmod.Refused, match=r"a_soma has the mechanism extracellular: .*spike_times"):
        gradmod.attach(g=g, spike_times=True)
    with pytest.raises(gradmod.Refused, match="a_soma has the mechanism extracellular"):
        gradmod.Homeostat(
            gradmod.Average("v", tau=5), [small.cells[0]["soma"](0.5)], target=-60, alpha=1e-9, leak=1e-3, g=g
        )


@MODES
def test_secondorder_is_refused(small: Surrounded, of: Any) -> None:
    h.secondorder = 1
    with pytest.raises(gradmod.Refused, match="secondorder is 1, and the model has extracellular"):
        of(small, gradmod.Range("gnabar_hh", small.all))


def change_for_a_while(model: Surrounded, name: str) -> None:
    """Let something around the first axon be another number for a few steps."""
    seg = model.cells[0]["axon"](0.5)
    plain, index = name[:-3], int(name[-2])
    usual = getattr(seg, plain)[index]
    times = h.Vector([0, 2, 2, 2.2, 2.2, 4])
    values = h.Vector([usual, usual, 2 * usual + 1e-3, 2 * usual + 1e-3, usual, usual])
    values.play(getattr(seg, f"_ref_{plain}")[index], times, False)
    model.wave = values, times


@pytest.mark.parametrize("name", ["vext[0]", "xg[0]", "xc[1]"])
def test_reverse_mode_sees_what_changes_for_a_while(small: Surrounded, name: str) -> None:
    change_for_a_while(small, name)
    with pytest.raises(gradmod.Refused, match="the potentials are not what the equations"):
        reverse_of(small, gradmod.Range("gnabar_hh", small.all))


@pytest.mark.parametrize("name", ["xg[0]", "xc[1]"])
def test_forward_mode_follows_what_changes_for_a_while(small: Surrounded, name: str) -> None:
    """But not where a direction acts on it."""
    change_for_a_while(small, name)
    directions = {"g": everything.range_of("gnabar_hh", "gnabar_hh", small.all)}
    found = comparing.gradients(directions, small.looks, small.run)
    assert comparing.wrong(found, directions, small.run) == {}
    with pytest.raises(gradmod.Refused, match="a direction acts on it"):
        forward_of(small, gradmod.Range(name, small.cells[0]["axon"]))


def test_forward_mode_sees_vext_that_is_played(small: Surrounded) -> None:
    change_for_a_while(small, "vext[0]")
    with pytest.raises(gradmod.Refused, match=r"vext was set from outside|the potentials are not what"):
        forward_of(small, gradmod.Range("gnabar_hh", small.all))


@MODES
def test_vext_set_by_the_script_is_seen(small: Surrounded, of: Any) -> None:
    seg = small.cells[0]["dendrite"](0.5)

    def simulate() -> None:
        h.finitialize(small.v_init)
        for step in range(160):
            h.fadvance()
            if step == 80:
                seg.vext[0] += 1e-4

    with pytest.raises(gradmod.Refused, match=r"a_dendrite.* (the potentials are not what the equations|vext was set)"):
        of(small, gradmod.Range("gnabar_hh", small.all), simulate)


@MODES
def test_a_direction_that_is_played_is_refused(small: Surrounded, of: Any) -> None:
    seg = small.cells[0]["axon"](0.5)
    times = h.Vector([0, 1, 2, 4])
    small.wave = times, h.Vector([0, 5, -5, 0])
    small.wave[1].play(seg._ref_e_extracellular, times, True)
    with pytest.raises(gradmod.Refused, match="e_extracellular"):
        of(small, gradmod.Range("e_extracellular", small.cells[0]["axon"]))


@MODES
@pytest.mark.parametrize("name", ["xg[0]", "xc[0]"])
def test_a_short_circuit_has_no_derivative(small: Surrounded, of: Any, name: str) -> None:
    axon = small.cells[0]["axon"]
    for seg in axon:
        seg.xg[0] = 1e9
    with pytest.raises(gradmod.Refused, match="short-circuits it"):
        of(small, gradmod.Range(name, axon))
    assert np.all(np.isfinite(of(small, gradmod.Range("xraxial[0]", axon))))


def test_names(small: Surrounded) -> None:
    """An array needs the layer; what is around a place without extracellular can't be looked at."""
    axon, soma = small.cells[0]["axon"], small.cells[1]["soma"]
    with pytest.raises(gradmod.Error, match=r"did you mean xg\[0\]"):
        gradmod.Reverse(g=gradmod.Range("xg", axon))
    with pytest.raises(gradmod.Error, match="no mechanism in these sections"):
        gradmod.Reverse(g=gradmod.Range("xg[2]", axon))
    with gradmod.Reverse(g=gradmod.Range("gnabar_hh", small.all)) as reverse:
        with pytest.raises(gradmod.Error, match=r"no loss can look at 'vext.0.'"):
            reverse.record(soma(0.5), "vext[0]")
        with pytest.raises(gradmod.Error, match=r"vext\[0\], vext\[1\]"):
            reverse.record(axon(1), "i_membrane")


def test_insertion_after_is_refused(small: Surrounded) -> None:
    with gradmod.Reverse(g=gradmod.Range("gnabar_hh", small.all)) as reverse:
        small.cells[1]["axon"].insert("extracellular")
        with pytest.raises(gradmod.Error, match="extracellular was inserted or taken away"):
            reverse.run(1.0)
    grad = gradmod.attach(g=gradmod.Range("gnabar_hh", small.all))
    record = grad.record(*small.looks[0])
    small.cells[1]["soma"].insert("extracellular")
    small.run()
    with pytest.raises(gradmod.Error, match="extracellular was inserted or taken away"):
        record["g"]
    grad.detach()
