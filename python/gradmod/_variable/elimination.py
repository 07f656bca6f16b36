"""The order in which the states of a place are eliminated from ``1 - g dF/dx``, by which of them depends on which."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

Row = tuple[int, int, int]


@dataclass(frozen=True)
class Elimination:
    """Gauss's elimination without a search for pivots.

    What is on the diagonal is near 1 for small g, and larger for a state that returns to where it was.

    Attributes:
        slots: How many entries the factors have; the first are those of the diagonal, then what is below and above it.
        slot: (row, column) -> where it is.
        steps: (to, factor, other): ``to -= factor*other``; with -1 for ``other``: ``to *= factor``, or, where both are
            the same, ``to = 1/to``.
        lower, upper: (row, column, slot) of the substitutions, in order.
    """

    slots: int
    slot: dict[tuple[int, int], int]
    steps: tuple[Row, ...]
    lower: tuple[Row, ...]
    upper: tuple[Row, ...]

    @classmethod
    def of(cls, count: int, entries: Iterable[tuple[int, int]]) -> Elimination:
        """Plan it.

        Args:
            count: How many states there are.
            entries: (row, column) where the matrix may not be that of 1.
        """
        filled = set(entries) | {(state, state) for state in range(count)}
        order: list[int] = []
        left = set(range(count))
        while left:
            pivot = _cheapest(left, filled)
            left.remove(pivot)
            order.append(pivot)
            filled |= {
                (row, column) for row in left if (row, pivot) in filled for column in left if (pivot, column) in filled
            }
        slot = {(state, state): state for state in range(count)}
        for place in sorted(filled):
            slot.setdefault(place, len(slot))
        steps: list[Row] = []
        lower: list[Row] = []
        upper: list[Row] = []
        for number, pivot in enumerate(order):
            later = order[number + 1 :]
            steps.append((slot[pivot, pivot], slot[pivot, pivot], -1))
            columns = [column for column in later if (pivot, column) in filled]
            for row in (row for row in later if (row, pivot) in filled):
                steps.append((slot[row, pivot], slot[pivot, pivot], -1))
                lower.append((row, pivot, slot[row, pivot]))
                steps += [(slot[row, column], slot[row, pivot], slot[pivot, column]) for column in columns]
        for number, pivot in reversed(list(enumerate(order))):
            later = order[number + 1 :]
            upper += [(pivot, column, slot[pivot, column]) for column in later if (pivot, column) in filled]
            upper.append((pivot, pivot, slot[pivot, pivot]))
        return cls(len(slot), slot, tuple(steps), tuple(lower), tuple(upper))


def _cheapest(left: Collection[int], filled: Collection[tuple[int, int]]) -> int:
    """The pivot that fills least (Markowitz)."""

    def cost(state: int) -> tuple[int, int]:
        below = sum((row, state) in filled for row in left if row != state)
        right = sum((state, column) in filled for column in left if column != state)
        return below * right, state

    return min(left, key=cost)
