"""The gradient of a spike travels down an axon with it.

A soma and ten pieces of axon with hh; one parameter w = 1 scales a current into the soma while t is in 95..100 ms.
Shown: V and dV/dw, dm/dw, dh/dw, dn/dw of every segment.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradmod
import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from neuron import h

T_STOP = 108.0
SHOWN = (92.0, 108.0)
DENSITY = 0.01  # mA/cm2, scaled by w


def build() -> tuple[list[Any], Any]:
    """The sections, soma first, and the stimulus."""
    soma = h.Section(name="soma")
    soma.L, soma.diam = 20, 20
    sections = [soma]
    for number in range(10):
        piece = h.Section(name=f"axon{number}")
        piece.L, piece.diam = 40, 1
        piece.connect(sections[-1](1), 0)
        sections.append(piece)
    for section in sections:
        section.Ra, section.cm = 100, 1
        section.insert("hh")
        section.ena, section.ek = 55, -77
        membrane = section(0.5).hh
        membrane.gnabar, membrane.gkbar, membrane.gl, membrane.el = 0.012, 0.0036, 0.00003, -65
    stimulus = h.IClamp(soma(0.5))
    stimulus.delay, stimulus.dur = 95, 5
    stimulus.amp = DENSITY * soma(0.5).area() * 1e-2  # mA/cm2 um2 = 1e-2 nA
    return sections, stimulus


def main(out: Path) -> None:
    sections, stimulus = build()
    h.celsius, h.dt = 6.3, 0.025
    amplitude = stimulus.amp
    grad = gradmod.attach(w=gradmod.Stimulus(stimulus, "amp"))
    places = [section(0.5) for section in sections]
    voltages = [h.Vector().record(place._ref_v) for place in places]
    records = {name: [grad.record(place, name) for place in places] for name in ("v", "m_hh", "h_hh", "n_hh")}
    context = h.ParallelContext()
    context.set_maxstep(10)
    h.finitialize(-68.5)
    context.psolve(T_STOP)
    time = np.array(records["v"][0].t)
    shown = (time >= SHOWN[0]) & (time <= SHOWN[1])
    figure, axes = plt.subplots(5, 1, sharex=True, figsize=(7, 10), layout="constrained")
    colours = plt.get_cmap("viridis")(np.linspace(0, 0.92, len(places)))
    rows = [("V (mV)", [vector.as_numpy() for vector in voltages])]
    rows += [
        (f"d{name.removesuffix('_hh').replace('v', 'V')}/dw", [amplitude * np.array(record["w"]) for record in some])
        for name, some in records.items()
    ]
    for axis, (label, traces) in zip(axes, rows, strict=True):
        for trace, colour in zip(traces, colours, strict=True):
            axis.plot(time[shown], trace[shown], color=colour, lw=1)
        axis.set_ylabel(label)
        axis.spines[["top", "right"]].set_visible(False)
    axes[0].set_title("A spike and its gradient, from the soma (dark) down the axon (light)", fontsize=10)
    axes[-1].set_xlabel("t (ms)")
    figure.savefig(out / "axon.png", dpi=110)
    plt.close(figure)
    peaks = [float(vector.as_numpy().max()) for vector in voltages]
    print(f"peak V: soma {peaks[0]:.1f} mV, axon {min(peaks[1:]):.1f} .. {max(peaks[1:]):.1f} mV; {out / 'axon.png'}")
    grad.detach()
