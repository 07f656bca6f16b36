"""Whether the steps of a run were those that are differentiated on the way back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .._emitted.recorder_site import RecorderSite
from .._model.cells import Cell, Floats
from ..errors import Refused
from .recorder import Recorders

_UNSOLVED = (
    "the equations of a KINETIC or LINEAR block were not solved to the end: too many iterations (a smaller dt needs "
    "fewer), nearly singular equations, or a loop of more rounds than are followed; or, where events set v, a neuron "
    "ran so far beyond its threshold that its conductance is above 1e6 uS, where reverse mode loses its digits (a "
    "smaller dt, or forward mode)"
)
_VOLTAGE = (
    "the voltage is not what the membrane equation makes of the voltages before: v, cm, Ra, diam, or a parameter of a "
    "density mechanism was changed during the run. Forward mode (gradmod.attach) follows parameters of mechanisms "
    "that change, neither mode the others: set them before finitialize"
)
_OUTSIDE = (
    "the potentials are not what the equations of the membrane and of extracellular make of those before: v, vext, xg, "
    "xc, xraxial, cm, Ra, diam, or a parameter of a density mechanism was changed during the run; or a mechanism sets "
    "e_extracellular while NEURON computes currents: set them before finitialize, and play e_extracellular"
)
_STATE = (
    "is not what its equation makes of the value before: it was set from outside (by hand, by SaveState.restore, by an "
    "event), or a parameter that it depends on was changed during the run (forward mode, gradmod.attach, follows "
    "that), or a TABLE is in use that NEURON did not fill again after a parameter changed (set its usetable to 0, or "
    "add the parameter to DEPEND)"
)
_CURRENT = "it was changed by something that is no event of a NetCon to it"
_TIME = "it took another time than dt"


@dataclass(frozen=True)
class Break:
    """The first step of a run that is not NEURON's: of which node the voltage is not, or that took another time."""

    step: int
    node: int | None


def check_steps(cells: Sequence[Cell], recorders: Recorders, outs: Floats, broken: Break | None, dt: float) -> None:
    """Refuse a run with a step that is not NEURON's.

    Args:
        cells: Of the model.
        recorders: On them.
        outs: What the adjoint mechanisms handed back.
        broken: The first step whose voltages do not solve the membrane equation.
        dt: In ms.

    Raises:
        Refused: There is such a step; names the place, the variable and the time.
    """
    first: tuple[int, str, str] | None = None
    if broken is not None:
        unsolved = _OUTSIDE if recorders.sheaths else _VOLTAGE
        at = ("all places", _TIME) if broken.node is None else (_place(cells, broken.node), unsolved)
        first = broken.step, at[0], at[1]
    for spot in recorders.spots:
        failed, check, step = outs[spot.out + len(spot.region.parameters) + 1 :][:3]
        if failed != 0.0:
            unfollowed = spot.region.unfollowed
            left_out = "; or code was run that is not differentiated: " + "; ".join(unfollowed) if unfollowed else ""
            raise Refused(f"no exact gradient of this run, at {_where(spot)}: {_UNSOLVED}{left_out}")
        states = spot.region.checks
        is_current = check > len(states)
        # What shows in a current shows in the voltage too.
        if check != 0.0 and (first is None or step < first[0] + is_current):
            what = _CURRENT if is_current else f"{states[int(check) - 1]} {_STATE}"
            first = int(step), _where(spot), what
    if first is not None:
        step, place, what = first
        raise Refused(
            f"no exact gradient of this run, at {place}, in the step from {step * dt:g} to {(step + 1) * dt:g} ms "
            f"after finitialize: {what}"
        )


def _where(spot: RecorderSite) -> str:
    return f"{spot.segment} ({spot.process or ', '.join(spot.region.mechanisms)})"


def _place(cells: Sequence[Cell], node: int) -> str:
    for cell in cells:
        if node < len(cell.places):
            sec, x = cell.places[node]
            return f"{sec.name()}({x:g})"
        node -= len(cell.places)
    return "?"
