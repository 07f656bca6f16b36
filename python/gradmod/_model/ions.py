"""What an ion's style and charge at a place mean to an emitted mechanism."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from .. import _neuron as nrn
from .._manifest.ions import IonFlags
from .._neuron.sections import orientation
from ..errors import Error, Refused

#: Bits of ``ion_style``: concentrations and reversal potential are set at the start, reversal potential in each step.
_CINIT, _EINIT, _EADVANCE = 0o4, 0o40, 0o100
#: All but those that say who writes a concentration.
_STYLE = 0o177


@dataclass(frozen=True)
class Users:
    """Who uses the ions of a segment.

    Attributes:
        density: What the mechanisms do that stand in all of its section.
        here: What point processes do in it.
        first: What point processes do in the segment nearest to the root, the one whose style NEURON tells.
    """

    density: Collection[IonFlags]
    here: Collection[IonFlags] = ()
    first: Collection[IonFlags] = ()

    def of(self, ion: str) -> Users:
        """The users of one ion."""
        return Users(*([flags for flags in some if flags.ion == ion] for some in (self.density, self.here, self.first)))


class _Region(Protocol):
    @property
    def ions(self) -> Sequence[IonFlags]: ...


class _Spot(Protocol):
    @property
    def segment(self) -> nrn.Segment: ...
    @property
    def process(self) -> str | None: ...
    @property
    def region(self) -> _Region: ...


class IonsOfCell:
    """Who uses the ions of a cell, or of several.

    Attributes:
        uneven: The sections whose segments may have other styles: a point process uses an ion in one.
    """

    def __init__(self) -> None:
        self.uneven: set[nrn.Section] = set()
        self._density: dict[nrn.Section, Sequence[IonFlags]] = {}
        self._processes: dict[tuple[nrn.Section, int], list[IonFlags]] = {}

    def add(self, spot: _Spot) -> None:
        """A row, or what belongs to a point process."""
        if spot.process is None:
            self._density[spot.segment.sec] = spot.region.ions
        else:
            self._processes.setdefault(_place(spot.segment), []).extend(spot.region.ions)
            if spot.region.ions:
                self.uneven.add(spot.segment.sec)

    def at(self, seg: nrn.Segment) -> Users:
        """The users of the ions of a segment."""
        sec = seg.sec
        nearest = sec, int(sec.nseg) - 1 if orientation(sec) else 0
        here, first = (self._processes.get(place, ()) for place in (_place(seg), nearest))
        return Users(self._density.get(sec, ()), here, first)


def _place(seg: nrn.Segment) -> tuple[nrn.Section, int]:
    return seg.sec, min(int(seg.x * seg.sec.nseg), int(seg.sec.nseg) - 1)


def ion_settings(ions: Iterable[IonFlags], seg: nrn.Segment, users: Users) -> dict[str, float]:
    """The values of the RANGE settings that follow from ``ion_style`` and the ion's charge.

    Args:
        ions: What a mechanism does with its ions.
        seg: Where.
        users: What all do with theirs.

    Raises:
        Error: A style that is not differentiated, or that NEURON does not tell.
    """
    settings: dict[str, float] = {}
    for flags in ions:
        style = _style(seg, flags.ion, users.of(flags.ion))
        if flags.written and style & _EINIT and not style & _EADVANCE:
            raise Error(
                f"{seg.sec}: ion_style of {flags.ion} computes the reversal potential at the start only, "
                "while its concentration changes: not differentiated"
            )
        if flags.sets_reversal and style & (_EINIT | _EADVANCE):
            raise Error(
                f"{seg.sec}: ion_style of {flags.ion} computes the reversal potential, which a mechanism sets too: not "
                "differentiated"
            )
        settings[flags.nernst] = float(_follows(style, bool(flags.written)))
        settings[flags.nernst_init] = float(bool(style & _EINIT))
        settings[flags.conc_init] = float(bool(style & _CINIT))
        settings[flags.valence] = nrn.ion_charge(flags.ion)
        for concentration, setting in flags.starts:
            if concentration == f"e{flags.ion}" or not style & _CINIT:
                raise Error(
                    f"{seg.sec}: ion_style of {flags.ion} leaves {concentration} as the last run left it, and INITIAL "
                    "uses it: not differentiated"
                )
            settings[setting] = nrn.initial_concentration(concentration, flags.ion)
    return settings


def check_reversals_at_start(ions: Iterable[IonFlags], settings: Mapping[str, float], seg: nrn.Segment) -> None:
    """Look whether INITIAL reads a reversal potential that only steps compute: frames have what the first one has made.

    Raises:
        Refused: It does.
    """
    for flags in ions:
        if flags.reversal_at_start and settings[flags.nernst] and not settings[flags.nernst_init]:
            raise Refused(
                f"{seg.sec}: ion_style of {flags.ion} computes the reversal potential in each step and not at the "
                "start, where INITIAL uses it: not differentiated in reverse mode; use forward mode (gradmod.attach)"
            )


def _follows(style: int, is_written: bool) -> bool:
    # Constant concentrations: what einit makes of them at the start stays true.
    return bool(style & _EADVANCE or (style & _EINIT and not is_written))


def _style(seg: nrn.Segment, ion: str, users: Users) -> int:
    """The style in a segment. ``ion_style`` tells that of the first one only.

    Point processes change it where they stand, as NEURON's nrn_promote() does. A style that is not what the mechanisms
    make of it was set by the user, perhaps before there were point processes.
    """
    told = nrn.ion_style(seg.sec, ion)
    made = _promoted(0, users.density)
    is_made = told < 0 or _promoted(made, users.first) == told & _STYLE
    # 0: nothing in the first segment uses the ion; -1: it is not there.
    if told <= 0 and is_made:
        return _promoted(made, users.here)
    style = _promoted(made if is_made else told, users.here)
    is_written = any(flags.written for flags in users.density)
    meaning = [(_follows(one, is_written), one & _EINIT, one & _CINIT) for one in (told, style)]
    if meaning[0] != meaning[1]:
        raise Error(
            f"{seg}: the ion_style of {ion} may be another than at the beginning of the section, as a point process "
            "that reads a concentration changes it in its own segment. With "
            f'h.ion_style("{ion}_ion", 1, 2, 1, 1, 0, sec={seg.sec}), after all point processes are made, the reversal '
            "potential follows the concentrations in the whole section"
        )
    return told


def _promoted(style: int, users: Collection[IonFlags]) -> int:
    if not users:
        return style
    reads = (3 if flags.written else int(flags.reads_concentration) for flags in users)
    concentration = max(style & 3, *reads)
    told = (3 if flags.sets_reversal else int(flags.reads_reversal) for flags in users)
    reversal = max(style >> 3 & 3, *told)
    if concentration > 0:
        reversal = max(reversal, 2)
    promoted = (style & ~_STYLE) + concentration + 8 * reversal
    if concentration == 3:
        promoted += _CINIT + (_EADVANCE if reversal == 2 else 0)
    return promoted + (_EINIT if concentration > 0 and reversal == 2 else 0)
