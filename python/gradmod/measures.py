"""What a cell can know of its own activity while it runs."""

from __future__ import annotations

from dataclasses import dataclass

from .errors import Error


@dataclass(frozen=True)
class Average:
    """A leaky average: ``tau f' = x - f``, advanced by NEURON's exact solution for one step, from ``f = x``.

    Attributes:
        expression: x in NMODL, made of ``v``, states and concentrations as a segment spells them:
            ``"v"``, ``"cai"``, ``"m_hh*m_hh*h_hh"``.
        tau: Time constant in ms; with 0, ``f`` is x.
    """

    expression: str
    tau: float

    def __post_init__(self) -> None:
        if not self.tau >= 0.0:
            raise Error(f"tau is {self.tau}: a time constant is not negative")

    @property
    def turns(self) -> bool:
        """Whether x is an angle."""
        return False


@dataclass(frozen=True)
class Frequency:
    """How often two gating states go round a point, in Hz: ``tau f' = (1000/2pi) phase' - f``, from ``f = start``.

    The phase is the angle of (slow, fast) - centre. It grows by 2pi with every spike on which the slow state is above
    its centre when the fast one rises, and below it when that falls; other spikes are not counted. In one time step it
    changes by the angle between two samples, so nothing is lost between them. (Landsmeer et al., arXiv 2412.07327,
    use the time derivative of the phase.)

    Attributes:
        fast, slow: States as a segment spells them, such as ``"m_hh"`` and ``"h_hh"``.
        tau: Time constant in ms.
        centre: Of fast and of slow.
        start: f at the start of a run, in Hz; also the RANGE variable ``f_start`` of a controller's mechanism.
    """

    fast: str = "m_hh"
    slow: str = "h_hh"
    tau: float = 10_000.0
    centre: tuple[float, float] = (0.5, 0.5)
    start: float = 0.0

    def __post_init__(self) -> None:
        if not self.tau > 0.0:
            raise Error(f"tau is {self.tau}: the average of a frequency needs a positive time constant")

    @property
    def expression(self) -> str:
        """The phase, in NMODL."""
        fast, slow = self.centre
        return f"atan2({self.fast} - {fast!r}, {self.slow} - {slow!r})"

    @property
    def turns(self) -> bool:
        """Whether the expression is an angle."""
        return True
