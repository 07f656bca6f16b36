"""Ctrl-C while NEURON runs.

NEURON calls back into Python from within ``finitialize`` and at events, and swallows what is raised there, a
KeyboardInterrupt like anything else. So it is remembered when it comes, and raised for good when NEURON has returned.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Callable, Generator
from types import FrameType, TracebackType
from typing import Any


class Interrupts:
    """While it is entered, no interrupt is lost: leaving it raises what came.

    It does what the script's own handler of SIGINT does (by default: raise KeyboardInterrupt), and remembers what that
    raised. Only the main thread gets signals; elsewhere this does nothing.

    Attributes:
        came: What the handler raised, if anything.
    """

    def __init__(self, stop: Callable[[], None] | None = None) -> None:
        """Make it; ``stop`` is called as soon as an interrupt is held back, to end the run early."""
        self.came: BaseException | None = None
        self._stop = stop
        self._shields = 0
        self._before: Any = None

    def __enter__(self) -> Interrupts:
        if threading.current_thread() is threading.main_thread():
            before = signal.getsignal(signal.SIGINT)
            if callable(before):
                self._before = before
                signal.signal(signal.SIGINT, self._handle)
        return self

    def _handle(self, number: int, frame: FrameType | None) -> None:
        try:
            self._before(number, frame)
        except BaseException as error:
            self.came = error
            if not self._shields:
                raise
            if self._stop is not None:
                self._stop()

    @contextlib.contextmanager
    def held_back(self) -> Generator[None, None, None]:
        """Raise nothing within: NEURON would swallow it, or something would be left half done."""
        self._shields += 1
        try:
            yield
        finally:
            self._shields -= 1

    def check(self) -> None:
        """Raise what came so far."""
        if self.came is not None:
            raise self.came

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._shields += 1
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)
            self._before = None
        if self.came is not None and error is not self.came:
            raise self.came from None


def reach_waits() -> None:
    """Let Ctrl-C end a wait for other processes, as it does in Python alone.

    NEURON sets handlers up so that what a signal interrupts begins anew: a wait that ends by itself only.
    """
    signal.siginterrupt(signal.SIGINT, True)


def again() -> None:
    """Let an interrupt that came where NEURON calls the script come once more, when NEURON has returned."""
    handler = signal.getsignal(signal.SIGINT)
    if isinstance(getattr(handler, "__self__", None), Interrupts):
        return  # it is remembered
    timer = threading.Timer(_SOON, os.kill, (os.getpid(), signal.SIGINT))
    timer.daemon = True
    timer.start()


#: In s: by then NEURON runs, and lets no other thread run until it has returned.
_SOON = 0.02
