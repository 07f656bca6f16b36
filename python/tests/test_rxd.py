"""NEURON's reaction-diffusion module beside gradmod: in a process of its own, as it stays where it is imported."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import gradmod, numpy as np
from neuron import h, rxd
h.load_file("stdrun.hoc")
soma, dend = h.Section(name="soma"), h.Section(name="dend")
dend.connect(soma)
soma.L = soma.diam = 20
dend.L, dend.diam, dend.nseg = 120, 2, 3
soma.insert("hh")
dend.insert("pas")
clamp = h.IClamp(soma(0.5))
clamp.delay, clamp.dur, clamp.amp = 1, 9, 0.3
trace = h.Vector().record(soma(0.5)._ref_v)
def run():
    h.finitialize(-65)
    h.continuerun(6)
    return np.array(trace)
inside = rxd.Region([soma, dend], name="inside", nrn_region="i")
tracer = rxd.Species(inside, d=0.2, name="tracer", initial=0.3)
decay = rxd.Rate(tracer, -tracer / 7)
grad = gradmod.attach(g=gradmod.Range("gnabar_hh", soma), quiet=True)
recording = grad.record(dend(0.5))
run()
assert recording["g"].any()           # what no mechanism sees is in nobody's way
potassium = rxd.Species(inside, d=1, name="k", charge=1, initial=50)
leak = rxd.Rate(potassium, -(potassium - 40) / 15)
driven = run()
for ask in (
    lambda: recording["g"],
    lambda: gradmod.attach(g=gradmod.Range("gkbar_hh", soma), quiet=True),
    lambda: gradmod.Reverse(g=gradmod.Range("gkbar_hh", soma), quiet=True),
):
    try:
        ask()
    except gradmod.Refused as error:
        assert "rxd drives ki in soma, and mechanisms there use the ion k" in str(error), error
    else:
        raise AssertionError("not refused")
grad.detach()
assert np.array_equal(run(), driven)
print("as it should be")
"""


def test_rxd_that_drives_an_ion_of_a_channel_is_refused() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=False, timeout=300)
    assert "as it should be" in done.stdout, done.stderr
