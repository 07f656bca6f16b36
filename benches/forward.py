"""Time of a forward run with K gradients over that of the plain run, on the branched cell of the tests.

Each figure is the median over some rounds of (run with gradients) / (plain run just before it), both by
`ParallelContext.psolve`, set-up not counted, in processor time: other processes disturb it less. Prints one line per K,
as JSON with `--json`.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "python" / "tests"))

import gradmod
import neuron
from models import branched
from neuron import h

#: What a run with K gradients may cost, in plain runs.
AIM = 2.1, 0.06


def parameters(cell: branched.Cell) -> dict[str, gradmod.Parameter]:
    """24 directions, as in a fit: conductances, reversal potentials and cable parameters; the first 12 are typical."""
    with_calcium = [section for section in cell.all if section.has_membrane("capool")]
    found: dict[str, gradmod.Parameter] = {
        "naf": gradmod.Range("gbar_naf", cell.all),
        "kdr": gradmod.Range("gbar_kdr", cell.all),
        "ih": gradmod.Range("gbar_ih", cell.all),
        "cah": gradmod.Range("gbar_cah", with_calcium),
        "sk": gradmod.Range("gbar_sk", with_calcium),
        "pas": gradmod.Range("g_pas", cell.all),
        "leak": gradmod.Range("e_pas", cell.all),
        "pool": gradmod.Range("depth_capool", with_calcium),
        "ena": gradmod.Range("ena", cell.all),
        "ek": gradmod.Range("ek", cell.all),
        "cm": gradmod.Range("cm", cell.all),
        "amp": gradmod.Stimulus(cell.stimuli[0], "amp"),
    }
    for name in ("naf", "kdr", "ih"):
        found[f"{name}_soma"] = gradmod.Range(f"gbar_{name}", cell.soma)
        found[f"{name}_trunk"] = gradmod.Range(f"gbar_{name}", cell.sections["trunk"])
        found[f"{name}_tuft"] = gradmod.Range(f"gbar_{name}", [cell.sections["tuft_left"], cell.sections["tuft_right"]])
    found["Ra"] = gradmod.Range("Ra", cell.all)
    found["celsius"] = gradmod.Global("celsius")
    found["v_init"] = gradmod.InitialVoltage()
    return found


def timed(solve: Callable[[], object]) -> float:
    begin = time.thread_time()
    solve()
    return time.thread_time() - begin


def run(t_stop: float) -> float:
    """Processor seconds that one run takes, without `finitialize`."""
    h.dt, h.celsius = branched.DT, branched.CELSIUS
    h.finitialize(branched.V_INIT)
    context = h.ParallelContext()
    context.set_maxstep(10)
    return timed(lambda: context.psolve(t_stop))


def ratios(cell: branched.Cell, count: int, rounds: int, t_stop: float) -> tuple[float, float]:
    """The median ratio with `count` gradients, and the plain run's median in seconds."""
    wanted = dict(list(parameters(cell).items())[:count])
    found: list[float] = []
    plains: list[float] = []
    for _ in range(rounds):
        plain = min(run(t_stop) for _ in range(3))
        gradients = gradmod.attach(quiet=True, **wanted)
        found.append(min(run(t_stop) for _ in range(3)) / plain)
        plains.append(plain)
        gradients.detach()
    return statistics.median(found), statistics.median(plains)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--directions", type=int, nargs="+", default=[1, 4, 12, 24])
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--t-stop", type=float, default=200.0)
    arguments.add_argument("--json", action="store_true")
    given = arguments.parse_args()
    cell = branched.reference()
    cell.stimuli[0].dur = given.t_stop
    for count in given.directions:
        ratio, plain = ratios(cell, count, given.rounds, given.t_stop)
        row = {
            "neuron": neuron.__version__,
            "K": count,
            "ratio": round(ratio, 2),
            "aim": round(AIM[0] + AIM[1] * count, 2),
            "plain_ms": round(plain * 1e3, 1),
        }
        print(json.dumps(row) if given.json else "  ".join(f"{k} {v}" for k, v in row.items()), flush=True)


if __name__ == "__main__":
    main()
