"""Profiles: derivatives by their coefficients beside differences, and what they refuse."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import gradmod
import numpy as np
import pytest
from neuron import h

DURATION = 12.0


class Cell:
    """A soma and two unlike dendrites, with hh in places."""

    def __init__(self) -> None:
        self.soma = h.Section(name="soma")
        self.dends = [h.Section(name=f"dend{i}") for i in range(2)]
        self.soma.L = self.soma.diam = 16.0
        for i, dend in enumerate(self.dends):
            dend.connect(self.soma(i))
            dend.L, dend.diam, dend.nseg = 150.0 + 90 * i, 1.2 + i, 3 + 2 * i
            dend.insert("pas")
        for sec in (self.soma, self.dends[0]):
            sec.insert("hh")
        if hasattr(h, "usetable_hh"):
            h.usetable_hh = 0
        self.clamp = h.IClamp(self.soma(0.5))
        self.clamp.delay, self.clamp.dur, self.clamp.amp = 1.0, 8.0, 0.4
        h.dt, h.v_init = 0.025, -65.0

    def distance(self, seg: Any) -> float:
        return float(h.distance(self.soma(0.5), seg))

    @property
    def all(self) -> list[Any]:
        return [self.soma, *self.dends]


@pytest.fixture
def cell() -> Cell:
    return Cell()


def profiles(cell: Cell) -> dict[str, gradmod.Profile]:
    return {
        "gna": gradmod.Profile(
            "gnabar_hh", cell.all, lambda seg, base, length: base * np.exp(-cell.distance(seg) / length),
            base=0.13, length=180.0,
        ),
        "gpas": gradmod.Profile(
            "g_pas", cell.all,
            lambda seg, low, steep, half: low + 1e-3 / (1 + np.exp((half - cell.distance(seg)) / steep)),
            low=2e-4, steep=30.0, half=90.0,
        ),
        "cm": gradmod.Profile("cm", cell.dends, lambda seg, at, by: at + by * cell.distance(seg), at=0.9, by=2e-3),
        "Ra": gradmod.Profile("Ra", cell.all, lambda seg, at: at * (1 + cell.distance(seg) / 500), at=110.0),
    }  # fmt: skip


@pytest.mark.parametrize("mode", ["forward", "reverse"])
def test_both_modes_beside_differences(cell: Cell, mode: Any) -> None:
    made = profiles(cell)
    parameters = {f"{name}.{key}": profile[key] for name, profile in made.items() for key in profile.coefficients}
    parameters["gk"] = gradmod.Range("gkbar_hh", cell.soma)
    record = [cell.soma(0.5), cell.dends[1](0.9)]
    with gradmod.Simulation(parameters, record, DURATION, mode=mode, keep=cell, quiet=True) as simulation:
        rows = np.random.default_rng(1).normal(size=(2, round(DURATION / h.dt) + 1))
        x = simulation.x
        for at in (x, x * np.linspace(0.97, 1.03, len(x))):  # the weights follow the coefficients
            mine = simulation.vjp(at, rows)
            for k, name in enumerate(simulation.names):
                best = np.inf
                for part in (1e-3, 3e-4, 1e-4, 3e-5, 1e-5, 3e-6):
                    by = part * at[k] * np.eye(len(at))[k]
                    theirs = np.sum(rows * (simulation(at + by) - simulation(at - by))) / (2 * part * at[k])
                    best = min(best, abs(mine[k] - theirs) / abs(theirs))
                assert best < 1e-6, (name, best)


@pytest.mark.parametrize("mode", ["forward", "reverse"])
def test_one_profile_over_two_cells(cell: Cell, mode: Any) -> None:
    other = Cell()
    other.clamp.amp = 0.25
    for seg, value in zip((seg for sec in other.all for seg in sec), np.linspace(0.8, 1.4, 9), strict=True):
        seg.cm = value
    where = [cell.all, other.all]
    profile = gradmod.Profile(
        "g_pas", where, lambda seg, low, steep: low * np.exp(steep * (seg.x + seg.diam / 10)), low=3e-4, steep=0.9
    )
    parameters = {name: profile[name] for name in profile.coefficients}
    record = [cell.soma(0.5), other.dends[1](0.9)]
    with gradmod.Simulation(parameters, record, DURATION, mode=mode, keep=(cell, other), quiet=True) as simulation:
        rows = np.random.default_rng(2).normal(size=(2, round(DURATION / h.dt) + 1))
        x = simulation.x
        mine = simulation.vjp(x, rows)
        for k in range(len(x)):
            best = np.inf
            for part in (1e-3, 3e-4, 1e-4, 3e-5, 1e-5):
                by = part * x[k] * np.eye(len(x))[k]
                theirs = np.sum(rows * (simulation(x + by) - simulation(x - by))) / (2 * part * x[k])
                best = min(best, abs(mine[k] - theirs) / abs(theirs))
            assert best < 1e-6, (simulation.names[k], best)


def test_a_reverse_gradient_is_the_forward_one(cell: Cell) -> None:
    made = profiles(cell)
    grad = gradmod.attach(base=made["gna"]["base"], half=made["gpas"]["half"], sections=cell.all, quiet=True)
    dv = grad.record(cell.dends[0](0.5))
    h.finitialize(-65)
    h.continuerun(DURATION)
    forward = {name: float(np.sum(dv[name])) for name in ("base", "half")}
    grad.detach()
    with gradmod.Reverse({"base": made["gna"]["base"], "half": made["gpas"]["half"]}, quiet=True) as reverse:
        trace = reverse.record(cell.dends[0](0.5))
        reverse.run(DURATION)
        found = reverse.gradient({trace: np.ones(len(trace.values))})
    for name, value in forward.items():
        assert found[name] == pytest.approx(value, rel=1e-9)


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (lambda seg, base: base * math.exp(base), "NumPy's functions"),
        (lambda seg, base: abs(base), "kink there"),
        (lambda seg, base: np.real(base), "kink there"),
        (lambda seg, base: max(base, 0.1), "does not take complex"),
    ],
)
def test_functions_without_a_complex_derivative(cell: Cell, function: Callable[..., Any], said: str) -> None:
    profile = gradmod.Profile("gnabar_hh", cell.soma, function, base=0.12)
    with pytest.raises(gradmod.Error, match=said):
        gradmod.attach(base=profile["base"], quiet=True)


def test_values_that_are_none(cell: Cell) -> None:
    before = cell.soma.gnabar_hh
    with pytest.raises(gradmod.Error, match="no number"):
        gradmod.Profile("gnabar_hh", cell.soma, lambda seg, base: None, base=0.1)
    with pytest.raises(gradmod.Error, match=r"profile of gnabar_hh at .* is inf"):
        gradmod.Profile("gnabar_hh", cell.soma, lambda seg, base: base * np.inf, base=0.1)
    with pytest.raises(gradmod.Error, match="no segment of the profile of gnabar_hh"):
        gradmod.Profile("gnabar_hh", cell.dends[1], lambda seg, base: base, base=0.1)
    with pytest.raises(gradmod.Error, match="has no coefficient"):
        gradmod.Profile("gnabar_hh", cell.soma, lambda seg: 0.1)
    assert cell.soma.gnabar_hh == before
    profile = gradmod.Profile("gnabar_hh", cell.soma, lambda seg, base: base / (base != 7.0), base=0.1)
    with pytest.raises(gradmod.Error, match="no coefficient 'top'"):
        profile.set(top=1)
    with pytest.raises((gradmod.Error, ZeroDivisionError)):
        profile.set(base=7.0)
    assert profile.coefficients == {"base": 0.1}
    assert cell.soma.gnabar_hh == 0.1


def test_what_else_sets_the_values(cell: Cell) -> None:
    profile = gradmod.Profile("gnabar_hh", [cell.soma, cell.dends[0]], lambda seg, base: base, base=0.1)
    grad = gradmod.attach(base=profile["base"], quiet=True)
    dv = grad.record(cell.soma(0.5))
    cell.dends[0](0.5).gnabar_hh = 0.2
    with pytest.raises(gradmod.Error, match=r"is 0\.2, where its profile makes it 0\.1"):
        h.finitialize(-65)
        h.continuerun(2)
        _ = dv["base"]
    profile.set(base=0.11)
    h.finitialize(-65)
    h.continuerun(2)
    assert np.any(dv["base"])
    grad.detach()


def test_a_number_belongs_to_one_parameter(cell: Cell) -> None:
    profile = gradmod.Profile("gnabar_hh", cell.soma, lambda seg, base, slope: base + slope, base=0.1, slope=0.02)
    other = gradmod.Profile("gnabar_hh", cell.soma, lambda seg, base: base, base=0.12)
    for second in (gradmod.Range("gnabar_hh", cell.soma), other["base"], profile["base"]):
        with pytest.raises(gradmod.Error, match="both set gnabar_hh"):
            gradmod.Simulation({"a": profile["base"], "b": second}, [cell.soma(0.5)], 5, quiet=True)


def test_a_run_that_moves_a_coefficient(cell: Cell) -> None:
    profile = gradmod.Profile("gnabar_hh", cell.soma, lambda seg, base: base, base=0.1)

    def simulate() -> None:
        profile.set(base=0.13)
        h.finitialize(-65)
        h.continuerun(5)

    with (
        gradmod.Simulation({"a": profile["base"]}, [cell.soma(0.5)], 5, simulate=simulate, quiet=True) as simulation,
        pytest.raises(gradmod.Refused, match=r"coefficient base of the profile was 0\.13"),
    ):
        simulation([0.12])
