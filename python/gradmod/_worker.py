"""The process in which the backward run happens: stock NEURON, the emitted mechanisms, nothing of the user's model.

Started by :mod:`gradmod._process`; ends when its parent does.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any


def serve(connection: Connection, descriptor: int, look: Callable[[], None]) -> None:
    """Answer requests until there is nobody to ask; ``look`` ends the process then, and is called now and then.

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

                def tell(fraction: float) -> None:
                    look()
                    connection.send(("progress", fraction))

                answer = model.run(memory, argument, tell)
            connection.send(("done", answer))
        except Exception:
            connection.send(("failed", traceback.format_exc()))


if __name__ == "__main__":
    from ._lifeline import check_parent, hold

    own_end, memory_of_both, lifeline, parent = map(int, sys.argv[1:])
    hold(lifeline, parent)
    serve(Connection(own_end), memory_of_both, lambda: check_parent(parent))
