"""Whether NEURON has called the script, and waits for it to return.

From an event (``h.cvode.event``), or an FInitializeHandler, the script may look at everything, but what stands in the
model must stay: NEURON goes on with the arrays that it has begun with, and ends the process where they are gone
("erase() called on a frozen structure"). It does not tell that it is at work; the stack of the C library does.
"""

from __future__ import annotations

import ctypes
from typing import Any

from ..errors import Error

#: By what stands in the name of a function of NEURON: what it is in the middle of, the innermost first.
_AT_WORK = {
    "nrn_finitialize": "finitialize",
    "nrn_fixed_step": "a time step",
    "cvode_fadvance": "a time step",
    "ncs2nrn_integrate": "a run",
    "netpar_solve": "a run",
    "deliver_net_events": "an event",
}
#: Calls that may be nested in each other.
_DEPTH = 2**14


def inside() -> str:
    """What NEURON is in the middle of, as it calls the script; empty if it is not."""
    for name in _stack():
        for part, what in _AT_WORK.items():
            if part in name:
                return what
    return ""


def check_between_runs(call: str) -> None:
    """Raise unless the structure of the model may be changed.

    Args:
        call: What was called, e.g. "detach()".

    Raises:
        Error: NEURON is in the middle of something.
    """
    at = inside()
    if at:
        raise Error(
            f"{call} was called while NEURON is in the middle of {at} (by an event, an FInitializeHandler or a "
            "callback): what stands in the model cannot change there. Call it between runs, after psolve, "
            "continuerun or fadvance have returned"
        )


_Frames = ctypes.c_void_p * _DEPTH


def _stack() -> list[str]:
    """The functions of shared libraries that are being called, the innermost first; empty where nothing tells."""
    library = _library()
    if library is None:
        return []
    frames = _Frames()
    count = library.backtrace(frames, _DEPTH)
    names = library.backtrace_symbols(frames, count)
    if not names:
        return []
    try:
        return [(names[i] or b"").decode(errors="replace") for i in range(count)]
    finally:
        library.free(names)


def _library() -> Any:
    """The C library, with its functions declared; None where it has not got these."""
    try:
        library = ctypes.CDLL(None)
        library.backtrace.argtypes = [ctypes.c_void_p, ctypes.c_int]
        library.backtrace_symbols.argtypes = [ctypes.c_void_p, ctypes.c_int]
        library.backtrace_symbols.restype = ctypes.POINTER(ctypes.c_char_p)
        library.free.argtypes = [ctypes.c_void_p]
        library.free.restype = None
    except (AttributeError, OSError, TypeError):
        return None
    return library
