"""Forked copies of this process: each waits at a point of the run, and runs on from there when it is asked to."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys

from .._process.lifeline import Lifeline, check_parent, hold
from ..errors import Error

_DIED = "a copy of this process, made to compute a part of the run again, died: call run() again"

#: Not empty while this module forks.
_forks: list[bool] = []


class Copy:
    """A forked copy of this process that waits at a point of the run."""

    def __init__(self, pid: int, ask: int, answer: int, lifeline: Lifeline) -> None:
        """Made by :func:`fork`: the process, the pipes to and from it, and what ends it with this process."""
        self._pid = pid
        self._ask = ask
        self._answer = answer
        self._lifeline = lifeline
        self._parent = os.getpid()

    def go(self) -> None:
        """Let it run its window.

        Raises:
            Error: It is gone.
        """
        try:
            os.write(self._ask, b"g")
        except OSError as error:
            raise Error(_DIED) from error

    def wait(self) -> None:
        """Wait until it has.

        Raises:
            Error: It could not.
        """
        answer = os.read(self._answer, 1)
        if answer != b"d":
            raise Error(_DIED)

    def forget(self) -> None:
        """Close the pipes only: it is another process's copy."""
        os.close(self._ask)
        os.close(self._answer)

    def close(self) -> None:
        """End it; in a forked child of this process only let go of it."""
        self.forget()
        if os.getpid() != self._parent:
            return
        self._lifeline.cut()
        with contextlib.suppress(ProcessLookupError, ChildProcessError):
            os.kill(self._pid, signal.SIGKILL)
            os.waitpid(self._pid, 0)


def is_forking() -> bool:
    """Whether the fork that is being made is one of these copies, and not the script's own."""
    return bool(_forks)


def fork(copies: list[Copy]) -> int | None:
    """Make a copy of this process, which waits in here until it is asked to go.

    Args:
        copies: Those that there are; the new one is added in this process.

    Returns:
        None in this process; in a copy that runs, the pipe through which it says whether it did its part.

    Raises:
        Error: There is no room for one.
    """
    parent = os.getpid()
    try:
        lifeline = Lifeline()
        to_copy, ask = os.pipe()
        answer, report = os.pipe()
        pid = _fork_copy()
    except OSError as error:
        raise Error(f"no copy of this process could be made ({error.strerror}): raise `memory`") from error
    if pid:
        os.close(to_copy)
        os.close(report)
        lifeline.hand_over()
        copies.append(Copy(pid, ask, answer, lifeline))
        return None
    os.close(ask)
    os.close(answer)
    for other in copies:
        other.forget()
    _be_silent()
    hold(lifeline.theirs, parent)
    while os.read(to_copy, 1):
        # A copy of the copy runs, so that the window can be asked for again.
        me = os.getpid()
        pid = _fork_copy()
        if not pid:
            _end_with_thread(me)
            return report
        _, status = os.waitpid(pid, 0)
        if status:
            os.write(report, b"x")
    os._exit(0)


def _fork_copy() -> int:
    _forks.append(True)
    try:
        return os.fork()
    finally:
        _forks.pop()


def _be_silent() -> None:
    """Say nothing, and do not listen to the keyboard."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.dup2(null, 2)
    os.close(null)


def _end_with_thread(parent: int) -> None:
    """End with the thread that forked this process, the only one of its own."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)
    check_parent(parent)
