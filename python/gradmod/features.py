"""Features of traces with their derivatives: the names, definitions and values of eFEL.

    asked = gradmod.features.Features(["peak_time", "AHP_depth"], stim_start=100, stim_end=400)
    found = asked.of(t, v)                     # from any run
    found["peak_time"]                         # [spike] in ms
    found.along(record["gNa"])["peak_time"]    # [spike] in ms per unit of gNa: forward mode
    found.back({"peak_time": weights})         # [sample] what reverse mode takes for the trace

Features are taken on eFEL's grid, on which the trace is interpolated (``interp_step``). Times, and the voltages where
spikes begin, are read between its points, so that they change smoothly; with ``interpolated=False`` they are at points,
as in eFEL, and times have no derivative. A derivative is that of the value by the samples of the trace, exact but where
a spike comes or goes, or a maximum moves from one point to another.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import copy

import numpy as np
from numpy.typing import ArrayLike

from ._features.catalogue import FEATURES
from ._features.extraction import Definition, Extraction, MissingFeature
from ._features.linear import Floats, Linear
from ._features.sampled import Sampled
from ._features.settings import Settings
from ._features.windows import Window, deviation_in, mean_in
from .errors import Error, Refused

__all__ = ["Features", "Found", "Settings", "mean", "names", "standard_deviation", "table", "units"]


def names() -> list[str]:
    """All names that :class:`Features` knows."""
    return list(FEATURES)


def units() -> dict[str, str]:
    """The unit of each feature, for a trace in mV."""
    return {name: definition.unit for name, definition in FEATURES.items()}


def table() -> str:
    """All features in Markdown, as docs/features.md has them."""
    rows = [f"| `{d.name}` | {d.unit} | {_said(d)} | {_derivative(d)} |" for d in FEATURES.values()]
    return "\n".join(["| name | unit | what it is | derivative |", "|---|---|---|---|", *rows]) + "\n"


def _said(definition: Definition) -> str:
    first = (definition.of.__doc__ or "").strip().splitlines()
    return first[0].replace("``", "`") if first else ""


def _derivative(definition: Definition) -> str:
    if definition.is_count:
        return "none"
    return "between points" if definition.is_time else "yes"


def mean(start: float, end: float) -> Definition:
    """The mean of a trace from ``start`` to ``end`` in ms, of any variable; in its unit.

    Raises:
        Error: The window is empty.
    """
    return mean_in(_window(start, end))


def standard_deviation(start: float, end: float) -> Definition:
    """The standard deviation of a trace from ``start`` to ``end`` in ms, of any variable; in its unit.

    Raises:
        Error: The window is empty.
    """
    return deviation_in(_window(start, end))


def _window(start: float, end: float) -> Window:
    if not start < end:
        raise Error(f"the window from {start} to {end} ms is empty")
    return Window(float(start), float(end))


class Features:
    """What is asked of traces.

    Attributes:
        names: In the order given.
        settings: The stimulus and eFEL's settings.
    """

    def __init__(
        self,
        asked: Iterable[str | Definition],
        *,
        stim_start: float,
        stim_end: float,
        stimulus_current: float | None = None,
        **settings: float | bool,
    ) -> None:
        """Choose features.

        Args:
            asked: eFEL's names (see :func:`names`), :func:`mean` and :func:`standard_deviation`.
            stim_start: When the stimulus begins, in ms.
            stim_end: When it ends, in ms.
            stimulus_current: In nA, for input resistances.
            settings: The other attributes of :class:`Settings`.

        Raises:
            Error: There is no such feature or setting.
        """
        self._definitions = [one if isinstance(one, Definition) else _known(one) for one in asked]
        self.names = [definition.name for definition in self._definitions]
        twice = {name for name in self.names if self.names.count(name) > 1}
        if twice:
            raise Error(f"asked for twice: {', '.join(sorted(twice))}")
        if not stim_start < stim_end:
            raise Error(f"the stimulus begins at {stim_start} ms and ends at {stim_end} ms")
        try:
            self.settings = Settings(stim_start, stim_end, stimulus_current, **settings)  # type: ignore[arg-type]
        except TypeError as error:
            known = ", ".join(list(Settings.__dataclass_fields__)[3:])
            raise Error(f"there is no such setting: {', '.join(settings)}; there are {known}") from error

    def of(self, t: ArrayLike, v: ArrayLike) -> Found:
        """Find them in a trace.

        Args:
            t: [sample] times in ms.
            v: [sample] the trace: mV for most features.

        Raises:
            Error: This is no trace.
        """
        times, values = np.asarray(t, dtype=np.float64), np.asarray(v, dtype=np.float64)
        return Found(self._definitions, Extraction(Sampled(times, values, self.settings.interp_step), self.settings))

    def with_names(self, asked: Iterable[str | Definition]) -> Features:
        """Other features, of the same stimulus with the same settings."""
        other = copy(self)
        other._definitions = [one if isinstance(one, Definition) else self._own(one) for one in asked]
        other.names = [definition.name for definition in other._definitions]
        return other

    def _own(self, name: str) -> Definition:
        own = [definition for definition in self._definitions if definition.name == name]
        return own[0] if own else _known(name)

    def __repr__(self) -> str:
        return f"Features({', '.join(self.names)})"


def _known(name: str) -> Definition:
    try:
        return FEATURES[name]
    except KeyError:
        alike = [known for known in FEATURES if known.lower() == name.lower()]
        hint = f"did you mean {alike[0]}?" if alike else "gradmod.features.names() lists all"
        raise Error(f"there is no feature {name!r}; {hint}") from None


class Found(Mapping[str, Floats]):
    """The values of features in one trace, and their derivatives.

    Attributes:
        missing: Why the trace does not have a feature, by name.
    """

    def __init__(self, definitions: Sequence[Definition], extraction: Extraction) -> None:
        """Made by :meth:`Features.of`."""
        self._definitions = {definition.name: definition for definition in definitions}
        self._extraction = extraction
        self._numbers: dict[str, list[Linear]] = {}
        self.missing: dict[str, str] = {}
        for definition in definitions:
            try:
                self._numbers[definition.name] = extraction.get(definition)
            except MissingFeature as reason:
                self.missing[definition.name] = str(reason)

    def _of(self, name: str) -> list[Linear]:
        if name in self.missing:
            raise Error(f"the trace has no {name}: {self.missing[name]}")
        try:
            return self._numbers[name]
        except KeyError:
            raise KeyError(f"{name} was not asked for; there are {', '.join(self._definitions)}") from None

    def __getitem__(self, name: str) -> Floats:
        """[value] The values of a feature, in its unit.

        Raises:
            Error: The trace does not have it.
        """
        return np.array([number.value for number in self._of(name)])

    def __iter__(self) -> Iterator[str]:
        """The names of those that the trace has."""
        return iter(self._numbers)

    def __len__(self) -> int:
        return len(self._numbers)

    def __contains__(self, name: object) -> bool:
        return name in self._numbers

    @property
    def samples(self) -> int:
        """How many samples the trace has."""
        return self._extraction.trace.samples

    def slopes(self, name: str) -> Floats:
        """[value, sample] The derivatives of the values of a feature by the samples of the trace.

        Raises:
            Refused: It has no derivative.
            Error: The trace does not have it.
        """
        definition, numbers = self._definitions.get(name), self._of(name)
        if definition is not None and definition.is_count:
            hint = "; soft_spike_count changes smoothly" if "count" in name.lower() else ""
            raise Refused(f"{name} has no derivative: it is a whole number{hint}")
        if definition is not None and definition.is_time and not self._extraction.settings.interpolated:
            raise Refused(f"{name} at points of the grid has no derivative: leave interpolated=True")
        if not numbers:
            return np.zeros((0, self._extraction.trace.samples))
        return np.stack([self._extraction.trace.to_samples(number) for number in numbers])

    def along(self, gradient: ArrayLike, wanted: Iterable[str] | None = None) -> dict[str, Floats]:
        """The derivatives in directions of forward mode.

        Args:
            gradient: [sample] of the trace in one direction, or [sample, k] in several (``Recording.jacobian``).
            wanted: Names; all that the trace has by default.

        Returns:
            {name: [value] or [value, k]}

        Raises:
            Refused: A feature has no derivative.
            Error: The gradient is not of this trace.
        """
        found = np.asarray(gradient, dtype=np.float64)
        samples = self._extraction.trace.samples
        if found.ndim not in (1, 2) or len(found) != samples:
            raise Error(f"the trace has {samples} samples, the gradient has shape {found.shape}")
        return {name: self.slopes(name) @ found for name in (self if wanted is None else wanted)}

    def back(self, weights: Mapping[str, ArrayLike]) -> Floats:
        """The derivative of a loss by the samples of the trace, for reverse mode.

        Args:
            weights: {name: [value] the derivatives of the loss by the values of a feature}.

        Returns:
            [sample]

        Raises:
            Refused: A feature has no derivative.
            Error: There are not as many weights as values.
        """
        total = np.zeros(self._extraction.trace.samples)
        for name, given in weights.items():
            own, slopes = np.atleast_1d(np.asarray(given, dtype=np.float64)), self.slopes(name)
            if own.shape != (len(slopes),):
                raise Error(f"{name} has {len(slopes)} values, there are weights of shape {own.shape}")
            total += own @ slopes
        return total

    def __repr__(self) -> str:
        texts = [f"{name}={np.array2string(self[name], precision=6, threshold=6)}" for name in self]
        return f"Found({', '.join([*texts, *(f'{name}: missing' for name in self.missing)])})"
