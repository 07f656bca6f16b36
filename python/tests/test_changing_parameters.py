"""Reverse mode where what drives point processes changes along the run: played, or set by events of the script."""

from __future__ import annotations

from typing import Any

import gradmod
import numpy as np
import pytest
from gradmod import finite
from models import everything
from models.comparing import differences
from models.everything import Everything
from neuron import h

DT, T_STOP = 0.05, 12.0


class Changing:
    """A branched cell; three synapses, two of them in one segment; nothing of them stays what it was."""

    def __init__(self) -> None:
        self.soma, self.near, self.far = (h.Section(name=name) for name in ("soma", "near", "far"))
        self.all = [self.soma, self.near, self.far]
        self.near.connect(self.soma(1))
        self.far.connect(self.soma(0))
        self.soma.L = self.soma.diam = 18.0
        self.near.L, self.near.diam, self.near.nseg = 150.0, 1.4, 3
        self.far.L, self.far.diam, self.far.nseg = 220.0, 0.9, 5
        self.soma.insert("hh")
        for sec in (self.near, self.far):
            sec.insert("pas")
            for i, segment in enumerate(sec):
                segment.pas.g = 1e-4 * (1 + 0.3 * i)
        self.synapses = [h.ExpSyn(self.near(0.5)), h.ExpSyn(self.near(0.5)), h.ExpSyn(self.far(0.7))]
        self.clamp = h.IClamp(self.soma(0.5))
        self.clamp.delay, self.clamp.dur = 0.0, 1e9
        self.sources, self.netcons = [], []
        for k, synapse in enumerate(self.synapses):
            synapse.tau, synapse.e = 1.0 + 0.7 * k, -5.0 * k
            source = h.NetStim()
            source.start, source.interval, source.number, source.noise = 0.5 + 0.3 * k, 1.7 + 0.4 * k, 100, 0
            netcon = h.NetCon(source, synapse)
            netcon.delay, netcon.weight[0] = 0.4, 2e-3 * (1 + k)
            self.sources.append(source)
            self.netcons.append(netcon)
        times = h.Vector(np.arange(0.0, T_STOP + 1, 0.5))
        self.played = [
            (h.Vector(0.1 + 0.05 * np.sin(np.arange(len(times)))), self.clamp._ref_amp, 1),
            (h.Vector(2.0 + 0.8 * np.cos(np.arange(len(times)))), self.synapses[1]._ref_tau, 0),
        ]
        for vector, target, continuous in self.played:
            vector.play(target, times, continuous)
        self._times = times

    def run(self) -> None:
        """Initialise and run; the first synapse changes at two times, and is itself again at the start."""
        h.dt = DT
        self.synapses[0].e, self.synapses[0].tau = 0.0, 1.0
        h.finitialize(-65)
        h.CVode().event(3.02, lambda: setattr(self.synapses[0], "e", -30.0))
        h.CVode().event(7.4, lambda: setattr(self.synapses[0], "tau", 3.0))
        h.CVode().event(7.4, lambda: setattr(self.synapses[0], "e", -10.0))
        h.ParallelContext().set_maxstep(10)
        h.ParallelContext().psolve(T_STOP)

    def parameters(self) -> Everything:
        """Directions that the changes act on by other ways than by themselves, with how to shift each and its size."""
        found = {f"w{k}": everything.weight_of(netcon) for k, netcon in enumerate(self.netcons)}
        synapse = self.synapses[2]
        found["tau"] = gradmod.Stimulus(synapse, "tau"), everything.shift([synapse], "tau"), synapse.tau
        found["g"] = everything.range_of("g_pas", "g_pas", [self.near])
        found["gnabar"] = everything.range_of("gnabar_hh", "gnabar_hh", [self.soma])
        return found


def gradients(cell: Changing, memory: float, times: int = 1) -> list[dict[str, float]]:
    with gradmod.Reverse({n: p for n, (p, _, _) in cell.parameters().items()}, memory=memory, quiet=True) as reverse:
        h.dt = DT
        trace = reverse.record(cell.far(0.7))
        reverse.run(T_STOP, simulate=cell.run)
        weights = np.cos(0.1 * np.arange(len(trace.values)))
        found = [reverse.gradient({trace: weights}) for _ in range(times)]
    return [{name: float(np.sum(value)) for name, value in one.items()} for one in found]


@pytest.fixture
def cell() -> Changing:
    return Changing()


def test_against_differences(cell: Changing) -> None:
    voltage = h.Vector().record(cell.far(0.7)._ref_v)
    (found,) = gradients(cell, 64)

    def run() -> dict[str, Any]:
        cell.run()
        return {"loss": np.cos(0.1 * np.arange(len(voltage))) @ voltage.as_numpy()}

    for name, (_, shift, size) in cell.parameters().items():
        compared = finite.compare({"loss": np.array(found[name])}, differences(run, shift, size))
        assert compared.deviation <= 1e-6, f"{name}: {compared}"


def test_windows_and_a_second_gradient_change_nothing(cell: Changing) -> None:
    (whole,) = gradients(cell, 64)
    assert gradients(cell, 64, times=2) == [whole, whole]
    assert gradients(cell, 0.03, times=2) == [whole, whole]


def test_forward_mode_agrees(cell: Changing) -> None:
    (found,) = gradients(cell, 64)
    grad = gradmod.attach({name: p for name, (p, _, _) in cell.parameters().items()}, quiet=True)
    recording = grad.record(cell.far(0.7))
    cell.run()
    weights = np.cos(0.1 * np.arange(round(T_STOP / DT) + 1))
    theirs = {name: float(weights @ np.array(values)) for name, values in recording.items()}
    grad.detach()
    assert found == pytest.approx(theirs, rel=1e-9)


def test_in_several_threads_it_is_refused(cell: Changing) -> None:
    other = Changing()
    context = h.ParallelContext()
    context.nthread(2)
    try:
        with pytest.raises(
            gradmod.Refused, match=r"supported in one thread only|NEURON runs 2 threads"
        ):  # NEURON 9, 8.2
            reverse = gradmod.Reverse(g=gradmod.Range("g_pas", [cell.near, other.near]), quiet=True)
            h.dt = DT
            reverse.run(T_STOP, simulate=cell.run)
    finally:
        context.nthread(1)


def test_every_instance_is_a_parameter(cell: Changing) -> None:
    """The third synapse does not change along the run; the others stand for many that do not either."""
    for vector, _, _ in cell.played:
        vector.play_remove()
    cell.clamp.amp = 0.12
    chosen = [cell.synapses[2], cell.synapses[1]]

    def run() -> None:
        h.dt = DT
        h.finitialize(-65)
        h.ParallelContext().psolve(T_STOP)

    parameters = {"e": gradmod.PerPointProcess(chosen, "e"), "tau": gradmod.PerPointProcess(chosen, "tau")}
    with gradmod.Simulation(
        parameters, [cell.far(0.7)], T_STOP, simulate=run, mode="reverse", quiet=True
    ) as simulation:
        assert simulation.names == ["e[0]", "e[1]", "tau[0]", "tau[1]"]
        x = simulation.x
        assert list(x) == [synapse.e for synapse in chosen] + [synapse.tau for synapse in chosen]
        weights = np.cos(0.1 * np.arange(round(T_STOP / DT) + 1))[None]
        found = simulation.vjp(x, weights)
        for i, step in enumerate((1e-3, 1e-3, 1e-4, 1e-4)):
            above, below = (float(np.sum(weights * simulation(x + sign * step * np.eye(4)[i]))) for sign in (1, -1))
            assert found[i] == pytest.approx((above - below) / (2 * step), rel=1e-6)
    with pytest.raises(gradmod.Error, match="PerPointProcess is for reverse mode"):
        gradmod.attach(parameters)


def test_an_instance_that_changes_is_refused(cell: Changing) -> None:
    with gradmod.Reverse(e=gradmod.PerPointProcess(cell.synapses, "e"), quiet=True) as reverse:
        h.dt = DT
        with pytest.raises(gradmod.Refused, match=r"e: e of ExpSyn\[\d+\] was 0 before the run and is -10 after it"):
            reverse.run(T_STOP, simulate=cell.run)

        def there_and_back() -> None:
            h.finitialize(-65)
            h.CVode().event(3.0, lambda: setattr(cell.synapses[2], "e", 5.0))
            h.CVode().event(4.0, lambda: setattr(cell.synapses[2], "e", -10.0))
            h.ParallelContext().psolve(T_STOP)

        with pytest.raises(gradmod.Refused, match=r"e: e of ExpSyn\[\d+\] was changed during the run"):
            reverse.run(T_STOP, simulate=there_and_back)


def test_instances_of_one_kind_each_once(cell: Changing) -> None:
    with pytest.raises(gradmod.Error, match="at least one point process"):
        gradmod.PerPointProcess([], "e")
    with pytest.raises(gradmod.Error, match="one kind, not ExpSyn, IClamp"):
        gradmod.PerPointProcess([cell.synapses[0], cell.clamp], "e")
    with pytest.raises(gradmod.Error, match="named twice"):
        gradmod.PerPointProcess([cell.synapses[0], cell.synapses[0]], "e")
