"""Gap junctions by ``ParallelContext.setup_transfer``: beside differences, beside POINTERs, and what is refused."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gradmod
import numpy as np
import pytest
from models import comparing, everything
from models.library import CHANNELS, load_fixtures
from models.pair import Pair
from neuron import h
from test_reverse import compare


@pytest.fixture(autouse=True)
def no_transfer() -> Iterator[None]:
    """None is left after a test."""
    yield
    h.ParallelContext().gid_clear(4)


class Joined(Pair):
    """Two cells whose gaps see voltages that NEURON hands on."""

    def __init__(self) -> None:
        super().__init__()
        load_fixtures(CHANNELS.parent / "transferred")
        self.context = h.ParallelContext()
        self.sids: dict[tuple[str, float], int] = {}

    def hand_on(self, kind: str, here: Any, there: Any, name: str, **values: float) -> Any:
        """A point process at a segment that gets the voltage of another one."""
        process = getattr(h, kind)(here)
        for parameter, value in values.items():
            setattr(process, parameter, value)
        self.context.target_var(process, getattr(process, f"_ref_{name}"), self.source(there))
        self.processes.append(process)
        return process

    def source(self, there: Any) -> int:
        place = str(there.sec), float(there.x)
        if place not in self.sids:
            self.sids[place] = len(self.sids) + 7
            self.context.source_var(there._ref_v, self.sids[place], sec=there.sec)
        return self.sids[place]


def joined() -> tuple[Joined, list[tuple[Any, str]]]:
    """Gaps both ways and within a cell, a state that follows a voltage, and a density mechanism."""
    pair = Joined()
    a, b, twig = pair.at(0, "soma", 0.5), pair.at(1, "dendrite", 0.5), pair.at(0, "twig", 0.5)
    pair.hand_on("HandedGap", a, b, "vgap", g=0.004)
    pair.hand_on("HandedGap", b, a, "vgap", g=0.005)
    pair.hand_on("HandedGap", twig, a, "vgap", g=0.003)
    graded = pair.hand_on("HandedGraded", pair.at(1, "twig", 0.5), twig, "vpre")
    dendrite = pair.cells[1]["dendrite"]
    dendrite.insert("handed")
    for seg in dendrite:
        pair.context.target_var(seg._ref_vfar_handed, pair.source(a))
    pair.context.setup_transfer()
    looks = [(graded, "s"), (dendrite(0.5), "n_handed")]
    pair.watch(*looks)
    return pair, [(place, "v") for cell in pair.cells for place in (cell["soma"](0.5), cell["dendrite"](0.9))] + looks


def parameters(pair: Joined) -> everything.Everything:
    """All but what NEURON sets in each step."""
    return {name: one for name, one in pair.directions().items() if not name.startswith(("vpre", "v_first"))}


def test_forward_against_differences() -> None:
    pair, looks = joined()
    directions = parameters(pair)
    found = comparing.gradients(directions, looks, pair.run)
    idle = [d for d, of in found.items() if not any(np.any(trace) for trace in of.values())]
    assert idle == []
    assert comparing.wrong(found, directions, pair.run) == {}


def test_reverse_against_forward() -> None:
    pair, looks = joined()
    directions = {name: wanted for name, (wanted, _, _) in parameters(pair).items()}
    looks = [look for look in looks if look[1] == "v" or look[1].endswith("_handed")]
    plain = pair.run()
    found = compare(directions, looks, pair.run, 5.0)
    after = {name: vector.as_numpy().copy() for name, vector in pair.vectors.items()}
    assert all(np.array_equal(plain[name], after[name]) for name in plain)
    wrong = {name: values for name, values in found.items() if not abs(values[0] - values[1]) <= 1e-10 * values[2]}
    assert not wrong


def test_looking_leaves_everything_as_it_was() -> None:
    """All variables, and what targets had; in a model that has run."""
    pair, _ = joined()
    pair.run()

    def everything() -> list[float]:
        values: list[float] = []
        for sec in pair.all:
            for x in (0.0, *(seg.x for seg in sec), 1.0):
                values.append(sec(x).v)
            values += [value for seg in sec for mechanism in seg for variable in mechanism for value in variable]
        return [*values, *(getattr(p, n) for p in pair.processes for n in ("vgap", "vpre", "g", "i") if hasattr(p, n))]

    pair.processes[0].vgap = float("nan")
    before = np.array(everything())
    gradmod.Reverse(g=gradmod.Range("gnabar_hh", pair.all), quiet=True).close()
    assert before.tobytes() == np.array(everything()).tobytes()


def attach(pair: Joined) -> None:
    gradmod.attach(g=gradmod.Range("gnabar_hh", pair.all), quiet=True).detach()


def test_what_is_refused() -> None:
    pair, _ = joined()
    lonely = h.HandedGap(pair.at(0, "dendrite", 0.1))
    with pytest.raises(gradmod.Refused, match=r"vgap of HandedGap.* is no target of ParallelContext.setup_transfer"):
        attach(pair)
    pair.context.target_var(lonely, lonely._ref_vgap, pair.source(pair.at(0, "soma", 0.5)))
    with pytest.raises(gradmod.Refused, match="can't do that"):
        attach(pair)
    pair.context.setup_transfer()
    attach(pair)
    sodium = pair.at(1, "soma", 0.5)
    pair.context.source_var(sodium._ref_m_hh, 99, sec=sodium.sec)
    other = h.HandedGap(pair.at(0, "dendrite", 0.1))
    pair.context.target_var(other, other._ref_vgap, 99)
    pair.context.setup_transfer()
    with pytest.raises(gradmod.Refused, match="what is no voltage"):
        attach(pair)
    sodium.sec.insert("extracellular")
    with pytest.raises(gradmod.Refused, match="has extracellular"):
        attach(pair)


def test_initial_voltages_of_some_places_are_refused() -> None:
    """NEURON hands voltages on before the handlers set them that only these directions speak of."""
    pair, looks = joined()
    for where, match in ((pair.at(0, "soma", 0.5), "some places"), (None, "another voltage at the start")):
        pair.v_first = 0.0 if where else 1.5
        grad = gradmod.attach(v=gradmod.InitialVoltage(where), quiet=True)
        record = grad.record(*looks[0])
        pair.run()
        with pytest.raises(gradmod.Refused, match=match):
            record["v"]
        grad.detach()
        with gradmod.Reverse(v=gradmod.InitialVoltage(where), quiet=True) as reverse:
            reverse.record(*looks[0])
            with pytest.raises(gradmod.Refused, match=match):
                reverse.run(5.0, simulate=pair.run)


def test_voltages_that_handlers_set_against_differences() -> None:
    """A target then begins with what the source had before; parameters do not mind."""
    pair, looks = joined()
    pair.v_first = 7.0
    directions = {name: one for name, one in parameters(pair).items() if name in ("gnabar_hh", "g_1")}
    found = comparing.gradients(directions, looks, pair.run)
    assert comparing.wrong(found, directions, pair.run) == {}
    plain = [look for look in looks if look[1] == "v"]
    both = compare({name: wanted for name, (wanted, _, _) in directions.items()}, plain, pair.run, 5.0)
    assert all(abs(one[0] - one[1]) <= 1e-10 * one[2] for one in both.values())


def test_what_was_arranged_after_attach_is_refused() -> None:
    pair, looks = joined()
    grad = gradmod.attach(g=gradmod.Range("gnabar_hh", pair.all), quiet=True)
    record = grad.record(*looks[0])
    pair.run()
    assert np.any(record["g"])
    process = pair.processes[0]
    pair.context.gid_clear(4)
    pair.run()
    with pytest.raises(gradmod.Error, match=r"sees something else"):
        record["g"]
    grad.detach()
    del process


def test_several_ranks_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    pair, _ = joined()
    monkeypatch.setattr("gradmod._transfers.handed_on.ranks", lambda: 2)
    with pytest.raises(gradmod.Refused, match="between MPI ranks"):
        attach(pair)


def test_not_under_the_variable_step() -> None:
    pair, _ = joined()
    pair.context.setup_transfer()
    h.cvode_active(1)
    with pytest.raises(gradmod.Refused, match=r"setup_transfer\(\) was called: .* fixed step"):
        gradmod.VariableStep(g=gradmod.Range("gnabar_hh", pair.cells[0]["soma"]), quiet=True)
