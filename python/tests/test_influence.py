"""Parameters that nothing depends on: all of them are named at once, before anything is compiled."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import gradmod
import numpy as np
import pytest
from conftest import central
from gradmod import _neuron as nrn
from gradmod._build.library import library, open_library
from models.library import load_fixtures
from neuron import h

#: A pool whose depth is one for all sections: it matters where there are calcium channels only.
POOL = """
NEURON { SUFFIX onedepth USEION ca READ ica WRITE cai GLOBAL depth, unread }
PARAMETER { depth = 0.2 unread = 1 }
STATE { cai }
ASSIGNED { ica }
INITIAL { cai = 1e-4 }
BREAKPOINT { SOLVE shell METHOD cnexp }
DERIVATIVE shell { cai' = -0.05*ica/depth - (cai - 1e-4)/20 }
"""


def passive_pool(pool: str) -> Any:
    """A section with a pool and no calcium channel."""
    load_fixtures()
    soma = h.Section(name="soma")
    for mechanism in ("pas", pool):
        soma.insert(mechanism)
    return soma


@pytest.mark.parametrize("mode", [gradmod.attach, gradmod.Reverse])
def test_all_are_named_at_once(mode: Callable[..., object], monkeypatch: pytest.MonkeyPatch) -> None:
    soma = passive_pool("capool")

    def compile_it(*_: object, **__: object) -> None:
        pytest.fail("compiled although no gradient is possible")

    monkeypatch.setattr("gradmod._build.library.libraries", compile_it)
    names = {"one": "depth_capool", "good": "g_pas", "two": "gamma__capool", "three": "tau_capool"}
    with pytest.raises(gradmod.Error) as caught:
        mode(**{name: gradmod.Range(of, soma) for name, of in names.items()})
    assert str(caught.value).splitlines() == [
        "one: depth_capool has no influence at soma(0.5)",
        "two: gamma__capool has no influence at soma(0.5)",
    ]


def test_a_global_needs_influence_somewhere_only(tmp_path: Path) -> None:
    if "onedepth" not in nrn.known_mechanisms():
        source = tmp_path / "onedepth.mod"
        source.write_text(POOL)
        open_library(library([source], quiet=True))
    soma = passive_pool("onedepth")
    with pytest.raises(gradmod.Error, match=r"deep: depth_onedepth has no influence anywhere$"):
        gradmod.attach(deep=gradmod.Global("depth_onedepth"))
    dend = h.Section(name="dend")
    dend.connect(soma)
    for mechanism in ("pas", "cah", "onedepth", "sk"):
        dend.insert(mechanism)
    calcium, reach = (h.Vector().record(ref) for ref in (dend(0.5)._ref_cai, soma(0.5)._ref_v))

    def run() -> Any:
        h.finitialize(-30)
        h.continuerun(3)
        return np.array([*calcium, *reach])

    grad = gradmod.attach(deep=gradmod.Global("depth_onedepth"), g=gradmod.Range("g_pas", soma))
    records = grad.record(dend(0.5), "cai"), grad.record(soma(0.5), "v")
    run()
    found = np.concatenate([np.array(record["deep"]) for record in records])
    grad.detach()
    expected = central(run, lambda by: setattr(h, "depth_onedepth", 0.2 + by), 1e-5)
    half = len(calcium)
    for part in (slice(None, half), slice(half, None)):
        assert np.max(np.abs(expected[part])) > 0
        np.testing.assert_allclose(found[part], expected[part], rtol=0, atol=1e-6 * np.max(np.abs(expected[part])))
    with pytest.raises(gradmod.Error, match=r"idle: unread_onedepth has no influence anywhere$"):
        gradmod.attach(idle=gradmod.Global("unread_onedepth"))
