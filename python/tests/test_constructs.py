"""Every construct of NMODL that is claimed, one mechanism after another, against finite differences."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import gradmod
import numpy as np
import pytest
from gradmod import finite
from models import comparing, everything, library, twig
from neuron import h

#: Mechanisms that are tried together, and the time step.
CASES = {
    "every builtin": (("mathlib",), 0.05),
    "a slope of x/(exp(x) - 1) where exp is as large as it gets": (("ksteep",), 0.05),
    "Goldman-Hodgkin-Katz, pool, Nernst": (("cal_ghk", "cah", "capool"), 0.05),
    "two that write concentrations": (("cah", "capool", "nashell", "sk"), 0.1),
    "pool before the channel that reads it": (("cah", "capool", "sk"), 0.1),
    "pool by derivimplicit": (("capump", "cah"), 0.05),
    "pool that sets the reversal potential": (("canernst", "cah"), 0.05),
    "pool that is a step late, and set anew by BREAKPOINT": (("calag", "cah"), 0.05),
    "derivimplicit, coupled; arguments assigned to": (("nap",), 0.1),
    "euler": (("keul",), 0.1),
    "runge, with the time in it": (("krunge",), 0.1),
    "states in a PROCEDURE, IF and ELSE": (("khand",), 0.05),
    "current that is not linear in v": (("kir",), 0.05),
    "CONDUCTANCE": (("leakc", "kdr", "krect"), 0.1),
    "CONDUCTANCE that NEURON does not heed": (("khint",), 0.1),
    "a FUNCTION_TABLE that a script fills": (("kfilled",), 0.05),
    "values that are computed only where something is new": (("leakwarm",), 0.05),
    "variable carried to BREAKPOINT": (("nacarry",), 0.05),
    "computed in INITIAL": (("kmq10",), 0.1),
    "computed in INITIAL, of the time, and not shown": (("kclock",), 0.1),
    "a conditional that stays, in an arm of one that changes": (("kinner",), 0.1),
    "computed in INITIAL, of what does not change, and not shown": (("kstill",), 0.1),
    "computed so, and read by what each step makes and does not show": (("kquiet",), 0.1),
    "default initial value": (("state0",), 0.1),
    "TABLE of FUNCTIONs": (("ktab",), 0.05),
    "TABLE that the voltage leaves": (("ktabn",), 0.05),
    "what a TABLE leaves behind; one step of its own": (("kleft",), 0.05),
    "kinetic": (("kmark",), 0.025),
    "a state that BREAKPOINT sets": (("ksum",), 0.1),
    "kinetic with a bare sum": (("kbare",), 0.1),
    "linear": (("nalin",), 0.025),
    "arrays, a table of arrays, a call of DERIVATIVE": (("karr",), 0.025),
    "an included file": (("kinc",), 0.025),
    "code that returns early": (("kreturn",), 0.025),
    "C code that NMODL could say": (("kverb", "cah", "capool"), 0.025),
    "blocks before and after, memory in BREAKPOINT": (("kwatch",), 0.025),
    "what BEFORE BREAKPOINT makes of v, and NEURON does not show": (("kfore",), 0.1),
    "loops that the simulation ends, elements that it chooses": (("kloop",), 0.025),
    "equations that are not linear": (("kroot",), 0.025),
    "a value that is a case of its own, and others": (("kcase",), 0.05),
    "SOLVE in an IF, what NEURON calls values before INITIAL, a GLOBAL set in INITIAL": (("khoist",), 0.05),
    "a TABLE made of another": (("ktwotab",), 0.05),
    "kinetic, nonlinear, in volumes": (("cabuf", "cah"), 0.05),
    "gates by two METHODs, CONDUCTANCE of no ion": (("camixed", "capool"), 0.05),
}


@pytest.mark.parametrize(
    "case",
    # Those that reverse mode has not each time (test_reverse.py), the others: make test-thorough.
    [pytest.param(case, marks=() if number % 3 else pytest.mark.thorough) for number, case in enumerate(CASES)],
)
def test_construct(case: str) -> None:
    mechanisms, dt = CASES[case]
    cell = twig.Twig(mechanisms)
    directions = cell.directions()

    def run() -> dict[str, np.ndarray]:
        return cell.run(dt, 6.0)

    found = comparing.gradients(directions, cell.watched, run)
    assert comparing.wrong(found, directions, run) == {}


@pytest.mark.parametrize("mode", [gradmod.attach, gradmod.Reverse])
def test_no_derivative_at_a_value_that_is_a_case_of_its_own(mode: Callable[..., Any]) -> None:
    cell = twig.Twig(("kcase",))
    slow = {"tau": gradmod.Range("tau_kcase", cell.long)}
    cell.short.tau_kcase = 0
    asked = mode(**slow, quiet=True)  # it is another value where it is a direction
    cell.run(0.05, 1.0)
    cell.long(0.75).kcase.tau = 0
    message = r"tau: tau_kcase is 0 in long\(0.75\), which the mechanism treats as a case of its own"
    with pytest.raises(gradmod.Refused, match=message):
        if isinstance(asked, gradmod.Reverse):
            asked.run(1.0, simulate=lambda: cell.run(0.05, 1.0))
        else:
            cell.run(0.05, 1.0)
            asked.check()
    (asked.close if isinstance(asked, gradmod.Reverse) else asked.detach)()
    with pytest.raises(gradmod.Refused, match=message):
        mode(**slow, quiet=True)
    others = mode(g=gradmod.Range("gbar_kcase", cell.all), Ra=gradmod.Range("Ra", cell.all), quiet=True)
    (others.close if isinstance(others, gradmod.Reverse) else others.detach)()


@pytest.fixture
def no_calcium_outside() -> Iterator[None]:
    library.load_fixtures()
    before = h.cao0_ca_ion
    h.cao0_ca_ion = -1.0
    yield
    h.cao0_ca_ion = before


@pytest.mark.usefixtures("no_calcium_outside")
def test_nernst_without_calcium_outside() -> None:
    """Where a concentration is not positive, NEURON's reversal potential is a number."""
    cell = twig.Twig(("cah", "capool"))
    for section in cell.all:
        section.gbar_cah = 1e-9
    cell.celsius = twig.CELSIUS
    directions = {
        "gbar": everything.range_of("gbar_cah", "gbar_cah", cell.all),
        "celsius": (gradmod.Global("celsius"), everything.shift([cell], "celsius"), cell.celsius),
        "cao": (gradmod.Global("cao0_ca_ion"), everything.shift([h], "cao0_ca_ion"), 1.0),
    }

    def run() -> dict[str, np.ndarray]:
        return cell.run(0.05, 6.0)

    found = comparing.gradients(directions, [(cell.soma(0.5), "v")], run)
    assert cell.soma(0.5).eca == -1e6
    assert not np.any(found["cao"][f"{cell.soma(0.5)}.v"])
    assert comparing.wrong(found, directions, run) == {}


def test_a_reversal_potential_that_a_mechanism_and_the_ion_style_set() -> None:
    cell = twig.Twig(("canernst", "cah"))
    for section in cell.all:
        h.ion_style("ca_ion", 3, 2, 1, 1, 1, sec=section)
    with pytest.raises(gradmod.Error, match="computes the reversal potential, which a mechanism sets too"):
        gradmod.attach(g=gradmod.Range("gbar_cah", cell.all))


def test_nernst_from_the_first_step_on() -> None:
    """By their ion style the reversal potentials are given when the run starts, and follow the concentrations then."""
    cell = twig.Twig(("cah", "capool", "nashell"))
    for section in cell.all:
        h.ion_style("ca_ion", 3, 2, 0, 1, 1, sec=section)
    directions = cell.directions()

    def run() -> dict[str, np.ndarray]:
        for section in cell.all:
            section.eca = 120.0
        return cell.run(0.05, 6.0)

    found = comparing.gradients(directions, cell.watched, run)
    assert np.any(found["cai0"][f"{cell.soma(0.5)}.s_nashell"])
    assert comparing.wrong(found, directions, run) == {}
    # The frames of reverse mode have the reversal potential as the first step has left it: INITIAL has found another.
    with pytest.raises(gradmod.Refused, match=r"ion_style of ca .* not at the start, where INITIAL uses it"):
        _in_reverse(cell, directions, run)


def _in_reverse(cell: twig.Twig, directions: everything.Everything, run: Any) -> None:
    with gradmod.Reverse({name: wanted for name, (wanted, _, _) in directions.items()}, quiet=True) as reverse:
        trace = reverse.record(cell.soma(0.5))
        reverse.run(6.0, simulate=run)
        reverse.gradient({trace: np.ones(len(trace.values))})


def test_a_table_over_range_variables() -> None:
    """All is exact but the variables that the table is made of, and they must have one value everywhere."""
    cell = twig.Twig(("kshift",))
    directions = cell.directions()

    def run() -> dict[str, np.ndarray]:
        return cell.run(0.025, 6.0)

    run()
    with pytest.raises(gradmod.Refused, match=r"no gradient in shift_kshift: the TABLE of rates in kshift\.mod"):
        gradmod.attach(shift=directions["shift_kshift"][0])
    cell.short(0.5).kshift.shift = 3
    with pytest.raises(gradmod.Refused, match=r"shift_kshift is 2.0 in .* and 3.0 in .*usetable_kshift = 0"):
        gradmod.attach(cm=directions["cm"][0])
    cell.short(0.5).kshift.shift = 2
    # speed is in the table, and not in its DEPEND list
    names = [name for name in directions if name not in ("shift_kshift", "speed_kshift")]
    assert {"gbar_kshift", "slope_kshift"} <= set(names)
    grad = gradmod.attach(**{name: directions[name][0] for name in names})
    record = grad.record(cell.soma(0.5), "v")
    run()
    gradients = {name: np.array(record[name]) for name in names}
    for segment in (seg for sec in cell.all for seg in sec):
        segment.kshift.speed = 1.6
    run()
    with pytest.raises(gradmod.Error, match="speed_kshift was changed since attach"):
        record["cm"]
    grad.detach()
    for segment in (seg for sec in cell.all for seg in sec):
        segment.kshift.speed = 1.5
    key = f"{cell.soma(0.5)}.v"
    found = {name: {key: gradients[name]} for name in names}
    assert comparing.wrong(found, {name: directions[name] for name in names}, run) == {}


def test_code_that_a_run_does_not_enter() -> None:
    """C code in an arm of a conditional does no harm until a run enters it."""
    cell = twig.Twig(("kcold",))
    direction, shift, size = cell.directions()["gbar_kcold"]
    key = f"{cell.soma(0.5)}.v"

    def run() -> dict[str, np.ndarray]:
        return {"v": cell.run(0.025, 4.0)[key]}

    grad = gradmod.attach(gbar=direction)
    record = grad.record(cell.soma(0.5), "v")
    run()
    gradient = {"v": np.array(record["gbar"])}
    h.low_kcold = 10
    run()
    with pytest.raises(gradmod.Refused, match="VERBATIM holds C code"):
        record["gbar"]
    h.low_kcold = -150
    grad.detach()
    found = finite.compare(gradient, finite.differentiate(run, shift, 0.0, scale=size, steps=(1e-3, 1e-4, 1e-5)))
    assert found.deviation <= 1e-6
