"""What must stand beside a mechanism so that the ions it reads move: mechanisms of our own, one or two per ion."""

from __future__ import annotations

import tempfile
from pathlib import Path

from ..._build.library import library, open_library
from .source import Declarations, IonUse

#: A current of the ion: something to read, and for a pool something to integrate.
_SOURCE = """\
: A current of {ion} that opens on depolarisation. For checking other mechanisms.
NEURON {{ THREADSAFE SUFFIX drive_source_{ion} USEION {ion} READ e{ion} WRITE i{ion} {valence} RANGE gbar }}
UNITS {{ (mA) = (milliamp) (mV) = (millivolt) (S) = (siemens) }}
PARAMETER {{ gbar = 2e-4 (S/cm2) }}
ASSIGNED {{ v (mV) e{ion} (mV) i{ion} (mA/cm2) }}
BREAKPOINT {{ i{ion} = gbar/(1 + exp(-(v + 30)/8))*(v - e{ion}) }}
"""
#: A concentration that follows voltage and current and can't become negative.
_POOL = """\
: A concentration of {ion} that moves with voltage and current. For checking other mechanisms.
NEURON {{ THREADSAFE SUFFIX drive_pool_{ion} USEION {ion} READ i{ion} WRITE {ion}i {valence} RANGE rest, span, tau }}
UNITS {{ (mA) = (milliamp) (mV) = (millivolt) (mM) = (milli/liter) }}
PARAMETER {{ rest = {rest} (mM) span = {span} tau = 4 (ms) }}
ASSIGNED {{ v (mV) i{ion} (mA/cm2) }}
STATE {{ {ion}i (mM) }}
INITIAL {{ {ion}i = rest }}
BREAKPOINT {{ SOLVE states METHOD cnexp }}
DERIVATIVE states {{ LOCAL goal
    goal = rest*(1 + span/(1 + exp(-(v + 30)/10)) - 0.4*i{ion}/sqrt(i{ion}*i{ion} + 1e-6))
    {ion}i' = (goal - {ion}i)/tau
}}
"""


def provide(declared: Declarations) -> list[str]:
    """Compile and load what the mechanism's ions need.

    Returns:
        Names of the density mechanisms to insert.

    Raises:
        Error: nrnivmodl failed.
    """
    texts: dict[str, str] = {}
    for ion in declared.ions:
        current, inside = f"i{ion.name}", f"{ion.name}i"
        # A point process where the concentration moves is refused by name, so it stays for one.
        moves = declared.kind == "SUFFIX"
        if moves and inside in ion.reads and not ion.writes & {inside, f"{ion.name}o"}:
            texts[f"drive_pool_{ion.name}"] = _pool(ion)
        if current in ion.reads and current not in ion.writes:
            texts[f"drive_source_{ion.name}"] = _SOURCE.format(ion=ion.name, valence=_valence(ion))
    for name, text in texts.items():
        _load(name, text)
    return list(texts)


def _pool(ion: IonUse) -> str:
    rest, span = {"ca": (1e-4, 12.0), "na": (10.0, 0.3), "k": (54.0, -0.1), "cl": (7.0, 0.4)}.get(ion.name, (1.0, 1.0))
    return _POOL.format(ion=ion.name, valence=_valence(ion), rest=f"{rest:g}", span=f"{span:g}")


def _valence(ion: IonUse) -> str:
    return "" if ion.valence is None else f"VALENCE {ion.valence:g}"


def _load(name: str, text: str) -> None:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / f"{name}.mod"
        path.write_text(text, encoding="utf-8")
        open_library(library([path], quiet=True))
