"""A model as a function of its parameters, for optimisers and for other libraries' differentiation."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from types import TracebackType
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from . import _neuron as nrn
from ._model.cells import Floats
from ._model.directions import resolve
from ._model.removal import begin_change
from ._neuron.sections import is_segment
from ._neuron.settings import is_variable_step
from ._simulation.backends import Backward, Engine, Forward, Mode, cheaper
from ._simulation.by_variable_step import ByVariableStep
from ._simulation.inputs import Inputs, Values
from ._simulation.kept import Kept
from ._simulation.looks import looks_of
from ._simulation.requested_runs import Asked
from ._simulation.settable import Settable, check_overlap, set_all
from .errors import Error, Refused
from .parameters import Parameter, places
from .reverse import MEMORY

#: Between two samples of a trace with the variable step, ms: NEURON's own dt.
EVERY = 0.025

#: What is recorded: a segment (its voltage), or (segment, variable).
Look: TypeAlias = nrn.Segment


class Simulation:
    """Traces as a function of parameters: ``y = simulation(x)``, and back: ``simulation.vjp(x, dloss_dy)``.

    A gradient is that of the run that made the traces. For several runs before their gradients are asked for, use
    :meth:`keep`. With inputs, such as the stimulus of a run, it is ``simulation(x, inputs)``.

    Attributes:
        names: What each element of x is: the parameter's name, with an index for ``PerSegment``.
        sizes: How many elements of x each parameter has, in their order.
        input_shapes: By name of each input the shape of its value: () for one number, (n,) for n.
        mode: "forward", "reverse" or "variable".
        variables: What each trace is of: "v", a state, a concentration.
        memory: In MiB.
    """

    def __init__(
        self,
        parameters: Mapping[str, Parameter],
        record: Iterable[Look],
        duration: float,
        *,
        inputs: Mapping[str, Parameter] | None = None,
        v_init: float | None = None,
        simulate: Callable[[], object] | None = None,
        sections: nrn.Section | Iterable[nrn.Section] | None = None,
        memory: float = MEMORY,
        mode: Mode | None = None,
        every: float = EVERY,
        spike_times: bool = False,
        keep: object = None,
        quiet: bool = False,
    ) -> None:
        """Prepare the model.

        Args:
            parameters: By the user's names. The values of a ``Range`` are its weights times one number. No two may
                set the same number of the model.
            record: Segments, or (segment, variable), in the order of the traces.
            duration: As for ``Reverse.run``.
            inputs: By the user's names: numbers of the model that each run is given besides its parameters, and that
                have no gradient. They are named as parameters are, and besides by :class:`gradmod.Played`; times of
                stimuli, delays, and parameters of artificial cells may be inputs too.
            v_init: As for ``Reverse.run``: ``h.v_init`` by default, as it is when a run begins.
            simulate: As for ``Reverse.run``.
            sections: As for ``Reverse``.
            memory: As for ``Reverse``; and as much again for runs that are kept, see :meth:`keep`.
            mode: How derivatives are made: "forward", by gradients that run along, which gives Jacobians too; or
                "reverse", by going back through the run. By default what is cheaper, told unless ``quiet``; and forward
                mode where reverse mode refuses the model. "variable", for runs with the variable step, is both, and the
                default while ``h.cvode_active()``: see :class:`VariableStep`.
            every: In ms: with the variable step, the traces are sampled so, whatever the steps are.
            spike_times: As for :func:`gradmod.attach`; forward mode only.
            keep: What must live as long, such as the cell: NEURON removes what Python no longer knows.
            quiet: Say nothing of this and of what has to be compiled.

        Raises:
            Refused: Something in the model cannot be differentiated exactly.
            Error: A name is wrong, a value cannot be set, or two parameters or inputs set the same.
        """
        scope = None if sections is None else [p.sec if is_segment(p) else p for p in places(sections)]
        directions = resolve(parameters, scope)
        with nrn.one_look():
            self._settable = [Settable.of(direction, direction.parameter) for direction in directions]
        self._inputs = Inputs({} if inputs is None else inputs, parameters)
        self.input_shapes = self._inputs.shapes
        self._all = [*self._settable, *self._inputs.settables]
        check_overlap(self._all)
        fixed = {settable.name: settable.parameter for settable in self._settable}
        self.sizes = {settable.name: settable.size for settable in self._settable}
        self.names = [f"{s.name}[{i}]" if s.size > 1 else s.name for s in self._settable for i in range(s.size)]
        self._keep = keep
        self.memory = memory
        self._duration, self._v_init, self._simulate = duration, v_init, simulate
        _ = self.x  # each parameter must have one value
        looks = looks_of(record)
        self._places = len(looks)
        self.variables = [str(variable) for _, variable in looks]

        def engine(mode: Mode) -> Engine:
            if mode == "variable":
                if spike_times:
                    raise Error(
                        "spike_times is for the fixed step: the variable step follows the times of events itself"
                    )
                return ByVariableStep(fixed, looks, scope, memory, every, quiet)
            if mode == "forward":
                return Forward(fixed, looks, scope, spike_times, quiet)
            return Backward(fixed, looks, scope, memory, spike_times, quiet)

        if mode is not None:
            self._engine = engine(mode)
        else:
            self._engine = self._chosen(engine)
            if not quiet:
                print(f"gradmod: {self.mode} mode for {len(self.names)} parameters", file=sys.stderr, flush=True)
        room = int(memory * 2**17 / max(1.0, duration / nrn.h.dt))  # places whose values take up no more than a run
        for settable in self._all:
            settable.watch(room)
        self._last: Floats | None = None
        self._asked = Asked()
        self._is_closed = False

    def _chosen(self, engine: Callable[[Mode], Engine]) -> Engine:
        mode = "variable" if is_variable_step() else cheaper(self._settable)
        try:
            return engine(mode)
        except Refused:
            if mode != "reverse" or not all(settable.is_direction for settable in self._settable):
                raise
            return engine("forward")

    @property
    def mode(self) -> Mode:
        """How derivatives are made."""
        return self._engine.mode

    @property
    def x(self) -> Floats:
        """The present values of all parameters in NEURON."""
        return np.concatenate([settable.get() for settable in self._settable])

    @x.setter
    def x(self, values: ArrayLike) -> None:
        set_all(self._settable, self._checked(values))

    def _checked(self, values: ArrayLike) -> Floats:
        x = np.asarray(values, dtype=np.float64)
        if x.shape != (len(self.names),):
            raise Error(f"x has shape {x.shape}, there are {len(self.names)} parameters")
        if not np.all(np.isfinite(x)):
            raise Error(f"{self.names[int(np.argmin(np.isfinite(x)))]} is not finite")
        return x

    @property
    def inputs(self) -> dict[str, Floats]:
        """The present values of all inputs in NEURON, by name, each with its shape in ``input_shapes``."""
        return self._inputs.present()

    @inputs.setter
    def inputs(self, values: Values) -> None:
        set_all(self._inputs.settables, self._inputs.flat(values))

    @property
    def t(self) -> Floats:
        """[sample] times of the last run in ms."""
        return self._engine.t

    def __call__(self, x: ArrayLike, inputs: Values | None = None) -> Floats:
        """Set the parameters and the inputs, run: [place, sample].

        Args:
            x: [parameter] in the order of ``names``, in the units of the model.
            inputs: The values of all inputs by name, in the units of the model, with the shapes in ``input_shapes``.

        Raises:
            Refused: The gradient of this run could not be exact, or a parameter or an input did not act on it as it
                was set.
            Error: An input is missing or unknown, or a shape is wrong.
        """
        traces = self._run(x, inputs)
        self._asked.ran(self._last, traces)
        return traces

    def _run(self, x: ArrayLike, inputs: Values | None) -> Floats:
        if self._is_closed:
            raise Error("this simulation was closed: make a new one")
        begin_change("a simulation")
        self._last = None
        point = self._point(x, inputs)
        set_all(self._all, point)
        failures: list[Refused] = []

        def look() -> None:
            failures.clear()
            try:
                for settable in self._all:
                    settable.check("at the start of the run", is_start=True)
            except Refused as error:
                failures.append(error)

        handler = nrn.on_finitialize(2, look)
        try:
            traces = self._engine.run(self._duration, self._v_init, self._simulate)
        finally:
            del handler
        if failures:
            raise failures[0]
        for settable in self._all:
            settable.check("at the end of the run", is_start=False)
        self._last = point
        return traces

    def _point(self, x: ArrayLike, inputs: Values | None) -> Floats:
        """What a run is with: its parameters, then its inputs. With other inputs it is another run."""
        return np.concatenate([self._checked(x), self._inputs.flat(inputs)])

    def keep(self, x: ArrayLike, inputs: Values | None = None) -> Kept:
        """Run, and keep what the gradient of this run takes, whatever runs and changes come after it.

        In forward mode that is its Jacobian. In reverse mode it is what was remembered of the run, as long as there is
        room for it in ``memory`` MiB beside that of the last run; else the run is made again, with its parameters and
        its inputs, when it is asked for, and refused if it is not the same, bit for bit. What it takes and raises is as
        for a call.
        """
        self._engine.prepare_to_keep()
        traces = self._run(x, inputs)
        self._asked.ran_again(self._last, traces)
        own, others = np.split(np.array(self._last, dtype=np.float64), [len(self.names)])
        return Kept(self, own, self._inputs.by_name(others), traces, self._engine.t, self._engine.keep())

    def vjp(self, x: ArrayLike, derivative: ArrayLike, inputs: Values | None = None) -> Floats:
        """The gradient of a loss in x, from its derivative with respect to the traces.

        Args:
            x: The parameters. It is the gradient of the last run with these and with the inputs, however the model was
                changed since; the model runs again if that is not there any more.
            derivative: [place, sample]
            inputs: As for a call.

        Raises:
            Error: There were several runs with these parameters and inputs, and they were not the same: use
                :meth:`keep`.
        """
        rows = np.asarray(derivative, dtype=np.float64)
        if rows.ndim != 2 or len(rows) != self._places:
            raise Error(f"the derivative has shape {rows.shape}, there are {self._places} traces: [place, sample]")
        if not self._is_at(x, inputs):
            traces = self._run(x, inputs)
            self._asked.ran_again(self._last, traces)
        self._asked.check(self._last)
        gradient = self.flat(self._engine.vjp(rows))
        self._asked.was(self._last)
        return gradient

    def jacobian(self, x: ArrayLike, inputs: Values | None = None) -> Floats:
        """[place, sample, parameter] derivatives of the traces; not in reverse mode.

        Args:
            x: The parameters; the model runs again unless the last run was with these and with the inputs, and was not
                asked yet.
            inputs: As for a call.
        """
        if not self._is_at(x, inputs) or not self._asked.is_fresh(self._last):
            self(x, inputs)
        found = self._engine.jacobian()
        self._asked.was(self._last)
        return found

    def _is_at(self, x: ArrayLike, inputs: Values | None) -> bool:
        """Whether the last run was with these parameters and inputs, and its derivatives are there."""
        if self._is_closed:
            raise Error("this simulation was closed: make a new one")
        point = self._point(x, inputs)
        return self._last is not None and self._engine.is_last and np.array_equal(self._last, point)

    def flat(self, gradient: Mapping[str, float | Floats]) -> Floats:
        """A gradient in the order of ``names``."""
        return np.concatenate([np.atleast_1d(gradient[settable.name]) for settable in self._settable])

    def close(self) -> None:
        """Take away what was put into the model; the parameters keep their values.

        Raises:
            Error: NEURON is in the middle of a run, and calls the script.
        """
        begin_change("close()")
        self._is_closed = True
        for settable in self._all:
            settable.stop()
        self._engine.close()

    def __enter__(self) -> Simulation:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()
