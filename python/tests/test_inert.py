"""Point processes that no direction acts on: they get no row, and every gradient is as with one."""

from __future__ import annotations

from typing import Any

import gradmod
import numpy as np
import pytest
from models import everything, library
from models.comparing import wrong
from models.everything import Everything
from neuron import h

DT, T_STOP = 0.05, 10.0


class Small:
    """Two cells of other sizes with synapses of each kind, a clamp of voltage and one of current."""

    def __init__(self) -> None:
        self.sections, self.synapses, self.netcons, self.sources = [], [], [], []
        for i in range(2):
            soma, branch = h.Section(name=f"soma{i}"), h.Section(name=f"branch{i}")
            branch.connect(soma(1))
            soma.L = soma.diam = 15.0 + 4 * i
            branch.L, branch.diam, branch.nseg = 120.0 + 50 * i, 1.2, 3
            soma.insert("hh")
            branch.insert("pas")
            for k, segment in enumerate(branch):
                segment.pas.g = 1e-4 * (1 + 0.4 * k + i)
            self.sections += [soma, branch]
            for k, synapse in enumerate((h.ExpSyn(branch(0.5)), h.Exp2Syn(branch(0.5)), h.ExpSyn(branch(0.9)))):
                source = h.NetStim()
                source.start, source.interval, source.number, source.noise = 0.6 + 0.3 * k + 0.2 * i, 2.1, 50, 0
                netcon = h.NetCon(source, synapse)
                netcon.delay, netcon.weight[0] = 0.3, 1e-3 * (1 + k + i)
                self.synapses.append(synapse)
                self.netcons.append(netcon)
                self.sources.append(source)
        self.current, self.voltage = h.IClamp(self.sections[0](0.5)), h.SEClamp(self.sections[3](0.9))
        self.current.delay, self.current.dur, self.current.amp = 1.0, 4.0, 0.1
        self.voltage.dur1, self.voltage.amp1, self.voltage.rs = 6.0, -58.0, 40.0
        self.traces = {f"{sec(0.5)}.v": h.Vector().record(sec(0.5)._ref_v) for sec in self.sections}

    def run(self) -> dict[str, Any]:
        h.dt = DT
        h.finitialize(-65)
        h.ParallelContext().set_maxstep(10)
        h.ParallelContext().psolve(T_STOP)
        return {name: np.array(trace) for name, trace in self.traces.items()}


@pytest.fixture
def small() -> Small:
    return Small()


def rows(grad: gradmod.Gradients) -> list[str]:
    """The kinds of point processes that have one, one name for each instance."""
    companions = [spot for a in grad.wiring.attachments for spot in a.companions]
    return sorted(str(spot.process).partition("[")[0] for spot in companions)


def compared(small: Small, directions: Everything, expected: list[str]) -> None:
    grad = gradmod.attach({name: wanted for name, (wanted, _, _) in directions.items()}, quiet=True)
    assert rows(grad) == expected
    plain = small.run()
    found = {f"{sec(0.5)}.v": grad.record(sec(0.5)) for sec in small.sections}
    attached = small.run()
    assert all(np.array_equal(plain[name], attached[name]) for name in plain)
    values = {d: {name: np.array(record[d]) for name, record in found.items()} for d in directions}
    grad.detach()
    assert wrong(values, directions, small.run) == {}


def test_none_has_a_row(small: Small) -> None:
    soma, branch = small.sections[0], small.sections[3]
    compared(
        small,
        {
            "gnabar": everything.range_of("gnabar_hh", "gnabar_hh", [soma]),
            "g": everything.range_of("g_pas", "g_pas", [branch]),
        },
        [],
    )


def test_those_that_a_direction_acts_on_have_one(small: Small) -> None:
    first, second = small.synapses[0], small.synapses[4]
    compared(
        small,
        {
            "tau": (gradmod.Stimulus(first, "tau"), everything.shift([first], "tau"), first.tau),
            "weight": everything.weight_of(small.netcons[4]),
            "rs": (gradmod.Stimulus(small.voltage, "rs"), everything.shift([small.voltage], "rs"), 40.0),
            "gl": everything.range_of("gl_hh", "gl_hh", [small.sections[2]]),
        },
        ["Exp2Syn", "ExpSyn", "SEClamp"],
    )
    assert second.tau1 != second.tau2


@pytest.mark.parametrize("kind", ["NmdaSyn", "LateSyn"])
def test_one_that_the_voltage_acts_on_has_a_row(small: Small, kind: str) -> None:
    """With no direction of its own it changes all gradients: NmdaSyn by its current, LateSyn by its state."""
    library.load_fixtures()
    for k, place in enumerate((small.sections[1](0.5), small.sections[3](0.1))):
        synapse = getattr(h, kind)(place)
        source = h.NetStim()
        source.start, source.interval, source.number, source.noise = 0.8 + k, 3.0, 50, 0
        netcon = h.NetCon(source, synapse)
        netcon.delay, netcon.weight[0] = 0.3, 4e-3 * (1 + k)
        small.synapses.append(synapse)
        small.sources.append(source)
        small.netcons.append(netcon)
    directions = {"gnabar": everything.range_of("gnabar_hh", "gnabar_hh", [small.sections[0], small.sections[2]])}
    compared(small, directions, [kind, kind])


def test_a_recorded_gradient_is_zero(small: Small) -> None:
    grad = gradmod.attach(g=gradmod.Range("gnabar_hh", small.sections[0]), quiet=True)
    assert "the times of events count as fixed" in repr(grad)
    assert "4 point processes" in repr(grad)
    record = grad.record(small.synapses[0], "g")
    with pytest.raises(gradmod.Error, match=r"no gradient of 'ExpSyn.weight' is kept"):
        grad.record(small.synapses[0], "weight")
    small.run()
    assert len(record["g"]) == round(T_STOP / DT) + 1
    assert not np.any(record["g"])


def test_a_netcon_that_is_turned_to_one_is_seen(small: Small) -> None:
    grad = gradmod.attach(weight=gradmod.NetConWeight(small.netcons[0]), quiet=True)
    small.run()
    small.netcons[0].setpost(small.synapses[2])
    small.run()
    with pytest.raises(gradmod.Error, match="was turned to ExpSyn"):
        grad.record(small.sections[0](0.5))["weight"]
    grad.detach()
