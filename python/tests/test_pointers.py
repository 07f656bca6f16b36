"""POINTERs that see a voltage: gap junctions and the like, forward against differences, reverse against forward."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gradmod
import numpy as np
import pytest
from gradmod import finite
from models import comparing
from models.pair import Pair
from neuron import h
from test_reverse import compare

Looks = list[tuple[Any, str]]


def both_ways(pair: Pair) -> Looks:
    a, b = pair.at(0, "soma", 0.5), pair.at(1, "soma", 0.5)
    pair.tie("Gap", a, b, "vgap", g=0.004)
    pair.tie("Gap", b, a, "vgap", g=0.005)
    return []


def half_only(pair: Pair) -> Looks:
    pair.tie("Gap", pair.at(1, "twig", 0.5), pair.at(0, "dendrite", 0.5), "vgap", g=0.004)
    return []


def several_at_one_place(pair: Pair) -> Looks:
    """Two gaps and a rectifier in one segment, one of them sees its own place, one an end without membrane."""
    here = pair.at(1, "dendrite", 0.5)
    pair.tie("Gap", here, pair.at(0, "soma", 0.5), "vgap", g=0.004)
    pair.tie("Gap", here, here, "vgap", g=0.003)
    pair.tie("RectGap", here, pair.at(0, "twig", 1), "there", g=0.003)
    pair.tie("RectGap", pair.at(0, "soma", 0.5), here, "there", g=0.002)
    return []


def within_one_cell(pair: Pair) -> Looks:
    first, last = pair.at(0, "twig", 0.5), pair.at(0, "dendrite", 0.9)
    pair.tie("Gap", first, last, "vgap", g=0.006)
    pair.tie("Gap", last, first, "vgap", g=0.006)
    pair.tie("Gap", pair.at(1, "soma", 0.5), first, "vgap", g=0.003)
    return []


def graded(pair: Pair) -> Looks:
    """A state that follows the voltage there, after the solve; its gradient is looked at too."""
    one = pair.tie("Graded", pair.at(1, "dendrite", 0.5), pair.at(0, "soma", 0.5), "vpre")
    two = pair.tie("Graded", pair.at(0, "twig", 0.5), pair.at(1, "soma", 0.5), "vpre", e=10.0)
    return [(one, "s"), (two, "s")]


def density(pair: Pair) -> Looks:
    """A density mechanism in all of one dendrite, each segment tied to another place."""
    dendrite, targets = pair.cells[1]["dendrite"], [("soma", 0.5), ("dendrite", 0.2), ("twig", 0.0)]
    dendrite.insert("bridge")
    for segment, (part, x) in zip(dendrite, targets, strict=True):
        h.setpointer(pair.at(0, part, x)._ref_v, "vfar", segment.bridge)
    pair.tie("Gap", pair.at(0, "soma", 0.5), pair.at(1, "dendrite", 0.5), "vgap")
    return [(dendrite(0.5), "n_bridge"), (dendrite(0.9), "n_bridge")]


def equal_branches(pair: Pair) -> Looks:
    """A twig that counts as three, and POINTERs into it and out of it."""
    pair.cells[0]["twig"].rallbranch = 3
    pair.tie("Gap", pair.at(1, "soma", 0.5), pair.at(0, "twig", 0.5), "vgap", g=0.004)
    pair.tie("Gap", pair.at(0, "twig", 0.5), pair.at(1, "soma", 0.5), "vgap", g=0.002)
    return []


TIES: list[Callable[[Pair], Looks]] = [
    both_ways,
    half_only,
    several_at_one_place,
    within_one_cell,
    graded,
    density,
    equal_branches,
]


def tied(tie: Callable[[Pair], Looks]) -> tuple[Pair, Looks]:
    pair = Pair()
    looks = tie(pair)
    pair.watch(*looks)
    return pair, [(place, "v") for cell in pair.cells for place in (cell["soma"](0.5), cell["dendrite"](0.9))] + looks


@pytest.mark.parametrize("tie", TIES)
def test_forward_against_differences(tie: Callable[[Pair], Looks]) -> None:
    pair, looks = tied(tie)
    directions = pair.directions()
    found = comparing.gradients(directions, looks, pair.run)
    idle = [d for d, of in found.items() if not any(np.any(trace) for trace in of.values())]
    assert idle == []
    assert comparing.wrong(found, directions, pair.run) == {}


@pytest.mark.parametrize("tie", TIES)
def test_reverse_against_forward(tie: Callable[[Pair], Looks]) -> None:
    pair, looks = tied(tie)
    directions = {name: wanted for name, (wanted, _, _) in pair.directions().items()}
    looks = [look for look in looks if look[1] == "v" or look[1].endswith("_bridge")]
    plain = pair.run()
    found = compare(directions, looks, pair.run, 5.0)
    after = {name: vector.as_numpy().copy() for name, vector in pair.vectors.items()}
    assert all(np.array_equal(plain[name], after[name]) for name in plain)
    wrong = {name: values for name, values in found.items() if not abs(values[0] - values[1]) <= 1e-9 * values[2]}
    assert not wrong


def test_each_segment_against_differences() -> None:
    """Reverse mode across two cells, in windows too, with the loss in a cell that the parameter is not in."""
    pair, _ = tied(both_ways)
    first, second = pair.cells[0]["dendrite"], pair.at(1, "soma", 0.5)
    parameters = {"g": gradmod.PerSegment("gnabar_hh", first), "v": gradmod.InitialVoltage(pair.at(0, "soma", 0.5))}
    weights = np.random.default_rng(2).normal(size=201)
    found = []
    for memory in (512.0, 0.02):
        with gradmod.Reverse(memory=memory, **parameters) as reverse:
            trace = reverse.record(second)
            h.dt = 0.025
            reverse.run(5.0, simulate=pair.run)
            found.append(reverse.gradient({trace: weights}))
            assert (reverse.last.windows.count > 1) == (memory < 1)

    def loss() -> dict[str, np.ndarray]:
        return {"loss": np.atleast_1d(weights @ pair.run()[f"{second}.v"])}

    def difference(owner: Any, name: str, size: float) -> float:
        value = getattr(owner, name)
        swept = finite.differentiate(
            loss, lambda by: setattr(owner, name, value + by), 0.0, scale=size, steps=(1e-3, 1e-4, 1e-5)
        )
        return float(swept.value["loss"][0])

    each = [difference(seg, "gnabar_hh", 0.12) for seg in first]
    np.testing.assert_allclose(found[0]["g"], each, rtol=1e-6)
    assert found[0]["v"] == pytest.approx(difference(pair, "v_first", 66.0), rel=1e-6)
    assert np.array_equal(found[0]["g"], found[1]["g"])
    assert found[0]["v"] == found[1]["v"]


def test_a_cell_that_only_drives_gets_no_gradients() -> None:
    pair, looks = tied(half_only)
    second = list(pair.cells[1].values())
    directions = pair.directions(second)
    del directions["amp"]  # that one is in the first cell
    for name, vector in list(pair.vectors.items()):
        if name.startswith("a_"):
            vector.play_remove()
            del pair.vectors[name]
    looks = [(place, name) for place, name in looks if str(place).startswith("b_")]
    found = comparing.gradients(directions, looks, pair.run)
    assert all(any(np.any(trace) for trace in of.values()) for of in found.values())
    assert comparing.wrong(found, directions, pair.run) == {}
    grad = gradmod.attach(g=gradmod.Range("gnabar_hh", second))
    with pytest.raises(gradmod.Error, match="no direction acts on the cell"):
        grad.record(pair.at(0, "soma", 0.5))
    # A third place begins to listen: now the driver depends on the cell that it drives.
    pair.tie("Gap", pair.at(0, "soma", 0.5), pair.at(1, "soma", 0.5), "vgap")
    pair.run()
    with pytest.raises(gradmod.Error, match=r"POINTER vgap of Gap\[\d+\] sees something else"):
        grad.record(pair.at(1, "soma", 0.5))["g"]


def _attach(pair: Pair, mode: str) -> Any:
    parameters = {"g": gradmod.Range("gnabar_hh", pair.cells[0].values())}
    return gradmod.attach(**parameters) if mode == "forward" else gradmod.Reverse(**parameters)


@pytest.mark.parametrize("mode", ["forward", "reverse"])
def test_pointers_that_see_nothing_that_is_followed_are_refused(mode: str) -> None:
    pair = Pair()
    gap = h.Gap(pair.at(0, "soma", 0.5))
    who = r"POINTER vgap of Gap\[\d+\]"
    with pytest.raises(gradmod.Refused, match=f"{who} was not made to point to anything"):
        _attach(pair, mode)
    no_variable = "sees something that is no variable of a segment or point process"
    refused = [(h._ref_celsius, no_variable)]
    if mode == "reverse":
        refused.append(
            (
                pair.at(1, "soma", 0.5)._ref_m_hh,
                r"sees m_hh at b_soma\(0.5\); a POINTER that sees another variable is not",
            )
        )
        refused.append(
            (pair.stimulus._ref_amp, r"sees amp of IClamp\[\d+\]; a POINTER that sees another variable is not")
        )
    for reference, what in refused:
        h.setpointer(reference, "vgap", gap)
        with pytest.raises(gradmod.Refused, match=f"{who} {what}"):
            _attach(pair, mode)
    # On a cell that drives, it may be a way back; on one that has nothing to do with the others, it does not matter.
    h.setpointer(pair.at(1, "soma", 0.5)._ref_v, "vgap", gap)
    other = h.Gap(pair.at(1, "soma", 0.5))
    h.setpointer(h._ref_celsius, "vgap", other)
    with pytest.raises(gradmod.Refused, match=rf"{who} {no_variable}, which may depend on"):
        _attach(pair, mode)
    h.setpointer(pair.at(0, "dendrite", 0.5)._ref_v, "vgap", gap)
    _attach(pair, mode)
    # One that sees nothing can't be a way back.
    unset = h.Gap(pair.at(1, "soma", 0.5))
    h.setpointer(pair.at(1, "soma", 0.5)._ref_v, "vgap", gap)
    del other
    _attach(pair, mode)
    assert unset


@pytest.mark.parametrize("mode", ["forward", "reverse"])
def test_a_pointer_that_is_moved_is_refused(mode: str) -> None:
    pair, _ = tied(both_ways)
    gap, there = pair.processes[0], pair.at(1, "soma", 0.5)
    attached = _attach(pair, mode)
    look = attached.record(pair.at(0, "soma", 0.5))

    def move_to(place: Any) -> None:
        h.setpointer(place._ref_v, "vgap", gap)

    def simulate(change: bool) -> None:
        pair.run()
        if change:
            move_to(pair.at(1, "twig", 0.5))

    def gradient(change: bool = False) -> Any:
        if mode == "forward":
            simulate(change)
            return look["g"][-1]
        h.dt = 0.025
        attached.run(5.0, simulate=lambda: simulate(change))
        return attached.gradient({look: np.ones(201)})["g"]

    before = gradient()
    with pytest.raises(gradmod.Refused, match=r"POINTER vgap of Gap\[\d+\] sees something else"):
        gradient(change=True)
    with pytest.raises(gradmod.Refused, match=r"POINTER vgap of Gap\[\d+\] sees something else"):
        gradient()
    move_to(there)
    assert gradient() == before


def test_cells_that_see_the_voltage_must_be_in_the_sections() -> None:
    pair, _ = tied(half_only)
    first = list(pair.cells[0].values())
    with pytest.raises(gradmod.Error, match=r"g: POINTER vgap of Gap\[\d+\] sees the voltage of a cell"):
        gradmod.attach(first, g=gradmod.Range("gnabar_hh", first))
    gradmod.attach(pair.all, g=gradmod.Range("gnabar_hh", first))
