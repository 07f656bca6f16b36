"""Gradients of runs with NEURON's variable step (CVODE): the run stays the user's, gradients come of a second pass."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import numpy as np
from numpy.typing import ArrayLike

from . import _neuron as nrn
from ._model.cells import Floats
from ._model.ions import IonsOfCell, check_reversals_at_start, ion_settings
from ._model.named_directions import named_directions
from ._model.removal import begin_change
from ._neuron.sections import is_segment
from ._neuron.settings import unsupported_variable_settings
from ._variable.aims import aims_of
from ._variable.consistency import check_record
from ._variable.geometry import Geometry
from ._variable.model import Model
from ._variable.recorder import Fixed, Recorder
from ._variable.sampled import Sampled
from ._variable.second_pass import SecondPass
from ._variable.solved import Seen, Solved
from .errors import Error, Refused
from .gradient import Gradient
from .parameters import Parameter, places


class VariableStep:
    """Runs a model under CVODE, and differentiates the solution of its equations.

        model = gradmod.VariableStep(gNa=gradmod.Range("gnabar_hh", all), g=gradmod.PerSegment("gkbar_hh", all))
        v = model.record(soma(0.5))                            # at the run's own moments, model.t
        at = model.record(dend(0.5), times=[10.0, 12.5])       # at these
        spikes = model.record_spikes(soma(0.5))                # their times
        model.run(100, v_init=-65)
        model.derivatives(v)["gNa"]                            # [sample], forwards
        model.gradient({at: 2 * (at.values - target)})["g"]    # of a loss, backwards

    The model gets Vectors that record it, and a point process that looks whether its parameters stay what they are. A
    second pass, compiled code, goes along the record with the derivatives of the model's differential equations. That
    is the gradient of their solution, as good as the run: see ``error``.
    """

    def __init__(
        self,
        first: nrn.Section | Iterable[nrn.Section] | Mapping[str, Parameter] | None = None,
        /,
        *,
        sections: nrn.Section | Iterable[nrn.Section] | None = None,
        quiet: bool = False,
        **parameters: Parameter,
    ) -> None:
        """Prepare the model that was built in NEURON, and begin to record it.

        Args:
            first: The sections; or parameters, as a mapping, which may have the names of options too.
            sections: Only cells with one of these sections are considered; all by default.
            quiet: Do not say so when something has to be compiled.
            **parameters: As for :class:`Reverse`.

        Raises:
            Refused: Something in the model cannot be differentiated; says what, where and why.
            Error: A name is wrong, or a tool failed.
        """
        first, parameters = named_directions(first, parameters, {"sections": sections, "quiet": quiet})
        sections = sections if first is None else first
        scope = None if sections is None else [p.sec if is_segment(p) else p for p in places(sections)]
        _check_settings()
        begin_change("VariableStep()")
        self.parameters = dict(parameters)
        self._model = Model(parameters, scope, quiet=quiet)
        self._recorder = Recorder(self._model.cells, self._model.spots, self._model.made.watch)
        self._sampled: list[Sampled] = []
        self.last: Solved | None = None
        self._is_closed = False

    # --- the run --------------------------------------------------------------------------------------------------

    def record(
        self,
        segment: nrn.Segment,
        variable: str = "v",
        *,
        times: ArrayLike | None = None,
        every: float | None = None,
    ) -> Sampled:
        """Sample a variable in the runs to come.

        Args:
            segment: Where, e.g. ``soma(0.5)``.
            variable: "v", a state such as "m_hh", or a concentration such as "cai".
            times: [sample] ms: values are those of cubics between the moments of the run; without it, those at these
                moments, which are ``t``.
            every: In ms: the same from the beginning of the run to its end, at the ``times`` of what this returns.

        Raises:
            Error: There is no such thing.
        """
        self._place(segment, variable)
        if every is not None and (times is not None or not every > 0.0):
            raise Error("give either times, or a positive number of ms as every")
        asked = None if times is None else np.array(times, dtype=np.float64).reshape(-1)
        return self._add(Sampled(segment, variable, asked, every))

    def record_spikes(self, segment: nrn.Segment, threshold: float = -20.0) -> Sampled:
        """The times, in the runs to come, at which the voltage rises through a threshold (mV)."""
        self._place(segment, "v")
        return self._add(Sampled(segment, "v", threshold=float(threshold)))

    def _add(self, sampled: Sampled) -> Sampled:
        self._sampled.append(sampled)
        return sampled

    def _place(self, segment: nrn.Segment, variable: str) -> int:
        """Where a variable is in a frame."""
        if not is_segment(segment):
            raise Error(f"{segment!r} is no segment; write e.g. soma(0.5)")
        model = self._model
        index, node = model.locate(segment)
        if variable == "v":
            return sum(len(cell.places) for cell in model.cells[:index]) + node
        spots = list(enumerate(model.spots))
        here = [n for n, spot in spots if (spot.cell, spot.node) == (index, node) and spot.process is None]
        states = model.spots[here[0]].region.states
        if variable not in states:
            raise Error(f"no loss can look at {variable!r} at {segment}; there are {', '.join(['v', *states])}")
        return self._recorder.frames.place(model.spots, here[0], variable)

    def run(
        self, duration: float, *, v_init: float | None = None, simulate: Callable[[], object] | None = None
    ) -> None:
        """Run the model, and take its record.

        Args:
            duration: In ms.
            v_init: For ``finitialize``, in mV; ``h.v_init`` by default.
            simulate: Does it instead: it must call ``finitialize`` and run.

        Raises:
            Refused, Error: There is no gradient of this run.
        """
        if self._is_closed:
            raise Error("this VariableStep was closed: make a new one")
        _check_settings()
        model = self._model
        model.check()
        self.last = None
        for sampled in self._sampled:
            sampled.forget()
        begun: list[tuple[Geometry, float]] = []
        given: list[Fixed] = []

        def present() -> Geometry:
            return Geometry.of(model.made.membrane, model.cells, model.spots)

        def note() -> None:
            begun.append((present(), float(nrn.h.celsius)))
            self._recorder.begin()

        handlers = [
            nrn.on_finitialize(0, lambda: given.append(self._recorder.fixed())),
            nrn.on_finitialize(2, note),
        ]
        try:
            if simulate is None:
                nrn.h.finitialize(nrn.v_init() if v_init is None else v_init)
                nrn.solve(float(nrn.h.t) + duration)
            else:
                simulate()
        finally:
            handlers.clear()
            self._recorder.end()
        if not begun:
            raise Error("simulate() did not call finitialize: each run begins with it")
        geometry, celsius = begun[-1]
        _check_settings()
        settings, tolerance = self._settings(), float(nrn.h.CVode().atol())
        record = self._recorder.take(given[-1], celsius, settings)
        if not geometry.is_same(present()):
            raise Refused("cm, Ra, or the shape of a cell was changed during the run: set it before finitialize")
        frames = self._recorder.frames
        second = SecondPass(model.made, model.spots, settings, frames, geometry, record)
        second.find_events()
        has_membrane = geometry.capacitance > 0
        check_record(record, second.agreement(), second.start(), frames, has_membrane, tolerance, second.failed())
        aims = [(d.name, *aims_of(d, model.cells, model.spots, geometry)) for d in model.directions]
        self.last = Solved(second, record, frames.nodes, aims)
        for sampled in self._sampled:
            sampled.read(record.times, record.values[:, self._place(sampled.segment, sampled.variable)])

    def _settings(self) -> list[dict[str, float]]:
        ions = IonsOfCell()
        for spot in self._model.spots:
            ions.add(spot)
        found: list[dict[str, float]] = []
        for spot in self._model.spots:
            settings = ion_settings(spot.region.ions, spot.segment, ions.at(spot.segment))
            check_reversals_at_start(spot.region.ions, settings, spot.segment)
            found.append(settings)
        return found

    @property
    def t(self) -> Floats:
        """[point] the moments of the last run in ms; before and after an event there is one each."""
        return np.empty(0) if self.last is None else self.last.times.copy()

    # --- gradients ------------------------------------------------------------------------------------------------

    def derivatives(self, sampled: Sampled) -> dict[str, Floats]:
        """The derivatives of samples in all parameters, forwards: for few parameters.

        Returns:
            By name [sample] in units of the sample per unit of the parameter; where there is one parameter for each
            segment, or point process, [which, sample].
        """
        return self._solved().forward([self.seen(sampled)])[0]

    def gradient(self, loss: Mapping[Sampled, ArrayLike]) -> Gradient:
        """The gradient of a loss of the last run in all parameters, backwards: for any number of them.

        Args:
            loss: For each of what was recorded, [sample] the derivative of the loss with respect to its values.

        Raises:
            Error: There was no run; or a derivative has another shape than the values.
        """
        solved = self._solved()
        rows: list[tuple[Seen, Floats]] = []
        for sampled, derivative in loss.items():
            values, seen = np.asarray(derivative, dtype=np.float64), self.seen(sampled)
            if values.shape != seen.reading.values.shape:
                wanted = seen.reading.values.shape
                raise Error(f"{sampled}: the derivative has shape {values.shape}, the values {wanted}")
            if not np.all(np.isfinite(values)):
                raise Error(f"{sampled}: the derivative of the loss is not finite")
            rows.append((seen, values))
        return solved.backward(rows)

    @property
    def error(self) -> float:
        """About how far the voltages of the last run are from the solution of the model's equations, at most, in mV."""
        return self._solved().error

    def seen(self, sampled: Sampled) -> Seen:
        """How numbers of the last run come of its record.

        Raises:
            Error: They are of another model, or there was no run yet.
        """
        if sampled not in self._sampled:
            raise Error(f"{sampled} is of another VariableStep")
        return Seen(str(sampled), self._place(sampled.segment, sampled.variable), sampled.reading)

    def _solved(self) -> Solved:
        if self.last is None:
            raise Error("there is no run to differentiate: call run() first")
        return self.last

    def close(self) -> None:
        """Take away what was put into the model; gradients of the last run can still be asked for.

        Raises:
            Error: NEURON is in the middle of a run, and calls the script.
        """
        begin_change("close()")
        self._is_closed = True
        self._recorder.stop()


def _check_settings() -> None:
    for why in unsupported_variable_settings():
        raise Refused(f"no gradient under the variable step: {why}")
