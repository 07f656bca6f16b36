"""Ions: what code reads of them, and mechanisms that carry their concentrations."""

from __future__ import annotations

from dataclasses import dataclass

from .draft import Draft, assign, plain
from .expressions import solvable
from .statements import Statements
from .tree import Expression as E
from .tree import Ion, Statement


@dataclass(frozen=True)
class Kind:
    """An ion.

    Attributes:
        valence: What USEION must say of one that NEURON does not know.
        shown: Its variables, each as a number of moderate size.
        carried: The concentrations that a mechanism may carry, with how often; their values at rest; how much more
            of a current they take than calcium inside does.
    """

    valence: int | None
    shown: dict[str, str]
    carried: dict[str, tuple[float, tuple[float, float], float]]


KINDS = {
    "ca": Kind(
        None,
        {"cai": "tanh(2000*cai)", "cao": "(cao/2.5)", "eca": "tanh((eca - 100)/60)"},
        {"cai": (60.0, (4e-5, 2e-4), 1.0), "cao": (6.0, (1.6, 2.4), 20.0)},
    ),
    "k": Kind(
        None,
        {"ki": "(ki/70)", "ko": "(ko/4)", "ek": "tanh((ek + 70)/20)"},
        {"ki": (6.0, (50.0, 60.0), 40.0), "ko": (16.0, (3.0, 5.0), 10.0)},
    ),
    "na": Kind(
        None,
        {"nai": "(nai/12)", "nao": "(nao/150)", "ena": "tanh((ena - 50)/20)"},
        {"nai": (10.0, (9.0, 12.0), 40.0)},
    ),
    "mu": Kind(
        1,
        {"mui": "(mui/1.2)", "muo": "(muo/1.2)", "emu": "tanh(emu/30)"},
        {"mui": (10.0, (0.8, 1.2), 4.0)},
    ),
}


def use(draft: Draft, kind: str, read: tuple[str, ...] = (), write: tuple[str, ...] = ()) -> None:
    """Declare an ion, or more of one that is declared already."""
    known = next((ion for ion in draft.ions if ion.name == kind), Ion(kind, valence=KINDS[kind].valence))
    both = Ion(
        kind, tuple(dict.fromkeys((*known.read, *read))), tuple(dict.fromkeys((*known.write, *write))), known.valence
    )
    draft.ions = [ion for ion in draft.ions if ion.name != kind] + [both]


def see(draft: Draft, without: str = "") -> None:
    """Let code read concentrations and reversal potentials, as a channel that calcium opens does."""
    c = draft.chance
    weights = {"ca": 50.0, "k": 25.0, "na": 15.0, "mu": 10.0}
    kind = c.weighted({name: weight for name, weight in weights.items() if name != without})
    if any(ion.name == kind and ion.write for ion in draft.ions):
        return
    inside, outside, reversal = KINDS[kind].shown
    read = c.weighted({
        (inside,): 35.0, (reversal,): 20.0, (inside, reversal): 15.0, (inside, outside): 12.0, (outside,): 8.0,
        (inside, outside, reversal): 10.0,
    })  # fmt: skip
    use(draft, kind, read)
    draft.tags.append("reads ion")
    # Of all that code may read these are the rarest: twice.
    draft.small += 2 * [KINDS[kind].shown[name] for name in read]
    draft.heard += [KINDS[kind].shown[name] for name in read]


def pool(draft: Draft) -> tuple[Statements, Statements]:
    """A mechanism that carries a concentration: returns what BREAKPOINT solves and what INITIAL does."""
    c = draft.chance
    carried = {
        (kind, name): weight
        for kind, of in KINDS.items()
        if not any(ion.name == kind for ion in draft.ions)
        for name, (weight, _, _) in of.carried.items()
    }
    kind, name = c.weighted(carried)
    _, (low, high), takes = KINDS[kind].carried[name]
    if not draft.heard and c.of(35):
        # A pool that another one drives: which of them NEURON runs first counts.
        see(draft, without=kind)
    draft.tags += ["pool", f"pool of {name}"]
    hidden = c.of(40)
    current = f"i{kind}"
    use(draft, kind, (current, name) if c.of(30) else (current,), (name,))
    depth = draft.parameter("depth", 0.07, 0.5, "um")
    decay = draft.parameter("decay", 3, 30, "ms")
    rest = draft.parameter("rest", low, high, "mM")
    valence = 2 if kind == "ca" else 1
    # Outward currents empty the inside and fill the outside.
    sign = "-" if name.endswith("i") else ""
    influx = f"{sign}{current}*{5000 * takes / valence:g}/(96485*{depth})"
    if c.of(25):
        influx = f"fabs({current})*{5000 * takes / valence:g}/(96485*{depth})"
    method = c.one(("cnexp", "derivimplicit", "euler"))
    state = f"{kind}s" if hidden else name
    draft.states.append(state)
    slow = E(decay)
    if draft.heard and c.of(60):
        slow = E(f"({decay}*(1 + 0.5*tanh({c.one(draft.heard)})))")
    elif c.of(40):
        # Whatever code here reads: another ion's concentration, for one.
        slow = solvable(E(f"({decay}*{{0}})", (draft.scope(states=False, time=False).positive_one(2),)))
    change = E(f"{influx} + ({rest} - {state})/{{0}}", (slow,))
    code: Statements = [Statement(f"{state}' = {{0}}", (change,))]
    if hidden:
        draft.tags.append("pool by ASSIGNED")
    elif c.of(10) and method != "derivimplicit":
        limit = 0.01 if name == "cai" else 1.1 * high
        back = Statement(f"{state}' = ({rest} - {state})/{{0}}", (slow,))
        code = [Statement("IF ({0})", (E(f"{state} < {limit:g}"),), (tuple(code), (back,)), ("ELSE",))]
    set_it = [assign(name, E(state))] if hidden else []
    # nocmodl wants to see the concentration set in that block.
    draft.block("DERIVATIVE pooled", [*code, *set_it])
    again = set_it if c.of(50) else []
    start: Statements = [assign(state, E(rest))]
    how = c.weighted({"rest": 70.0, "left": 12.0, "kept": 18.0})
    if not hidden and how != "rest":
        # Where a concentration starts that INITIAL does not set: at `cai0_ca_ion`.
        draft.tags.append("concentration starts by the ion")
        start = [] if how == "left" else [assign(state, E(f"0.6*{state} + 0.4*{rest}"))]
    return [plain(f"SOLVE pooled METHOD {method}"), *again], [*start, *set_it]
