"""States that BREAKPOINT sets in place, at times of its own: NEURON runs it twice, state_discontinuity acts once."""

from __future__ import annotations

import gradmod
import numpy as np
from models import comparing, everything, twig
from neuron import h
from test_reverse import compare

DT, T_STOP = 0.05, 5.0


class Trained(twig.Twig):
    """The twig with a TrainSyn on a branch."""

    def __init__(self) -> None:
        super().__init__(())
        self.synapse = h.TrainSyn(self.long(0.8))
        for name in ("fast", "late"):
            self.vectors[f"{self.synapse}.{name}"] = h.Vector().record(getattr(self.synapse, f"_ref_{name}"))

    def directions(self) -> everything.Everything:
        found = super().directions()
        for name in ("tau", "slow", "weight", "e"):
            size = abs(getattr(self.synapse, name)) or 1.0
            found[name] = gradmod.Stimulus(self.synapse, name), everything.shift([self.synapse], name), size
        return found


def test_a_train_that_breakpoint_makes() -> None:
    cell = Trained()
    directions = cell.directions()

    def run() -> dict[str, np.ndarray]:
        return cell.run(DT, T_STOP)

    looks = [*cell.watched, (cell.synapse, "fast"), (cell.synapse, "late")]
    found = comparing.gradients(directions, looks, run)
    assert comparing.wrong(found, directions, run) == {}
    asked = {name: wanted for name, (wanted, _, _) in directions.items()}
    both = compare(asked, cell.watched, run, T_STOP)
    assert {name for name, (back, ahead, scale) in both.items() if not abs(back - ahead) <= 1e-9 * scale} == set()
    assert all(both[name][1] != 0.0 for name in ("tau", "slow", "weight", "e", "cm"))
