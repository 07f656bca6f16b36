"""What model it is: all that a checkpoint takes for granted, and that has to be there before it is read."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Sequence

from .. import _neuron as nrn
from .._neuron.netcon_ends import all_netcons, ends
from .._neuron.savestate import kind_of, kinds_in_use
from .._neuron.sections import orientation, parent_place
from ..homeostat import Homeostat


def fingerprint(homeostats: Sequence[Homeostat]) -> dict[str, str]:
    """By what it is, in words: a description that differs where the model differs.

    Values that a run may change are no part of it: they are in the checkpoint.
    """
    found = {
        "NEURON": nrn.version(),
        "dt": repr(float(nrn.h.dt)),
        "celsius": repr(float(nrn.h.celsius)),
    }
    sections = list(nrn.h.allsec())
    numbers = {sec: i for i, sec in enumerate(sections)}

    def where(segment: nrn.Segment) -> str:
        return f"{numbers[segment.sec]}({segment.x!r})"

    for i, sec in enumerate(sections):
        # Without a name it is called after where it is in memory.
        name = "" if sec.name().startswith("__nrnsec_0x") else f" {sec.name()}"
        parent = parent_place(sec)
        at = "" if parent is None else f"{numbers[parent[0]]}({parent[1]!r})"
        mechanisms = nrn.mechanisms_of(sec)
        styles = [nrn.ion_style(sec, ion.removesuffix("_ion")) for ion in mechanisms if ion.endswith("_ion")]
        numbers_of = [sec.L, sec.Ra, *(x for seg in sec for x in (seg.diam, seg.cm, seg.area(), seg.ri()))]
        shape = _digest(struct.pack(f"{len(numbers_of)}d", *numbers_of))
        found[f"section {i}{name}"] = f"{sec.nseg} {at} {orientation(sec)} {mechanisms} {styles} {shape}"
    for name, point in kinds_in_use():
        found[f"mechanism {name}"] = f"{kind_of(name, point)} {_digest(nrn.source_of(name, point)[0].encode())}"
        if point:
            for process in nrn.h.List(name):
                found[nrn.name_of(process)] = where(process.get_segment()) if process.has_loc() else ""
    for netcon in all_netcons():
        joined = ends(netcon)
        source = nrn.name_of(joined.sender) if joined.sender is not None else ""
        watched = where(joined.segment) if joined.segment is not None else ""
        target = nrn.name_of(joined.target) if joined.target is not None else ""
        found[nrn.name_of(netcon)] = f"{source} {watched} {target} {netcon.delay!r}"
    for i, homeostat in enumerate(homeostats):
        places = [where(controller.segment) for controller in homeostat.controllers]
        histories = [[history.interval for history in controller.histories()] for controller in homeostat.controllers]
        found[f"homeostat {i}"] = f"{list(homeostat.gradients.directions)} {places}"
        found[f"recordings of homeostat {i}"] = str(histories)
    return found


def difference(saved: dict[str, str], present: dict[str, str]) -> str:
    """Where two of them differ first, in words; empty if nowhere."""
    for name in (*saved, *present):
        if saved.get(name) != present.get(name):
            if name not in present:
                return f"{name} is missing"
            return f"{name} is new" if name not in saved else f"{name} is not the same"
    return "" if list(saved) == list(present) else "things were made in another order"


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]
