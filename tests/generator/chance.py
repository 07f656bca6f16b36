"""Decisions. The same seed makes the same bytes, whatever the process."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


class Chance:
    """Random choices that are made in one order."""

    def __init__(self, *seed: object) -> None:
        self._random = random.Random(":".join(map(str, seed)))

    def of(self, percent: float) -> bool:
        """True in so many cases of a hundred."""
        return self._random.random() * 100 < percent

    def one(self, choices: Sequence[T]) -> T:
        """Any of them."""
        return choices[self._random.randrange(len(choices))]

    def weighted(self, choices: dict[T, float]) -> T:
        """Any of them, by weight."""
        return self._random.choices(list(choices), list(choices.values()))[0]

    def count(self, low: int, high: int) -> int:
        """A whole number, both ends included."""
        return self._random.randint(low, high)

    def number(self, low: float, high: float) -> float:
        """A number of three digits."""
        return float(f"{self._random.uniform(low, high):.3g}")

    def some(self, choices: Sequence[T], low: int, high: int) -> list[T]:
        """Several different ones, in the order given."""
        count = min(self.count(low, high), len(choices))
        return [choices[i] for i in sorted(self._random.sample(range(len(choices)), count))]
