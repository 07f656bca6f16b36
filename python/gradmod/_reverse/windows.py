"""A run in windows: what does not fit into memory is computed again.

At the start of each window the process forks, and the copy waits. When reverse mode has come back to the window, the
copy, whose model stands where the user's model stood then, runs on to the window's end and remembers it. So the user's
model is never set back: not its states, events, recordings, random numbers or Python objects.
"""

from __future__ import annotations

import hashlib
import math
import os
from collections.abc import Callable
from typing import Any
from weakref import WeakSet

import numpy as np

from .. import _neuron as nrn
from .._model.cells import Floats
from .._process.interrupts import Interrupts
from .._process.shared_memory import SharedMemory
from ..errors import Error
from .copies import Copy, fork, is_forking
from .recorder import Recorders

#: A border of two windows is called for a bit before the step that ends the first: NEURON's clock gathers rounding, and
#: what comes after that step would only be called after the next one.
_EARLY = 0.25


#: What remembers at this moment.
_running: WeakSet[Windows] = WeakSet()


def _stop_in_child() -> None:
    """A child that the script forks during a run must not write into what its parent remembers."""
    if not is_forking():
        for windows in _running:
            windows.abandon()


os.register_at_fork(after_in_child=_stop_in_child)


class Windows:
    """Remembers a run in windows of equal length, in two places of the memory by turns.

    Attributes:
        buffers: Offsets of the places in the memory; one, if the run is one window.
        logs: For each of them the offset of what is remembered of events.
        length: Time steps in a window.
        failures: What was raised where NEURON called; it makes errors of its own of them.
        has_begun: Whether there was a ``finitialize``.
    """

    def __init__(
        self,
        recorders: Recorders,
        memory: SharedMemory,
        buffers: tuple[int, ...],
        logs: tuple[int, ...],
        log_room: int,
        length: int,
        steps: int,
        interrupts: Interrupts,
        *,
        digest: bool,
    ) -> None:
        """Make ready: the run begins with ``finitialize``.

        Args:
            recorders: What remembers.
            memory: Where to; the fixed values are at its beginning.
            buffers: Offsets of the places.
            logs: Offsets of what is remembered of events.
            log_room: Numbers that each has room for.
            length: Time steps in a window.
            steps: Time steps in the run, at most.
            interrupts: They are held back where a copy is made.
            digest: Prepare for :meth:`digest`.
        """
        self.recorders = recorders
        self.memory = memory
        self.buffers = buffers
        self.logs = logs
        self._log_room = log_room
        self.length = length
        self.failures: list[BaseException] = []
        self.has_begun = False
        self._interrupts = interrupts
        self._digest = hashlib.blake2b() if digest and len(buffers) > 1 else None
        self._steps = steps
        self._copies: list[Copy] = []
        #: [buffer] the window that is in it or on its way, and whether it is there.
        self._held: list[tuple[int, bool]] = [(-1, False)] * len(buffers)
        self._report: int | None = None
        self._window = 0
        self._handlers = [
            nrn.on_finitialize(0, lambda: self._for_neuron(self._aim_again)),
            nrn.on_finitialize(1, lambda: self._for_neuron(self._begin)),
        ]
        _running.add(self)

    # --- the run --------------------------------------------------------------------------------------------------

    def _aim(self, window: int) -> None:
        self._window = window
        self._held[window % len(self.buffers)] = window, True
        first = window * self.length
        self.recorders.start(self.memory, self.buffer(window), first, self.length + 1, self.log(window), self._log_room)

    def _aim_again(self) -> None:
        """Before INITIAL: perhaps not for the first time in this run."""
        if self._handlers:
            self.has_begun = True
            self._aim(0)

    def _begin(self) -> None:
        if not self._handlers:
            return
        self._end_copies()
        if len(self.buffers) > 1:
            self._call_at_end()
            # What INITIAL left in variables that nothing shows is not computed again by the first step.
            self._fork(self._frame(self.buffer(0)))

    def _call_at_end(self) -> None:
        if (self._window + 1) * self.length < self._steps:
            time = float(nrn.h.t) + (self.length - _EARLY) * float(nrn.h.dt)
            nrn.call_at(time, lambda: self._for_neuron(self._boundary))

    def _for_neuron(self, step: Callable[[], None]) -> None:
        """Let nothing be raised through NEURON, which would not survive it at an event: run on, for nothing."""
        if self.failures:
            return
        try:
            with self._interrupts.held_back():
                step()
        except BaseException as error:
            self.end_if_copy(-1)
            self.failures.append(error)
            self.recorders.stop()

    def _boundary(self) -> None:
        """Between two windows: in the user's process make a copy, in a copy end."""
        if not self._handlers:
            return
        steps = self.recorders.finish()
        if self._report is not None:
            self.end_if_copy(steps)
        expected = (self._window + 1) * self.length
        if steps != expected:
            raise Error(f"dt changed during the run: {steps} steps were made where {expected} should have been")
        if self._digest is not None:
            self._note(steps)
        frame = self._frame(self.buffer(self._window) + self.length * self.recorders.frame.stride)
        self._aim(self._window + 1)
        self._put(frame)
        self._call_at_end()
        self._fork(frame)

    def _frame(self, begin: int) -> Floats:
        return self.memory.values[begin : begin + self.recorders.frame.stride].copy()

    def _put(self, frame: Floats) -> None:
        """Make a frame the first one of the present window."""
        begin = self.buffer(self._window)
        self.memory.values[begin : begin + self.recorders.frame.stride] = frame

    def finish(self, steps: int) -> None:
        """The run is over, after so many time steps; a copy ends here."""
        self.end_if_copy(steps)
        self._steps = steps
        self._stop()
        if self._digest is not None:
            self._note(steps + 1)

    def _stop(self) -> None:
        self._handlers = []
        _running.discard(self)

    def abandon(self) -> None:
        """In a child that the script forked: remember nothing."""
        self._stop()
        self.recorders.stop()

    # --- what the run was like ------------------------------------------------------------------------------------

    def _note(self, end: int) -> None:
        """Take the frames of the present window before that of step ``end``, and its events, into the digest."""
        assert self._digest is not None
        begin, stride = self.buffer(self._window), self.recorders.frame.stride
        frames = self.memory.values[begin : begin + (end - self.first(self._window)) * stride]
        self._digest.update(frames.data)
        self._digest.update(self.memory.values[self.events(self._window)].data)

    def digest(self) -> bytes:
        """A short number for all that was remembered of the run: the same run has the same."""
        if self._digest is None:
            begin, values = self.buffer(0), self.memory.values
            return self.digest_of(
                values[: begin + (self._steps + 1) * self.recorders.frame.stride], values[self.events(0)]
            )
        return self._with_fixed(self._digest.copy(), self.memory.values)

    def digest_of(self, whole: Floats, events: Floats) -> bytes:
        """The digest of a run that was copied: of the memory up to the last frame, and of the events."""
        frames = hashlib.blake2b(np.ascontiguousarray(whole[self.buffer(0) :]).data)
        frames.update(np.ascontiguousarray(events).data)
        return self._with_fixed(frames, whole)

    def _with_fixed(self, frames: Any, whole: Floats) -> bytes:
        frames.update(np.ascontiguousarray(whole[: self.recorders.frame.fixed_size]).data)
        return frames.digest()

    def events(self, window: int) -> slice:
        """Where in the memory the events of a window are."""
        begin = self.log(window)
        return slice(begin, begin + (int(self.memory.values[begin]) if self._log_room else 0))

    @property
    def is_copy(self) -> bool:
        """Whether this is a copy of the user's process, which computes a window again."""
        return self._report is not None

    def end_if_copy(self, steps: int) -> None:
        """In a copy, say whether it did its part, and end; nothing in the user's process."""
        if self._report is not None:
            os.write(self._report, b"d" if steps == self.last(self._window) else b"x")
            os._exit(0)

    def _fork(self, frame: Floats) -> None:
        """Make a copy that waits here; in a copy that is asked for its window, go on from its first frame."""
        report = fork(self._copies)
        if report is not None:
            self._report = report
            self._put(frame)
            self.recorders.empty(self.memory, self.log(self._window))

    # --- going back -----------------------------------------------------------------------------------------------

    @property
    def count(self) -> int:
        """How many windows the run has."""
        return max(1, math.ceil(self._steps / self.length))

    def first(self, window: int) -> int:
        """The time step of a window's first frame."""
        return window * self.length

    def last(self, window: int) -> int:
        """The time step of a window's last frame."""
        return min((window + 1) * self.length, self._steps)

    def buffer(self, window: int) -> int:
        """Offset of the place where a window's frames are."""
        return self.buffers[window % len(self.buffers)]

    @property
    def end(self) -> int:
        """Offset of what is behind all this in the memory."""
        return max(self.buffers[-1] + (self.length + 1) * self.recorders.frame.stride, self.logs[-1] + self._log_room)

    def log(self, window: int) -> int:
        """Offset of what is remembered of a window's events."""
        return self.logs[window % len(self.logs)]

    def ask_for(self, window: int) -> None:
        """Have a window computed again, if it is not in the memory; what is in its place is lost."""
        place = window % len(self.buffers)
        if self._held[place][0] != window:
            self._copies[window].go()
            self._held[place] = window, False

    def wait_for(self, window: int) -> None:
        """Wait until a window is in the memory."""
        self.ask_for(window)
        place = window % len(self.buffers)
        if not self._held[place][1]:
            self._copies[window].wait()
            self._held[place] = window, True

    # --- the end --------------------------------------------------------------------------------------------------

    def _end_copies(self) -> None:
        while self._copies:
            self._copies.pop().close()

    def close(self) -> None:
        """End all copies, and do nothing more at ``finitialize``."""
        self._stop()
        self._end_copies()


def keep_failure(step: Callable[[], None], failures: list[BaseException], interrupts: Interrupts) -> None:
    """Do something for NEURON, and remember what it raises."""
    try:
        with interrupts.held_back():
            step()
    except BaseException as error:
        failures.append(error)
        raise
