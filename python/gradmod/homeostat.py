"""Cells that regulate themselves: gradients that act while the simulation runs."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from weakref import ref

from . import _neuron as nrn
from ._build.library import load
from ._build.transform import build_homeostat
from ._command.support import Construct, Way, reason
from ._forward.attachment import Attachment
from ._manifest.homeostat import HomeostatManifest
from ._model.named_directions import named_directions
from ._model.removal import begin_change, let_go
from ._model.runs import Begun
from ._neuron.netcon_ends import all_netcons
from ._neuron.sections import is_segment
from .attach import Wired, wire
from .controller import Controller, actuators, check_changeable
from .errors import Error, Refused
from .gradients import Gradients
from .measures import Average, Frequency
from .parameters import Parameter, places


class Homeostat:
    """Lets cells keep a measure of their activity at a target, by the gradient of the run itself.

    Each cell with a controller follows, in emitted mechanisms and with no Python in the loop,

        tau df/dt   = x - f                                   the measure: :class:`Average`, :class:`Frequency`
        de_k/dt     = (f - target) df/dtheta_k - leak e_k     the gradient of the loss
        dtheta_k/dt = -alpha scale_k e_k                      the parameters

    (Landsmeer et al., arXiv 2412.07327). ``theta_k`` is the parameter along direction k, in units of the direction's
    weight; ``scale_k`` its size when the run begins. Measure, gradients and parameters follow after each step.

    With ``leak`` 0, ``df/dtheta_k`` is the exact derivative of the simulation as it is run. With a leak, what a
    parameter did t ms ago counts ``exp(-leak t)``: still exact, of a change that fades into the past; without it a
    rhythm that depends on a parameter has a phase whose derivative grows for ever. ``clip`` bounds the gradients of
    each quantity (v, each state, the measure), over the directions together: what is bounded is no derivative any more.

    Where noise decides whether there is a spike, the exact gradient is now and then very large: ``bounds`` keep a cell
    from losing, in one such moment, what it is driven by.

    A direction may act on many cells; each controller changes the parameters of its own cell only, by the gradient
    in its own cell. What cells do to each other by events counts as given. With ``alpha`` 0 nothing is changed, and the
    model's voltage stays as it was, bit for bit.

    Attributes:
        controllers: One for each place of ``at``.
        delays: Of all NetCons when the run began, in ms.
        begun: Which run it is in.
        gradients: The gradients that it goes by. To record them for every step is for short runs.
    """

    def __init__(
        self,
        measure: Average | Frequency,
        at: nrn.Segment | Iterable[nrn.Segment],
        among: Mapping[str, Parameter] | None = None,
        *,
        target: float | Sequence[float],
        alpha: float | Sequence[float],
        leak: float = 0.0,
        clip: float | None = None,
        bounds: Mapping[str, tuple[float, float]] | None = None,
        quiet: bool = False,
        **directions: Parameter,
    ) -> None:
        """Attach to the model.

        Args:
            measure: What is measured.
            at: Where: one segment of each cell that regulates itself.
            among: Directions, as a mapping: with names that are those of options.
            target: What ``f`` should be: one number, or one for each cell.
            alpha: Rate of change in 1/ms, for f and theta in units of theirs; also one for each cell.
            leak: In 1/ms.
            clip: The largest root of the sum of squares of the gradients of one quantity; None for no bound.
            bounds: By direction, the smallest and largest theta; by default it keeps its sign.
            quiet: Do not say so when something has to be compiled.
            **directions: What may be changed: :class:`Range` (not cm, Ra) and :class:`Stimulus`.

        Raises:
            Refused: Something in the model cannot be differentiated exactly; says what, where and why.
            Error: A name is wrong, or a tool failed.
        """
        segments = _segments(at)
        targets, rates = (_each(values, len(segments)) for values in (target, alpha))
        options = {"measure": measure, "at": at, "target": target, "alpha": alpha, "leak": leak, "clip": clip}
        _, directions = named_directions(among, directions, {**options, "bounds": bounds, "quiet": quiet})
        unknown = set(bounds or {}) - set(directions)
        if unknown:
            raise Error(f"bounds of {', '.join(sorted(unknown))}: no such direction")
        for name, parameter in directions.items():
            check_changeable(name, parameter)
        wired = wire(None, directions, quiet=quiet, online=True)
        self.gradients = Gradients(*wired, online=True)
        self.controllers: list[Controller] = []
        self._attachments: Sequence[Attachment] = wired[1].attachments
        self._build = wired[2]
        self.delays: list[float] = []
        self.begun: Begun | None = None
        self._bounds = dict(bounds or {})
        try:
            self._regulate(measure, segments, wired, quiet=quiet)
        except BaseException:
            self.detach()
            raise
        self.target, self.alpha, self.leak, self.clip = targets, rates, leak, clip
        me: ref[Homeostat] = ref(self)
        self._handlers = [nrn.on_finitialize(3, lambda: _prepare(me))]

    def _regulate(
        self, measure: Average | Frequency, segments: Sequence[nrn.Segment], wired: Wired, *, quiet: bool
    ) -> None:
        directions, attachments = wired[0], wired[1].attachments
        for attachment in attachments:
            for spot in (*attachment.spots, *attachment.companions):
                if spot.region.sets_voltage:
                    raise Refused(f"{spot.process}: {reason(Construct.VOLTAGE_EVENTS, Way.ONLINE)}")
        place = build_homeostat(measure.expression, turns=measure.turns, directions=len(directions))
        made = self._made = HomeostatManifest.read(place / "homeostat.json")
        load(place, quiet=quiet)
        by_section = {sec: attachment for attachment in attachments for sec in attachment.cell.sections}
        check = _checker(ref(self))
        used: set[nrn.Section] = set()
        for segment in segments:
            attachment = by_section.get(segment.sec)
            if attachment is None:
                raise Error(f"no direction acts on the cell of {segment}")
            if attachment.cell.root in used:
                raise Error(f"{segment}: its cell has a controller already")
            used.add(attachment.cell.root)
            controller = Controller(segment, attachment, directions, made, check)
            controller.mechanism.tau = measure.tau
            if isinstance(measure, Frequency):
                controller.mechanism.f_start = measure.start
            self.controllers.append(controller)
        for direction in directions:
            if not any(actuators(direction, attachment) for attachment in attachments):
                raise Error(f"{direction.name}: it changes nothing")

    # --- settings -------------------------------------------------------------------------------------------------

    @property
    def target(self) -> list[float]:
        """[controller] what f should be."""
        return [float(controller.mechanism.target) for controller in self.controllers]

    @target.setter
    def target(self, targets: float | Sequence[float]) -> None:
        for controller, target in zip(self.controllers, _each(targets, len(self.controllers)), strict=True):
            controller.mechanism.target = target

    @property
    def alpha(self) -> list[float]:
        """[controller] rate of change in 1/ms; 0: only measure."""
        return [float(controller.mechanism.alpha) for controller in self.controllers]

    @alpha.setter
    def alpha(self, rates: float | Sequence[float]) -> None:
        for controller, rate in zip(self.controllers, _each(rates, len(self.controllers)), strict=True):
            controller.mechanism.alpha = rate

    @property
    def leak(self) -> float:
        """1/ms."""
        return float(self.controllers[0].mechanism.leak)

    @leak.setter
    def leak(self, leak: float) -> None:
        for mechanism in self._mechanisms():
            mechanism.leak = leak

    @property
    def clip(self) -> float | None:
        """The largest root of the sum of squares of the gradients of one quantity."""
        return float(self.controllers[0].mechanism.clip) or None

    @clip.setter
    def clip(self, clip: float | None) -> None:
        if clip is not None and not clip > 0.0:
            raise Error(f"clip is {clip}: give a positive number, or None")
        for mechanism in self._mechanisms():
            mechanism.clip = clip or 0.0

    def _mechanisms(self) -> Iterable[nrn.Mechanism]:
        yield from (controller.mechanism for controller in self.controllers)
        for attachment in self._attachments:
            yield from (spot.mechanism for spot in (*attachment.spots, *attachment.companions))

    # --- the rest -------------------------------------------------------------------------------------------------

    def prepare(self) -> None:
        """Follow the user's parameters; at the beginning of ``finitialize``."""
        self.begun = Begun.now()
        self.delays = [float(netcon.delay) for netcon in all_netcons()]
        for controller in self.controllers:
            controller.prepare(self._bounds)

    def check(self) -> None:
        """Look whether the run so far is one that the gradients follow.

        Raises:
            Error, Refused: It is not; says why.
        """
        self.gradients.check()

    def mechanisms(self) -> set[str]:
        """Names of all mechanisms that it has put into the model."""
        return {self._made.name, self._made.follow, *self._build.manifest.emitted}

    def followed(self) -> set[str]:
        """Names of the user's mechanisms that the compiler has read, on the cells that have gradients."""
        return {
            name for one in self._build.manifest.regions for name in one.mechanisms
        } - self._build.manifest.passed_over

    def detach(self) -> None:
        """Take everything away again; parameters keep the values that they have.

        Raises:
            Error: NEURON is in the middle of a run, and calls the script.
        """
        begin_change("detach()")
        self._remove_controllers()
        self.gradients.detach()

    def take_away(self) -> None:
        """Take everything out of the model, but handlers of ``finitialize``; use :meth:`detach`."""
        self._remove_controllers()
        self.gradients.take_away()

    def _remove_controllers(self) -> None:
        for controller in self.controllers:
            controller.remove()
        self.controllers.clear()

    def __del__(self) -> None:
        if not sys.is_finalizing() and hasattr(self, "controllers"):
            let_go(self)

    def __repr__(self) -> str:
        names = ", ".join(self.gradients.directions)
        return f"Homeostat({names}; {len(self.controllers)} cells)"


def _each(values: float | Sequence[float], count: int) -> list[float]:
    many = [float(values)] * count if isinstance(values, (int, float)) else [float(value) for value in values]
    if len(many) != count:
        raise Error(f"there are {len(many)} numbers for {count} places")
    return many


def _segments(at: nrn.Segment | Iterable[nrn.Segment]) -> list[nrn.Segment]:
    found = places(at)
    for place in found:
        if not is_segment(place):
            raise Error(f"{place} is no segment: say where it is measured, e.g. {place}(0.5)")
    return found


def _checker(me: ref[Homeostat]) -> Callable[[], None]:
    def check() -> None:
        homeostat = me()
        if homeostat is None:
            raise Error("the homeostat is gone: keep it as long as its controllers are read")
        homeostat.check()

    return check


def _prepare(me: ref[Homeostat]) -> None:
    homeostat = me()
    if homeostat is not None:
        homeostat.prepare()
