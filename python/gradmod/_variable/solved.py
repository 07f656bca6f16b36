"""A run with its record and its second pass: whenever they are asked for, its derivatives, and its own error."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._model.cells import Floats
from ..errors import NOT_FINITE, Refused
from ..gradient import Gradient
from .aims import Aim
from .reading import Reading
from .recorder import Record
from .second_pass import SecondPass

#: A run whose own error is larger, in mV, is too coarse; and gradients of which two resolutions differ by more.
COARSE = 0.5
UNRESOLVED = 0.05
#: Frames from here up to the method of the user's that is called.
_LEVEL = 4


@dataclass(frozen=True)
class Seen:
    """What a loss looks at.

    Attributes:
        name: For messages.
        place: In a frame.
        reading: How the numbers come of the record.
    """

    name: str
    place: int
    reading: Reading


class Solved:
    """One run."""

    def __init__(
        self, second: SecondPass, record: Record, nodes: int, aims: Sequence[tuple[str, list[Aim], bool]]
    ) -> None:
        """Take it.

        Args:
            second: The pass along the record.
            record: The run.
            nodes: How many nodes there are.
            aims: By parameter its name, its aims, and whether the user gets an array of them.
        """
        self._second, self._record, self._nodes, self._aims = second, record, nodes, aims
        self._error: float | None = None

    @property
    def size(self) -> int:
        """How many bytes of memory it takes."""
        return 2 * self._record.values.nbytes

    @property
    def times(self) -> Floats:
        """[point] the moments of the run in ms."""
        return self._record.times

    def signature(self) -> bytes:
        """What a run that has the same gradients has in common with this one, bit for bit."""
        record, digest = self._record, hashlib.sha256()
        fixed = np.array([value for values in record.fixed for value in values] + [record.celsius])
        for numbers in (record.times, record.values, fixed, *self._second.numbers()):
            digest.update(np.ascontiguousarray(numbers).data)
        return digest.digest()

    def forward(self, looks: Sequence[Seen]) -> list[dict[str, Floats]]:
        """[look] by parameter [sample], or [which, sample], the derivatives.

        Raises:
            Refused: They are not finite.
        """
        watched = [*(look.place for look in looks), *range(self._nodes)]
        aims = [aim for _, some, _ in self._aims for aim in some]
        one, two = (self._second.forward(aims, watched, parts, defect=True) for parts in (1, 2))
        both = (4 * two - one) / 3
        self._error = float(np.max(np.abs(both[:, -1, len(looks) :])))
        self._warn_if_coarse()
        found: list[dict[str, Floats]] = []
        for number, look in enumerate(looks):
            _warn_unless_resolved(one[:, :-1, number], both[:, :-1, number])
            rows = look.reading.derivative(both[:, :-1, number])
            if not np.all(np.isfinite(rows)):
                raise Refused(f"no derivatives of {look.name}: {NOT_FINITE}")
            found.append(self._by_name(rows))
        return found

    def backward(self, loss: Sequence[tuple[Seen, Floats]]) -> Gradient:
        """The gradient of a loss, from [sample] its derivative by each number that it looks at.

        Raises:
            Refused: It is not finite.
        """
        columns: dict[int, Floats] = {}
        for look, derivative in loss:
            part = look.reading.transposed(derivative, len(self.times))
            columns[look.place] = columns.get(look.place, 0.0) + part
        table = np.column_stack(list(columns.values())) if columns else np.zeros((len(self.times), 0))
        second, found = self._second, list[Floats]()
        for parts in (1, 2):
            initial = second.backward(table, list(columns), parts)
            totals, edges = second.totals, second.edges
            aims = [aim for _, some, _ in self._aims for aim in some]
            found.append(np.array([second.of_aim(aim, totals, edges, initial) for aim in aims]))
        both = (4 * found[1] - found[0]) / 3
        _warn_unless_resolved(found[0], both)
        self._warn_if_coarse()
        result: dict[str, Any] = {}
        for name, values in self._by_name(both).items():
            if not np.all(np.isfinite(values)):
                raise Refused(f"no gradient in {name}: {NOT_FINITE}")
            result[name] = values if values.ndim else float(values)
        return Gradient(result)

    def _by_name(self, rows: Floats) -> dict[str, Floats]:
        """Rows of aims, one after the other, by parameter."""
        found: dict[str, Floats] = {}
        at = 0
        for name, some, is_many in self._aims:
            found[name] = rows[at : at + len(some)] if is_many else rows[at]
            at += len(some)
        return found

    @property
    def error(self) -> float:
        """About how far the voltages are from the solution of the model's equations, at most, in mV.

        It follows from the defect: the slope of the record less that of the equations, carried along as a derivative.
        """
        if self._error is None:
            # At the middle of an interval the defect of a cubic is half as large again as its mean.
            defect = self._second.forward([], range(self._nodes), 1, defect=True)
            self._error = float(np.max(np.abs(defect))) / 1.5
        return self._error

    def _warn_if_coarse(self) -> None:
        if self.error > COARSE:
            warnings.warn(
                f"the run itself is off by about {self.error:.2g} mV, and its gradient accordingly: lower "
                "h.cvode.atol()",
                stacklevel=_LEVEL,
            )


def _warn_unless_resolved(one: Floats, both: Floats) -> None:
    size = float(np.max(np.abs(both), initial=0.0))
    difference = float(np.max(np.abs(both - one), initial=0.0))
    if difference > UNRESOLVED * size:
        warnings.warn(
            f"two resolutions of the second pass differ by {difference / size:.1%}: the run's steps are too large for "
            "its gradient; lower h.cvode.atol()",
            stacklevel=_LEVEL,
        )
