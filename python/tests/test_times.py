"""Parameters that have the names of times: some are, others are not."""

from __future__ import annotations

from typing import Any

import gradmod
import pytest
from models import comparing, everything, twig
from neuron import h
from test_reverse import compare


class Stimulated(twig.Twig):
    """The twig with two currents that begin and end within steps, and a synapse of NEURON's own."""

    def __init__(self) -> None:
        super().__init__(())
        self.ripples = [h.Ripple(self.long(0.75)), h.Ripple(self.short(0.5))]
        self.ripples[1].onset, self.ripples[1].interval, self.ripples[1].noise = 0.618, 1.9, 0.11
        self.alpha = h.AlphaSynapse(self.soma(0.5))
        self.alpha.onset, self.alpha.tau, self.alpha.gmax = 1.013, 0.7, 0.004

    def directions(self) -> everything.Everything:
        found = {}
        for name, process, names in (
            ("first", self.ripples[0], ("onset", "noise", "interval")),
            ("second", self.ripples[1], ("onset", "noise", "interval")),
            ("alpha", self.alpha, ("onset", "tau")),
        ):
            for parameter in names:
                wanted, size = gradmod.Stimulus(process, parameter), getattr(process, parameter)
                found[f"{name}_{parameter}"] = (wanted, everything.shift([process], parameter), size)
        return found


def test_what_is_smooth_is_followed() -> None:
    cell = Stimulated()
    directions = cell.directions()

    def run() -> dict[str, Any]:
        return cell.run(0.025, 6.0)

    found = comparing.gradients(directions, cell.watched, run)
    assert comparing.wrong(found, directions, run) == {}
    wanted = {name: direction for name, (direction, _, _) in directions.items()}
    for reverse, forward, scale in compare(wanted, [(cell.soma(0.5), "v")], run, 6.0).values():
        assert abs(reverse - forward) <= 1e-9 * scale


@pytest.mark.parametrize("mode", [gradmod.attach, gradmod.Reverse])
def test_what_acts_in_whole_steps_is_refused(mode: Any) -> None:
    cell = Stimulated()
    with pytest.raises(gradmod.Refused, match=r"end: Stimulus\(Ripple, 'dur'\): .* whole steps of dt"):
        mode(end=gradmod.Stimulus(cell.ripples[0], "dur"), size=gradmod.Stimulus(cell.ripples[0], "noise"))
