"""A simulation under the variable step: traces sampled all along the run, derivatives by a second pass."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from .. import _neuron as nrn
from .._model.cells import Floats
from .._variable.solved import Seen, Solved
from ..errors import Error
from ..parameters import Parameter
from ..variable_step import VariableStep
from .backends import Engine, Made, Mode

#: Of `memory`, which is in MiB.
_MIB = 2.0**20


class MadeByVariableStep(Made):
    """A run that :class:`ByVariableStep` keeps."""

    def __init__(self, solved: Solved, looks: Sequence[Seen]) -> None:
        """Of a run, and what is seen of it."""
        self._solved: Solved | None = solved
        self._signature = b""
        self._looks = looks
        self.size = solved.size

    @property
    def is_there(self) -> bool:
        return self._solved is not None

    def vjp(self, derivative: Floats) -> Mapping[str, float | Floats]:
        assert self._solved is not None
        return _vjp(self._solved, self._looks, derivative)

    def is_same(self, other: Made) -> bool:
        return isinstance(other, MadeByVariableStep) and self.signature() == other.signature()

    def signature(self) -> bytes:
        """As that of :class:`Solved`."""
        return self._signature if self._solved is None else self._solved.signature()

    def forget(self) -> None:
        """There is no room for it: the run is made again, and must have this signature."""
        self._signature = self.signature()
        self._solved = None

    def release(self) -> None:
        self._solved = None


class ByVariableStep(Engine):
    """By a second pass along the record of the run, forwards or backwards."""

    mode: Mode = "variable"

    def __init__(
        self,
        parameters: Mapping[str, Parameter],
        looks: Sequence[tuple[nrn.Segment, str]],
        sections: Sequence[nrn.Section] | None,
        memory: float,
        every: float,
        quiet: bool,
    ) -> None:
        """As :class:`VariableStep`, which says what is raised; the traces have a sample ``every`` so many ms."""
        self._model = VariableStep(parameters, sections=sections, quiet=quiet)
        self._names = list(parameters)
        self._memory = memory * _MIB
        self._kept: list[MadeByVariableStep] = []
        try:
            self._sampled = [self._model.record(*look, every=every) for look in looks]
        except BaseException:
            self._model.close()
            raise

    @property
    def t(self) -> Floats:
        times = self._sampled[0].times
        return np.empty(0) if times is None else times

    @property
    def is_last(self) -> bool:
        return self._model.last is not None

    def run(self, duration: float, v_init: float | None, simulate: Callable[[], object] | None) -> Floats:
        self._model.run(duration, v_init=v_init, simulate=simulate)
        return np.array([sampled.values for sampled in self._sampled])

    def _last(self) -> tuple[Solved, list[Seen]]:
        assert self._model.last is not None
        return self._model.last, [self._model.seen(sampled) for sampled in self._sampled]

    def vjp(self, derivative: Floats) -> Mapping[str, float | Floats]:
        return _vjp(*self._last(), derivative)

    def jacobian(self) -> Floats:
        solved, looks = self._last()
        found = solved.forward(looks)
        return np.array([np.vstack([np.atleast_2d(one[name]) for name in self._names]).T for one in found])

    def keep(self) -> Made:
        made = MadeByVariableStep(*self._last())
        self._kept = [one for one in self._kept if one.is_there] + [made]
        while len(self._kept) > 1 and sum(one.size for one in self._kept) > self._memory:
            self._kept.pop(0).forget()
        return made

    def close(self) -> None:
        self._model.close()


def _vjp(solved: Solved, looks: Sequence[Seen], derivative: Floats) -> Mapping[str, float | Floats]:
    wanted = (len(looks), len(looks[0].reading.values))
    if derivative.shape != wanted:
        raise Error(f"the derivative has shape {derivative.shape}, the traces {wanted}")
    return solved.backward(list(zip(looks, derivative, strict=True)))
