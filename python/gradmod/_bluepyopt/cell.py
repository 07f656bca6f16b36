"""The cell of an evaluator, in this process, with NEURON set to the step of its runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..errors import Error, Refused
from .library import ephys, kind


class Cell:
    """An instantiated cell model.

    Attributes:
        model: BluePyOpt's.
        sim: BluePyOpt's simulator.
        values: What its parameters were instantiated with, frozen ones too.
        dt: The step in ms; of the variable step, between two samples.
        is_variable: Whether it runs by the variable step.
    """

    def __init__(
        self, evaluator: Any, individual: Mapping[str, float], dt: float | None, *, is_variable: bool = False
    ) -> None:
        """Instantiate it.

        Args:
            evaluator: BluePyOpt's CellEvaluator.
            individual: The values of all free parameters.
            dt: In ms; None for the evaluator's own fixed step, and 0.025 if it has none.
            is_variable: By the variable step.

        Raises:
            Refused: It is no cell model of NEURON's.
            Error: It is instantiated already, or a value is missing.
        """
        self.model, self.sim = evaluator.cell_model, evaluator.sim
        _check(self.model, self.sim)
        self.dt = dt if dt is not None else 0.025 if self.sim.cvode_active else float(self.sim.dt)
        if not (np.isfinite(self.dt) and self.dt > 0.0):
            raise Error(f"dt is {self.dt} ms")
        self.is_variable = is_variable
        h = self.h
        self._before = float(h.dt), float(h.steps_per_ms), bool(h.cvode_active()), float(h.cvode.minstep())
        self.model.freeze(dict(individual))
        try:
            unset = [name for name, param in self.model.params.items() if not param.frozen]
            if unset:
                raise Error(f"parameters that are neither frozen nor in param_names: {', '.join(unset)}")
            self.model.instantiate(sim=self.sim)
            self.values = {name: param.value for name, param in self.model.params.items()}
        except BaseException:
            if self.model.icell is not None:
                self.model.destroy(sim=self.sim)
            raise
        finally:
            self.model.unfreeze(individual)
        self.set_step()

    @property
    def h(self) -> Any:
        """NEURON, with the simulator's mechanisms."""
        return self.sim.neuron.h

    def set_step(self) -> None:
        """Set NEURON to the step of the runs."""
        self.h.cvode_active(1 if self.is_variable else 0)
        if not self.is_variable:
            self.h.dt, self.h.steps_per_ms = self.dt, 1.0 / self.dt
        elif self.sim.cvode_minstep_value is not None:
            self.h.cvode.minstep(self.sim.cvode_minstep_value)

    def own_step(self, protocol: Any) -> str:
        """How the evaluator itself runs a sweep, for people; empty if that is how it is run here."""
        is_variable = self.sim.cvode_active if protocol.cvode_active is None else protocol.cvode_active
        if is_variable:
            return "" if self.is_variable else "a variable time step"
        return "" if not self.is_variable and float(self.sim.dt) == self.dt else f"steps of {self.sim.dt:g} ms"

    def run_as_evaluator(self, protocol: Any) -> None:
        """Run the cell for a protocol as the evaluator itself does it; its stimuli are there already."""
        self.h.dt = self.sim.dt
        try:
            self.sim.run(protocol.total_duration, cvode_active=protocol.cvode_active)
        finally:
            self.set_step()

    def close(self) -> None:
        """Destroy it, and set NEURON as it was; nothing happens if that was done."""
        if self.model.icell is None:
            return
        self.model.destroy(sim=self.sim)
        dt, steps, is_variable, shortest = self._before
        self.h.cvode_active(1 if is_variable else 0)
        self.h.cvode.minstep(shortest)
        self.h.steps_per_ms = steps
        if not is_variable:
            self.h.dt = dt


def _check(model: Any, sim: Any) -> None:
    models, simulators = ephys("models"), ephys("simulators")
    if not isinstance(model, models.CellModel) or isinstance(model, models.HocCellModel):
        raise Refused(
            f"the cell model is a {kind(model)}: only a CellModel has parameters that can be named; describe the cell "
            "by one, or give its directions to gradmod.fit yourself"
        )
    if not isinstance(sim, simulators.NrnSimulator) or isinstance(sim, simulators.LFPySimulator):
        raise Refused(f"the simulator is a {kind(sim)}: gradients need a NrnSimulator")
    if model.icell is not None:
        raise Error(f"the cell model {model.name} is instantiated already: call its destroy(sim=...) first")
    mechanisms: list[Any] = list(model.mechanisms or [])
    for mechanism in mechanisms:
        if not getattr(mechanism, "deterministic", True):
            raise Refused(
                f"the mechanism {mechanism.name} is stochastic: a run has no derivative if channels open at random; "
                "set its deterministic=True"
            )
