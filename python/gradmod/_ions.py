"""What an ion's style and charge in a section mean to an emitted mechanism."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from . import _neuron as nrn
from ._manifest import IonFlags
from .errors import Error


def ion_settings(ions: Iterable[IonFlags], sec: nrn.Section, processes: Iterable[IonFlags] = ()) -> dict[str, float]:
    """The values of the RANGE settings that follow from ``ion_style`` and the ion's charge.

    Args:
        ions: What a mechanism does with its ions.
        sec: Where.
        processes: For a point process: what all those at its place do with their ions.

    Raises:
        Error: A style that is not differentiated, or that NEURON does not tell.
    """
    at_place = list(processes)
    settings: dict[str, float] = {}
    for flags in ions:
        style = nrn.ion_style(sec, flags.ion)
        of_processes = [other for other in at_place if other.ion == flags.ion]
        if of_processes:
            style = _style_there(style, of_processes, sec)
        if flags.written and style & 0o40 and not style & 0o100:
            raise Error(
                f"{sec}: ion_style of {flags.ion} computes the reversal potential at the start only, "
                "while its concentration changes: not differentiated"
            )
        # Constant concentrations: what einit makes of them at the start stays true.
        follows = style & 0o100 or (style & 0o40 and not flags.written)
        settings[flags.nernst] = float(bool(follows))
        settings[flags.nernst_init] = float(bool(style & 0o40))
        settings[flags.conc_init] = float(bool(style & 0o4))
        settings[flags.valence] = nrn.ion_charge(flags.ion)
        for concentration, setting in flags.starts:
            if not style & 0o4:
                raise Error(
                    f"{sec}: ion_style of {flags.ion} leaves {concentration} as the last run left it, and INITIAL "
                    "uses it: not differentiated"
                )
            settings[setting] = nrn.initial_concentration(concentration, flags.ion)
    return settings


def _style_there(style: int, processes: Sequence[IonFlags], sec: nrn.Section) -> int:
    """The style at a point process. ``ion_style`` tells that at the beginning of the section only.

    A point process changes the style in its own segment, as NEURON's nrn_promote() does.
    """
    own = _promoted(max(style, 0), processes)
    # 0: nothing else uses the ion; -1: it is not there.
    if style > 0 and own != style:
        ion = processes[0].ion
        raise Error(
            f"{sec}: the ion_style of {ion} at a point process may be another than in the rest of the section; "
            f'set it after all point processes are made: h.ion_style("{ion}_ion", ...)'
        )
    return own


def _promoted(style: int, processes: Sequence[IonFlags]) -> int:
    concentration = max(style & 3, *(int(flags.reads_concentration) for flags in processes))
    reversal = max(style >> 3 & 3, *(int(flags.reads_reversal) for flags in processes))
    if concentration > 0:
        reversal = max(reversal, 2)
    promoted = (style & ~0o177) + concentration + 8 * reversal
    if concentration == 3:
        promoted += 0o4 + (0o100 if reversal == 2 else 0)
    return promoted + (0o40 if concentration > 0 and reversal == 2 else 0)
