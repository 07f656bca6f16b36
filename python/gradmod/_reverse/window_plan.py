"""How a run is cut into windows, and where in the memory they are."""

from __future__ import annotations

from .._command.support import Construct, Way
from .._guards.threads import check_threads
from .._manifest.reverse import ReverseManifest
from .._process.interrupts import Interrupts
from .._process.shared_memory import SharedMemory
from ..errors import Error
from .recorder import Recorders
from .windows import Windows

#: MiB that there is room for in any case, for the events of a window.
_LEAST_LOG = 16.0


def plan_windows(
    made: ReverseManifest,
    recorders: Recorders,
    memory: SharedMemory,
    mebibytes: float,
    steps: int,
    interrupts: Interrupts,
    *,
    digest: bool,
) -> Windows:
    """Windows for a run: one, if it fits into the memory.

    Args:
        made: What was emitted.
        recorders: What remembers.
        memory: Where to; it grows as far as that takes.
        mebibytes: How large it may be.
        steps: Time steps of the run.
        interrupts: As for :class:`Windows`.
        digest: As there.

    Raises:
        Refused: There are several threads, which windows, or something else, do not go with.
        Error: The memory is too little for a single step.
    """
    begin = recorders.frame.fixed_size
    room = int(mebibytes * 2**20 / 8 / recorders.frame.stride)
    if steps + 1 <= room:
        length, count = steps, 1
    else:
        length, count = room // 2 - 1, 2
        if length < 1:
            raise Error(f"memory={mebibytes} MiB is too little for a single time step of this model")
    check_threads(made.regions, Way.REVERSE_THREADS, *([Construct.WINDOWS] if count > 1 else []))
    size = (length + 1) * recorders.frame.stride
    end = begin + count * size
    memory.grow(end)
    buffers = tuple(begin + i * size for i in range(count))
    # How many events there will be is not known: what is not used of this takes up no memory.
    log_room = int(max(mebibytes, _LEAST_LOG) * 2**20 / 8) + begin + 2 if recorders.has_log else 0
    memory.see(end + count * log_room)
    logs = tuple(end + i * log_room for i in range(count))
    return Windows(recorders, memory, buffers, logs, log_room, length, steps, interrupts, digest=digest)
