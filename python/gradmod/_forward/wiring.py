"""What stands in the model for some gradients: it can be taken out of it and put back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from .. import _neuron as nrn
from .._manifest.gradients import Manifest
from .._model.pointer_link import Key
from .._model.pointer_variables import Target
from .._model.pointers import Links
from .._model.regions import Region, density_mechanisms, point_processes_on
from ..errors import Error
from .attachment import Attachment
from .inert import check_inert
from .pointer_wiring import connect
from .spike_tables import SpikeTables


class Wiring:
    """Everything that is inserted for one :class:`gradmod.Gradients`.

    A run that the gradients do not follow is the user's own: what would be in its way is taken out before it (POINTERs
    that see what is no more) and put back before the next run that is followed.

    Attributes:
        attachments: What belongs to each cell.
        is_inserted: Whether it stands in the model now.
        takes_events: Whether any point process of these cells does.
    """

    def __init__(
        self,
        attachments: Sequence[Attachment],
        made: Manifest,
        regions: Sequence[Region],
        points: Sequence[tuple[str, nrn.PointProcess]],
        inert: frozenset[str],
        links: Links,
        targets: Mapping[Key, Target],
        spikes: SpikeTables | None,
    ) -> None:
        """Nothing is inserted yet.

        Args:
            attachments: One for each cell.
            made: What the compiler emitted.
            regions: The user's sections, by their mechanisms.
            points: The user's point processes on the cells, by kind.
            inert: The names of those that get no row.
            links: The POINTERs of the model.
            targets: What these see.
            spikes: What writes the times of spikes, with ``spike_times``.
        """
        self.attachments = list(attachments)
        self.is_inserted = False
        self._inert = inert
        self._made, self._links, self._targets, self._spikes = made, links, targets, spikes
        self._regions = list(regions)
        # Names: a reference would keep them alive when the user drops them.
        self._points = [(nrn.name_of(process), _place_of(process)) for _, process in points]
        acting = [(kind, process) for kind, process in points if kind not in made.passed_over]
        self.takes_events = any(made.point(kind).weights is not None for kind, _ in acting)
        self._counts = Counter(process.get_segment().sec for _, process in acting)
        self._fused = {sec: made.density(region.mechanisms) for region in regions for sec in region.sections}

    def check(self) -> None:
        """Look whether the model still is the one that the gradients were attached to.

        Raises:
            Error, Refused: It is not; says what changed.
        """
        order = nrn.mechanism_order()
        for attachment in self.attachments:
            if attachment.cell.is_deleted():
                raise Error(f"sections of a cell were deleted; {_AGAIN}")
            if not attachment.sheaths.are_same():
                raise Error(f"{attachment.cell.root.name()}: extracellular was inserted or taken away; {_AGAIN}")
            if not attachment.cell.same_shape() or (self.is_inserted and not attachment.is_wired()):
                raise Error(f"{attachment.cell.root.name()}: sections, connections or nseg changed; {_AGAIN}")
        for region in self._regions:
            for sec in region.sections:
                if density_mechanisms(sec, order) != region.mechanisms:
                    raise Error(f"the mechanisms of {sec.name()} changed; {_AGAIN}")
        now = {nrn.name_of(p): p for _, p in point_processes_on(a.cell for a in self.attachments)}
        if [(name, _place_of(process)) for name, process in now.items()] != self._points or not all(
            attachment.accompanies(now) for attachment in self.attachments
        ):
            raise Error(f"point processes were added, moved or removed; {_AGAIN}")
        self._links.check(_AGAIN)
        for attachment in self.attachments[:1]:
            check_inert(self._inert, attachment.directions, _AGAIN)

    def check_initial(self) -> None:
        """Look, after INITIAL, whether voltages that are handed on are those that the run begins with.

        Raises:
            Refused: One is not, and matters.
        """
        for attachment in self.attachments[:1]:
            self._links.check_initial(attachment.directions)

    def is_inert(self, process: str) -> bool:
        """Whether a point process, by name, has no row, since all its gradients are 0."""
        return process in self._inert

    def insert(self) -> None:
        """Insert and wire everything on all cells; if anything fails, undo all of it."""
        try:
            everywhere = {sec: attachment for attachment in self.attachments for sec in attachment.cell.sections}
            points: dict[nrn.Section, list[tuple[str, nrn.PointProcess]]] = {}
            for kind, process in point_processes_on(attachment.cell for attachment in self.attachments):
                if kind not in self._made.passed_over and nrn.name_of(process) not in self._inert:
                    points.setdefault(everywhere[process.get_segment().sec].cell.root, []).append((kind, process))
            for attachment in self.attachments:
                here = points.get(attachment.cell.root, ())
                attachment.insert(self._made, self._fused, here, self._targets, self._links.transferred())
            for attachment in self.attachments:
                attachment.see(everywhere)
                attachment.sync({})
            connect(self.attachments)
            if self._spikes is not None:
                self._spikes.insert()
            self.is_inserted = True
        except BaseException:
            self.remove()
            raise

    def shares_cells(self, other: Wiring) -> bool:
        """Whether both belong to a cell."""
        mine = {attachment.cell.root for attachment in self.attachments}
        return any(attachment.cell.root in mine for attachment in other.attachments)

    def shares_mechanisms(self, other: Wiring) -> bool:
        """Whether both have a mechanism in a section; only one can be there."""
        if not self.attachments:
            return False
        mine = {(sec, fused.suffix) for sec, fused in self._fused.items()}
        return any((sec, fused.suffix) in mine for sec, fused in other._fused.items())

    def remove(self) -> None:
        """Take everything out again; the user's model is as it was."""
        self.is_inserted = False
        for attachment in self.attachments:
            attachment.remove()
        if self._spikes is not None:
            self._spikes.remove()

    def cells(self) -> Iterator[str]:
        """What each cell has, in a line."""
        for attachment in self.attachments:
            cell = attachment.cell
            names = ", ".join(attachment.directions[k].name for k in attachment.acting)
            points = sum(self._counts[sec] for sec in cell.sections)
            yield (
                f"cell of {cell.root.name()}: {len(cell.sections)} sections, {len(cell.segments)} segments, "
                f"{points} point processes; {len(attachment.acting)} directions ({names})"
            )

    def regions(self) -> Iterator[str]:
        """What each region is, in a line."""
        for region in self._regions:
            mechanisms = ", ".join(region.mechanisms) or "no mechanisms"
            suffix = self._made.density(region.mechanisms).suffix
            yield f"region {region.name}: {mechanisms}; {len(region.sections)} sections; mechanism {suffix}"


_AGAIN = "call detach() and attach() again"


def _place_of(process: nrn.PointProcess) -> tuple[nrn.Section, float]:
    seg = process.get_segment()
    return seg.sec, float(seg.x)
