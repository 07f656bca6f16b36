"""Life with attached gradients: the model changes, cells of other kinds, detaching, forgetting."""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import Any

import gradmod
import numpy as np
import pytest
from conftest import Passive, adder, central, run, segments
from gradmod import Global, InitialVoltage, Range, Stimulus
from neuron import h


def attach(cell: Passive) -> gradmod.Gradients:
    return gradmod.attach(g=Range("g_pas", cell.all), v=InitialVoltage())


def move_clamp(cell: Passive) -> Any:
    return cell.clamps[0].loc(cell["soma"](0.5))


CHANGES: dict[str, tuple[Callable[[Passive], Any], str]] = {
    "point process added": (lambda c: c.clamps.append(h.IClamp(c["soma"](0.5))), "point processes were added"),
    "point process removed": (lambda c: c.clamps.pop(), "point processes were added"),
    "point process replaced": (lambda c: c.clamps.append(_copy_of(c.clamps.pop())), "point processes were added"),
    "point process moved": (move_clamp, "point processes were added, moved"),
    "mechanism inserted": (lambda c: c["bare"].insert("hh"), "mechanisms of bare changed"),
    "mechanism removed": (lambda c: c["soma"].uninsert("pas"), "mechanisms of soma changed"),
    "more segments": (lambda c: setattr(c["twig"], "nseg", 9), "nseg changed"),
    "fewer segments and back": (lambda c: (setattr(c["twig"], "nseg", 3), setattr(c["twig"], "nseg", 5)), "nseg"),
    "connected elsewhere": (lambda c: c["twig"].connect(c["trunk"](0.9)), "connections"),
    "a section more": (lambda c: c.keep.append(_child_of(c)), "sections"),
    "insert in all sections": (
        lambda c: [sec.insert("hh") for sec in h.allsec() if "bare" in sec.name()],
        "mechanisms",
    ),
    "variable step": (lambda c: h.CVode().active(1), "variable step"),
    "second order": (lambda c: setattr(h, "secondorder", 2), "secondorder"),
}


def _copy_of(clamp: Any) -> Any:
    """A new one at the same place; NEURON may give it the name of the old one."""
    seg = clamp.get_segment()
    del clamp
    return h.IClamp(seg)


def _child_of(cell: Passive) -> Any:
    child = h.Section(name="child")
    child.connect(cell["twig"](1))
    return child


@pytest.mark.parametrize("case", CHANGES)
def test_a_changed_model_gives_no_numbers(passive: Passive, case: str) -> None:
    change, text = CHANGES[case]
    grad = attach(passive)
    rec = grad.record(passive["trunk"](0.5))
    run()
    assert rec["g"].any()
    change(passive)
    run()
    with pytest.raises(gradmod.Error, match=text):
        rec["g"]
    grad.detach()


def test_dt_must_not_change_during_a_run(passive: Passive) -> None:
    rec = attach(passive).record(passive["trunk"](0.5))
    run(1.0)
    h.dt = 0.05
    h.fadvance()
    with pytest.raises(gradmod.Refused, match="dt or t was changed"):
        rec["g"]
    run(1.0)
    assert rec["g"].any()


def test_weights_that_fail_are_errors_at_the_next_read(passive: Passive) -> None:
    numbers = [1.0]
    grad = gradmod.attach(g=Range("g_pas", passive.all, weight=lambda seg: numbers[0]), v=InitialVoltage())
    rec = grad.record(passive["trunk"](0.5))
    numbers[0] = float("inf")
    run()
    with pytest.raises(gradmod.Error, match="g: the weight at soma"):
        rec["g"]
    numbers[0] = 1.0
    run()
    assert rec["g"].any()


def test_what_cannot_be_read(passive: Passive) -> None:
    grad = attach(passive)
    rec = grad.record(passive["trunk"](0.5))
    with pytest.raises(gradmod.Error, match="no run since attach"):
        rec["g"]
    run()
    late = grad.record(passive["trunk"](0.5))
    with pytest.raises(gradmod.Error, match="before finitialize"):
        late["g"]
    with pytest.raises(KeyError, match="there are g, v"):
        rec["h"]
    with pytest.raises(gradmod.Error, match="is no segment"):
        grad.record(passive["trunk"])
    with pytest.raises(gradmod.Error, match="there are v"):
        grad.record(passive["trunk"](0.5), "m_hh")
    grad.detach()
    with pytest.raises(gradmod.Error, match="detached"):
        rec["g"]
    grad.detach()


def test_forgotten_gradients_detach_themselves(passive: Passive) -> None:
    grad = attach(passive)
    rec = grad.record(passive["trunk"](0.5))
    del grad
    gc.collect()
    run()
    assert rec["g"].any()  # a recording keeps them
    del rec
    gc.collect()
    assert [sec.name() for sec in h.allsec()] == list(passive.sections)
    assert [m.name() for m in passive["soma"](0.5)] == ["pas"]
    run()


def test_deleted_sections_do_not_disturb_detaching(passive: Passive) -> None:
    grad = attach(passive)
    run()
    for sec in list(h.allsec()):
        h.delete_section(sec=sec)
    grad.detach()


def test_printing_says_what_is_attached(passive: Passive) -> None:
    grad = attach(passive)
    text = repr(grad)
    for part in (
        "Range('g_pas'",
        "InitialVoltage()",
        "cell of soma: 5 sections, 18 segments",
        "2 directions (g, v)",
    ):
        assert part in text
    assert "region pas: pas; 4 sections" in text and "region bare: no mechanisms; 1 sections" in text
    grad.detach()
    assert "detached" in repr(grad)


def test_ion_styles_and_mechanisms_are_given_back() -> None:
    soma = h.Section(name="soma")
    soma.insert("hh")
    h.ion_style("na_ion", 1, 2, 0, 0, 0, sec=soma)
    before = [h.ion_style(f"{ion}_ion", sec=soma) for ion in ("na", "k")]
    grad = gradmod.attach(ena=Range("ena", soma), T=Global("celsius"))
    assert [h.ion_style(f"{ion}_ion", sec=soma) for ion in ("na", "k")] == before
    grad.detach()
    assert [h.ion_style(f"{ion}_ion", sec=soma) for ion in ("na", "k")] == before
    assert sorted(m.name() for m in soma(0.5)) == ["hh", "k_ion", "na_ion"]


TEMPLATE = """
begintemplate GradmodTestCell
public soma, dend, all
create soma, dend[2]
objref all
proc init() {
    all = new SectionList()
    connect dend[0](0), soma(1)
    connect dend[1](0), soma(0.5)
    soma { L = 20 diam = 20 }
    dend[0] { L = 300 diam = 1 nseg = 5 }
    dend[1] { L = 200 diam = 2 nseg = 3 }
    forall { insert hh all.append() }
}
endtemplate GradmodTestCell
"""


def test_hoc_cells_with_hh_and_a_voltage_clamp() -> None:
    """States, globals, reversal potentials and an SEClamp, in cells of a HOC template, against differences."""
    if not hasattr(h, "GradmodTestCell"):
        h(TEMPLATE)
    cell, other = h.GradmodTestCell(), h.GradmodTestCell()
    if hasattr(h, "usetable_hh"):
        h.usetable_hh = 0
    clamp = h.SEClamp(cell.dend[0](0.7))
    clamp.rs, clamp.dur1, clamp.amp1, clamp.dur2, clamp.amp2 = 5, 1, -65, 3, -20
    pulse = h.IClamp(other.soma(0.5))
    pulse.dur, pulse.amp = 1, 1
    sections = list(cell.all)
    grad = gradmod.attach(
        gna=Range("gnabar_hh", cell.all),
        el=Range("el_hh", cell.soma),
        ena=Range("ena", cell.all),
        T=Global("celsius"),
        amp=Stimulus(clamp, "amp2"),
        rs=Stimulus(clamp, "rs"),
    )
    watched = [(seg, name) for seg in (cell.soma(0.5), cell.dend[0](0.7)) for name in ("v", "m_hh", "h_hh", "n_hh")]
    watched.append((other.soma(0.5), "n_hh"))
    records = [grad.record(seg, name) for seg, name in watched]
    vectors = [h.Vector().record(getattr(seg, f"_ref_{name}")) for seg, name in watched]

    def simulate() -> list[Any]:
        run(6.0, dt=0.05)
        return [np.array(v) for v in vectors]

    simulate()
    mine = {name: [rec[name] for rec in records] for name in grad.directions}
    run(3.0, dt=0.05)
    assert all(np.array_equal(rec[name][:60], mine[name][i][:60]) for i, rec in enumerate(records) for name in rec)
    h.continuerun(6.0)  # reading in the middle, states included, left nothing behind
    assert all(np.array_equal(rec[name], mine[name][i]) for i, rec in enumerate(records) for name in rec)
    celsius = float(h.celsius)
    changes: dict[str, tuple[Callable[[float], Any], float]] = {
        "gna": (adder(segments(sections), "gnabar_hh"), 1e-6),
        "el": (adder(list(cell.soma), "el_hh"), 1e-3),
        "ena": (adder(segments(sections), "ena"), 1e-3),
        "T": (lambda x: setattr(h, "celsius", celsius + x), 1e-4),
        "amp": (adder([clamp], "amp2"), 1e-3),
        "rs": (adder([clamp], "rs"), 1e-4),
    }
    for name, (change, step) in changes.items():
        theirs = central(simulate, change, step)
        for gradient, difference, (seg, variable) in zip(mine[name], theirs, watched, strict=True):
            largest = np.abs(difference).max()
            assert np.abs(gradient - difference).max() <= 1e-6 * largest, (name, seg, variable)
            assert np.abs(gradient - difference)[-1] <= 1e-6 * largest, (name, seg, variable)
    grad.detach()
