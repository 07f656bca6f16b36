"""Records all voltages and states at the moments of the model's own run, by Vectors: they change nothing in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from .. import _neuron as nrn
from .._manifest.pointers import Pointer
from .._model.cells import Cell, Floats
from ..errors import Error, Refused
from .spot import Spot
from .watched_values import WatchedValues

#: Points that are nearer than this are one moment, before and after an event, ms.
MOMENT = 1e-9
#: [spot] values that do not change along a run.
Fixed = tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class Frames:
    """Where what is in a frame: the voltages of all nodes, then of each region its states, each at all places.

    Attributes:
        nodes: How many nodes there are.
        members: [region] the spots that belong to it.
        at: [region] where its states begin.
        size: Of a frame.
        names: [place in a frame] what is there.
    """

    nodes: int
    members: tuple[tuple[int, ...], ...]
    at: tuple[int, ...]
    size: int
    names: tuple[str, ...]

    @classmethod
    def of(cls, cells: Sequence[Cell], spots: Sequence[Spot]) -> Frames:
        """Number everything; ``spots`` region by region."""
        by_region: dict[int, list[int]] = {}
        for number, spot in enumerate(spots):
            by_region.setdefault(id(spot.region), []).append(number)
        members = tuple(tuple(some) for some in by_region.values())
        names = [f"v at {sec.name()}({x:g})" for cell in cells for sec, x in cell.places]
        nodes = len(names)
        at: list[int] = []
        for some in members:
            at.append(len(names))
            for state in spots[some[0]].region.states:
                names += [f"{state} at {spots[one].process or spots[one].segment}" for one in some]
        return cls(nodes, members, tuple(at), len(names), tuple(names))

    def place(self, spots: Sequence[Spot], number: int, state: str) -> int:
        """Where a state of a spot is."""
        for members, at in zip(self.members, self.at, strict=True):
            if number in members:
                return at + spots[number].region.states.index(state) * len(members) + members.index(number)
        raise ValueError(number)


@dataclass(frozen=True)
class Record:
    """One run.

    Attributes:
        times: [point] ms.
        values: [point, place in a frame].
        celsius: In degrees.
        fixed: [spot] values that did not change.
    """

    times: Floats
    values: Floats
    celsius: float
    fixed: Fixed


class Recorder:
    """The Vectors."""

    def __init__(self, cells: Sequence[Cell], spots: Sequence[Spot], watch: str) -> None:
        """Begin to record; ``watch`` is the mechanism that looks at what counts as fixed."""
        self.frames = Frames.of(cells, spots)
        self._spots = spots
        references = [nrn.ref(sec(x), "v") for cell in cells for sec, x in cell.places]
        sections = [sec for cell in cells for sec, _ in cell.places]
        for members in self.frames.members:
            for state in spots[members[0]].region.states:
                references += [spots[one].state_reference(state) for one in members]
                sections += [spots[one].segment.sec for one in members]
        self._references = references
        self._times = nrn.record_time(sections[0])
        self._vectors = [nrn.record(ref, sec) for ref, sec in zip(references, sections, strict=True)]
        self._watch = WatchedValues(watch, cells[0].segments[0])
        self._watched: list[tuple[int, str, str]] = []

    def begin(self) -> None:
        """Look from now on, along this run, whether what counts as fixed is; NEURON may have moved it since then."""
        self._watched, references = [], [nrn.ref(nrn.h, "celsius")]
        seen: set[str] = set()
        for number, spot in enumerate(self._spots):
            for pointer in spot.region.fixed:
                is_global = pointer.scope == "global"
                if pointer.scope == "segment" or (is_global and pointer.source in seen):
                    continue  # the shape of a cell is compared at the end
                seen.update([pointer.source] if is_global else [])
                references.append(nrn.ref(nrn.h if is_global else spot.owner(), pointer.source))
                at = "" if is_global else f" at {spot.process or spot.segment}"
                self._watched.append((number, pointer.source, at))
        self._watch.begin(references)

    def end(self) -> None:
        """Look no more."""
        self._watch.end()

    def fixed(self) -> Fixed:
        """[spot] what does not change along a run, as it is now."""
        known: dict[str, float] = {}

        def value(spot: Spot, pointer: Pointer) -> float:
            if pointer.scope != "global":
                return spot.fixed(pointer)
            if pointer.source not in known:
                known[pointer.source] = spot.fixed(pointer)
            return known[pointer.source]

        return tuple(tuple(value(spot, pointer) for pointer in spot.region.fixed) for spot in self._spots)

    def take(self, before: Fixed, celsius: float, settings: Sequence[Mapping[str, float]]) -> Record:
        """At the end of a run.

        Args:
            before: What :meth:`fixed` was before INITIAL.
            celsius: What that was.
            settings: [spot] what the styles of ions are.

        Raises:
            Error: There was no run.
            Refused: It changed what counts as fixed, or something was set between two steps.
        """
        after = self.fixed()
        for spot, one, other, told in zip(self._spots, before, after, settings, strict=True):
            # Computed of the concentrations: it is not read.
            follows = {f"e{flags.ion}" for flags in spot.region.ions if told[flags.nernst]}
            pairs = zip(spot.region.fixed, one, other, strict=True)
            changed = [p.source for p, a, b in pairs if a != b and p.source not in follows]
            if changed:
                place = spot.process or spot.segment
                raise Refused(f"{changed[0]} at {place} was changed by INITIAL or during the run: {_WAY}")
        if self._watch.has_moved:
            raise Refused("the model was changed during the run: sections, mechanisms or point processes came or went")
        changed_at = self._watch.changed
        for index, (number, source, at) in enumerate(self._watched, start=1):
            is_computed = any(
                source == f"e{f.ion}" for f in self._spots[number].region.ions if settings[number][f.nernst]
            )
            if index in changed_at and not is_computed:
                raise Refused(
                    f"{source}{at} was changed during the run, at {changed_at[index]:g} ms (Vector.play?): {_WAY}"
                )
        if 0 in changed_at or float(nrn.h.celsius) != celsius:
            raise Refused("celsius was changed during the run: set it before finitialize")
        times = nrn.values(self._times)
        values = np.column_stack([nrn.values(vector) for vector in self._vectors]) if len(times) else np.empty((0, 0))
        if len(times) < 1:
            raise Error("the run made no step")
        if nrn.h.t > times[-1]:
            times = np.append(times, float(nrn.h.t))
            values = np.vstack([values, [float(reference[0]) for reference in self._references]])
        return Record(np.ascontiguousarray(times), np.ascontiguousarray(values), celsius, after)

    def stop(self) -> None:
        """Record no more."""
        self._watch.remove()
        for vector in (self._times, *self._vectors):
            nrn.stop_recording(vector)


_WAY = "use the fixed step (h.cvode_active(0)), or set it before finitialize"
