"""A run that is remembered, and watched for what a gradient of it would not follow."""

from __future__ import annotations

from collections.abc import Callable

from .. import _neuron as nrn
from .._command.support import Way
from .._guards.overwritten_parameters import Overwritten
from .._guards.recorded_changes import Watched
from .._guards.run_checks import check_settings
from .._process.interrupts import Interrupts
from ..errors import Error, Refused
from .layout import Layout
from .model import Model
from .record import Start
from .recorder import Recorders
from .windows import Windows, keep_failure


class Watch:
    """Watches the runs of a model.

    Attributes:
        overwritten: The parameters that runs must not set themselves.
    """

    def __init__(self, model: Model, recorders: Recorders, layout: Layout) -> None:
        """Watch nothing yet."""
        self._model, self._recorders, self._layout = model, recorders, layout
        self._watched: Watched = recorders.watched(model.directions)
        self.overwritten = Overwritten(model.directions, self._watched)

    def _present(self) -> Start:
        return Start.present(self._model.directions, self._model.cells, self._recorders, self._layout)

    def run(
        self,
        windows: Windows,
        steps: int,
        interrupts: Interrupts,
        simulate: Callable[[Interrupts], None],
        check_mine: Callable[[], None],
    ) -> tuple[Start, int]:
        """Run.

        Args:
            windows: Where to it is remembered.
            steps: How many time steps there is room for.
            interrupts: Those of this run.
            simulate: Makes the run.
            check_mine: Raises where the script has meanwhile closed what the run belongs to.

        Returns:
            What the run began with, and how many time steps it took.

        Raises:
            Refused, Error: The gradient of this run could not be exact.
        """
        recorders, overwritten = self._recorders, self.overwritten
        starts: list[Start] = []

        def begin() -> None:
            starts[:] = [self._present()]

        steps_of_start = (
            (3, overwritten.remember),
            (3, recorders.prepare),
            (0, overwritten.check_start),
            (1, recorders.check_start),
            (1, overwritten.check_start),
            (1, self._model.check_initial),
            (2, overwritten.check_start),
            (2, begin),
        )
        handlers = [
            nrn.on_finitialize(kind, lambda step=step: keep_failure(step, windows.failures, interrupts))
            for kind, step in steps_of_start
        ]
        try:
            simulate(interrupts)
        finally:
            handlers.clear()
        interrupts.check()
        if not windows.is_copy:
            check_mine()
        if windows.failures:
            raise windows.failures[0]
        if not windows.has_begun or not starts:
            raise Error("simulate() did not call finitialize: there is no run to remember")
        taken = recorders.finish()
        check_settings(Way.REVERSE, self._model.made.secondorder)
        if taken > steps:
            raise Error(f"the run took {taken} time steps, there was room for {steps}: set h.dt first, or the duration")
        self._model.check_links()
        (start,) = starts
        end = float(nrn.h.t)
        # psolve does not look at the t that an FInitializeHandler has set: its run begins at 0.
        if all(round((end - begin) / start.dt) != taken for begin in (start.t, 0.0)):
            if end == start.t:
                raise Error("simulate() made no time step after finitialize")
            raise Refused(
                f"no exact gradient: t was {start.t:g} ms when finitialize ended and is {end:g} ms after {taken} steps "
                f"of {start.dt:g} ms: t or dt was set during the run, or t between finitialize and the first step"
            )
        overwritten.check_end()
        recorders.check_driven(self._watched)
        recorders.check_moved(self._model.directions)
        windows.finish(taken)
        changed = start.difference(self._present())
        if changed:
            raise Refused(f"no exact gradient of this run: {changed} changed after finitialize")
        return start, taken


def simulation(steps: int, v_init: float | None, simulate: Callable[[], object] | None) -> Callable[[Interrupts], None]:
    """What makes a run: the script's own function, or so many steps."""

    def ours(interrupts: Interrupts) -> None:
        # All of Python that runs in here is called by NEURON.
        with interrupts.held_back():
            nrn.h.finitialize(nrn.v_init() if v_init is None else v_init)
            nrn.solve(float(nrn.h.t) + steps * float(nrn.h.dt))

    def theirs(_: Interrupts) -> None:
        assert simulate is not None
        simulate()

    return ours if simulate is None else theirs
