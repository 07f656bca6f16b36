"""The user's model under the variable step: what the directions act on, and the equations that were emitted for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .. import _neuron as nrn
from .._build.library import load
from .._build.transform import build_variable, request_of
from .._command.support import Construct, Way, reason
from .._guards.influence import check_influence
from .._guards.shared_tables import SharedTables
from .._guards.special_values import IsolatedValues
from .._guards.table_dependencies import StaleTables
from .._model.cells import Cell
from .._model.directions import check_smooth, resolve
from .._model.extracellular import has_it
from .._model.pointers import Links
from .._model.regions import density_mechanisms, group, point_processes_on, sources
from ..errors import Error, Refused
from ..parameters import NetConDelay, Parameter
from ..samples import Samples
from .spot import Spot, find_spots

_AGAIN = "make a new VariableStep"


class Model:
    """The cells that directions act on.

    Attributes:
        directions: What was asked for.
        cells: The cells that a direction acts on.
        owner: The index of the cell that a section belongs to.
        made: The manifest of what was emitted.
        spots: All places with equations.
    """

    def __init__(
        self, parameters: Mapping[str, Parameter], scope: Sequence[nrn.Section] | None, *, quiet: bool
    ) -> None:
        """Look at the model, emit what it needs, and load that into NEURON; nothing is inserted.

        Args:
            parameters: By the user's names.
            scope: Only cells with one of these sections are considered; all by default.
            quiet: Do not say so when something has to be compiled.

        Raises:
            Refused: Something in the model cannot be differentiated; says what, where and why.
            Error: A name is wrong, or a tool failed.
        """
        self.directions = resolve(parameters, scope)
        for direction in self.directions:
            if isinstance(direction.parameter, NetConDelay):
                raise Refused(f"{direction.name}: {reason(Construct.DELAY, Way.VARIABLE)}")
            if isinstance(direction.parameter, Samples):
                raise Refused(
                    f"{direction.name}: played vectors are no parameters under the variable step: use the fixed step "
                    "(h.cvode_active(0))"
                )
        links = Links()
        links.spread(self.directions, scope)
        found: dict[nrn.Section, Cell] = {}
        for direction in self.directions:
            for cell in direction.cells:
                found.setdefault(cell.root, cell)
        if not found:
            raise Error("no parameter acts on any cell")
        self.cells = list(found.values())
        self.owner = {sec: index for index, cell in enumerate(self.cells) for sec in cell.sections}
        if any(has_it(sec) for cell in self.cells for sec in cell.sections):
            raise Refused(f"no gradient: {reason(Construct.EXTRACELLULAR, Way.VARIABLE)}")
        self._regions = group(self.cells)
        all_points = point_processes_on(self.cells)
        kinds = [kind for kind, _ in all_points]
        built = build_variable(
            request_of(
                sources(self._regions, kinds, links.seen_mechanisms()),
                [(region.name, region.mechanisms) for region in self._regions],
                kinds,
                [direction.wrt for direction in self.directions if direction.wrt is not None],
                1,
                "variable",
            )
        )
        made = self.made = built.manifest
        fused = {sec: made.density(region.mechanisms) for region in self._regions for sec in region.sections}
        points = [(process, made.point(kind)) for kind, process in all_points if kind not in made.passed_over]
        check_influence(self.directions, made.passed_over, fused, points)
        check_smooth(self.directions, made.regions)
        links.check_watchers(made.watchers)
        self._tables = (
            StaleTables(made, self.directions),
            SharedTables(made, self.directions),
            IsolatedValues(made, self.directions),
        )
        left_out = next((note for region in made.regions for note in region.unfollowed), None)
        if left_out:
            raise Refused(f"no gradient: {left_out}: use the fixed step (h.cvode_active(0))")
        load(built.directory, quiet=quiet)
        self.spots: list[Spot] = find_spots(self.cells, fused, points)
        # Names: a reference would keep them alive when the user drops them.
        self._names = [(nrn.name_of(process), _place_of(process)) for _, process in all_points]

    def check(self) -> None:
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
        for region in self._regions:
            for sec in region.sections:
                if density_mechanisms(sec, order) != region.mechanisms:
                    raise Error(f"the mechanisms of {sec.name()} changed; {_AGAIN}")
        now = [(nrn.name_of(process), _place_of(process)) for _, process in point_processes_on(self.cells)]
        if now != self._names:
            raise Error(f"point processes were added, moved or removed; {_AGAIN}")

    def locate(self, segment: nrn.Segment) -> tuple[int, int]:
        """The cell and the node of a segment.

        Raises:
            Error: No direction acts on its cell, or there is no membrane.
        """
        index = self.owner.get(segment.sec)
        if index is None:
            raise Error(f"no parameter acts on the cell of {segment}")
        node = self.cells[index].node(segment.sec, segment.x)
        if not self.cells[index].is_segment[node]:
            raise Error(f"{segment} is an end without membrane: record the segment beside it")
        return index, node


def _place_of(process: nrn.PointProcess) -> tuple[nrn.Section, float]:
    seg = process.get_segment()
    return seg.sec, float(seg.x)
