"""The process in which the backward run happens: stock NEURON, the emitted mechanisms, nothing of the user's model.

Started by :mod:`gradmod._process`; ends when its parent does.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import traceback
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any


def _end_with_parent(parent: int) -> None:
    """Linux says at once that the parent died, even inside a long run; elsewhere the pipe does, between requests."""
    if sys.platform == "linux":
        death_signal = 1  # PR_SET_PDEATHSIG
        ctypes.CDLL(None).prctl(death_signal, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def serve(connection: Connection, descriptor: int) -> None:
    """Answer requests until there is nobody to ask.

    A request is (method, argument); an answer is ("progress", fraction), ("done", result) or ("failed", text).
    """
    from ._adjoint import AdjointModel
    from ._library import load
    from ._memory import SharedMemory

    memory = SharedMemory(descriptor)
    model: AdjointModel | None = None
    while True:
        try:
            request, argument = connection.recv()
        except EOFError:
            return
        try:
            answer: Any = None
            if request == "build":
                directory, shared, plan = argument
                load(Path(directory), shared, quiet=True)
                model = AdjointModel(plan)
            elif model is not None and request == "sync":
                model.sync(argument)
            elif model is not None and request == "run":
                memory.see(argument.size)
                answer = model.run(memory, argument, lambda fraction: connection.send(("progress", fraction)))
            connection.send(("done", answer))
        except Exception:
            connection.send(("failed", traceback.format_exc()))


if __name__ == "__main__":
    _end_with_parent(int(sys.argv[3]))
    serve(Connection(int(sys.argv[1])), int(sys.argv[2]))
