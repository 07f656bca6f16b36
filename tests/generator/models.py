"""Cells, drives and ways to run."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, replace

from . import tree
from .chance import Chance
from .expressions import THRESHOLDS
from .tree import Mechanism

#: Ways to run: `twice` is two runs after each other, the first with other parameters.
WAYS = {"continuerun": 40.0, "psolve": 20.0, "fadvance": 15.0, "twice": 25.0}


@dataclass(frozen=True)
class Section:
    """An unbranched piece; lengths in um, `mechanisms` by name."""

    name: str
    parent: str | None
    where: float
    nseg: int
    length: float
    diameter: float
    ra: float
    cm: float
    mechanisms: tuple[str, ...]


@dataclass(frozen=True)
class Point:
    """A point process."""

    mechanism: str
    section: str
    x: float


@dataclass(frozen=True)
class Clamp:
    """An IClamp (amp in nA) or SEClamp (amp in mV); times in ms."""

    kind: str
    section: str
    x: float
    delay: float
    duration: float
    amplitude: float


@dataclass(frozen=True)
class Events:
    """A NetStim and its NetCon to a point process, by number."""

    point: int
    start: float
    interval: float
    number: int
    delay: float
    weight: float


@dataclass(frozen=True)
class Model:
    """All that a worker process builds and runs.

    Attributes:
        hh: NEURON's own, beside the leak.
        forward, reverse: What is compared with differences.
        asked: Parameters, if not all.
        memory: MiB of reverse mode, if so little that it goes through the run in windows.
        moves: Whether other sections come and go before each run and in it, so that NEURON moves its data.
        sees_variables: Whether POINTERs see states of other mechanisms, where there are such.
        secondorder: NEURON's setting.
        plays: Whether values of clamps and point processes change along the run.
        few: Whether gradients are asked for in some parameters only.
        uneven: Whether each segment starts at a voltage of its own.
    """

    seed: int
    mechanisms: tuple[Mechanism, ...]
    sections: tuple[Section, ...]
    points: tuple[Point, ...] = ()
    clamps: tuple[Clamp, ...] = ()
    events: tuple[Events, ...] = ()
    dt: float = 0.025
    t_stop: float = 6.0
    v_init: float = -65.0
    celsius: float = 16.0
    tables: bool = False
    hh: bool = False
    way: str = "continuerun"
    forward: bool = True
    reverse: bool = True
    asked: tuple[str, ...] = field(default=())
    memory: float | None = None
    moves: bool = False
    sees_variables: bool = False
    secondorder: int = 0
    plays: bool = False
    few: bool = False
    uneven: bool = False

    def to_json(self) -> str:
        """To be read by `read`."""
        return json.dumps(asdict(self), indent=1)


def read(text: str) -> Model:
    """What `Model.to_json` has written."""
    data = json.loads(text)
    data["mechanisms"] = tuple(tree.read(json.dumps(m)) for m in data["mechanisms"])
    data["sections"] = tuple(Section(**{**s, "mechanisms": tuple(s["mechanisms"])}) for s in data["sections"])
    data["points"] = tuple(Point(**p) for p in data["points"])
    data["clamps"] = tuple(Clamp(**c) for c in data["clamps"])
    data["events"] = tuple(Events(**e) for e in data["events"])
    data["asked"] = tuple(data["asked"])
    return Model(**data)


def _trains(c: Chance, point: int) -> list[Events]:
    """What a point process gets: events from one source or two, often two in one step."""
    first = Events(point, c.number(0.2, 2), c.number(0.8, 2.5), c.count(1, 4), c.number(0.1, 1.2), c.number(0.2, 0.9))
    if c.of(50):
        return [first]
    if c.of(50):
        return [first, replace(first, delay=first.delay + 0.003, weight=c.number(0.2, 0.9))]
    second = Events(point, c.number(0.2, 2), c.number(0.8, 2.5), c.count(1, 4), c.number(0.1, 1.2), c.number(0.2, 0.9))
    return [first, second]


def make(seed: int, mechanisms: list[Mechanism], *, reverse: bool = True) -> Model:
    """A model with all of these mechanisms."""
    c = Chance("model", seed)
    density = [m for m in mechanisms if not m.is_point]
    # Two mechanisms of a section must not set the same concentration.
    names: list[str] = []
    taken = set[str]()
    for m in density:
        if not m.sets & taken:
            names.append(m.name)
            taken |= m.sets
    other = tuple(c.some(names, max(1, len(names) // 2), len(names))) if c.of(35) and names else tuple(names)
    sections = [
        Section("soma", None, 0.0, 1, c.number(12, 22), c.number(12, 20), 110, c.number(0.8, 1.2), tuple(names)),
        Section("dend", "soma", 1.0, 2, c.number(60, 140), c.number(1.5, 3), c.number(80, 150), 1.3, other),
    ]
    if c.of(70):
        where = c.one((0.5, 1.0))
        sections.append(Section("twig", "dend", where, 1, c.number(40, 90), c.number(0.7, 1.4), 120, 1.0, other))
    if c.of(35):
        # Another cell.
        sections.append(
            Section("lone", None, 0.0, 1, c.number(12, 22), c.number(12, 20), 110, c.number(0.8, 1.2), other)
        )
    points: list[Point] = []
    events: list[Events] = []
    for m in mechanisms:
        if not m.is_point:
            continue
        for _ in range(c.count(1, 2)):
            section = c.one(sections)
            points.append(Point(m.name, section.name, c.number(0.1, 0.9)))
            if m.receives:
                events += _trains(c, len(points) - 1)
    clamps = []
    if c.of(75):
        clamps.append(
            Clamp("IClamp", c.one(sections).name, 0.5, c.number(0.2, 1.5), c.number(1, 4), c.number(-0.1, 0.35))
        )
    if c.of(12):
        clamps.append(
            Clamp("SEClamp", c.one(sections).name, 0.5, 0.0, 4.0, float(c.one(THRESHOLDS)) - c.one((0.0005, 2.3)))
        )
    v_init = c.weighted({-65.0: 15.0, -65.3: 25.0, -71.2: 15.0, -58.7: 15.0, None: 30.0})
    if v_init is None:
        v_init = c.one(THRESHOLDS) - c.one((0.0005, 0.0003, 0.0008, 0.0))
    return Model(
        seed, tuple(mechanisms), tuple(sections), tuple(points), tuple(clamps), tuple(events),
        dt=c.weighted({0.025: 55.0, 0.05: 20.0, 0.1: 15.0, 0.01: 10.0}),
        t_stop=float(c.count(4, 6)), v_init=v_init, celsius=c.one((6.3, 16.0, 22.0, 35.5)), tables=c.of(50),
        hh=c.of(40),
        way=c.weighted(WAYS), reverse=reverse, memory=c.one((0.04, 0.015, 0.003)) if c.of(40) else None, moves=c.of(20),
        sees_variables=c.of(25), secondorder=c.weighted({0: 60.0, 1: 15.0, 2: 25.0}),
        plays=c.of(35), few=c.of(25), uneven=c.of(20),
    )  # fmt: skip
