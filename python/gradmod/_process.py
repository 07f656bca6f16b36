"""The worker process, seen from the user's side."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import Any

from ._lifeline import Lifeline
from ._memory import SharedMemory
from .errors import Error

#: Nothing is imported from the working directory; ``-P`` does the same from Python 3.11 on.
_START = (
    "import sys; sys.path[:] = [path for path in sys.path if path]; "
    "from runpy import run_module; run_module('gradmod._worker', run_name='__main__', alter_sys=True)"
)


class Worker:
    """A process that answers requests. It dies with this one, and leaves nothing behind.

    Attributes:
        memory: What both processes see.
    """

    def __init__(self) -> None:
        """Start it."""
        self.memory = SharedMemory()
        self._connection, theirs = Pipe()
        self._log = tempfile.TemporaryFile()  # noqa: SIM115
        self._owner = os.getpid()
        self._lifeline = Lifeline()
        passed = (theirs.fileno(), self.memory.descriptor, self._lifeline.theirs)
        command = [sys.executable, "-c", _START, *map(str, passed), str(os.getpid())]
        environment = dict(os.environ)
        environment["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
        # NEURON loads what it finds compiled in the current directory: start where there is nothing.
        environment["NEURON_MODULE_OPTIONS"] = "-nogui"
        self._process = subprocess.Popen(
            command,
            pass_fds=passed,
            cwd=os.sep,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
            start_new_session=True,
        )
        theirs.close()
        self._lifeline.hand_over()

    @property
    def is_alive(self) -> bool:
        """Whether it still runs."""
        return self._process.poll() is None

    def ask(self, request: str, argument: Any, progress: Callable[[float], None] | None = None) -> Any:
        """Send a request and wait for the answer.

        Raises:
            Error: The worker failed or died. It is gone then.
        """
        try:
            self._connection.send((request, argument))
            return self._answer(self._connection, progress)
        except (EOFError, OSError) as error:
            text = self._tail()
            self.close()
            raise Error(f"the worker process of reverse mode died: {error or 'it closed its pipe'}\n{text}") from error
        except BaseException:
            # Interrupted or failed: whatever it is doing is of no use any more.
            self.close()
            raise

    def _answer(self, connection: Connection, progress: Callable[[float], None] | None) -> Any:
        while True:
            kind, value = connection.recv()
            if kind == "done":
                return value
            if kind == "failed":
                raise Error(f"the backward run failed:\n{value}")
            if progress is not None:
                progress(value)

    def _tail(self) -> str:
        self._log.seek(0)
        return "\n".join(self._log.read().decode(errors="replace").splitlines()[-20:])

    def close(self) -> None:
        """End it; in a forked child of its owner only let go of it."""
        self._lifeline.cut()
        if os.getpid() == self._owner:
            if self._process.poll() is None:
                self._process.kill()
            self._process.wait()
        self._connection.close()
        self._log.close()
        self.memory.close()
