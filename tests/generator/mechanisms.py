"""One mechanism from a seed."""

from __future__ import annotations

from dataclasses import replace

from . import currents, events, ions, memories, states, streams
from .chance import Chance
from .draft import Draft, assign, plain
from .expressions import Function
from .statements import Statements, body, function, locals_first
from .tree import Expression as E
from .tree import Mechanism, Statement


def make(seed: object, name: str) -> Mechanism:
    """A mechanism that is legal NMODL nearly always, and stays within bounds when it runs."""
    c = Chance("mechanism", seed)
    draft = Draft(c, name, is_point=c.of(30))
    draft.is_blind = draft.is_point and c.of(25)
    for _ in range(c.count(1, 3)):
        draft.small.append(draft.parameter("p", -1.4, 1.4))
    for _ in range(c.count(1, 2)):
        draft.positive.append(draft.parameter("q", 0.3, 2.5, c.one(("ms", "mM", ""))))
    if c.of(15):
        draft.variable("arr", length=c.count(2, 4))
    if c.of(12) and not draft.is_point:
        draft.tags.append("size")
        draft.positive.append("(diam*0.2)" if c.of(60) else "(area*0.002)")
    _far(draft)
    if c.of(12 if draft.is_point else 30):
        ions.see(draft)
    for _ in range(c.count(0, 2)):
        function(draft)
    start: Statements = _array_start(draft)
    start += _oddities(draft)
    if not draft.is_point and c.of(14):
        solves, begin = ions.pool(draft)
        start += begin
        if c.of(50):
            draft.block("INITIAL", locals_first(start))
            draft.block("BREAKPOINT", solves)
            return draft.finished()
    else:
        solves, begin = states.add(draft)
        start += begin
    if draft.is_point and c.of(70):
        events.add(draft, start)
    _helpers(draft, start)
    _hooks(draft)
    code = currents.breakpoint_body(draft, solves)
    if start or c.of(60):
        draft.block("INITIAL", locals_first(start))
    draft.block("BREAKPOINT", code)
    return draft.finished()


def _far(draft: Draft) -> None:
    """What a script must supply: the voltage that a POINTER sees, a FUNCTION_TABLE."""
    c = draft.chance
    if c.of(8):
        draft.tags.append("POINTER")
        draft.pointers.append("far")
        draft.small.append("((far + 60)/50)")
        draft.heard.append("((far + 60)/50)")
    if c.of(5) and not draft.is_point:
        draft.tags.append("FUNCTION_TABLE")
        draft.block("FUNCTION_TABLE filled(x)", [])
        draft.functions.append(Function("filled", 1, is_positive=True))


def _array_start(draft: Draft) -> Statements:
    made: Statements = []
    for array in [v for v in draft.assigned if v.length]:
        value = draft.scope(states=False).with_small("(i*0.3)").small_one(1)
        made.append(Statement(f"FROM i = 0 TO {array.length - 1}", (), ((assign(f"{array.name}[i]", value),),)))
        if draft.chance.of(80):
            draft.small.append(f"{array.name}[{draft.chance.count(0, array.length - 1)}]")
            draft.heard.append(draft.small[-1])
    return made


def _oddities(draft: Draft) -> Statements:
    """INITIAL that sets GLOBALs, from what is one for all or from what is not; LOCALs, conditionals."""
    c = draft.chance
    made: Statements = []
    if c.of(12):
        draft.tags.append("GLOBAL set by INITIAL")
        name = (
            draft.parameter("vol", 0.5, 1.5, "", c.one(("GLOBAL", "")))
            if c.of(60)
            else draft.variable("vol", scope="GLOBAL")
        )
        scope = draft.scope(states=False)
        value = scope.without_voltage().positive_one(1) if c.of(60) else scope.positive_one(2)
        made.append(assign(name, value))
        draft.positive.append(name)
    if c.of(25):
        name = draft.variable("held", scope=c.one(("RANGE", "")))
        made += body(draft, draft.scope(states=False), [name], busy=1)
        draft.small.append(name)
        draft.heard.append(name)
    if c.of(11):
        draft.tags.append("VERBATIM")
        name = draft.variable("said", scope=c.one(("RANGE", "")))
        known = [p.name for p in draft.parameters if p.name.startswith("p")]
        one, other = c.one(known), c.one(known)
        code = c.one(
            (
                f"{name} = tanh({one}) + 1./3*{other}; /* C */",
                f"if ({one} < {other} || v > -60.5) {{ {name} = 0.4*{one}; }} else {{ {name} = 0.3*{other}; }}",
                f"{name} = sin({one}) - exp(-fabs({other}))/2;",
                f"{name} = 0.7*erf({one}) + 0.2*{other};",
            )
        )
        made.append(plain(f"VERBATIM\n    {code}\n    ENDVERBATIM"))
        draft.small.append(name)
        draft.heard.append(name)
    # NEURON 9.0 gives RANDOM and area the same place.
    if c.of(8) and not any("diam" in name or "area" in name for name in draft.positive):
        made += streams.throw(draft)
    shared = [p for p in draft.parameters if p.scope != "RANGE" and p.name.startswith("p")]
    if shared and c.of(8):
        # A number that is a case of its own, and is just what the parameter is.
        draft.tags.append("isolated value")
        case, name = c.one(shared), draft.variable("case", scope=c.one(("RANGE", "")))
        # Both arms have the same value there, as where a quotient 0/0 is avoided: only the slope is another.
        special, usual = (
            E(f"{0.3 * case.value:.12g}"),
            E(f"({0.3 * case.value:.12g} + 0.9*({case.name} - {case.value:.12g}))"),
        )
        arms = ((assign(name, special),), (assign(name, usual),))
        sign = c.one(("==", "!="))
        arms = arms if sign == "==" else arms[::-1]
        choice = Statement("IF ({0})", (E(f"{case.name} {sign} {case.value:.12g}"),), arms, ("ELSE",))
        # In each step, or at the start only.
        (draft.early if c.of(50) else made).append(choice)
        draft.small.append(name)
        draft.heard.append(name)
    if c.of(14):
        made += memories.remember(draft)
    if c.of(5):
        made += _corrected(draft)
    return made


def _corrected(draft: Draft) -> Statements:
    """A PARAMETER that INITIAL reads and then corrects, as old models do with what is out of bounds."""
    c = draft.chance
    draft.tags.append("INITIAL corrects a PARAMETER")
    name, was = draft.parameter("fix", 0.3, 1.2, "", "RANGE"), draft.variable("was", scope=c.one(("RANGE", "")))
    low = c.number(0.4, 1.1)
    limit = Statement("IF ({0})", (E(f"{name} < {low:g}"),), ((plain(f"{name} = {low:g}"),),))
    known = c.one([p.name for p in draft.parameters if p.name.startswith("p")])
    read = assign(was, E(f"0.6*{name}*{known}"))
    draft.small.append(was)
    draft.heard.append(was)
    return [read, limit] if c.of(70) else [limit, read]


def _helpers(draft: Draft, start: Statements) -> None:
    """A PROCEDURE that sets variables, called from INITIAL and from BREAKPOINT."""
    c = draft.chance
    if not c.of(20):
        return
    names = [draft.variable("h", scope=c.one(("RANGE", "RANGE", ""))) for _ in range(c.count(1, 2))]
    argument = c.one(("", "x", "v"))
    inside = draft.scope(states=c.of(50))
    inside = inside.hiding(argument) if argument not in ("", "v") else inside
    draft.block(f"PROCEDURE helper({argument})", locals_first(body(draft, inside, names, busy=2), (argument,)))
    call = f"helper({'' if not argument else 'v' if argument == 'v' else '0.4'})"
    start.append(plain(call))
    draft.calls.append(call)
    draft.small += names


def _hooks(draft: Draft) -> None:
    c = draft.chance
    if draft.is_point or not c.of(8):
        return
    draft.tags.append("hook")
    name = draft.variable("hook", scope=c.one(("RANGE", "")))
    kind = c.one(("BEFORE BREAKPOINT", "AFTER SOLVE", "BEFORE STEP", "AFTER INITIAL", "BEFORE INITIAL"))
    # Where a mechanism is not threadsafe, a FUNCTION called from such a block ends NEURON 9.
    scope = draft.scope() if c.of(25) else replace(draft.scope(), functions=())
    draft.block(kind, [assign(name, scope.small_one(2))])
    draft.small.append(name)
    draft.heard.append(name)
