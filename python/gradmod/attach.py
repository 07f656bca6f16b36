"""``attach``: from the user's directions to gradients that run along with the model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from . import _neuron as nrn
from ._build.library import is_torn, load
from ._build.transfers import find_transfers
from ._build.transform import Build, build, request_of
from ._command.support import Construct, Way, reason
from ._forward.attachment import Attachment
from ._forward.inert import inert
from ._forward.remote_spikes import RemoteSpikes
from ._forward.replacement import replace
from ._forward.spike_tables import SpikeTables
from ._forward.wires import find_wires
from ._forward.wiring import Wiring
from ._guards.event_times import check_timed
from ._guards.influence import check_influence
from ._guards.run_checks import check_settings
from ._guards.shared_tables import SharedTables
from ._guards.special_values import IsolatedValues
from ._guards.table_dependencies import StaleTables
from ._guards.voltage_events import check_jumps
from ._model.cells import Cell
from ._model.directions import Direction, check_smooth, resolve
from ._model.named_directions import named_directions
from ._model.pointer_link import Key
from ._model.pointer_variables import Target, kinds_seen, sections_seen
from ._model.pointer_variables import resolve as resolve_links
from ._model.pointers import Links
from ._model.regions import Region, group, point_processes_on, sources
from ._model.removal import begin_change
from ._neuron.mpi import agree, ranks
from ._neuron.sections import is_segment
from ._neuron.settings import second_order
from ._outside.refusals import layers_to_solve
from .errors import Error, Refused
from .gradients import Gradients
from .parameters import Elsewhere, NetConDelay, Parameter, PerNetCon, PerPointProcess, PerSegment, places
from .samples import Samples

Wired: TypeAlias = tuple[
    list[Direction],
    Wiring,
    Build,
    tuple[StaleTables, SharedTables, IsolatedValues],
    SpikeTables | None,
]


def attach(
    first: nrn.Section | Iterable[nrn.Section] | Mapping[str, Parameter] | None = None,
    /,
    *,
    sections: nrn.Section | Iterable[nrn.Section] | None = None,
    spike_times: bool = False,
    quiet: bool = False,
    **directions: Parameter,
) -> Gradients:
    """Attach gradients to the model that was built in NEURON.

    Generates, compiles (or takes from the cache), loads, inserts and wires what computes d(everything)/d(direction)
    exactly, for the discrete simulation that NEURON runs. The times of events, whoever sends them, count as fixed,
    unless ``spike_times`` is set.
    Cells that see the voltage, or a variable, of one where a direction acts through a POINTER, as by gap junctions, get
    gradients too.
    The user's mechanisms, sections and voltages stay as they are. If something is refused, the model was not touched.
    Gradients of the same names on the same cells, or made of the same mechanisms, that are still there (a notebook's
    cell that runs again) are detached first, and that is said.

    Args:
        first: The sections; or directions, as a mapping, which may have the names of options too.
        sections: Only cells with one of these sections are considered; all by default.
        spike_times: Let the spikes that NetCons bring from one cell to another come at times that depend on the
            directions. NEURON's own grid knows no such times: the gradient is then no longer that of the run, but
            what that of smaller and smaller steps tends to, at an error proportional to dt. The time of a spike is
            where the voltage crosses the threshold, between the steps. Cells that spikes reach get gradients too.
        quiet: Do not say so when something has to be compiled, or replaced.
        **directions: Names of the user's choice for :class:`Range`, :class:`Global`, :class:`Stimulus`,
            :class:`NetConWeight`, :class:`NetConDelay` and :class:`InitialVoltage`.

    Raises:
        Refused: Something in the model cannot be differentiated exactly; says what, where and why.
        Error: A name is wrong, or a tool failed.
    """
    options = {"sections": sections, "spike_times": spike_times, "quiet": quiet}
    first, named = named_directions(first, directions, options)
    if first is not None and sections is not None:
        raise Error("attach: the sections were given twice")
    scope = sections if first is None else first
    return Gradients(*wire(scope, named, spike_times=spike_times, quiet=quiet))


def wire(
    sections: nrn.Section | Iterable[nrn.Section] | None,
    directions: Mapping[str, Parameter],
    *,
    spike_times: bool = False,
    quiet: bool,
    online: bool = False,
) -> Wired:
    """Do all that :func:`attach` does, and return what :class:`Gradients` is made of.

    With ``online``, the gradients can act on the run: they have a leak, and may be clipped.
    """
    begin_change("Homeostat()" if online else "attach()")
    scope = None if sections is None else [p.sec if is_segment(p) else p for p in places(sections)]
    over_ranks = spike_times and ranks() > 1
    resolved = agree(over_ranks, lambda: _resolve(directions, scope, spike_times=spike_times, over_ranks=over_ranks))
    links = Links(find_transfers(quiet=quiet))
    spread = lambda: links.spread(resolved, scope, find_wires() if spike_times else ())  # noqa: E731
    remote = RemoteSpikes(resolved, scope, spread) if over_ranks else None
    if remote is None:
        spread()
    plan = agree(
        over_ranks, lambda: _plan(resolved, links, remote, spike_times=spike_times, quiet=quiet, online=online)
    )
    attachments = [Attachment(cell, resolved, plan.made.manifest.solver) for cell in plan.cells]
    wiring = Wiring(
        attachments, plan.made.manifest, plan.regions, plan.points, plan.inert, links, plan.targets, plan.spikes
    )
    replace(directions, wiring, quiet=quiet)
    wiring.insert()
    return resolved, wiring, plan.made, plan.tables, plan.spikes


def _resolve(
    directions: Mapping[str, Parameter], scope: list[nrn.Section] | None, *, spike_times: bool, over_ranks: bool
) -> list[Direction]:
    check_settings(Way.SPIKE_TIMES if spike_times else Way.FORWARD)
    resolved = resolve(directions, scope)
    for direction in resolved:
        if isinstance(direction.parameter, PerNetCon):
            raise Error(f"{direction.name}: PerNetCon is for reverse mode (gradmod.Reverse); use NetConWeight")
        if isinstance(direction.parameter, Samples):
            kind = type(direction.parameter).__name__
            raise Error(f"{direction.name}: {kind} is for reverse mode (gradmod.Reverse, value_and_grad)")
        if isinstance(direction.parameter, PerPointProcess):
            raise Error(f"{direction.name}: PerPointProcess is for reverse mode (gradmod.Reverse); use Stimulus")
        if isinstance(direction.parameter, PerSegment):
            raise Error(
                f"{direction.name}: PerSegment is for reverse mode (gradmod.Reverse, value_and_grad); here a Range is "
                "one direction: give one for each segment, such as Range('gnabar_hh', soma(0.5))"
            )
        if isinstance(direction.parameter, Elsewhere) and not over_ranks:
            raise Error(f"{direction.name}: nothing comes from elsewhere: that needs spike_times and several MPI ranks")
        if isinstance(direction.parameter, NetConDelay) and not spike_times:
            raise Refused(f"{direction.name}: {reason(Construct.DELAY, Way.FORWARD)}")
    return resolved


@dataclass(frozen=True)
class _Plan:
    """What will be attached to the cells; the mechanisms are compiled and loaded.

    Attributes:
        points: The point processes on the cells, by kind.
        inert: The names of those that nothing is attached to.
        targets: What the POINTERs of the model see.
    """

    cells: list[Cell]
    regions: list[Region]
    points: list[tuple[str, nrn.PointProcess]]
    inert: frozenset[str]
    made: Build
    tables: tuple[StaleTables, SharedTables, IsolatedValues]
    targets: Mapping[Key, Target]
    spikes: SpikeTables | None


def _plan(
    resolved: list[Direction],
    links: Links,
    remote: RemoteSpikes | None,
    *,
    spike_times: bool,
    quiet: bool,
    online: bool,
    edition: int = 0,
) -> _Plan:
    cells = _affected(resolved)
    if online:
        links.refuse_coupled()
    without = Way.SPIKE_TIMES if spike_times else Way.ONLINE if online else None
    layers = layers_to_solve(cells, without)
    seen = [] if without else links.to_variables()
    regions = group(cells, sections_seen(seen))
    points = point_processes_on(cells)
    kinds = sorted({kind for kind, _ in points} | kinds_seen(seen))
    made = build(
        request_of(
            sources(regions, kinds, links.seen_mechanisms()),
            [(region.name, region.mechanisms) for region in regions],
            kinds,
            [direction.wrt for direction in resolved if direction.wrt is not None],
            len(resolved),
            spike_times=spike_times,
            online=online,
            variables=bool(seen),
            secondorder=second_order(),
            extracellular=layers,
            transferred=links.transferred(),
        ),
        edition,
    )
    regions = [region for region in regions if region.sections]
    manifest = made.manifest
    fused = {sec: manifest.density(region.mechanisms) for region in regions for sec in region.sections}
    acting = [(kind, process) for kind, process in points if kind not in manifest.passed_over]
    emitted = [(process, manifest.point(kind)) for kind, process in acting]
    check_influence(resolved, manifest.passed_over, fused, emitted)
    check_smooth(resolved, manifest.regions)
    links.check_targets(manifest.regions, without)
    links.check_watchers(manifest.watchers)
    targets = resolve_links(links, manifest, resolved)
    if not spike_times:
        check_timed(manifest.regions, resolved)
    tables = (StaleTables(manifest, resolved), SharedTables(manifest, resolved), IsolatedValues(manifest, resolved))
    notes = manifest.spikes
    spikes = None if notes is None else SpikeTables(manifest, notes, cells, acting, resolved, remote)
    # NEURON's matrix has what these add to it; where it is made again, their rows have to tell.
    everything = spike_times or online or bool(seen) or bool(layers)
    still = frozenset[str]() if everything else inert(acting, manifest, resolved)
    plan = _Plan(cells, regions, points, still, made, tables, targets, spikes)
    check_jumps(cells, fused, emitted, links.targets.values())
    unused = {manifest.point(kind).suffix for kind, _ in acting}
    unused -= {manifest.point(kind).suffix for kind, process in acting if nrn.name_of(process) not in still}
    if not any(direction.is_axial for direction in resolved):
        unused.add(manifest.solver.axial)
    if is_torn(made.directory, unused):
        # Loaded before without what is needed now: then all of it by other names.
        return _plan(resolved, links, remote, spike_times=spike_times, quiet=quiet, online=online, edition=edition + 1)
    load(made.directory, unused=unused, quiet=quiet)
    return plan


def _affected(directions: Sequence[Direction]) -> list[Cell]:
    found: dict[nrn.Section, Cell] = {}
    for direction in directions:
        for cell in direction.cells:
            found.setdefault(cell.root, cell)
    if not found:
        raise Error("no direction acts on any cell")
    return list(found.values())
