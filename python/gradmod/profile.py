"""Profiles: values along a cell that follow from a few coefficients, each of which is a parameter.

ih = gradmod.Profile(
    "gIhbar_Ih", apical, lambda seg, base, length: base * np.exp(h.distance(soma(0.5), seg) / length),
    base=8e-5, length=320.0,
)
gradmod.attach(base=ih["base"], length=ih["length"])
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from . import _neuron as nrn
from ._neuron.sections import section_of, segments_of
from .errors import Error
from .parameters import Range, Where

#: The step of a complex derivative: its square is nothing.
_STEP = 1e-50
#: A central difference has a step of this part of the coefficient, and agrees to this part of the derivative.
_PART, _AGREED = 1e-4, 1e-4
#: Rounding of a difference of two values, of the values.
_ROUNDING = 1e-14
#: Values in NEURON that differ by less than this, relatively, are those that were set.
_SAME = 1e-12


class Shape(Protocol):
    """The value at a segment, from the coefficients by name."""

    def __call__(self, seg: nrn.Segment, /, **coefficients: Any) -> Any:
        """In the unit of the variable."""
        ...


class Profile:
    """Values of a range variable, ``function(segment, **coefficients)``; setting a coefficient sets them.

    Derivatives by the coefficients are taken by complex steps (Squire and Trapp, 1998), which are exact to rounding; so
    the function must compute with complex numbers as with real ones: NumPy's functions do, those of ``math`` do not.
    Each derivative is compared with a difference, so that one that does not is refused.
    """

    def __init__(self, name: str, where: Where, function: Shape | Callable[..., Any], **coefficients: float) -> None:
        """Set the values that the coefficients give.

        Args:
            name: The range variable, as NEURON spells it; for ``Ra`` the function is called with the middle of each
                section.
            where: A section, a segment, or an iterable of these. Segments without the variable are left out.
            function: The value at a segment, in the unit of the variable; called whenever the model is set or looked
                at, so that distances should be what they were.
            coefficients: Their values at the beginning.

        Raises:
            Error: There is no coefficient, no such variable, or a value is not finite.
        """
        if not coefficients:
            raise Error(f"the profile of {name} has no coefficient: give them by name, with their values")
        self.name, self._function = name, function
        self.where = Range(name, where).where
        self._coefficients = {key: float(value) for key, value in coefficients.items()}
        self._segments = self._places()
        self._apply()

    @property
    def coefficients(self) -> dict[str, float]:
        """Their present values."""
        return dict(self._coefficients)

    def set(self, **coefficients: float) -> None:
        """Set coefficients, and the values that they give.

        Raises:
            Error: There is no such coefficient, or a value is not finite; then nothing is set.
        """
        before = self.coefficients
        for name, value in coefficients.items():
            self._known(name)
            self._coefficients[name] = float(value)
        try:
            self._apply()
        except BaseException:
            self._coefficients = before
            raise

    def __getitem__(self, name: str) -> Coefficient:
        """One coefficient as a parameter.

        Raises:
            Error: There is no such coefficient.
        """
        self._known(name)
        return Coefficient(self, name)

    def value(self, seg: nrn.Segment) -> float:
        """The value at a segment.

        Raises:
            Error: It is no finite number.
        """
        return self._real(seg, self._coefficients)

    def slope(self, seg: nrn.Segment, name: str) -> float:
        """The derivative of the value at a segment by a coefficient.

        Raises:
            Error: The function does not compute with complex numbers, or has a kink here.
        """
        at = self._coefficients[name]
        try:
            stepped = self._function(seg, **{**self._coefficients, name: complex(at, _STEP)})
            slope = complex(stepped).imag / _STEP
        except (TypeError, ValueError) as error:
            raise Error(
                f"the profile of {self.name} has no derivative by {name}: its function does not take complex numbers "
                f"({error}); use NumPy's functions (np.exp) instead of those of math"
            ) from error
        step = _PART * max(abs(at), _PART)
        above, below = (self._real(seg, {**self._coefficients, name: at + by}) for by in (step, -step))
        difference = (above - below) / (2 * step)
        rounding = _ROUNDING * max(abs(above), abs(below)) / step
        if not abs(slope - difference) <= _AGREED * max(abs(slope), abs(difference)) + rounding:
            raise Error(
                f"the derivative of the profile of {self.name} by {name} at {seg} is {slope:g} by a complex step and "
                f"{difference:g} by a difference: its function has a kink there, or is no function of complex numbers "
                "(abs, real, comparisons)"
            )
        return slope

    def check(self, seg: nrn.Segment) -> None:
        """Look whether the model still has the value that was set at a segment.

        Raises:
            Error: It does not.
        """
        wanted, now = self.value(seg), nrn.number(self._owner(seg), self.name)
        if abs(now - wanted) > _SAME * abs(wanted):
            raise Error(
                f"{self.name} at {seg} is {now:g}, where its profile makes it {wanted:g}: something else set it; set a "
                "coefficient anew, by Profile.set(), or leave it out"
            )

    @property
    def segments(self) -> list[nrn.Segment]:
        """Those that have the variable; for ``Ra`` the middle of each section."""
        return list(self._segments)

    def __repr__(self) -> str:
        values = ", ".join(f"{name}={value:g}" for name, value in self._coefficients.items())
        return f"Profile({self.name!r}, {len(self._segments)} places, {values})"

    def _known(self, name: str) -> None:
        if name not in self._coefficients:
            raise Error(f"{self!r} has no coefficient {name!r}")

    def _real(self, seg: nrn.Segment, coefficients: Mapping[str, float]) -> float:
        found = self._function(seg, **coefficients)
        try:
            value = float(found)
        except TypeError as error:
            raise Error(f"the profile of {self.name} at {seg} is {found!r}, no number") from error
        if not abs(value) < float("inf"):
            raise Error(f"the profile of {self.name} at {seg} is {value}")
        return value

    def _places(self) -> list[nrn.Segment]:
        if self.name == "Ra":
            return [sec(0.5) for sec in dict.fromkeys(map(section_of, self.where))]
        found = [seg for seg in segments_of(self.where) if nrn.has_number(seg, self.name)]
        if not found:
            raise Error(f"no segment of the profile of {self.name} has it: is the mechanism inserted?")
        return found

    def _owner(self, seg: nrn.Segment) -> nrn.Section | nrn.Segment:
        return seg.sec if self.name == "Ra" else seg

    def _apply(self) -> None:
        # All values first: where one is none, nothing is set.
        values = [self.value(seg) for seg in self._segments]
        for seg, value in zip(self._segments, values, strict=True):
            nrn.set_number(self._owner(seg), self.name, value)


class Coefficient(Range):
    """A coefficient of a profile: the direction whose weights are the derivatives of the values by it."""

    def __init__(self, profile: Profile, coefficient: str) -> None:
        """Made by ``profile["coefficient"]``."""
        super().__init__(profile.name, profile.where, self._weight)
        self.profile, self.coefficient = profile, coefficient

    def _weight(self, seg: nrn.Segment) -> float:
        self.profile.check(seg)
        return self.profile.slope(seg, self.coefficient)

    def __repr__(self) -> str:
        return f"{self.profile!r}[{self.coefficient!r}]"
