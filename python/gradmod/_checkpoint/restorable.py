"""Whether all that a run depends on can be saved. What cannot is refused by name."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from .. import _neuron as nrn
from .._guards.run_checks import check_settings
from .._neuron.mpi import ranks
from .._neuron.netcon_ends import all_netcons
from .._neuron.savestate import (
    HOC,
    NET_PAR,
    SELF,
    Saved,
    is_artificial,
    kind_of,
    kinds_in_use,
    self_event_flags,
    without_comments,
)
from ..errors import Refused
from ..homeostat import Homeostat

#: NEURON's own with VERBATIM whose memory is in their variables.
_KNOWN = {"APCount", "NetStim", "VClamp"}
#: By what may stand in a mechanism: what it means.
_LOST = {
    r"BBCOREPOINTER": "keeps what it knows behind a BBCOREPOINTER",
    r"VERBATIM": "has VERBATIM blocks, whose memory nobody knows",
    r"WATCH": "has WATCH, and NEURON does not save which of its conditions are waited for",
    r"scop_random|normrand|exprand|poisrand": "draws from a generator that all mechanisms share; use RANDOM",
}


def check_restorable(homeostats: Sequence[Homeostat]) -> None:
    """Look at settings, objects and mechanisms.

    Raises:
        Refused: Something acts on the run that no checkpoint could hold.
    """
    for reason in _reasons(homeostats):
        raise Refused(f"no checkpoint of this run: {reason}")


def check_saved(saved: Saved) -> None:
    """Look at what NEURON saved.

    Raises:
        Refused: It holds something that means nothing in another process.
    """
    for reason in _reasons_in(saved):
        raise Refused(f"no checkpoint of this run: {reason}")


def _reasons(homeostats: Sequence[Homeostat]) -> Iterable[str]:
    check_settings()
    if nrn.version().startswith("8."):
        yield "NEURON 8 moves its variables; use NEURON 9"
    if ranks() > 1:
        yield f"it runs on {ranks()} MPI ranks"
    if int(nrn.h.CVode().queue_mode()):
        yield "events wait in more than one queue (CVode.queue_mode)"
    if list(nrn.h.List("Random")):
        yield "there is a Random object, whose place in its numbers NEURON does not tell: use RANDOM in the mechanism"
    ours = {name for homeostat in homeostats for name in homeostat.mechanisms()}
    followed = {name for homeostat in homeostats for name in homeostat.followed()}
    for name, point in kinds_in_use():
        if name.startswith(nrn.OWN_PREFIX):
            if name not in ours:
                yield f"{name} belongs to gradients that are not among these homeostats"
            continue
        text = nrn.source_of(name, point)[0]
        if not text and not name.endswith("_ion"):
            yield f"NEURON does not tell what the mechanism {name} is made of"
        code = without_comments(text)
        for pattern, meaning in _LOST.items():
            # Of those that it followed the compiler knows what their VERBATIM does.
            is_known = name in _KNOWN or (pattern == "VERBATIM" and name in followed)
            if not is_known and re.search(rf"\b({pattern})\b", code):
                yield f"the mechanism {name} {meaning}"
        if name not in followed and re.search(r"\bLOCAL\b", _outside_blocks(code)):
            yield f"the mechanism {name} has a LOCAL outside of its blocks, which NEURON does not show: make it RANGE"
        if is_artificial(name) and re.search(r"^\s*\w+\s*\[", code, re.MULTILINE):
            yield f"the cell without membrane {name} has an array, which NEURON does not save"
    for homeostat in homeostats:
        for netcon, before in zip(all_netcons(), homeostat.delays, strict=False):
            if netcon.delay != before:
                # NEURON sends spikes to NetCons of one source together, by the delays that it began with.
                yield f"the delay of {nrn.name_of(netcon)} was changed during the run"
        if homeostat.gradients.remembers_steps:
            yield "a homeostat's gradients.record() remembers every step; use controllers[i].record(interval)"


def _reasons_in(saved: Saved) -> Iterable[str]:
    if HOC in saved.events:
        yield "an event is on its way that calls the script (CVode.event): save when none is"
    if NET_PAR in saved.events:
        yield "an event of ParallelContext is on its way"
    if SELF in saved.events:
        for flag in self_event_flags():
            if float(f"{flag:g}") != flag:
                yield f"NEURON would round the flag {flag!r} of a net_send"
    for name, point in kinds_in_use():
        if kind_of(name, point) in saved.addresses:
            yield f"{name} holds the address of an object (such as the Vector of APCount.record)"


def _outside_blocks(code: str) -> str:
    depth = 0
    kept: list[str] = []
    for piece in re.split(r"([{}])", code):
        depth += {"{": 1, "}": -1}.get(piece, 0)
        if depth == 0:
            kept.append(piece)
    return "".join(kept)
