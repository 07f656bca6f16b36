"""Stimuli of all sweeps, in the model at once: gradients need one model, so that sweeps switch them on and off."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .. import _neuron as nrn
from ..errors import Refused
from .cell import Cell
from .library import ephys, kind

#: What makes a point process one that is off, if it is 0.
_SWITCHES: Mapping[str, tuple[str, ...]] = {"IClamp": ("dur",), "SEClamp": ("dur1", "dur2", "dur3")}


class Stimuli:
    """Those of all protocols, each once.

    Attributes:
        clamps: The point process that a stimulus has made, by the id of the stimulus, where it has made one.
    """

    def __init__(self, stimuli: Sequence[Any], cell: Cell) -> None:
        """Instantiate them, off.

        Args:
            stimuli: BluePyOpt's; one that several protocols share may be there several times.
            cell: The instantiated cell.

        Raises:
            Refused: One is random, or cannot be switched off.
        """
        self._cell = cell
        self._stimuli: dict[int, Any] = {}
        self._on: dict[int, list[tuple[Any, str, float]]] = {}
        self.clamps: dict[int, nrn.PointProcess] = {}
        try:
            for stimulus in stimuli:
                if id(stimulus) not in self._stimuli:
                    self._add(stimulus)
        except BaseException:
            self.close()
            raise

    def _add(self, stimulus: Any) -> None:
        key = id(stimulus)
        if isinstance(stimulus, ephys("stimuli").NrnNetStimStimulus) and stimulus.noise:
            raise Refused(f"{_called(stimulus)} is random: a run has no derivative by chance; set its noise to 0")
        before = {nrn.name_of(process) for _, process in nrn.point_processes()} | _trains()
        self._stimuli[key] = stimulus
        stimulus.instantiate(sim=self._cell.sim, icell=self._cell.model.icell)
        made = [(name, one) for name, one in nrn.point_processes() if nrn.name_of(one) not in before]
        made += [("NetStim", one) for one in nrn.h.List("NetStim") if nrn.name_of(one) not in before]
        if not made:
            raise Refused(f"{_called(stimulus)} makes no point process, so that it cannot be switched off for others")
        switches: list[tuple[Any, str, float]] = []
        for name, process in made:
            off = ("number",) if name == "NetStim" else _SWITCHES.get(name)
            if off is None:
                raise Refused(f"{_called(stimulus)} makes a {name}, which cannot be switched off for other sweeps")
            switches += [(process, attribute, float(getattr(process, attribute))) for attribute in off]
        self._on[key] = switches
        if len(made) == 1:
            self.clamps[key] = made[0][1]
        self.turn_on([])

    def turn_on(self, stimuli: Sequence[Any]) -> None:
        """These are on, all others off."""
        chosen = {id(stimulus) for stimulus in stimuli}
        for key, switches in self._on.items():
            for process, attribute, value in switches:
                setattr(process, attribute, value if key in chosen else 0.0)

    def close(self) -> None:
        """Take them away."""
        self._on.clear()
        self.clamps.clear()
        for stimulus in self._stimuli.values():
            stimulus.destroy(sim=self._cell.sim)
        self._stimuli.clear()


def _called(stimulus: Any) -> str:
    return f"the stimulus {kind(stimulus)}"


def _trains() -> set[str]:
    return {nrn.name_of(one) for one in nrn.h.List("NetStim")}
