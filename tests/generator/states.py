"""STATEs and the block that BREAKPOINT solves, by every METHOD."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

from .draft import Draft, assign, plain
from .expressions import Scope, solvable
from .statements import Statements, body, locals_first
from .tree import Expression as E
from .tree import Parameter, Statement

METHODS = {
    "cnexp": 30.0, "derivimplicit": 12.0, "euler": 9.0, "runge": 7.0, "sparse": 14.0, "linear": 5.0, "nonlinear": 5.0,
    "procedure": 8.0, "none": 10.0,
}  # fmt: skip


def add(draft: Draft) -> tuple[Statements, Statements]:
    """Add states; returns what BREAKPOINT solves, and what INITIAL does."""
    method = draft.chance.weighted(METHODS)
    draft.tags.append(method)
    if method == "none":
        return [], []
    makers = {"sparse": _kinetic, "linear": _linear, "nonlinear": _nonlinear, "procedure": _procedure}
    return makers[method](draft) if method in makers else _derivative(draft, method)


# --- DERIVATIVE ---------------------------------------------------------------------------------------------------


def _derivative(draft: Draft, method: str) -> tuple[Statements, Statements]:
    c = draft.chance
    states = [f"s{i}" for i in range(c.count(1, 3))]
    draft.states += states
    draft.gates += states
    goals, taus = _rates(draft, states) if c.of(55) else ({}, {})
    call = [plain(draft.calls[-1])] if goals else []
    scope = draft.scope(states=c.of(40) and method != "cnexp")
    code: Statements = []
    if draft.calls or c.of(20):
        code += body(draft, scope, [], busy=1)
    code += call if c.of(80) or not call else []
    for state in states:
        code += _equation(draft, method, state, goals.get(state), taus.get(state))
    left = draft.variable("left") if c.of(15) else ""
    if left:
        # By some methods the block runs once more when the states have been advanced.
        draft.tags.append("left by DERIVATIVE")
        code.append(assign(left, E(f"0.5*{{0}} + 0.8*{c.one(states)}", (scope.small_one(1),))))
    draft.block("DERIVATIVE advance", locals_first(code))
    draft.small += [left] if left else []
    draft.heard += [left] if left else []
    solve = plain(f"SOLVE advance METHOD {method}")
    solves: Statements = [solve]
    if c.of(4):
        # nocmodl takes it out of the IF.
        solves = [Statement("IF ({0})", (draft.scope(states=False).condition(0),), ((solve,),))]
    return solves, [*call, *_start(draft, states, goals)]


def _rates(draft: Draft, states: list[str]) -> tuple[dict[str, str], dict[str, str]]:
    """A PROCEDURE that sets goals and time constants, perhaps by a TABLE."""
    c = draft.chance
    goals = {state: draft.variable("goal", scope=c.one(("RANGE", "", "GLOBAL"))) for state in states}
    taus = {state: draft.variable("tau", scope=c.one(("RANGE", "", ""))) for state in states if c.of(80)}
    inside = draft.scope(states=False, time=False)
    argument = c.one(("u", "vm", "v"))
    code: Statements = []
    is_table = c.of(25)
    if is_table:
        draft.tags.append("table")
        names = tuple(draft.global_parameters())
        small = tuple(n for n in inside.small if n in names)
        positive = tuple(n for n in inside.positive if n in names)
        inside = Scope(c, small, positive, voltage=argument, jumps=0.0)
        depend = [n for n in (*small, *positive) if c.of(85)]
        depend += ["celsius"] if c.of(50) else []
        listed = [*goals.values(), *taus.values()]
        code.append(
            plain(
                f"TABLE {', '.join(listed)}{' DEPEND ' + ', '.join(depend) if depend else ''} "
                f"FROM {c.one((-100, -120, -62, -58))} TO {c.one((60, 20, -45, -52))} WITH {c.one((40, 97, 160, 200))}"
            )
        )
    else:
        inside = Scope(
            c, inside.small, inside.positive, (), inside.functions, argument if c.of(85) else "", jumps=inside.jumps
        )
    for state in states:
        code.append(assign(goals[state], inside.sigmoid(2)))
        if state in taus:
            code.append(assign(taus[state], E("2*{0}", (inside.positive_one(2),))))
    if not is_table and c.of(30):
        code = body(draft, inside, [], busy=1) + code
    draft.block(f"PROCEDURE rates({argument})", _table_second(code))
    draft.calls.append("rates(v)" if c.of(85) else f"rates(v + {c.number(0.5, 5):g})")
    return goals, taus


def _equation(draft: Draft, method: str, state: str, goal: str | None, tau: str | None) -> Statements:
    c = draft.chance
    linear = method == "cnexp"
    scope = draft.scope(states=c.of(30))
    if state in scope.gates and linear:
        scope = replace(scope, gates=tuple(g for g in scope.gates if g != state))
    target = E(goal) if goal else scope.sigmoid(1)
    slow = E(tau) if tau else E("{0}", (scope.positive_one(2),))
    if draft.heard and c.of(50):
        target = E("({0})*(0.6 + 0.3*tanh({1}))", (target, E(c.one(draft.heard))))
    sides = [name for name in draft.side if c.of(60)]
    if sides and not tau:
        side = sides[0]
        slow = E(side)
        arguments = next(f.arguments for f in draft.functions if f.name == draft.side[side])
        value = scope.small_one(0)
        target = E(f"fabs({draft.side[side]}({', '.join(['{0}'] * arguments)}))/3", (value,))
    forms = {
        "relax": (6.0, E(f"({{0}} - {state})/({{1}})", (target, slow))),
        "rates": (2.0, E(f"{{0}}*(1 - {state})*0.3 - {{1}}*{state}*0.2", (target, slow))),
        "decay": (1.0, E(f"-{state}/{{0}}", (slow,))),
        "source": (1.5, E(f"0.1*{{0}} - {state}/({{1}})", (target, slow))),
    }
    if not linear:
        forms["cubic"] = (3.0, E(f"({{0}} - {state} - 0.3*{state}*{state}*{state})/({{1}})", (target, slow)))
        forms["coupled"] = (3.0, E(f"({{0}} - {state}*(1 + 0.2*{c.one(draft.gates)}))/({{1}})", (target, slow)))
    weights = {name: weight for name, (weight, _) in forms.items()}
    equation = lambda: Statement(f"{state}' = {{0}}", (solvable(forms[c.weighted(weights)][1]),))  # noqa: E731
    if c.of(14):
        # A state that only one arm advances keeps its value in the other.
        # nocmodl counts those of both arms where it makes a matrix of them.
        arms = ((equation(),), (equation(),)) if c.of(60) and method != "derivimplicit" else ((equation(),),)
        draft.tags.append("prime in IF")
        return [Statement("IF ({0})", (scope.condition(1),), arms, ("ELSE",) * (len(arms) - 1))]
    return [equation()]


def _start(draft: Draft, states: list[str], goals: dict[str, str]) -> Statements:
    c = draft.chance
    made: Statements = []
    for state in states:
        how = c.weighted({"goal": 40.0, "zero": 18.0, "number": 15.0, "value": 20.0, "left": 7.0, "if": 5.0})
        scope = draft.scope(states=False)
        if how == "goal" and state in goals:
            made.append(assign(state, E(goals[state])))
        elif how == "zero":
            made.append(assign(state, E("0")))
        elif how == "number":
            made.append(assign(state, E(f"{c.number(0.05, 0.9):g}")))
        elif how == "left":
            draft.tags.append("no INITIAL")
            if c.of(60):
                # Where a STATE starts that INITIAL does not set.
                draft.tags.append("default of a STATE")
                draft.parameters.append(Parameter(f"{state}0", c.number(0.1, 0.9), "", c.one(("RANGE", "GLOBAL"))))
        elif how == "if":
            arms = ((assign(state, E("0.1")),), (assign(state, scope.sigmoid(1)),))
            made.append(Statement("IF ({0})", (scope.condition(0),), arms, ("ELSE",)))
        elif draft.heard and c.of(50):
            made.append(assign(state, E(f"0.5 + 0.4*tanh({c.one(draft.heard)})")))
        else:
            made.append(assign(state, scope.sigmoid(1)))
    return made


# --- KINETIC, LINEAR, NONLINEAR, PROCEDURE ------------------------------------------------------------------------


def _kinetic(draft: Draft) -> tuple[Statements, Statements]:
    c = draft.chance
    count = c.count(2, 4)
    states = [f"s{i}" for i in range(count)]
    draft.states += states
    draft.gates += states
    rates = [draft.variable("rate") for _ in range(c.count(0, 2))]
    scope = draft.scope(states=False)
    if scope.gates == () and c.of(20):
        scope = draft.scope(states=True)
    code: Statements = []
    for name in rates:
        code.append(assign(name, E("0.5*{0}", (scope.positive_one(2),))))
    if c.of(25):
        code = [s for s in body(draft, scope, [], busy=1)] + code
    if c.of(15):
        code.append(
            plain(f"COMPARTMENT {c.number(0.5, 2):g} {{ {' '.join(states)} }}".replace("{", "{").replace("}", "}"))
        )
    heard = lambda: E(f"(0.6 + 0.5*tanh({c.one(draft.heard)}))")  # noqa: E731
    one = lambda: heard() if draft.heard and c.of(40) else E("0.6*{0}", (scope.positive_one(2),))  # noqa: E731
    rate = lambda: E(c.one(rates)) if rates and c.of(50) else one()  # noqa: E731
    is_closed = True
    reactions: Statements = []
    for a, b in pairwise(states):
        left = f"2 {a}" if c.of(7) else a
        is_closed &= left == a
        reactions.append(Statement(f"~ {left} <-> {b} ({{0}}, {{1}})", (rate(), rate())))
    if count > 2 and c.of(25):
        reactions.append(Statement(f"~ {states[-1]} <-> {states[0]} ({{0}}, {{1}})", (rate(), rate())))
    if c.of(20):
        reactions.append(Statement(f"~ {c.one(states)} << (0.1*({{0}}))", (scope.small_one(2),)))
        is_closed = False
    if c.of(15) and not is_closed:
        reactions.append(Statement(f"~ {c.one(states)} -> (0.3*{{0}})", (scope.positive_one(1),)))
    code += reactions
    has_compartment = any(s.text.startswith("COMPARTMENT") for s in code)
    if is_closed and c.of(60) and not has_compartment:
        code.append(plain(f"CONSERVE {' + '.join(states)} = 1"))
    draft.block("KINETIC advance", locals_first(code))
    start: Statements = []
    if is_closed and c.of(30) and any(s.text.startswith("CONSERVE") for s in code):
        start = [plain("SOLVE advance STEADYSTATE sparse")]
    else:
        parts = [c.number(0.1, 1) for _ in states]
        start = [assign(s, E(f"{part / sum(parts):.4f}")) for s, part in zip(states, parts, strict=True)]
    return [plain("SOLVE advance METHOD sparse")], start


def _linear(draft: Draft) -> tuple[Statements, Statements]:
    c = draft.chance
    states = [f"s{i}" for i in range(c.count(1, 3))]
    scope = draft.scope()
    code: Statements = []
    for i, state in enumerate(states):
        others = "".join(f" + 0.2*{{{k + 1}}}*{other}" for k, other in enumerate(s for s in states if s != state))
        parts = tuple(scope.small_one(1) for _ in states)
        code.append(Statement(f"~ {1 + i % 2}*{state}{others} = {{0}}", tuple(map(solvable, parts))))
    draft.states += states
    draft.small += states
    draft.block("LINEAR advance", code)
    start = [plain("SOLVE advance")] if c.of(40) else [assign(s, E("0.2")) for s in states]
    return [plain("SOLVE advance")], start


def _nonlinear(draft: Draft) -> tuple[Statements, Statements]:
    c = draft.chance
    states = [f"s{i}" for i in range(c.count(1, 2))]
    scope = draft.scope()
    code: Statements = []
    for state in states:
        parts = (solvable(scope.small_one(1)), solvable(scope.small_one(1)))
        code.append(Statement(f"~ {state} + 0.2*tanh({c.one(states)}*{{0}}) = {{1}}", parts))
    draft.states += states
    draft.small += states
    draft.block("NONLINEAR advance", code)
    return [plain("SOLVE advance")], [assign(s, E("0.2")) for s in states]


def _procedure(draft: Draft) -> tuple[Statements, Statements]:
    c = draft.chance
    states = [f"s{i}" for i in range(c.count(1, 2))]
    scope = draft.scope(states=False)
    draft.states += states
    draft.gates += states
    code = body(draft, scope, [], busy=2)
    for state in states:
        target, tau = scope.sigmoid(1), scope.positive_one(1)
        form = (
            c.one(
                (
                    "{0} + ({1} - {0})*dt/(2*{2} + dt)".replace("{0}", state),
                    "{0} + (1 - exp(-dt/(2*{2})))*({1} - {0})".replace("{0}", state),
                )
            )
            .replace("{1}", "{0}")
            .replace("{2}", "{1}")
        )
        step = assign(state, E(form, (target, tau)))
        code += [Statement("IF ({0})", (scope.condition(0),), ((step,),))] if c.of(15) else [step]
    draft.block("PROCEDURE advance()", locals_first(code))
    return [plain("SOLVE advance")], _start(draft, states, {})


def _table_second(code: Statements) -> Statements:
    made = locals_first(code)
    return sorted(made, key=lambda s: 0 if s.text.startswith("LOCAL") else 1 if s.text.startswith("TABLE") else 2)
