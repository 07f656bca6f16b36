"""NEURON's threads: what reads a cell runs in the thread of that cell."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from . import _neuron as nrn
from ._attachment import Attachment
from ._manifest import Manifest
from ._neuron_sections import is_cable, root_of
from ._neuron_settings import has_default_partition, partition, roots, set_partition, thread_count
from .errors import Refused


def obstacle(made: Manifest, *, online: bool) -> str | None:
    """Why gradients can't be had with several threads, if they can't."""
    regions = made.regions
    reasons = {
        "gradients that act on the run": online,
        "gradients of spike times": made.spikes is not None,
        "gradients that go through a POINTER": any(region.far for region in regions),
        "gradients that go through a FUNCTION_TABLE": any(region.function_tables for region in regions),
        "events that set v": any(region.sets_voltage for region in regions),
    }
    found = [reason for reason, holds in reasons.items() if holds]
    return f"{found[0]} are had in one thread only" if found else None


class Threads:
    """Puts gradient cables into the threads of their cells, before every run in which there are several.

    Without that NEURON hands out cells and cables one by one, and a cable would be read while another thread is at it.
    """

    def __init__(self, attachments: Sequence[Attachment], obstacle: str | None) -> None:
        """Changes nothing yet.

        Args:
            attachments: All cells with gradients.
            obstacle: Why several threads are refused, if they are.
        """
        self._attachments = attachments
        self._obstacle = obstacle
        self._is_placed = False
        self._is_default = False

    def place(self) -> None:
        """Do it, if there are several threads now.

        Raises:
            Refused: These gradients can't be had with several threads.
        """
        count = thread_count()
        if count == 1:
            return
        if self._obstacle is not None:
            what = f"NEURON runs {count} threads, and {self._obstacle}"
            raise Refused(f"no exact gradient: {what}; use h.ParallelContext().nthread(1)")
        if not self._is_placed:
            self._is_default = has_default_partition()
        owners = {
            root_of(cable.sections[attachment.cell.root]): attachment.cell.root
            for attachment in self._attachments
            for cable in attachment.cables.values()
        }
        if self._is_default:
            parts = _shared_out([root for root in roots() if not is_cable(root)], count)
        else:
            parts = [[root for root in part if root not in owners] for part in partition()]
        known = {root for part in parts for root in part}
        # Cells that were made since we put ours into place.
        for root in roots():
            if root not in known and root not in owners:
                min(parts, key=len).append(root)
        for cable, cell in owners.items():
            next(part for part in parts if cell in part).append(cable)
        set_partition(parts)
        self._is_placed = True

    def release(self) -> None:
        """Hand out the cells again as it was before; the cables are gone by now."""
        if not self._is_placed:
            return
        self._is_placed = False
        if self._is_default:
            set_partition(None)
        else:
            set_partition(partition())


def _shared_out(roots: Sequence[nrn.Section], count: int) -> list[list[nrn.Section]]:
    """[thread] cells one after another, as NEURON does it where nobody says otherwise."""
    bounds = [len(roots) - len(roots) * (count - i) // count for i in range(count + 1)]
    return [list(roots[a:b]) for a, b in itertools.pairwise(bounds)]
