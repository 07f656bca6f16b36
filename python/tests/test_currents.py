"""What is odd in NEURON's step: signs of currents, CONDUCTANCE, jumps and bends, LOCALs with other things' names, code
that sets what is around it. Forward mode against finite differences, reverse mode against forward mode.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gradmod
import numpy as np
import pytest
from models import comparing, everything, twig
from neuron import h
from test_reverse import compare

T_STOP = 4.0  # ms
#: Mechanisms that are tried together, and the initial voltage.
CASES = {
    "an electrode beside other currents": (("kmixed",), -66.3),
    "CONDUCTANCEs of all kinds": (("khints",), -66.3),
    "LOCALs with the names of currents, CONDUCTANCE that is not heeded": (("klocal",), -66.3),
    "CONDUCTANCE without SOLVE": (("kblind",), -66.3),
    "LOCALs with the names of others": (("kshadow",), -66.3),
    "just below a jump and a bend": (("kstairs",), -66.0003),
    "FUNCTIONs that set things": (("kside",), -66.3),
    "an equation in one arm": (("karms",), -66.3),
    "roots of 0, exp beyond its largest": (("kroots",), -66.3),
    "several kinds together": (("kmixed", "kstairs", "kside", "kshadow"), -66.0003),
}


def unequal(cell: twig.Twig) -> None:
    """Give every segment other values of all RANGE parameters, but where jumps are."""
    name = h.ref("")
    for number, seg in enumerate(seg for section in cell.all for seg in section):
        for mechanism in cell.mechanisms:
            standard = h.MechanismStandard(mechanism, 1)
            for index in range(int(standard.count())):
                standard.name(name, index)
                if not name[0].startswith(("vbend", "vlow")):
                    setattr(seg, name[0], getattr(seg, name[0]) * (1 + 0.05 * number))


def check(cell: twig.Twig, directions: everything.Everything, looks: list[tuple[Any, str]]) -> None:
    """Both modes are exact."""

    def simulate() -> dict[str, np.ndarray]:
        return cell.run(0.05, T_STOP)

    found = comparing.gradients(directions, looks, simulate)
    assert comparing.wrong(found, directions, simulate) == {}
    both = compare({name: wanted for name, (wanted, _, _) in directions.items()}, looks, simulate, T_STOP)
    assert {name: values for name, values in both.items() if not abs(values[0] - values[1]) <= 1e-9 * values[2]} == {}


@pytest.mark.parametrize("case", CASES)
def test_density(case: str) -> None:
    mechanisms, v_init = CASES[case]
    cell = twig.Twig(mechanisms, v_init=v_init)
    unequal(cell)
    # What is all but constant has no good differences.
    check(cell, cell.directions(), [look for look in cell.watched if look[1] != "s_kroots"])


@pytest.fixture
def synapses() -> Iterator[tuple[twig.Twig, list[Any], list[Any]]]:
    cell = twig.Twig(())
    places = (cell.soma(0.5), cell.long(0.75))
    made = [h.MixSyn(place) for place in places]
    stimulus = h.NetStim()
    stimulus.number, stimulus.start, stimulus.interval, stimulus.noise = 4, 0.5, 1.1, 0
    netcons = []
    for number, synapse in enumerate(made):
        synapse.gmax, synapse.push, synapse.tau = 1e-3 + 2e-4 * number, 0.02 - 0.003 * number, 3 + number
        netcons.append(h.NetCon(stimulus, synapse, 0, 0.3 + 0.2 * number, 0.4 + 0.1 * number))
    yield cell, made, netcons
    netcons.clear()


def test_point_process(synapses: tuple[twig.Twig, list[Any], list[Any]]) -> None:
    cell, made, netcons = synapses
    directions = cell.directions()
    for number, synapse in enumerate(made):
        for name in ("gmax", "push", "tau"):
            shift = everything.shift([synapse], name)
            directions[f"{name}{number}"] = (gradmod.Stimulus(synapse, name), shift, getattr(synapse, name))
    for number, netcon in enumerate(netcons):

        def shift_weight(by: float, netcon: Any = netcon, start: float = netcon.weight[0]) -> None:
            netcon.weight[0] = start + by

        directions[f"w{number}"] = (gradmod.NetConWeight(netcon), shift_weight, netcon.weight[0])
    check(cell, directions, cell.watched)


def test_an_equation_that_no_step_has_run_yet() -> None:
    """NEURON then takes what the run before left: there is no gradient, and the reason says so."""
    cell = twig.Twig(("karms",), v_init=-58.0)
    direction = {"gmax": cell.directions()["gmax_karms"][0]}
    message = "the equation of `h` is used before a run has computed it"
    grad = gradmod.attach(**direction)
    record = grad.record(cell.soma(0.5))
    cell.run(0.05, 1.0)
    with pytest.raises(gradmod.Refused, match=message):
        record["gmax"]
    grad.detach()
    with gradmod.Reverse(**direction) as reverse:
        trace = reverse.record(cell.soma(0.5))
        reverse.run(1.0, simulate=lambda: cell.run(0.05, 1.0))
        with pytest.raises(gradmod.Refused, match=message):
            reverse.gradient({trace: np.ones_like(trace.values)})


def test_an_infinite_derivative() -> None:
    """sqrt(s) has no derivative in the value 0 that s starts from; other gradients are there."""
    cell = twig.Twig(("kstart",))
    directions = {name: wanted for name, (wanted, _, _) in cell.directions().items()}
    assert {"gmax_kstart", "start_kstart"} <= set(directions)
    grad = gradmod.attach(**directions)
    record = grad.record(cell.soma(0.5))
    cell.run(0.05, 1.0)
    with pytest.raises(
        gradmod.Refused, match=r"no gradient of v at .* in start_kstart: it is infinite or not a number"
    ):
        record["start_kstart"]
    assert np.all(np.isfinite(record["gmax_kstart"]))
    grad.detach()
    for name in ("start_kstart", "gmax_kstart"):
        with gradmod.Reverse(**{name: directions[name]}) as reverse:
            trace = reverse.record(cell.soma(0.5))
            reverse.run(1.0, simulate=lambda: cell.run(0.05, 1.0))
            if name == "gmax_kstart":
                assert np.isfinite(reverse.gradient({trace: np.ones_like(trace.values)})[name])
            else:
                with pytest.raises(gradmod.Refused, match="no gradient in start_kstart: it is infinite or not"):
                    reverse.gradient({trace: np.ones_like(trace.values)})
