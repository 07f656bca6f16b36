"""A run in windows: what does not fit into memory is computed again.

At the start of each window the process forks, and the copy waits. When the backward run has come to the window, the
copy, whose model stands where the user's model stood then, runs on to the window's end and remembers it. So the user's
model is never set back: not its states, events, recordings, random numbers or Python objects.
"""

from __future__ import annotations

import contextlib
import ctypes
import math
import os
import signal
import sys
from collections.abc import Callable

from . import _neuron as nrn
from ._memory import SharedMemory
from ._recorder import Recorders
from .cells import Floats
from .errors import Error


class Copy:
    """A forked copy of this process that waits at a point of the run."""

    def __init__(self, pid: int, ask: int, answer: int) -> None:
        """Made by :class:`Windows`: the process, and the pipes to and from it."""
        self._pid = pid
        self._ask = ask
        self._answer = answer

    def go(self) -> None:
        """Let it run its window."""
        os.write(self._ask, b"g")

    def wait(self) -> None:
        """Wait until it has.

        Raises:
            Error: It could not.
        """
        answer = os.read(self._answer, 1)
        if answer != b"d":
            raise Error("a copy of this process, made to compute a part of the run again, died")

    def forget(self) -> None:
        """Close the pipes only: it is another process's copy."""
        os.close(self._ask)
        os.close(self._answer)

    def close(self) -> None:
        """End it."""
        self.forget()
        with contextlib.suppress(ProcessLookupError, ChildProcessError):
            os.kill(self._pid, signal.SIGKILL)
            os.waitpid(self._pid, 0)


class Windows:
    """Remembers a run in windows of equal length, in two places of the memory by turns.

    Attributes:
        buffers: Offsets of the places in the memory; one, if the run is one window.
        logs: For each of them the offset of what is remembered of events.
        length: Time steps in a window.
        failures: What was raised where NEURON called; it makes errors of its own of them.
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
    ) -> None:
        """Make ready; the run begins with :meth:`start`.

        Args:
            recorders: What remembers.
            memory: Where to; the fixed values are at its beginning.
            buffers: Offsets of the places.
            logs: Offsets of what is remembered of events.
            log_room: Numbers that each has room for.
            length: Time steps in a window.
            steps: Time steps in the run, at most.
        """
        self.recorders = recorders
        self.memory = memory
        self.buffers = buffers
        self.logs = logs
        self._log_room = log_room
        self.length = length
        self.failures: list[Exception] = []
        self._steps = steps
        self._copies: list[Copy] = []
        #: [buffer] the window that is in it or on its way, and whether it is there.
        self._held: list[tuple[int, bool]] = [(-1, False)] * len(buffers)
        self._report: int | None = None
        self._window = 0
        self._handlers = [nrn.on_finitialize(0, self._aim_again), nrn.on_finitialize(1, self._begin)]

    # --- the run --------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Remember from ``finitialize`` on."""
        self._aim(0)

    def _aim(self, window: int) -> None:
        self._window = window
        self._held[window % len(self.buffers)] = window, True
        first = window * self.length
        self.recorders.start(self.memory, self.buffer(window), first, self.length + 1, self.log(window), self._log_room)

    def _aim_again(self) -> None:
        """Before INITIAL: perhaps not for the first time in this run."""
        if self._handlers and len(self.buffers) > 1:
            self._aim(0)

    def _begin(self) -> None:
        if not self._handlers:
            return
        self._end_copies()
        if len(self.buffers) > 1:
            self._call_at_end()
            self._fork(None)

    def _call_at_end(self) -> None:
        if (self._window + 1) * self.length < self._steps:
            nrn.call_at(float(nrn.h.t) + self.length * float(nrn.h.dt), self._boundary_or_stop)

    def _boundary_or_stop(self) -> None:
        """Let nothing be raised through NEURON's queue of events, which would not survive it: run on, for nothing."""
        try:
            self._boundary()
        except Exception as error:
            self.end_if_copy(-1)
            self.failures.append(error)
            self.recorders.stop()

    def _boundary(self) -> None:
        """Between two windows: in the user's process make a copy, in a copy end."""
        if not self._handlers:
            return
        steps, stride = self.recorders.finish(), self.recorders.stride
        if self._report is not None:
            self.end_if_copy(steps)
        if steps != (self._window + 1) * self.length:
            raise Error("dt changed during the run")
        old = self.buffer(self._window) + self.length * stride
        frame = self.memory.values[old : old + stride].copy()
        self._aim(self._window + 1)
        self._put(frame)
        self._call_at_end()
        self._fork(frame)

    def _put(self, frame: Floats) -> None:
        """Make a frame the first one of the present window."""
        begin = self.buffer(self._window)
        self.memory.values[begin : begin + self.recorders.stride] = frame

    def finish(self, steps: int) -> None:
        """The run is over, after so many time steps; a copy ends here."""
        self.end_if_copy(steps)
        self._steps = steps
        self._handlers = []

    def end_if_copy(self, steps: int) -> None:
        """In a copy, say whether it did its part, and end; nothing in the user's process."""
        if self._report is not None:
            os.write(self._report, b"d" if steps == self.last(self._window) else b"x")
            os._exit(0)

    def _fork(self, frame: Floats | None) -> None:
        to_copy, ask = os.pipe()
        answer, report = os.pipe()
        parent = os.getpid()
        pid = os.fork()
        if pid:
            os.close(to_copy)
            os.close(report)
            self._copies.append(Copy(pid, ask, answer))
            return
        os.close(ask)
        os.close(answer)
        for other in self._copies:
            other.forget()
        _become_copy(parent)
        while os.read(to_copy, 1):
            # A copy of the copy runs, so that the window can be asked for again.
            me = os.getpid()
            pid = os.fork()
            if not pid:
                _become_copy(me)
                self._report = report
                if frame is not None:
                    self._put(frame)
                self.recorders.empty(self.memory, self.log(self._window))
                return
            _, status = os.waitpid(pid, 0)
            if status:
                os.write(report, b"x")
        os._exit(0)

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
        return max(self.buffers[-1] + (self.length + 1) * self.recorders.stride, self.logs[-1] + self._log_room)

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
        self._handlers = []
        self._end_copies()


def keep_failure(step: Callable[[], None], failures: list[Exception]) -> None:
    """Do something for NEURON, and remember what it raises."""
    try:
        step()
    except Exception as error:
        failures.append(error)
        raise


def _become_copy(parent: int) -> None:
    """Say nothing, do not listen to the keyboard, end with the parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.dup2(null, 2)
    os.close(null)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)
