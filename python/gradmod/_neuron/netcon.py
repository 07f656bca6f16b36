"""NetCons: found by name or by target, copied, and made for point processes that need events."""

from __future__ import annotations

from typing import Any

from .interpreter import NetCon, PointProcess, h
from .point_process import by_name, name_of


def netcons_by_target() -> dict[str, list[NetCon]]:
    """Every NetCon, by the name of its target."""
    found: dict[str, list[NetCon]] = {}
    for netcon in h.List("NetCon"):
        target = netcon.syn()
        if target is not None:
            found.setdefault(name_of(target), []).append(netcon)
    return found


#: What ``NetCon.preloc()`` says where the source is no place of a section.
_NO_SECTION = -1.0


def copy_netcon(netcon: NetCon, target: PointProcess) -> NetCon:
    """A NetCon from the same source to another point process; threshold and weights stay as they are.

    Raises:
        ValueError: Its source is a variable other than v.
    """
    source, segment = netcon.pre(), netcon.preseg()
    threshold = netcon.threshold
    if source is not None:
        made = h.NetCon(source, target)
    elif segment is not None:
        made = h.NetCon(segment._ref_v, target, sec=segment.sec)
    elif netcon.srcgid() >= 0:
        made = h.ParallelContext().gid_connect(netcon.srcgid(), target)
    elif netcon.preloc() == _NO_SECTION:
        made = h.NetCon(None, target)
    else:
        h.pop_section()  # preloc() pushed it
        raise ValueError("the source of a NetCon is a variable other than v")
    if netcon.threshold != threshold:
        netcon.threshold = threshold
    return made


def netcons() -> dict[str, NetCon]:
    """Every NetCon by its name."""
    return by_name("NetCon")


def connect_events(process: PointProcess, place: int = 0) -> tuple[Any, NetCon]:
    """Events for a point process, others in each ``place``, with weights of 0.002; for as long as both are kept."""
    source = h.NetStim()
    source.start, source.interval, source.number, source.noise = 1.013 + 0.731 * place, 1.497 + 0.2 * place, 3, 0
    connection = h.NetCon(source, process)
    connection.delay = 0.3
    for i in range(weight_count(connection)):
        connection.weight[i] = 2e-3
    return source, connection


def weight_count(netcon: NetCon) -> int:
    """The number of elements of a NetCon's weight."""
    return int(netcon.wcnt())


def set_weight(netcon: NetCon, weight: float) -> None:
    """Set the first element of a NetCon's weight."""
    netcon.weight[0] = weight
