"""BREAKPOINT: currents of several kinds in one mechanism, with and without CONDUCTANCE."""

from __future__ import annotations

from . import ions
from .draft import Draft, assign, plain
from .expressions import THRESHOLDS
from .statements import Statements, body, locals_first
from .tree import Expression as E
from .tree import Statement


def add(draft: Draft) -> tuple[Statements, Statements]:
    """Declare currents; returns CONDUCTANCE and LOCAL statements, which stand first, and the code of the currents."""
    c = draft.chance
    kinds = c.weighted({("n",): 36.0, ("k",): 16.0, ("n", "n"): 8.0, ("n", "k"): 9.0, ("e",): 7.0, ("n", "e"): 7.0,
                        ("k", "e"): 4.0, ("k", "na"): 5.0, ("ca",): 14.0, ("na", "n", "e"): 3.0, ("mu", "n"): 7.0,
                        ("na",): 6.0, ("ca", "k", "n"): 3.0})  # fmt: skip
    taken = {ion.name for ion in draft.ions if f"i{ion.name}" in (*ion.read, *ion.write)}
    kinds = tuple(kind for kind in kinds if kind not in taken) or ("n",)
    first: Statements = []
    code: Statements = []
    numbers = {"n": 0, "e": 0}
    made: list[tuple[str, str]] = []
    for kind in kinds:
        if kind in numbers:
            name = ("i" if kind == "n" else "ie") + str(numbers[kind])
            numbers[kind] += 1
            (draft.nonspecific if kind == "n" else draft.electrode).append(name)
        else:
            name = f"i{kind}"
            _ion(draft, kind)
        made.append((kind, name))
    shared: list[str] = []
    # What keeps NEURON from heeding CONDUCTANCE.
    unsafe = {"VERBATIM", "POINTER", "GLOBAL set by INITIAL"}
    has_hint = c.of(70 if unsafe & set(draft.tags) else 36)
    for kind, name in made:
        statements, slope = _current(draft, kind, name)
        if has_hint and slope is not None:
            hint = slope
            # NEURON takes the hint for the slope, whatever it is.
            ion = f" USEION {kind}" if kind not in numbers else ""
            first.append(plain(f"CONDUCTANCE {hint}{ion}"))
            draft.tags.append("CONDUCTANCE")
            if c.of(30):
                shared.append(hint)
        code += statements
    local = list(dict.fromkeys(shared))
    if first and c.of(12):
        # The current itself is LOCAL: the mechanism has none.
        local.append(c.one(made)[1])
        draft.tags.append("LOCAL current")
    if local:
        first = [plain(f"LOCAL {', '.join(local)}"), *first]
    return first, code


def _ion(draft: Draft, ion: str) -> None:
    c = draft.chance
    read = [f"e{ion}"] if c.of(85) else []
    if ion == "ca" and c.of(50):
        read += ["cai", "cao"][: c.count(1, 2)]
    elif ion in ("na", "k") and c.of(10):
        read += [f"{ion}i"]
    ions.use(draft, ion, tuple(read), (f"i{ion}",))


def _current(draft: Draft, kind: str, name: str) -> tuple[Statements, str | None]:
    """Set one current; also returns the name of its conductance."""
    c = draft.chance
    scale = 1e-3 if draft.is_point else 1e-4
    unit = "uS" if draft.is_point else "S/cm2"
    gmax = draft.parameter("gbar", 0.3 * scale, 6 * scale, unit)
    ion = next((i for i in draft.ions if i.name == kind), None)
    has_reversal = ion is not None and f"e{kind}" in ion.read
    reversal = f"e{kind}" if has_reversal else draft.parameter("erev", -90, 20, "mV")
    sign = "-" if kind == "e" else ""
    scope = draft.scope()
    if draft.heard and c.of(70):
        gmax = f"{gmax}*(1 + 0.4*{c.one(draft.heard)})"

    def gate(depth: int = 1) -> E:
        if draft.gates and c.of(60):
            return E(c.one(draft.gates))
        return E("fabs({0})", (scope.small_one(depth),)) if c.of(15) else scope.sigmoid(depth)

    how = c.weighted({"ohm": 40.0, "named": 22.0, "any": 10.0, "root": 5.0, "if": 8.0, "step": 4.0, "constant": 4.0,
                      "carrier": 6.0, "block": 6.0})  # fmt: skip
    slope: str | None = None
    if how == "named" or (how == "root" and c.of(30)):
        slope = draft.variable("g", scope=c.one(("RANGE", "")))
        value = E(f"{gmax}*{{0}}*{{1}}", (gate(), gate())) if c.of(50) else E(f"{gmax}*(1 + 0.008*v)*{{0}}", (gate(),))
        code = [assign(slope, value), assign(name, E(f"{sign}{slope}*(v - {reversal})"))]
    elif how == "any":
        code = [assign(name, E(f"{sign}{gmax}*(20*{{0}} + v + 60)", (scope.small_one(3),)))]
    elif how == "root":
        code = [assign(name, E(f"{sign}{gmax}*{{0}}*(v - {reversal})", (scope.root(),)))]
    elif how == "if":
        at = c.one(THRESHOLDS)
        then = assign(name, E(c.one(("0", f"{sign}{gmax}*(v - ({at}))*0.2"))))
        otherwise = assign(name, E(f"{sign}{gmax}*(v - ({at}))*{{0}}", (gate(0),)))
        condition = E(f"v < {at}") if c.of(70) else scope.condition(1)
        code = [Statement("IF ({0})", (condition,), ((then,), (otherwise,)), ("ELSE",))]
    elif how == "step":
        code = [assign(name, E(f"{sign}{gmax}*{c.one(('floor(v/10)', 'ceil(v/5)', 'fabs(v + 62)', '5*(v > -55)'))}*2"))]
    elif how == "constant":
        code = [assign(name, E(f"{gmax}*{{0}}*10", (draft.scope().without_voltage().small_one(2),)))]
    elif how == "carrier" and ion is not None and any(name[-1] in "io" for name in ion.read):
        carried = c.one([name for name in ion.read if name[-1] in "io"])
        value = E(f"{gmax}*{{0}}*(v - {reversal} + 3*log(1 + {carried}/({carried} + 1)))", (gate(),))
        code = [assign(name, value)]
    elif how == "block":
        code = [assign(name, E(f"{sign}{gmax}*{{0}}*(v - {reversal})/(1 + 0.3*exp(-0.06*v))", (gate(),)))]
    else:
        code = [assign(name, E(f"{sign}{gmax}*{{0}}*(v - {reversal})", (gate(2),)))]
    return code, slope


def breakpoint_body(draft: Draft, solves: Statements) -> Statements:
    """All of BREAKPOINT."""
    c = draft.chance
    first, code = add(draft)
    between: Statements = []
    outputs = [draft.variable("out") for _ in range(c.count(0, 1))]
    if c.of(25):
        between = body(draft, draft.scope(), outputs, busy=1)
    early = draft.early if c.of(70) else []
    late = [] if early else draft.early
    made = locals_first([*first, *early, *solves, *late, *between, *code])
    if c.of(30) and solves and len(made) > 1:
        # CONDUCTANCE after SOLVE: where it stands says nothing to NEURON.
        hints = [s for s in made if s.text.startswith("CONDUCTANCE")]
        others = [s for s in made if s not in hints]
        place = 1 + others.index(solves[0])
        made = [*others[:place], *hints, *others[place:]]
    return made
