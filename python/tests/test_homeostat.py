"""Cells that regulate themselves: the gradients that they go by against finite differences, and what they do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import gradmod
import neuron
import numpy as np
import pytest
from models import load_fixtures, twig
from neuron import h

MECHANISMS = Path(__file__).parents[2] / "examples" / "homeostasis_mechanisms"
noisy = pytest.mark.skipif(neuron.__version__.startswith("8."), reason="NEURON 8 has no RANDOM")


class Squid:
    """One compartment of squid axon, driven by frozen noise."""

    def __init__(self, stream: int = 0) -> None:
        load_fixtures(MECHANISMS)
        self.soma = h.Section(name=f"squid{stream}")
        self.soma.L, self.soma.diam, self.soma.cm = 10, 2, 1
        self.soma.insert("squid")
        self.soma.insert("drive")
        self.stream = stream
        self.place = self.soma(0.5)

    def rewind(self) -> None:
        self.place.drive.xi.set_ids(self.stream, 7, 1).set_seq(0)

    def directions(self, sections: Any = None) -> dict[str, gradmod.Range]:
        where = self.soma if sections is None else sections
        names = {"gna": "gna_squid", "gk": "gk_squid", "gain": "gain_drive"}
        return {name: gradmod.Range(variable, where) for name, variable in names.items()}

    def set(self, name: str, value: float) -> None:
        setattr(self.place, {"gna": "gna_squid", "gk": "gk_squid", "gain": "gain_drive"}[name], value)

    def get(self, name: str) -> float:
        return getattr(self.place, {"gna": "gna_squid", "gk": "gk_squid", "gain": "gain_drive"}[name])


def solve(until: float) -> None:
    context = h.ParallelContext()
    context.set_maxstep(10)
    context.psolve(until)


def low_pass(x: Any, tau: float, start: float) -> Any:
    """[sample] ``tau f' = x - f``."""
    share = -np.expm1(-h.dt / tau)
    f = np.empty(len(x) + 1)
    f[0] = start
    for i, value in enumerate(x):
        f[i + 1] = f[i] + share * (value - f[i])
    return f


def frequency(fast: Any, slow: Any, tau: float) -> Any:
    """[sample] in Hz, from the samples of two gating states."""
    turn = np.diff(np.arctan2(np.array(fast) - 0.5, np.array(slow) - 0.5))
    turn = (turn + np.pi) % (2 * np.pi) - np.pi
    return low_pass(1000 / (2 * np.pi) * turn / h.dt, tau, 0.0)


def central(simulate: Callable[[], Any], change: Callable[[float], None], value: float, relative: float) -> Any:
    """Central differences of fourth order."""
    step = relative * abs(value)
    seen = []
    for factor in (1, -1, 2, -2):
        change(value + factor * step)
        seen.append(simulate())
    change(value)
    return (8 * (seen[0] - seen[1]) - (seen[2] - seen[3])) / (12 * step)


def deviation(found: Any, expected: Any) -> float:
    return float(np.max(np.abs(found - expected)) / np.max(np.abs(expected)))


#: So large that rounding, so small that curvature does no harm.
STEPS = {"gna": 1e-4, "gk": 1e-4, "gain": 1e-5}


@noisy
def test_gradient_of_a_frequency() -> None:
    """Of measure and loss, in a noisy run with spikes; the voltage stays as it was; a wrong sign would be seen."""
    h.dt, tau, target, t_stop = 0.05, 500.0, 2.0, 2000.0
    cell = Squid(1)
    vectors = [h.Vector().record(getattr(cell.place, f"_ref_{name}")) for name in ("m_squid", "h_squid", "v")]

    def simulate() -> Any:
        cell.rewind()
        h.finitialize(-53)
        solve(t_stop)
        f = frequency(vectors[0], vectors[1], tau)
        # The loss without its constant, which would cost digits.
        return np.array([f, np.cumsum(h.dt * (f / 2 - target) * f)])

    expected = {
        name: central(simulate, lambda x, name=name: cell.set(name, x), cell.get(name), STEPS[name]) for name in STEPS
    }
    f, _ = simulate()
    voltage = np.array(vectors[2])
    assert np.sum((voltage[1:] > -10) & (voltage[:-1] <= -10)) >= 3
    homeostat = gradmod.Homeostat(
        gradmod.Frequency("m_squid", "h_squid", tau=tau), cell.place, target=target, alpha=0, **cell.directions()
    )
    history = homeostat.controllers[0].record(h.dt)

    def run(sign: float = 1.0) -> None:
        cell.rewind()
        h.finitialize(-53)
        region = homeostat.gradients._attachments[0].spots[0].region
        getattr(cell.place, region.suffix).w_gna_squid[0] = sign
        solve(t_stop)

    run()
    assert np.array_equal(vectors[2], voltage)
    assert np.allclose(history.measure, f, rtol=0, atol=1e-9)
    for name in STEPS:
        assert deviation(history.gradient[name], expected[name][0]) < 1e-6
        # The loss is summed from the first step on.
        assert deviation(history.loss_gradient[name][1:], expected[name][1, 1:]) < 1e-6
    run(sign=-1.0)
    assert deviation(history.gradient["gna"], expected["gna"][0]) > 0.1
    homeostat.detach()


@noisy
def test_leak_is_the_gradient_in_a_fading_past() -> None:
    """What a parameter did s steps ago counts exp(-leak dt s): differences of runs with changes that grow so."""
    h.dt, leak, tau = 0.05, 0.02, 100.0
    cell = Squid(3)
    vectors = [h.Vector().record(getattr(cell.place, f"_ref_{name}")) for name in ("m_squid", "h_squid", "v")]
    keep = np.exp(-leak * h.dt)
    cell.rewind()
    h.finitialize(-53)
    solve(1000)
    voltage = np.array(vectors[2])
    spikes = np.flatnonzero((voltage[1:] > -10) & (voltage[:-1] <= -10))
    steps = int(spikes[spikes > 2000][0]) + 25  # on the falling side of a spike

    def simulate(name: str, last: float) -> Any:
        """With a change that grows by 1/keep every step and makes the parameter ``last`` in the last one."""
        value = cell.get(name)
        cell.rewind()
        h.finitialize(-53)
        for n in range(steps):
            cell.set(name, value + (last - value) * keep ** (steps - 1 - n))
            h.fadvance()
        cell.set(name, value)
        return np.array([frequency(vectors[0], vectors[1], tau)[-1], vectors[2][-1]])

    expected = {}
    for name, relative in STEPS.items():
        last = [cell.get(name)]
        expected[name] = central(
            lambda name=name, last=last: simulate(name, last[0]),
            lambda x, last=last: last.__setitem__(0, x),
            last[0],
            relative,
        )
    homeostat = gradmod.Homeostat(
        gradmod.Frequency("m_squid", "h_squid", tau=tau),
        cell.place,
        target=1,
        alpha=0,
        leak=leak,
        **cell.directions(),
    )
    dv = homeostat.gradients.record(cell.place)
    cell.rewind()
    h.finitialize(-53)
    solve(steps * h.dt)
    found = [np.array([homeostat.controllers[0].gradient[name], dv[name][-1]]) for name in STEPS]
    for name, (f, v) in zip(STEPS, found, strict=True):
        assert f == pytest.approx(expected[name][0], rel=1e-6)
        assert v == pytest.approx(expected[name][1], rel=1e-6)
        assert abs(f) > 0
    homeostat.detach()


def calcium_cell() -> twig.Twig:
    cell = twig.Twig(("cah", "capool"))
    for number, section in enumerate(cell.all):
        for segment in section:
            segment.cah.gbar = (1 + number) * 2e-4
    return cell


def calcium_directions(cell: twig.Twig) -> dict[str, gradmod.Range | gradmod.Stimulus]:
    """The same in several tests, so that they share what is compiled."""
    return {
        "gca": gradmod.Range("gbar_cah", cell.all, weight=lambda segment: segment.cah.gbar),
        "gk": gradmod.Range("gkbar_hh", cell.all),
        "amp": gradmod.Stimulus(cell.stimulus, "amp"),
    }


def test_measure_of_ones_own_in_a_branched_cell() -> None:
    """An expression; a parameter in several places at once, in proportion to what it is there; a stimulus."""
    expression, tau = "1000*cai*(1 - h_cah) + 0.001*v", 3.0
    cell = calcium_cell()
    segments = [segment for section in cell.all for segment in section]
    before = [segment.cah.gbar for segment in segments]
    vectors = {n: h.Vector().record(getattr(cell.soma(0.5), f"_ref_{n}")) for n in ("cai", "h_cah", "v")}

    def simulate() -> Any:
        cell.run(0.025, 8.0)
        cai, inactivation, v = (np.array(vector) for vector in vectors.values())
        x = 1000 * cai * (1 - inactivation) + 0.001 * v
        return low_pass(x[1:], tau, x[0])

    def scale(factor: float) -> None:
        for segment, value in zip(segments, before, strict=True):
            segment.cah.gbar = factor * value

    def amplitude(value: float) -> None:
        cell.stimulus.amp = value

    def potassium(value: float) -> None:
        for section in cell.all:
            section.gkbar_hh = value

    expected = {
        "gca": central(simulate, scale, 1.0, 1e-4),
        "gk": central(simulate, potassium, 0.036, 1e-4),
        "amp": central(simulate, amplitude, 0.6, 1e-4),
    }
    f = simulate()
    homeostat = gradmod.Homeostat(
        gradmod.Average(expression, tau),
        cell.soma(0.5),
        target=0.3,
        alpha=0,
        **calcium_directions(cell),
    )
    (controller,) = homeostat.controllers
    history = controller.record(0.025)
    cell.run(0.025, 8.0)
    assert np.allclose(history.measure, f, rtol=1e-12)
    for name, value in expected.items():
        assert deviation(history.gradient[name], value) < 1e-6
    assert [segment.cah.gbar for segment in segments] == before

    # With control on: the rule as it is written, in all places at once.
    homeostat.alpha, homeostat.leak = 0.4, 0.1
    traces = [h.Vector().record(segment._ref_gbar_cah) for segment in segments]
    cell.run(0.025, 8.0)
    for name, scale_ in (("gca", 1.0), ("gk", 0.036), ("amp", 0.6)):
        theta, e, df = history.theta[name], history.loss_gradient[name], history.gradient[name]
        assert np.allclose(np.diff(theta), -0.025 * 0.4 * scale_ * e[1:], rtol=1e-9, atol=1e-14)
        slope = (history.measure - 0.3) * df
        assert np.allclose(e[1:], np.exp(-0.1 * 0.025) * e[:-1] + 0.025 * slope[1:], rtol=1e-9, atol=1e-14)
    factor = np.array(history.theta["gca"])
    assert abs(factor[-1] - 1) > 0.01
    for trace, value in zip(traces, before, strict=True):
        # Up to one step later than theta, as NEURON orders the mechanisms.
        late = np.max(np.abs(np.array(trace)[1:] / value - factor[:-1]))
        assert min(late, np.max(np.abs(np.array(trace) / value - factor))) < 1e-12
    assert cell.stimulus.amp == pytest.approx(controller.theta["amp"], rel=1e-12)
    homeostat.detach()
    # What it did stays.
    assert segments[0].cah.gbar == pytest.approx(before[0] * factor[-1], rel=1e-4)


class Heard(twig.Twig):
    """Synapses that hear the same spikes, one with a current that is not linear in v."""

    def __init__(self) -> None:
        super().__init__(("cah",))
        kinds = (h.ExpSyn, h.NmdaSyn, h.QuadSyn, h.TmSyn, h.CaseSyn, h.ExpSyn)
        places = (self.long(0.75), self.short(0.5), self.long(0.25), self.soma(0.5), self.soma(0.5), self.short(0.5))
        self.synapses = [kind(place) for kind, place in zip(kinds, places, strict=True)]
        self.train = h.TrainSyn(self.long(0.25))
        self.spikes = h.NetStim()
        self.spikes.start, self.spikes.interval, self.spikes.number, self.spikes.noise = 0.7, 1.3, 5, 0
        self.netcons = [
            h.NetCon(self.spikes, synapse, 0, 0.31 + 0.4 * i, 2e-3) for i, synapse in enumerate(self.synapses)
        ]


@pytest.mark.parametrize(
    ("kind", "what", "value", "heard"),
    [("ExpSyn", "e", -7.0, 0), ("ExpSyn", "tau", 2.5, 2), ("NmdaSyn", "e", -7.0, 0), ("TrainSyn", "tau", 2.5, 0)],
)
def test_events_are_heard_where_their_gradients_are_not_zero(kind: str, what: str, value: float, heard: int) -> None:
    """What events do changes with none of the parameters, and is not followed; or with the time constant, and is."""
    cell = Heard()
    synapse = {"ExpSyn": cell.synapses[0], "NmdaSyn": cell.synapses[1], "TrainSyn": cell.train}[kind]
    setattr(synapse, what, value)
    voltage = h.Vector().record(cell.soma(0.5)._ref_v)

    def simulate() -> Any:
        cell.run(0.025, 8.0)
        return low_pass(np.array(voltage)[1:], 3.0, voltage[0])

    def potassium(conductance: float) -> None:
        for section in cell.all:
            section.gkbar_hh = conductance

    expected = {
        what: central(simulate, lambda x: setattr(synapse, what, x), value, 1e-3),
        "gk": central(simulate, potassium, 0.036, 1e-4),
    }
    f = simulate()
    directions = {what: gradmod.Stimulus(synapse, what), "gk": gradmod.Range("gkbar_hh", cell.all)}
    homeostat = gradmod.Homeostat(gradmod.Average("v", 3.0), cell.soma(0.5), target=-60, alpha=0, **directions)
    history = homeostat.controllers[0].record(0.025)
    cell.run(0.025, 8.0)
    assert np.allclose(history.measure, f, rtol=1e-12)
    for name in directions:
        assert deviation(history.gradient[name], expected[name]) < 1e-6
    (attachment,) = homeostat.gradients._attachments
    assert len(attachment.companions) == 8
    assert len(attachment.events) == heard
    homeostat.detach()


def test_clip_bounds_each_group() -> None:
    """Before a step is made of them, the gradients of v and of each state are as large as they may be, or smaller."""
    cell, clip = calcium_cell(), 0.25
    homeostat = gradmod.Homeostat(
        gradmod.Average("v", 2.0),
        cell.soma(0.5),
        target=-60,
        alpha=0,
        clip=clip,
        **calcium_directions(cell),
    )
    place = cell.long(0.75)
    region = homeostat.gradients._attachments[0].spots[0].region
    mechanism = getattr(place, region.suffix)
    (gradient,) = [state.gradient for state in region.states if state.name == "m_hh"]
    cell.run(0.025, 1.0)
    bounded = 0
    for _ in range(80):
        h.fadvance()
        before = sizes(homeostat, place, mechanism, gradient)
        # What comes before the next step is made of them.
        getattr(h, f"setdata_{region.suffix}")(place.x, sec=place.sec)
        getattr(h, f"fade_{region.suffix}")()
        after = sizes(homeostat, place, mechanism, gradient)
        assert np.allclose(after, np.minimum(before, clip), rtol=1e-12)
        bounded += int(np.sum(before > clip))
    assert bounded > 20
    homeostat.detach()


def sizes(homeostat: gradmod.Homeostat, place: Any, mechanism: Any, gradient: str) -> Any:
    """Of the gradients of v and of one state over the directions."""
    voltage = [homeostat.gradients.at(name, place).value for name in homeostat.gradients.directions]
    return np.array([np.linalg.norm(voltage), np.linalg.norm(list(getattr(mechanism, gradient)))])


def test_a_cell_keeps_its_mean_voltage() -> None:
    """Nearer to the target than a hundredth of the way, by one parameter; what may not change does not."""
    cell = calcium_cell()
    cell.stimulus.dur, cell.stimulus.amp = 1e9, 0.02
    homeostat = gradmod.Homeostat(
        gradmod.Average("v", 2.0),
        cell.soma(0.5),
        target=0,
        alpha=0,
        leak=0.5,
        bounds={"gca": (1, 1), "amp": (0.02, 0.02)},
        **calcium_directions(cell),
    )
    (controller,) = homeostat.controllers
    cell.run(0.025, 100.0)
    free = controller.measure
    target = free - 2.0
    homeostat.target, homeostat.alpha = target, 1.8e-4
    cell.run(0.025, 400.0)
    assert abs(controller.measure - target) < 0.02
    assert controller.theta["gk"] > 1.1 * 0.036
    assert controller.theta["gca"] == 1
    assert cell.stimulus.amp == pytest.approx(0.02)
    before = [segment.gkbar_hh for segment in cell.all[1]]
    homeostat.alpha = 0
    cell.run(0.025, 100.0)
    assert abs(controller.measure - target) < 0.02
    assert [segment.gkbar_hh for segment in cell.all[1]] == before
    homeostat.detach()


@noisy
def test_noisy_cells_find_their_frequency() -> None:
    """Three cells for 120 s: one regulates itself, one is only measured, one goes by gradients of the wrong sign."""
    h.dt, target = 0.05, 4.0
    cells = [Squid(stream) for stream in range(3)]
    homeostat = gradmod.Homeostat(
        gradmod.Frequency("m_squid", "h_squid"),
        [cell.place for cell in cells],
        target=target,
        alpha=2e-7,
        leak=1e-4,
        **cells[0].directions([cell.soma for cell in cells]),
    )
    histories = [controller.record(100.0) for controller in homeostat.controllers]
    for cell in cells:
        cell.rewind()
    homeostat.controllers[1].mechanism.alpha = 0
    h.finitialize(-53)
    region = homeostat.gradients._attachments[2].spots[0].region
    for seed in region.parameters.values():
        for k in range(3):
            getattr(cells[2].place, region.suffix).__getattribute__(seed)[k] *= -1
    solve(120e3)
    late = [float(np.mean(history.measure[history.t > 80e3])) for history in histories]
    assert abs(late[0] - target) < 1.0
    assert 0.4 < late[1] < 1.4
    assert late[2] < 0.4 * late[1]
    assert cells[0].place.drive.gain > 0.1
    assert cells[1].place.drive.gain == 0.06
    homeostat.detach()


def test_what_is_refused() -> None:
    cell = calcium_cell()
    measure, place = gradmod.Average("v", 2.0), cell.soma(0.5)

    def make(at: Any = place, **directions: Any) -> gradmod.Homeostat:
        return gradmod.Homeostat(measure, at, target=-60, alpha=1e-9, **(directions or calcium_directions(cell)))

    for wrong in (gradmod.Range("cm", cell.all), gradmod.Global("celsius"), gradmod.InitialVoltage()):
        with pytest.raises(gradmod.Error, match=r"x: .* cannot change in a cell while NEURON runs"):
            make(x=wrong)
    with pytest.raises(gradmod.Error, match="its cell has a controller already"):
        make(at=[place, cell.long(0.75)])
    with pytest.raises(gradmod.Error, match="an end without membrane"):
        make(at=cell.soma(0))
    uneven = {**calcium_directions(cell), "gca": gradmod.Range("gbar_cah", cell.all)}
    homeostat = make(**uneven)
    with pytest.raises(RuntimeError, match=r"gca: the parameter is 0.0002 at soma\(0.5\) and 0.0004"):
        cell.run(0.025, 1.0)
    homeostat.detach()
    # Nothing of it is left.
    assert all("gm_" not in name for section in cell.all for name in section.psection()["density_mechs"])
    assert len(list(h.allsec())) == 3


@pytest.mark.parametrize("what", ["dt", "t", "v", "state"])
def test_runs_that_gradients_do_not_follow(what: str) -> None:
    cell = calcium_cell()
    homeostat = gradmod.Homeostat(
        gradmod.Average("v", 2.0), cell.soma(0.5), target=-60, alpha=1e-9, **calcium_directions(cell)
    )
    (controller,) = homeostat.controllers
    history = controller.record(0.5)
    cell.run(0.025, 2.0)
    assert len(history.measure) >= 4
    if what == "dt":
        h.dt = 0.0125
    elif what == "t":
        h.t += 1.0
    elif what == "v":
        cell.soma(0.5).v += 1e-3
    else:
        cell.soma(0.5).hh.m += 1e-3
    for _ in range(4):
        h.fadvance()
    for read in (lambda: controller.measure, lambda: controller.theta, lambda: history.measure):
        with pytest.raises(gradmod.Refused, match="no exact gradient"):
            read()
    h.dt = 0.025
    homeostat.detach()


def test_cells_that_see_voltages_of_others() -> None:
    cell = calcium_cell()
    gap = h.Gap(cell.soma(0.5))
    h.setpointer(cell.long(0.75)._ref_v, "vgap", gap)
    with pytest.raises(
        gradmod.Refused, match="a POINTER that sees a voltage is not differentiated where gradients act on the run"
    ):
        gradmod.Homeostat(
            gradmod.Average("v", 2.0), cell.soma(0.5), target=-60, alpha=0, gk=gradmod.Range("gkbar_hh", cell.all)
        )
