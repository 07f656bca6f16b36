"""What NEURON tells of NetCons; like :mod:`._neuron` not checked by pyright."""

# pyright: basic

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from . import _neuron as nrn


@dataclass(frozen=True)
class Ends:
    """What a NetCon joins.

    Attributes:
        netcon: The NetCon.
        segment: Where the voltage is that it watches; None if it watches no voltage.
        section: The section of another variable that it watches, or of the point process that it gets events from.
        sender: That point process, or cell without membrane.
        is_remote: It gets the spikes of a cell that is on another rank.
        target: The point process, or cell without membrane, that gets its events; None where it only records.
    """

    netcon: nrn.NetCon
    segment: nrn.Segment | None
    section: nrn.Section | None
    sender: nrn.PointProcess | None
    is_remote: bool
    target: nrn.PointProcess | None


def all_netcons() -> list[nrn.NetCon]:
    """Every NetCon, ours too, in the order in which they were made."""
    return list(nrn.h.List("NetCon"))


def all_ends() -> Iterator[Ends]:
    """Those of the user's NetCons."""
    for netcon in nrn.h.List("NetCon"):
        target = netcon.syn()
        if target is None or not nrn.name_of(target).startswith(nrn.OWN_PREFIX):
            yield ends(netcon)


def ends(netcon: nrn.NetCon) -> Ends:
    """Those of one NetCon."""
    target, sender, segment = netcon.syn(), netcon.pre(), netcon.preseg()
    if sender is not None:
        section = sender.get_segment().sec if stands(sender) else None
        return Ends(netcon, None, section, sender, False, target)
    if segment is not None:
        return Ends(netcon, segment, segment.sec, None, False, target)
    if netcon.srcgid() >= 0:
        return Ends(netcon, None, None, None, ranks() > 1, target)
    section = None
    if netcon.preloc() != -1.0:
        section = nrn.h.cas()  # preloc() pushed it
        nrn.h.pop_section()
    return Ends(netcon, None, section, None, False, target)


def ranks() -> int:
    """How many processes run the model together."""
    return int(nrn.h.ParallelContext().nhost())


def stands(process: nrn.PointProcess) -> bool:
    """Whether it is a point process on a section, not a cell without membrane."""
    return bool(hasattr(process, "has_loc") and process.has_loc())
