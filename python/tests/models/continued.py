"""A network whose cells regulate themselves, run, saved and continued; a process of its own for each.

`python -m models.continued save FOLDER` runs to the end twice, the second time with a checkpoint on the way;
`python -m models.continued restore FOLDER` continues from it, and then again with parts of the checkpoint left out.
Both write all that can be seen of the second half of the run.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import gradmod
import numpy as np
from gradmod import checkpoint
from gradmod._neuron import savestate
from neuron import h

from .library import load_fixtures

ROOT = Path(__file__).resolve().parents[3]
HALF, END = 300.0, 600.0
TUNED = {"gna": "gna_squid", "gk": "gk_squid", "gain": "gain_drive"}


class Network:
    """Four cells of squid axon, one of hh: noise, a synapse that fails at random, spikes on their way for 60 ms."""

    def __init__(self, cells: int = 4) -> None:
        load_fixtures(ROOT / "examples" / "homeostasis_mechanisms")
        load_fixtures(ROOT / "fixtures" / "random")
        h.dt = 0.05
        self.sections = [h.Section(name=f"squid{i}") for i in range(cells)]
        self.branch = h.Section(name="branch")
        self.branch.connect(self.sections[1](1))
        self.free = h.Section(name="free")
        self.free.L = self.free.diam = 20
        self.free.insert("hh")
        for section in (*self.sections, self.branch):
            section.L, section.diam = 10, 2
            section.insert("squid")
            section.insert("drive")
        self.branch.nseg = 3
        self.clamp = h.IClamp(self.free(0.5))
        self.clamp.dur, self.clamp.amp = 1e9, 0.12
        self.played = h.IClamp(self.free(0.5))
        self.played.dur = 1e9
        self.levels = h.Vector([0, 0.02, -0.02, 0.02])
        self.levels.play(self.played._ref_amp, h.Vector([0, 200, 400, 600]), True)
        self.source = h.NetStim()
        self.source.interval, self.source.noise, self.source.number, self.source.start = 9, 1, 1e9, 0
        self.synapses = [h.ExpSyn(section(0.5)) for section in (*self.sections, self.free)]
        self.failing = h.FailSyn(self.sections[0](0.5))
        self.netcons = [
            h.NetCon(self.source, self.failing),
            h.NetCon(self.free(0.5)._ref_v, self.synapses[0], sec=self.free),
        ]
        for i, section in enumerate(self.sections):
            self.netcons.append(h.NetCon(section(0.5)._ref_v, self.synapses[i - 1], sec=section))
        # Those of cells with gradients may not change during a run.
        self.changing = [h.NetCon(self.source, self.synapses[-1]) for _ in range(2)]
        for netcon in (*self.netcons, *self.changing):
            netcon.delay, netcon.weight[0], netcon.threshold = 60, 2e-4, -10
        regulated = [*self.sections, self.branch]
        self.homeostats = [
            self.regulate([regulated[0], regulated[1], self.branch], regulated[:2], None),
            self.regulate(regulated[2:4], regulated[2:4], 1.0),
        ]
        controllers = [controller for homeostat in self.homeostats for controller in homeostat.controllers]
        self.histories = [controller.record(2.0) for controller in controllers]
        gradients = [self.homeostats[0].gradients.at(name, self.branch(0.5)).ref for name in TUNED]
        seen = [section(0.5)._ref_v for section in (*self.sections, self.branch, self.free)] + gradients
        self.vectors = [h.Vector().record(ref) for ref in seen]
        self.times = h.Vector().record(h._ref_t)

    def regulate(self, sections: list[Any], at: list[Any], clip: float | None) -> gradmod.Homeostat:
        return gradmod.Homeostat(
            gradmod.Frequency("m_squid", "h_squid", tau=200.0),
            [section(0.5) for section in at],
            target=4.0,
            alpha=1e-5,
            leak=1e-3,
            clip=clip,
            quiet=True,
            **{name: gradmod.Range(variable, sections) for name, variable in TUNED.items()},
        )

    def set(self, late: bool) -> None:
        """What the script changes during the run."""
        for netcon in self.changing:
            netcon.weight[0] = 8e-3 if late else 2e-3
        self.changing[1].active(not late)
        self.clamp.amp = 0.15 if late else 0.12
        self.sections[0](0.5).squid.ek = -72 if late else -77
        h.usetable_hh = not late
        self.homeostats[0].target = 6.0 if late else 4.0

    def start(self) -> None:
        self.set(late=False)
        for section in (*self.sections, self.branch):
            section(0.5).squid.gna, section(0.5).squid.gk, section(0.5).drive.gain = 120, 36, 0.12
            for i, segment in enumerate(section):
                segment.squid.gna, segment.squid.gk, segment.drive.gain = 120, 36, 0.12
                segment.drive.xi.set_ids(int(section is self.branch), i, 3).set_seq(0)
        for stream in (self.failing.release, self.failing.size):
            stream.set_ids(5, 6, 7).set_seq(0)
        self.source.ranvar.set_ids(1, 2, 3).set_seq(0)
        h.finitialize(-53)

    def solve(self, until: float) -> None:
        context = h.ParallelContext()
        context.set_maxstep(10)
        context.psolve(until)

    def second_half(self) -> dict[str, Any]:
        """Run it; all that can be seen of it, and what was recorded of the whole."""
        self.solve(END)
        late = np.array(self.times) > HALF + 0.01
        found = {f"v{i}": np.array(vector)[late] for i, vector in enumerate(self.vectors)}
        found |= {f"history{i}": history.samples for i, history in enumerate(self.histories)}
        for homeostat in self.homeostats:
            homeostat.check()
        last = [c.mechanism for homeostat in self.homeostats for c in homeostat.controllers]
        found["end"] = np.array([[x for name in ("df", "e", "theta") for x in getattr(c, name)] for c in last])
        found["places"] = np.array([segment.drive.xi.get_seq() for section in self.sections for segment in section])
        return found

    def first_half(self) -> None:
        self.start()
        self.solve(HALF / 2)
        self.set(late=True)
        self.solve(HALF)


def plain() -> Any:
    """SaveState as NEURON has it."""
    return patch.object(savestate, "_new", h.SaveState)


def without_events() -> Any:
    """SaveState that puts back variables only."""
    state = make_state()
    return SimpleNamespace(save=state.save, fwrite=state.fwrite, fread=state.fread, restore=lambda: state.restore(1))


make_state = savestate._new
NOTHING = SimpleNamespace(
    set_ids=lambda *_: None, set_seq=lambda _: None, active=lambda _: None, threshold=0, samples=None
)


@contextmanager
def without(part: str, network: Network) -> Iterator[None]:
    """With a part of the checkpoint not put back."""
    if part == "globals":
        patched = patch.object(savestate, "set_global_values")
    elif part == "streams":
        count = len(list(savestate.streams()))
        patched = patch.object(savestate, "streams", lambda: [NOTHING] * count)
    elif part == "netcons":
        count = len(checkpoint.all_netcons())
        patched = patch.object(checkpoint, "all_netcons", lambda: [NOTHING] * count)
    elif part == "histories":
        patched = patch.object(checkpoint, "_histories", lambda _: [NOTHING] * len(network.histories))
    elif part == "events":
        patched = patch.object(savestate, "_new", without_events)
    else:
        patched = plain()
    with patched:
        yield


PARTS = ("globals", "streams", "netcons", "histories", "events", "variables")


def save(network: Network, folder: Path) -> dict[str, str]:
    network.first_half()
    np.savez(folder / "uninterrupted.npz", **network.second_half())
    network.first_half()
    with plain():
        gradmod.save_run(folder / "variables", *network.homeostats)
    gradmod.save_run(folder / "whole", *network.homeostats)
    np.savez(folder / "saved.npz", **network.second_half())
    return {what: said(gradmod.save_run, folder / "refused", network) for what in obstacles(network)}


def restore(network: Network, folder: Path) -> dict[str, str]:
    messages = {what: said(gradmod.restore_run, folder / "whole", network) for what in other_models(network)}
    (folder / "cut").write_bytes((folder / "whole").read_bytes()[:-100])
    messages["cut"] = said(gradmod.restore_run, folder / "cut", network)
    gradmod.restore_run(folder / "whole", *network.homeostats)
    np.savez(folder / "continued.npz", **network.second_half())
    for part in PARTS:
        network.set(late=False)
        try:
            with without(part, network):
                gradmod.restore_run(folder / ("variables" if part == "variables" else "whole"), *network.homeostats)
            np.savez(folder / f"without {part}.npz", **network.second_half())
        except gradmod.Error as error:  # what is left does not fit together, and that was noticed
            messages[f"without {part}"] = str(error)
    return messages


def said(function: Any, path: Path, network: Network) -> str:
    try:
        function(path, *network.homeostats)
    except gradmod.Error as error:
        return str(error)
    return ""


def obstacles(network: Network) -> Iterator[str]:
    """What cannot be saved, one after the other."""
    network.start()
    network.solve(1.0)
    yield "nothing"
    random = h.Random()
    yield "random"
    del random
    kept = h.APCount(network.free(0.5))
    yield "new"
    network.start()
    times = h.Vector()
    kept.record(times)
    yield "address"
    del kept
    network.start()
    h.CVode().event(50.0, lambda: None)
    yield "script"
    network.start()
    network.changing[0].delay = 61
    yield "delay"
    network.start()
    load_fixtures(ROOT / "fixtures" / "bystanders")
    watching = h.Crossings(network.free(0.5))
    network.start()
    yield "watch"
    del watching
    network.free.insert("jitter")
    network.start()
    yield "draws"
    network.free.uninsert("jitter")
    network.start()
    other = network.homeostats.pop()
    yield "others"
    network.homeostats.append(other)
    every_step = network.homeostats[0].gradients.record(network.sections[0](0.5))
    network.start()
    yield "steps"
    del every_step


def other_models(network: Network) -> Iterator[str]:
    """Models that a checkpoint is not of, one after the other."""
    h.dt = 0.025
    yield "dt"
    h.dt = 0.05
    network.free.L = 21
    yield "length"
    network.free.L = 20
    network.netcons[0].delay = 61
    yield "delay"
    network.netcons[0].delay = 60
    network.homeostats.reverse()
    yield "order"
    network.homeostats.reverse()
    recorded = h.Vector().record(network.free(0.5)._ref_v)
    yield "recorded"
    del recorded


if __name__ == "__main__":
    made = Network()
    place = Path(sys.argv[2])
    messages = save(made, place) if sys.argv[1] == "save" else restore(made, place)
    (place / f"{sys.argv[1]}.json").write_text(json.dumps(messages))
