"""A model in NEURON: other values in every segment, and its runs."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from typing import Any

import gradmod
import numpy as np
from neuron import h
from numpy.typing import NDArray

from .direction import Direction
from .models import Model
from .parameters import directions
from .plays import Played
from .styles import dry, even_out, mix
from .surroundings import Surroundings
from .tree import Mechanism, Variable

Traces = dict[str, NDArray[np.float64]]

#: How far the values of segments are from the number in the file, relative.
_SPREAD = 0.15


class Built:
    """The model, until mechanisms are dropped from it."""

    def __init__(self, model: Model) -> None:
        h.load_file("stdrun.hoc")
        self.model = model
        self.v_init, self.celsius = model.v_init, model.celsius
        h.secondorder = model.secondorder
        self.mechanisms = {m.name: m for m in model.mechanisms}
        self.surroundings = Surroundings() if model.moves else None
        self.sections: dict[str, Any] = {}
        for s in model.sections:
            sec = self.sections[s.name] = h.Section(name=s.name)
            sec.L, sec.diam, sec.nseg, sec.Ra, sec.cm = s.length, s.diameter, s.nseg, s.ra, s.cm
            if s.parent is not None:
                sec.connect(self.sections[s.parent](s.where), 0)
            sec.insert("pas")
            for name in (*(["hh"] if model.hh else []), *s.mechanisms):
                sec.insert(name)
        self.points = [getattr(h, p.mechanism)(self.sections[p.section](p.x)) for p in model.points]
        #: Of the model's point processes, those that are left.
        self.numbers = list(range(len(self.points)))
        even_out(model, self.sections)
        mixed = mix(model, self.sections)
        dry(model, self.sections)
        self._clamps = [self._clamp(c) for c in model.clamps]
        self.netcons: list[Any] = []
        self._stims: list[Any] = []
        for e in model.events:
            stim = h.NetStim()
            stim.start, stim.interval, stim.number, stim.noise = e.start, e.interval, e.number, 0
            netcon = h.NetCon(stim, self.points[e.point])
            netcon.delay, netcon.weight[0] = e.delay, e.weight
            self._stims.append(stim)
            self.netcons.append(netcon)
        self._scatter()
        if model.hh:
            h.usetable_hh = 0
        for m in self.mechanisms.values():
            if m.has_table:
                setattr(h, f"usetable_{m.name}", int(model.tables))
        self.played = Played(model, self.points, self._clamps)
        self._supply()
        self._memory = [*self._remembered(), *mixed, *self.played.again]
        ends = list(self.sections.values())
        if model.uneven:
            self._handler = h.FInitializeHandler(0, self._begin)
        alone = [sec for name, sec in self.sections.items() if name == "lone"]
        self.places = [ends[0](0.5), ends[-1 - len(alone)](0.9), ends[1](0.2), *(sec(0.5) for sec in alone)]
        self.watched = {f"{seg}.v": (seg, "v") for seg in self.places}
        seg = self.places[1]
        for m in self._density():
            for state in m.states[:1]:
                if hasattr(seg, f"{state}_{m.name}"):
                    self.watched[f"{seg}.{state}_{m.name}"] = (seg, f"{state}_{m.name}")
        for name in sorted(set[str]().union(*(m.sets for m in self._density() if hasattr(seg, m.name)))):
            self.watched[f"{seg}.{name}"] = (seg, name)
        self._records = {
            name: h.Vector().record(getattr(seg, f"_ref_{of}")) for name, (seg, of) in self.watched.items()
        }

    def _clamp(self, c: Any) -> Any:
        clamp = getattr(h, c.kind)(self.sections[c.section](c.x))
        if c.kind == "IClamp":
            clamp.delay, clamp.dur, clamp.amp = c.delay, c.duration, c.amplitude
        else:
            clamp.dur1, clamp.amp1, clamp.rs = c.duration, c.amplitude, 0.02
        return clamp

    def _density(self) -> list[Mechanism]:
        return [m for m in self.mechanisms.values() if not m.is_point]

    def segments(self) -> list[Any]:
        """All, section by section."""
        return [seg for sec in self.sections.values() for seg in sec]

    def segment(self, name: str) -> Any:
        """The segment that NEURON prints so."""
        return next(seg for seg in self.segments() if str(seg) == name)

    def _scatter(self) -> None:
        """Give every segment and instance values of its own, whatever else is there."""

        def spread(*key: object) -> float:
            return 1 + _SPREAD * random.Random(":".join(map(str, (self.model.seed, *key)))).uniform(-1, 1)

        for seg in self.segments():
            seg.diam *= spread(seg, "diam")
            seg.pas.g, seg.pas.e = 3e-4 * spread(seg, "g"), -66 * spread(seg, "e") if self.model.hh else -66.0
            seg.cm *= spread(seg, "cm")
            for m in self._density():
                for p in m.parameters:
                    if hasattr(seg, f"{p.name}_{m.name}"):
                        setattr(seg, f"{p.name}_{m.name}", p.value * spread(seg, m.name, p.name))
        for number, point in enumerate(self.points):
            m = self.mechanisms[self.model.points[number].mechanism]
            for p in m.parameters:
                if p.scope == "RANGE" and hasattr(point, p.name):
                    setattr(point, p.name, p.value * spread(number, m.name, p.name))

    def _supply(self) -> None:
        """Let POINTERs see voltages or states, here and elsewhere, and fill FUNCTION_TABLEs."""
        places = [sec(x) for sec in self.sections.values() for x in (0.5, 1)]
        voltages = [seg._ref_v for seg in places]
        states = [
            getattr(seg, f"_ref_{state}_{m.name}")
            for m in self._density()
            for state in m.states
            for seg in self.segments()
            if hasattr(seg, f"{state}_{m.name}")
        ]
        targets = states if states and self.model.sees_variables else voltages
        self._filled: list[Any] = []
        for m in self.mechanisms.values():
            owners = self._points_of(m.name) if m.is_point else [s for s in self.segments() if hasattr(s, m.name)]
            for number, owner in enumerate(owners):
                for name in m.pointers:
                    seen = targets[random.Random(f"{self.model.seed}:{m.name}:{number}").randrange(len(targets))]
                    setattr(owner if m.is_point else getattr(owner, m.name), f"_ref_{name}", seen)
            for name in m.function_tables:
                x = np.arange(-3.1, 3.2, 0.37)
                y = 0.9 + 0.6 * np.sin(3 * x + self.model.seed % 7)
                vectors = h.Vector(y), h.Vector(x)
                getattr(h, f"table_{name}_{m.name}")(*vectors)
                self._filled.extend(vectors)

    def _remembered(self) -> list[tuple[Any, str, float]]:
        """ASSIGNED variables, and PARAMETERs that INITIAL corrects: what a run left must not be what the next finds."""
        found: list[tuple[Any, str, float]] = []
        for m in self.mechanisms.values():
            corrected = [p for p in m.parameters if p.scope == "RANGE" and p.name.startswith("fix")]
            for v in (*m.assigned, *(Variable(p.name, p.scope, 0) for p in corrected)):
                for owner in self.segments() if not m.is_point else self.points:
                    name = v.name if m.is_point else f"{v.name}_{m.name}"
                    if v.scope == "RANGE" and not v.length and isinstance(getattr(owner, name, None), float):
                        found.append((owner, name, float(getattr(owner, name))))
        return found

    def drop(self, mechanism: str) -> None:
        """Take a mechanism away."""
        gone = self.mechanisms.pop(mechanism)
        self._memory = [(o, n, x) for o, n, x in self._memory if gone.is_point or not n.endswith(f"_{mechanism}")]
        if not gone.is_point:
            ended = lambda of: of.endswith(f"_{mechanism}") or of in gone.sets  # noqa: E731
            for name in [n for n, (_, of) in self.watched.items() if ended(of)]:
                del self.watched[name], self._records[name]
            for sec in self.sections.values():
                sec.uninsert(mechanism)
            self._supply()  # a POINTER that sees what is gone would end the process
            return
        kept = [i for i, p in enumerate(self.model.points) if i < len(self.points) and self.kind(i) != mechanism]
        self.netcons = [nc for nc in self.netcons if nc.syn() is None or nc.syn() not in self._points_of(mechanism)]
        gone_points = self._points_of(mechanism)
        self.played.forget(gone_points)
        self._memory = [(o, n, x) for o, n, x in self._memory if o not in gone_points]
        self.points = [self.points[i] for i in kept]
        self.numbers = [self.numbers[i] for i in kept]

    def kind(self, index: int) -> str:
        """The mechanism of a point process."""
        return str(self.points[index].hname()).split("[")[0]

    def stands(self, m: Mechanism) -> bool:
        """Whether a mechanism is in a section: of two pools only one is."""
        return bool(self._points_of(m.name)) if m.is_point else any(hasattr(seg, m.name) for seg in self.segments())

    def _points_of(self, mechanism: str) -> list[Any]:
        return [p for p in self.points if str(p.hname()).startswith(f"{mechanism}[")]

    def keep(self, name: str, owners: Sequence[Any]) -> None:
        """Let runs begin with the values that a variable of these has now."""
        is_meant = lambda owner, of: of == name and owner in owners  # noqa: E731
        self._memory = [(o, n, float(getattr(o, n)) if is_meant(o, n) else x) for o, n, x in self._memory]

    def find_again(self) -> None:
        """Set what a run begins with."""
        for owner, name, value in self._memory:
            setattr(owner, name, value)

    # --- runs -----------------------------------------------------------------------------------------------------

    def run_once(self) -> None:
        """One run, by the model's way."""
        model = self.model
        self.find_again()
        h.celsius, h.dt = self.celsius, model.dt
        h.steps_per_ms = 1 / model.dt
        if self.surroundings is not None:
            self.surroundings.change()
        h.finitialize(self.v_init)
        if self.surroundings is not None:
            self._advance(model.t_stop / 2)
            self.surroundings.change()
        self._advance(model.t_stop)

    def _begin(self) -> None:
        """Voltages that INITIAL finds."""
        for number, seg in enumerate(self.segments()):
            seg.v = self.v_init + 1.7 * math.sin(number + self.model.seed)

    def _advance(self, until: float) -> None:
        """Run on, by the model's way."""
        if self.model.way == "psolve":
            gradmod._neuron.solve(until)
        elif self.model.way == "fadvance":
            for _ in range(round((until - h.t) / self.model.dt)):
                h.fadvance()
        else:
            h.continuerun(until)

    def run(self) -> Traces:
        """All that the model does before its traces are looked at: [sample] per trace."""
        if self.model.way == "twice":
            segments, start = self.segments(), self.v_init
            for seg, leak in zip(segments, self._leaks, strict=True):
                seg.pas.g = 1.5 * leak
            self.v_init += 4
            self.run_once()
            self.v_init = start
            for seg, leak in zip(segments, self._leaks, strict=True):
                seg.pas.g = leak
        self.run_once()
        return {name: np.array(vector) for name, vector in self._records.items()}

    def is_finite(self) -> bool:
        """Whether all states are numbers at the end of a run, those too that nothing shows."""
        owners = [(m, seg) for m in self._density() for seg in self.segments()]
        owners += [(self.mechanisms[self.kind(i)], point) for i, point in enumerate(self.points)]
        names = [(o, s if m.is_point else f"{s}_{m.name}") for m, o in owners for s in m.states]
        return all(math.isfinite(getattr(owner, name, 0.0)) for owner, name in names)

    def settle(self) -> None:
        """To be called before runs: what `twice` puts back."""
        self._leaks = [float(seg.pas.g) for seg in self.segments()]

    def directions(self) -> dict[str, Direction]:
        """All parameters that gradients are asked for."""
        self.settle()
        self.find_again()
        return directions(self)
