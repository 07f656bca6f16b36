"""The user's model as reverse mode takes it: what the directions act on, and what was emitted for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .. import _neuron as nrn
from .._build.library import load
from .._build.transfers import find_transfers
from .._build.transform import build_reverse, request_of
from .._command.support import Construct, Way, reason
from .._guards.event_times import check_timed
from .._guards.influence import check_influence
from .._guards.shared_tables import SharedTables
from .._guards.special_values import IsolatedValues
from .._guards.table_dependencies import StaleTables
from .._guards.voltage_events import check_jumps
from .._model.cells import Cell
from .._model.directions import check_smooth, resolve
from .._model.extracellular import BATTERY, NAME, has_it, layer_count
from .._model.pointers import Links
from .._model.regions import density_mechanisms, group, point_processes_on, sources
from .._neuron.pointers import Variable
from .._neuron.settings import second_order
from .._outside.refusals import check_order_outside
from ..errors import Error, Refused
from ..field_waveform import FieldWaveform
from ..parameters import NetConDelay, Parameter
from .recorder import Recorders

_AGAIN = "call close() and make a new Reverse"


class Model:
    """The cells that directions act on.

    Attributes:
        directions: What was asked for.
        cells: The cells that a direction acts on, or that POINTERs couple to these.
        owner: The index of the cell that a section belongs to.
        made: The manifest of what was emitted.
        has_outside: Whether a section has ``extracellular``.
    """

    def __init__(
        self, parameters: Mapping[str, Parameter], scope: Sequence[nrn.Section] | None, *, quiet: bool
    ) -> None:
        """Look at the model, emit what it needs, and load that into NEURON; nothing is inserted yet.

        Args:
            parameters: By the user's names.
            scope: Only cells with one of these sections are considered; all by default.
            quiet: Do not say so when something has to be compiled.

        Raises:
            Refused: Something in the model cannot be differentiated exactly; says what, where and why.
            Error: A name is wrong, or a tool failed.
        """
        self.directions = resolve(parameters, scope)
        for direction in self.directions:
            if isinstance(direction.parameter, NetConDelay):
                raise Refused(f"{direction.name}: {reason(Construct.DELAY, Way.REVERSE)}")
        self._links = Links(find_transfers(quiet=quiet))
        self._links.spread(self.directions, scope)
        found: dict[nrn.Section, Cell] = {}
        for direction in self.directions:
            for cell in direction.cells:
                found.setdefault(cell.root, cell)
        if not found:
            raise Error("no parameter acts on any cell")
        self.cells = list(found.values())
        self.owner = {sec: index for index, cell in enumerate(self.cells) for sec in cell.sections}
        self.has_outside = any(has_it(sec) for cell in self.cells for sec in cell.sections)
        if self.has_outside:
            check_order_outside()
        self._regions = group(self.cells)
        all_points = point_processes_on(self.cells)
        kinds = [kind for kind, _ in all_points]
        built = build_reverse(
            request_of(
                sources(self._regions, kinds, self._links.seen_mechanisms()),
                [(region.name, region.mechanisms) for region in self._regions],
                kinds,
                [direction.wrt for direction in self.directions if direction.wrt is not None],
                1,
                "reverse",
                secondorder=second_order(),
                extracellular=layer_count() if self.has_outside else 0,
                transferred=self._links.transferred(),
            )
        )
        made = self.made = built.manifest
        self._fused = {sec: made.density(region.mechanisms) for region in self._regions for sec in region.sections}
        #: The point processes that get recorders, until these are inserted.
        self._acting = [(kind, process) for kind, process in all_points if kind not in made.passed_over]
        points = [(process, made.point(kind)) for kind, process in self._acting]
        check_influence(self.directions, made.passed_over, self._fused, points)
        check_smooth(self.directions, made.regions)
        self._links.check_targets(made.regions, Way.REVERSE)
        self._links.check_watchers(made.watchers, self._played())
        check_timed(made.regions, self.directions)
        self._tables = (
            StaleTables(made, self.directions),
            SharedTables(made, self.directions),
            IsolatedValues(made, self.directions),
        )
        check_jumps(self.cells, self._fused, points, self._links.targets.values())
        load(built.directory, seldom=made.seldom, quiet=quiet)
        # Names: a reference would keep them alive when the user drops them.
        self._names = [(nrn.name_of(process), _place_of(process)) for _, process in all_points]

    def insert(self) -> Recorders:
        """Insert recorders into it, once; if that fails, nothing is left of them."""
        acting, self._acting = self._acting, []
        recorders = Recorders(self.cells)
        try:
            recorders.insert(self.made, self._fused, acting, self._links.targets, self._links.transferred())
        except BaseException:
            recorders.remove()
            raise
        return recorders

    def _played(self) -> set[Variable]:
        """The variables that waveforms set along the run."""
        return {
            Variable(NAME, BATTERY, (seg.sec, float(seg.x)), None)
            for direction in self.directions
            if isinstance(direction.parameter, FieldWaveform)
            for seg, weight in direction.weights()
            if weight != 0.0
        }

    @property
    def axial_sections(self) -> set[nrn.Section]:
        """The sections whose axial resistance a direction changes."""
        return {seg.sec for d in self.directions if d.is_axial for seg, _ in d.weights()}

    def check(self, recorders: Recorders) -> None:
        """Look, before a run, whether the model still is the one that was looked at.

        Raises:
            Error, Refused: It is not; says what changed.
        """
        for tables in self._tables:
            tables.check()
        order = nrn.mechanism_order()
        for cell in self.cells:
            if not cell.same_shape():
                raise Error(f"{cell.root.name()}: sections, connections or nseg changed; {_AGAIN}")
        if not recorders.sheaths.are_same():
            raise Error(f"extracellular was inserted or taken away; {_AGAIN}")
        if not recorders.is_wired():
            raise Error(f"the cells changed; {_AGAIN}")
        for region in self._regions:
            for sec in region.sections:
                if density_mechanisms(sec, order) != region.mechanisms:
                    raise Error(f"the mechanisms of {sec.name()} changed; {_AGAIN}")
        now = {nrn.name_of(p): p for _, p in point_processes_on(self.cells)}
        if [(name, _place_of(process)) for name, process in now.items()] != self._names or (
            not recorders.accompanies(now)
        ):
            raise Error(f"point processes were added, moved or removed; {_AGAIN}")
        self.check_links()

    def check_links(self) -> None:
        """Look whether its POINTERs see what they saw.

        Raises:
            Error: One sees something else.
        """
        self._links.check(_AGAIN)

    def check_initial(self) -> None:
        """Look, after INITIAL, whether voltages that are handed on are those that the run begins with.

        Raises:
            Refused: One is not, and matters.
        """
        self._links.check_initial(self.directions)

    def locate(self, segment: nrn.Segment) -> tuple[int, int]:
        """The cell and the node of a segment.

        Raises:
            Error: No direction acts on its cell.
        """
        index = self.owner.get(segment.sec)
        if index is None:
            raise Error(f"no parameter acts on the cell of {segment}")
        return index, self.cells[index].node(segment.sec, segment.x)


def _place_of(process: nrn.PointProcess) -> tuple[nrn.Section, float]:
    seg = process.get_segment()
    return seg.sec, float(seg.x)
