"""Values that change along a run: NEURON plays them into clamps and into parameters of point processes."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any

from neuron import h

from .models import Model


class Played:
    """What a model plays.

    Attributes:
        again: What a run must find again: owners, names and values.
        numbers: The point processes whose parameters are played, and their names: no gradient is asked for in these.
    """

    def __init__(self, model: Model, points: Sequence[Any], clamps: Sequence[Any]) -> None:
        self.numbers: set[tuple[int, str]] = set()
        self.again: list[tuple[Any, str, float]] = []
        self._vectors: list[tuple[Any, Any, Any]] = []
        if not model.plays:
            return
        random = Random(f"{model.seed}:play")
        for clamp in clamps:
            if hasattr(clamp, "amp") and random.random() < 0.7:
                clamp.delay, clamp.dur = 0.0, 1e9
                # Some with straight lines between, in each step.
                self._play(clamp, "amp", model, random, *((1,) if random.random() < 0.5 else ()))
        mechanisms = {m.name: m for m in model.mechanisms}
        for number, point in enumerate(points):
            parameters = mechanisms[model.points[number].mechanism].parameters
            shown = [p for p in parameters if p.scope == "RANGE" and hasattr(point, p.name)]
            if shown and random.random() < 0.6:
                chosen = random.choice(shown)
                # In jumps: gradmod refuses what changes between the currents and the states of one step.
                self.numbers.add((number, chosen.name))
                self._play(point, chosen.name, model, random)

    def _play(self, owner: Any, name: str, model: Model, random: Random, *continuous: int) -> None:
        value = float(getattr(owner, name))
        self.again.append((owner, name, value))
        times = [0.0, *sorted(random.uniform(0.3, model.t_stop) for _ in range(3))]
        vectors = h.Vector([value * random.uniform(0.8, 1.2) for _ in times]), h.Vector(times)
        vectors[0].play(getattr(owner, f"_ref_{name}"), vectors[1], *continuous)
        self._vectors.append((owner, *vectors))

    def forget(self, owners: Sequence[Any]) -> None:
        """Play no more into these."""
        for owner, values, _ in self._vectors:
            if owner in owners:
                values.play_remove()
        self._vectors = [played for played in self._vectors if played[0] not in owners]
        self.again = [(owner, name, value) for owner, name, value in self.again if owner not in owners]
