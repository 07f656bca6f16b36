"""What a NetCon joins: the place that it watches, and what gets its events."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from .interpreter import OWN_PREFIX, NetCon, PointProcess, Section, Segment, h
from .mpi import ranks
from .point_process import name_of


@dataclass(frozen=True)
class Ends:
    """What a NetCon joins.

    Attributes:
        netcon: The NetCon.
        segment: Where the voltage is that it watches; None if it watches no voltage.
        section: The section of another variable that it watches, or of the point process that it gets events from.
        sender: That point process, or cell without membrane.
        gid: Where the spikes of a cell on another rank come from: that cell's number.
        target: The point process, or cell without membrane, that gets its events; None where it only records.
    """

    netcon: NetCon
    segment: Segment | None
    section: Section | None
    sender: PointProcess | None
    gid: int | None
    target: PointProcess | None


def all_netcons() -> list[NetCon]:
    """Every NetCon, ours too, in the order in which they were made."""
    return list(h.List("NetCon"))


def all_ends() -> Iterator[Ends]:
    """The ends of the user's NetCons."""
    for netcon in h.List("NetCon"):
        target = netcon.syn()
        if target is None or not name_of(target).startswith(OWN_PREFIX):
            yield ends(netcon)


def ends(netcon: NetCon) -> Ends:
    """The ends of one NetCon."""
    target, sender, segment = netcon.syn(), netcon.pre(), netcon.preseg()
    if sender is not None:
        section = sender.get_segment().sec if stands(sender) else None
        return Ends(netcon, None, section, sender, None, target)
    if segment is not None:
        return Ends(netcon, segment, segment.sec, None, None, target)
    if netcon.srcgid() >= 0:
        return Ends(netcon, None, None, None, int(netcon.srcgid()) if ranks() > 1 else None, target)
    section = None
    if netcon.preloc() != -1.0:
        section = h.cas()  # preloc() pushed it
        h.pop_section()
    return Ends(netcon, None, section, None, None, target)


def ends_of_source(gid: int) -> Ends | None:
    """What a NetCon to the cell with this number joins, without a target; None if the cell is on another rank."""
    context = h.ParallelContext()
    if int(context.gid_exists(gid)) < _IS_SOURCE:
        return None
    # Asked of a NetCon that lives for a moment: NEURON tells it of no number.
    return replace(ends(context.gid_connect(gid, h.IntFire1())), target=None)


def threshold_of(gid: int) -> float:
    """The threshold of a cell of this rank, mV."""
    return float(h.ParallelContext().threshold(gid))


_IS_SOURCE = 2


def stands(process: PointProcess) -> bool:
    """Whether it is a point process on a section, not a cell without membrane."""
    return bool(hasattr(process, "has_loc") and process.has_loc())
