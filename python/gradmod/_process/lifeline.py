"""Processes that end with the one that needs them, whichever of its threads made them.

Linux can tell a child of the death of its parent, but means the thread that made it. So a child holds one end of a
pipe whose other end only the parent has: when that is closed, the kernel ends the child, even inside a long run.
"""

from __future__ import annotations

import fcntl
import os
import signal
import sys
import weakref

_open: weakref.WeakSet[Lifeline]


class Lifeline:
    """The parent's end of the pipe.

    Attributes:
        theirs: The descriptor for the child.
    """

    def __init__(self) -> None:
        """Make the pipe."""
        self.theirs, self._mine = os.pipe()
        _open.add(self)

    def hand_over(self) -> None:
        """The child has its end now."""
        os.close(self.theirs)

    def cut(self) -> None:
        """Close this end; does nothing the second time."""
        mine, self._mine = self._mine, -1
        if mine >= 0:
            os.close(mine)

    def __del__(self) -> None:
        self.cut()


_open = weakref.WeakSet()


def _let_go() -> None:
    """A forked child must not keep alive what belongs to its parent."""
    for line in list(_open):
        line.cut()


os.register_at_fork(after_in_child=_let_go)


def hold(descriptor: int, parent: int) -> None:
    """In the child: end with the parent; where the kernel does not do that, at the next :func:`check_parent`."""
    if sys.platform == "linux":
        fcntl.fcntl(descriptor, fcntl.F_SETOWN, os.getpid())
        fcntl.fcntl(descriptor, fcntl.F_SETSIG, signal.SIGKILL)
        fcntl.fcntl(descriptor, fcntl.F_SETFL, fcntl.fcntl(descriptor, fcntl.F_GETFL) | os.O_ASYNC)
    check_parent(parent)


def check_parent(parent: int) -> None:
    """In the child: end if the parent is gone."""
    if os.getppid() != parent:
        os._exit(1)
