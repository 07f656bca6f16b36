"""How NEURON is set to run a model, as far as gradients depend on it."""

from __future__ import annotations

import ctypes
import warnings
from collections.abc import Iterable
from typing import Any

from .interpreter import h, hoc_library, version

_cvode: list[Any] = []
_VARIABLE = "the variable step is on"


def thread_count() -> int:
    """How many threads NEURON runs."""
    return int(h.ParallelContext().nthread())


def is_variable_step() -> bool:
    """Whether the next run is one with the variable step (CVODE)."""
    return bool(h.CVode().active())


def second_order() -> int:
    """Which of NEURON's fixed steps is on: 0, or 1 and 2 for those that are of second order."""
    return int(h.secondorder)


def uses_sparse_solver() -> bool:
    """Whether NEURON solves its equations as with ``extracellular``; it keeps to that when none is left."""
    return bool(h.CVode().use_mxb())


def unsupported_settings(*, threads: bool = False) -> Iterable[str]:
    """The simulation settings under which gradients are refused for now, each as a sentence.

    Args:
        threads: Several threads are not among them.
    """
    if not _cvode:
        _cvode.extend((h.CVode(), h.ParallelContext()))
    cvode, context = _cvode
    if cvode.active():
        yield (
            f"{_VARIABLE} (h.CVode().active(1)); turn it off with h.CVode().active(0), or use gradmod.VariableStep, "
            "which is for it"
        )
    if version().startswith("8.") and cvode.cache_efficient():
        yield (
            "NEURON 8 moves its variables and forgets the POINTERs to them when h.CVode().cache_efficient(1) is set; "
            "turn it off, or use NEURON 9"
        )
    if version().startswith("8.") and int(h.nrnunit_use_legacy()):
        yield (
            "NEURON takes the legacy values of its units (h.nrnunit_use_legacy(1), or NRNUNIT_USE_LEGACY), gradmod "
            "those of 2018: use h.nrnunit_use_legacy(0)"
        )
    # NEURON 8 moves its variables when there are several threads, and forgets the POINTERs to them.
    if int(context.nthread()) > 1 and not (threads and not version().startswith("8.")):
        yield f"NEURON runs {int(context.nthread())} threads; use h.ParallelContext().nthread(1)"
    if linear_mechanisms():
        yield "the model has a LinearMechanism, whose equations gradmod cannot see"


def unsupported_variable_settings() -> Iterable[str]:
    """The settings under which gradients of runs with the variable step are refused, each as a sentence."""
    cvode = h.CVode()
    if not is_variable_step():
        yield (
            "the variable step is off: turn it on with h.cvode_active(1), or use gradmod.attach or gradmod.Reverse, "
            "which are for the fixed step"
        )
    if cvode.use_local_dt():
        yield "each cell has a time step of its own (h.CVode().use_local_dt(1)): use one for all, use_local_dt(0)"
    if cvode.use_daspk():
        yield "NEURON solves by DASPK (h.CVode().use_daspk(1)): turn it off"
    if has_transfer():
        yield (
            "ParallelContext.setup_transfer() was called: voltages that are handed to other places (gap junctions) are "
            "not differentiated; they are with the fixed step (h.cvode_active(0))"
        )
    for why in unsupported_settings():
        if not why.startswith(_VARIABLE):
            yield why


def has_transfer() -> bool:
    """Whether ``ParallelContext.setup_transfer`` is in force; NEURON itself does not tell, but its library does."""
    try:
        hook = ctypes.c_void_p.in_dll(ctypes.CDLL(hoc_library()), "nrnthread_v_transfer_")
    except (OSError, ValueError):
        warnings.warn("gradmod cannot tell whether this NEURON has gap junctions by setup_transfer()", stacklevel=2)
        return False
    return bool(hook.value)


def linear_mechanisms() -> int:
    """How many LinearMechanism objects there are."""
    return len(list(h.List("LinearMechanism")))
