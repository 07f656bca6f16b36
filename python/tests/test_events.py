"""Synapses and their events against finite differences; the times of the events are those of the run."""

from __future__ import annotations

import re
from typing import Any

import gradmod
import numpy as np
import pytest
from models import comparing, everything, twig
from neuron import h

#: The point process, what is set besides, and the variables that are compared.
SYNAPSES: dict[str, tuple[dict[str, float], tuple[str, ...]]] = {
    "ExpSyn": ({"tau": 2.0, "e": 5.0}, ("g",)),
    "Exp2Syn": ({"tau1": 0.5, "tau2": 3.0}, ("A", "B")),
    "NmdaSyn": ({}, ("a", "b")),
    "TmSyn": ({}, ("g",)),
    "PulseSyn": ({}, ("open", "desensitised")),
    "StepSyn": ({}, ()),
    "CaseSyn": ({}, ("g",)),
    "PushSyn": ({}, ("i",)),
    "ShiftSyn": ({}, ("g",)),
    "QuadSyn": ({}, ("g",)),
    "CountSyn": ({}, ("g",)),
    "RingSyn": ({}, ("bound", "closed")),
    "ClSyn": ({}, ("g",)),
    "LateSyn": ({"tau": 2.0, "e": 5.0}, ("g",)),
    "HoldSyn": ({}, ("bound", "free")),
}


class Driven(twig.Twig):
    """The twig with two synapses of one kind; one gets events from outside, the other from the soma's spike."""

    def __init__(self, kind: str, interval: float = 0.83, number: int = 5) -> None:
        super().__init__(())
        settings, self.variables = SYNAPSES[kind]
        self.near, self.far = (getattr(h, kind)(segment) for segment in (self.long(0.8), self.short(0.5)))
        for synapse in (self.near, self.far):
            for name, value in settings.items():
                setattr(synapse, name, value)
        if kind == "ClSyn":  # a value that NEURON would not compute
            self.long(0.75).ecl = self.short(0.5).ecl = -55.0
        self.source = h.NetStim()
        self.source.start, self.source.interval, self.source.number = 0.7, interval, number
        size = 1.0 if kind in ("PulseSyn", "RingSyn") else 0.003
        self.netcons = [
            self._connect(h.NetCon(self.source, self.near), 0.5, size),
            # Two events in one step, and one in the middle of it.
            self._connect(h.NetCon(self.source, self.near), 0.513, 0.4 * size),
            self._connect(h.NetCon(self.soma(0.5)._ref_v, self.far, sec=self.soma), 0.3, 2 * size),
        ]
        for netcon in self.netcons[2:]:
            netcon.threshold = -10
        for synapse in (self.near, self.far):
            for name in self.variables:
                self.vectors[f"{synapse}.{name}"] = h.Vector().record(getattr(synapse, f"_ref_{name}"))

    @staticmethod
    def _connect(netcon: Any, delay: float, weight: float) -> Any:
        netcon.delay, netcon.weight[0] = delay, weight
        return netcon

    def directions(self) -> everything.Everything:
        """All parameters of both synapses, all weights, and what the cell has besides."""
        found = super().directions()
        kind = self.near.hname().split("[")[0]
        standard, name = h.MechanismStandard(kind, 1), h.ref("")
        for index in range(int(standard.count())):
            standard.name(name, index)
            for synapse, where in ((self.near, "near"), (self.far, "far")):
                if name[0] == "width":  # a time in whole steps
                    continue
                parameter = gradmod.Stimulus(synapse, name[0])
                size = abs(getattr(synapse, name[0])) or 1.0
                found[f"{name[0]}_{where}"] = (parameter, everything.shift([synapse], name[0]), size)
        standard = h.MechanismStandard(kind, -1)
        for index in range(int(standard.count())):
            standard.name(name, index)
            size = abs(getattr(h, name[0])) or 1.0
            found[name[0]] = (gradmod.Global(name[0]), everything.shift([h], name[0]), size)
        for ion in ("ecl", "cao") if kind == "ClSyn" else ():
            found[ion] = everything.range_of(ion, ion, [self.long, self.short])
        for index, netcon in enumerate(self.netcons):
            found[f"weight{index}"] = everything.weight_of(netcon)
        return found


@pytest.mark.parametrize("kind", SYNAPSES)
def test_synapse(kind: str) -> None:
    _compare(Driven(kind))


def test_ring_buffers_wrap() -> None:
    """140 events in buffers of 24, several in one step."""
    cell = Driven("RingSyn", 0.045, 70)
    _compare(cell)
    assert all(cell.near.amount[i] > 0 for i in range(24))


def _compare(cell: Driven) -> None:
    directions = cell.directions()

    def run() -> dict[str, Any]:
        return cell.run(0.025, 4.5)

    looks = [*cell.watched, *((synapse, name) for synapse in (cell.near, cell.far) for name in cell.variables)]
    found = comparing.gradients(directions, looks, run)
    for d, of in found.items():
        # The far synapse gets one event only, which does not touch everything.
        assert d.endswith("_far") or any(np.any(trace) for trace in of.values()), f"{d} has no effect"
    assert comparing.wrong(found, directions, run) == {}


SHARED = {
    ("NmdaSyn", "capool"): "adds to the current of ca",
    ("ClSyn", "capool"): "uses the ion ca .* changes its concentration",
    ("ClSyn", "canernst"): "uses the ion ca .* changes its concentration or reversal potential",
    ("CaSense", "cah"): "reads the current of ca",
}


@pytest.mark.parametrize(("kind", "mechanism"), SHARED)
@pytest.mark.parametrize("mode", [gradmod.attach, gradmod.Reverse])
def test_ions_that_are_shared_with_a_point_process(mode: Any, kind: str, mechanism: str) -> None:
    cell = twig.Twig(())
    cell.long.insert(mechanism)
    process = getattr(h, kind)(cell.long(0.8))
    with pytest.raises(gradmod.Refused, match=SHARED[kind, mechanism]):
        mode(cm=gradmod.Range("cm", cell.all))
    assert process.get_segment() == cell.long(0.75)


def attach(**directions: Any) -> None:
    gradmod.attach(**directions).detach()


def run_in_reverse(**directions: Any) -> None:
    with gradmod.Reverse(**directions) as reverse:
        reverse.run(1.0)


@pytest.mark.parametrize("x", [0.2, 0.8])
@pytest.mark.parametrize("mode", [attach, run_in_reverse])
def test_an_ion_style_that_neuron_does_not_tell(mode: Any, x: float) -> None:
    """ClSyn reads a concentration: its segment then has another style than the others, if it is the first one too."""
    cell = twig.Twig(("cah",))
    synapse = h.ClSyn(cell.long(x))
    direction = gradmod.Range("eca", cell.long)
    with pytest.raises(gradmod.Error, match="the ion_style of ca may be another than at the beginning") as found:
        mode(eca=direction)
    way_out = re.search(r"ion_style\((.*)\),", str(found.value))
    assert way_out is not None
    assert way_out[1] == '"ca_ion", 1, 2, 1, 1, 0, sec=long'
    h.ion_style("ca_ion", 1, 2, 1, 1, 0, sec=cell.long)
    mode(cm=gradmod.Range("cm", cell.all))
    del synapse


@pytest.mark.parametrize(("kind", "parameter"), [("ExpSyn", "tau"), ("StepSyn", "e"), ("RingSyn", "gmax")])
def test_an_event_without_a_source_is_noticed(kind: str, parameter: str) -> None:
    cell = Driven(kind)
    lonely = h.NetCon(None, cell.near)
    lonely.weight[0] = 0.002
    if kind == "RingSyn":  # only the states see it
        lonely.weight[0], cell.near.direct = 1.0, 0.0
    grad = gradmod.attach(direction=gradmod.Stimulus(cell.near, parameter))
    record = grad.record(cell.soma(0.5))
    send = h.FInitializeHandler(1, lambda: lonely.event(1.0))
    cell.run(0.025, 3.0)
    with pytest.raises(gradmod.Refused, match=kind):
        record["direction"]
    del send


def test_a_parameter_that_initial_corrects_is_refused() -> None:
    cell = Driven("Exp2Syn")
    gradmod_of_tau1 = gradmod.attach(tau1=gradmod.Stimulus(cell.near, "tau1"))
    cell.near.tau1 = 5.0
    record = gradmod_of_tau1.record(cell.near.get_segment())
    cell.run(0.025, 1.0)
    with pytest.raises(gradmod.Refused, match="INITIAL changed tau1"):
        record["tau1"]
    gradmod_of_tau1.detach()


@pytest.mark.parametrize("mode", [attach, run_in_reverse])
def test_no_derivative_at_a_weight_that_is_a_case_of_its_own(mode: Any) -> None:
    cell = Driven("CaseSyn")
    cell.netcons[1].weight[0] = 0
    mode(weight=gradmod.NetConWeight(cell.netcons[0]), Ra=gradmod.Range("Ra", cell.all))
    message = r"weight\[0\] is 0 in NetCon\[\d+\], which the mechanism treats as a case of its own"
    with pytest.raises(gradmod.Refused, match=message):
        mode(weight=gradmod.NetConWeight(cell.netcons[1]))


@pytest.mark.parametrize("kind", ["ExpSyn", "PulseSyn"])
def test_events_at_one_time(kind: str) -> None:
    """NEURON does not say which comes first; where it matters the run is refused."""
    cell = Driven(kind)
    for netcon in cell.netcons[:2]:
        netcon.delay = 0.5
    parameter = gradmod.NetConWeight(cell.netcons[0])
    grad = gradmod.attach(weight=parameter)
    record = grad.record(cell.soma(0.5))
    cell.run(0.025, 3.0)
    if kind == "ExpSyn":
        assert np.any(record["weight"])
    else:
        with pytest.raises(gradmod.Refused, match="give their NetCons different delays"):
            record["weight"]
    grad.detach()
    with gradmod.Reverse(weight=parameter) as reverse:
        trace = reverse.record(cell.soma(0.5))
        if kind == "ExpSyn":
            reverse.run(3.0, simulate=lambda: cell.run(0.025, 3.0))
            assert reverse.gradient({trace: trace.values})["weight"] != 0
        else:
            with pytest.raises(gradmod.Refused, match="give their NetCons different delays"):
                reverse.run(3.0, simulate=lambda: cell.run(0.025, 3.0))
