"""What `gradmod check` runs: other values in every place, one place alone, kinks, starts at 0."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from gradmod import _neuron as nrn
from gradmod.check.candidates import candidates
from gradmod.check.model.cell import Model
from gradmod.check.model.drive import PLAIN
from gradmod.check.model.kinks import Kinks
from gradmod.check.model.source import Declarations, IonUse
from gradmod.check.model.values import apart
from test_check import CHANNELS, FIXTURES, certificates, stand_in

#: Mechanisms that NEURON has.
HH = Declarations(
    name="hh",
    kind="SUFFIX",
    ions=(IonUse("na", frozenset({"ena"}), frozenset({"ina"}), None),),
    units={"gnabar": "S/cm2", "gkbar": "S/cm2", "gl": "S/cm2", "el": "mV"},
    acts=True,
    has_table=True,
)
EXPSYN = Declarations(name="ExpSyn", kind="POINT_PROCESS", units={"tau": "ms", "e": "mV"}, receives=True, acts=True)


def test_values_are_apart_by_so_much_and_the_same_in_every_process() -> None:
    factors = [apart(name, place) for name in ("g", "e", "tau") for place in range(1, 4)]
    assert all(0.03 <= abs(factor - 1) <= 0.12 for factor in factors)
    assert len(set(factors)) == len(factors) and min(factors) < 1 < max(factors)
    assert apart("g", 0) == 1.0 and apart("g", 1) == pytest.approx(1.0525318, abs=1e-6)


def test_every_segment_is_another() -> None:
    model = Model(HH, [])
    model.vary({"gl_hh"})
    model.set_up(PLAIN)
    for name in ("gnabar_hh", "gkbar_hh", "el_hh", "ena", "cm", "diam"):
        assert len({getattr(seg, name) for seg in model.segments}) == len(model.segments) == 4
    assert {seg.gl_hh for seg in model.segments} == {3e-4}  # a value that the code asks for is the same everywhere
    assert len({sec.L for sec in model.sections}) == len({sec.Ra for sec in model.sections}) == 3


def test_each_range_parameter_comes_everywhere_and_in_one_section() -> None:
    model = Model(HH, [])
    model.set_up(PLAIN)
    found = {one.key: one for one in candidates(model, {"gnabar_hh", "gkbar_hh", "ena"})}
    places = {name: [one.where for one in found.values() if one.name == name] for name in ("gnabar_hh", "cm", "ena")}
    assert all(len(of) == 2 and of[0] == "" and of[1].startswith("in ") for of in places.values())
    before = [seg.gkbar_hh for seg in model.segments]
    found["gkbar_hh in dendrite"].shift(1e-3)
    after = [seg.gkbar_hh for seg in model.segments]
    assert np.subtract(after, before) == pytest.approx([0, 1e-3, 1e-3, 0])


def test_point_processes_stand_beside_each_other_and_elsewhere() -> None:
    model = Model(EXPSYN, [])
    model.vary(set())
    model.set_up(PLAIN)
    one, beside, elsewhere = model.instances.processes
    assert nrn.segment_of(one) == nrn.segment_of(beside) != nrn.segment_of(elsewhere)
    assert len({process.tau for process in (one, beside, elsewhere)}) == 3 and one.e == beside.e == 0.0
    of_tau = [c for c in candidates(model, {"ExpSyn.tau", "ExpSyn.e"}) if c.name == "ExpSyn.tau"]
    assert [c.where for c in of_tau] == ["", f"in {nrn.name_of(beside)}"]
    # 0.002 uS moves the voltage; each has other events.
    model.raise_events()
    assert [connection.weight[0] for _, connection in model._events] == pytest.approx([2e-3, 2.8e-3, 1.4e-3])


def test_smooth_currents_have_no_kinks() -> None:
    assert Kinks(Model(HH, [])).found() == []


def test_runs_for_kinks_far_voltages_weak_events_and_empty_states() -> None:
    corner, deaf = certificates(*(FIXTURES / "check" / f"{name}.mod" for name in ("corner", "deafsyn")))
    # The first segment has the value of the file; the next has another, and the same fixed bend.
    assert {"far", "at -61 mV", "at 42.3 mV", "empty"} <= set(corner["drives"])
    assert "top_corner" in corner["parameters"] and "start_corner" in corner["parameters"]
    assert "at -52.5 mV" in deaf["drives"]
    assert {"DeafSyn.tau", "DeafSyn.e"} <= set(deaf["parameters"])


def test_one_place_alone_shows_what_another_takes(tmp_path: Path) -> None:
    """The gradient everywhere is right: what one section loses another gets."""
    python = stand_in(
        tmp_path,
        "from gradmod.gradient import Gradient\nfrom gradmod.recording import Recording\n"
        "def wrong(kind):\n    right = kind.__getitem__\n"
        "    kind.__getitem__ = lambda self, name: right(self, name)*(1.001 if name == 'd1' else 1)\n"
        "wrong(Gradient)\nwrong(Recording)",
    )
    (found,) = certificates(CHANNELS / "kdr.mod", python=python, status=1)
    assert found["mismatches"][0].startswith("gbar_kdr in soma: off by 1.0e-03")


@pytest.mark.parametrize(("factor", "verdict"), [(1.0, "refused"), (1.001, "mismatch")])
def test_where_forward_mode_refuses_reverse_mode_is_compared_with_differences(
    tmp_path: Path, factor: float, verdict: str
) -> None:
    python = stand_in(
        tmp_path,
        "import gradmod\nfrom gradmod.gradient import Gradient\nfrom gradmod.recording import Recording\n"
        "def refuse(self, name):\n    raise gradmod.Refused('for no reason')\n"
        "Recording.__getitem__ = refuse\n"
        "right = Gradient.__getitem__\n"
        f"Gradient.__getitem__ = lambda self, name: right(self, name)*({factor!r} if name == 'd0' else 1)",
    )
    (found,) = certificates(CHANNELS / "kdr.mod", python=python, status=int(verdict == "mismatch"))
    assert found["verdict"] == verdict and found["message"] == "for no reason" and found["drives"] == []
    assert found["reverse"]["verdict"] == ("exact" if verdict == "refused" else "mismatch")
    if verdict == "mismatch":
        assert found["mismatches"][0].startswith("gbar_kdr: reverse mode off by 1.0e-03, differences good to")
