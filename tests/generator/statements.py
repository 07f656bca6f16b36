"""Statements: LOCALs that shadow, conditionals and loops round anything, arrays, calls."""

from __future__ import annotations

from collections.abc import Sequence

from .draft import LOCALS, Draft, assign, plain
from .expressions import Function, Scope
from .tree import Expression as E
from .tree import Statement

Statements = list[Statement]


def body(
    draft: Draft, scope: Scope, targets: Sequence[str], *, positive: Sequence[str] = (), busy: int = 2
) -> Statements:
    """Code that sets the targets (small ones, and positive ones), in some roundabout way.

    Args:
        busy: How many more statements there may be.
    """
    c = draft.chance
    made: Statements = []
    if c.of(45):
        scope = _locals(draft, scope, made)
    for _ in range(c.count(0, busy)):
        scope = _something(draft, scope, made)
    for name in targets:
        _set(draft, scope, name, False, made)
        scope = scope.with_small(name)
    for name in positive:
        _set(draft, scope, name, True, made)
    return made


def _locals(draft: Draft, scope: Scope, made: Statements) -> Scope:
    c = draft.chance
    names = c.some(LOCALS, 1, 2)
    if c.of(25):
        shadows = [*draft.small, *draft.positive, *(["v"] if c.of(15) else [])]
        shadows = [name for name in shadows if name.isidentifier()]
        if shadows:
            names.append(c.one(shadows))
    names = list(dict.fromkeys(names))
    inside = scope
    made.append(plain(f"LOCAL {', '.join(names)}"))
    values: Statements = []
    for i, name in enumerate(names):
        # Only those that have a value by now.
        values.append(assign(name, inside.hiding(*names).without(names[i:]).small_one(2)))
    made.extend(values)
    return inside.hiding(*names)


def _set(draft: Draft, scope: Scope, name: str, positive: bool, made: Statements) -> None:
    c = draft.chance
    value = lambda depth=3: scope.positive_one(depth) if positive else scope.small_one(depth)  # noqa: E731
    how = c.weighted({"plain": 70.0, "if": 14.0, "else if": 5.0, "overwritten": 7.0, "loop": 4.0})
    if how == "plain":
        made.append(assign(name, value()))
    elif how == "if":
        blocks = tuple((*_more(draft, scope, 1), assign(name, value(2))) for _ in range(2))
        made.append(Statement("IF ({0})", (scope.condition(1),), blocks, ("ELSE",)))
    elif how == "else if":
        blocks = tuple((assign(name, value(2)),) for _ in range(3))
        # The second condition has no holes: it is text.
        made.append(Statement("IF ({0})", (scope.condition(1),), blocks, (f"ELSE IF ({scope.condition(0)})", "ELSE")))
    elif how == "overwritten":
        made.append(assign(name, value(2)))
        made.append(Statement("IF ({0})", (scope.condition(1),), ((assign(name, value(2)),),)))
    else:
        made.append(assign(name, value(1)))
        again = E(f"(0.5*{name} + 0.5*{{0}})", (value(2),))
        made.append(Statement(f"FROM i = 0 TO {c.count(1, 3)}", (), ((assign(name, again),),)))


def _more(draft: Draft, scope: Scope, count: int) -> tuple[Statement, ...]:
    made: Statements = []
    for _ in range(draft.chance.count(0, count)):
        scope = _something(draft, scope, made, nested=True)
    return tuple(made)


def _something(draft: Draft, scope: Scope, made: Statements, *, nested: bool = False) -> Scope:
    """One more statement; returns what may be used after it."""
    c = draft.chance
    free = [name for name in scope.writable if name in scope.small]
    kind = c.weighted({"assign": 4.0, "if": 3.0, "loop": 1.5, "while": 1.0, "array": 1.0, "call": 1.0, "nested": 0.7})
    if kind == "assign" and free:
        made.append(assign(c.one(free), scope.small_one(3)))
    elif kind == "if" and free:
        name = c.one(free)
        then = (*_inner_locals(draft, scope), assign(name, scope.small_one(2)))
        if c.of(50):
            made.append(
                Statement("IF ({0})", (scope.condition(1),), (then, (assign(name, scope.small_one(2)),)), ("ELSE",))
            )
        else:
            made.append(Statement("IF ({0})", (scope.condition(1),), (then,)))
    elif kind == "loop" and free and not nested:
        name = c.one(free)
        inner = scope.with_small("(i*0.2)") if c.of(50) else scope
        again = E(f"(0.4*{name} + 0.5*{{0}})", (inner.small_one(2),))
        step = " BY 2" if c.of(15) else ""
        made.append(Statement(f"FROM i = {c.count(0, 1)} TO {c.count(1, 4)}{step}", (), ((assign(name, again),),)))
    elif kind == "while" and len(free) > 1 and not nested:
        name, counter = c.some(free, 2, 2)
        again = E(f"(0.4*{name} + 0.5*{{0}})", (scope.small_one(2),))
        made.append(assign(counter, E("0")))
        inside = (assign(name, again), assign(counter, E(f"{counter} + 1")))
        made.append(Statement(f"WHILE ({counter} < {c.count(1, 3)})", (), (inside,)))
        made.append(assign(counter, E(f"0.3*{counter}")))
    elif kind == "array" and draft.assigned:
        arrays = [v for v in draft.assigned if v.length]
        if arrays and scope.voltage == "v":
            array = c.one(arrays)
            value = scope.with_small("(i*0.3)").small_one(2)
            made.append(Statement(f"FROM i = 0 TO {array.length - 1}", (), ((assign(f"{array.name}[i]", value),),)))
            return scope.with_small(f"{array.name}[{c.count(0, array.length - 1)}]")
    elif kind == "call" and draft.calls and scope.voltage == "v" and c.of(40):
        made.append(plain(c.one(draft.calls)))
    return scope


def _inner_locals(draft: Draft, scope: Scope) -> Statements:
    """A LOCAL of an arm."""
    c = draft.chance
    if not c.of(25):
        return []
    name = c.one([*LOCALS, *(n for n in draft.small if n.isidentifier())])
    return [plain(f"LOCAL {name}"), assign(name, scope.small_one(1))]


def function(draft: Draft) -> None:
    """A FUNCTION, perhaps with side effects."""
    c = draft.chance
    name = f"f{len(draft.functions)}"
    count = c.weighted({1: 70.0, 2: 25.0, 0: 5.0})
    arguments = c.some(("x", "y", "z", "u"), count, count)
    if c.of(20) and arguments and draft.small:
        arguments[0] = c.one([n for n in (*draft.small, *draft.positive, "v") if n.isidentifier()])
    positive = c.of(35)
    base = draft.scope(states=False, time=False)
    inside = base.hiding(*arguments) if arguments else base
    if c.of(60):
        inside = inside.without_voltage()
    made: Statements = []
    if c.of(12):
        side = draft.variable("side")
        draft.side[side] = name
        made = body(draft, inside, [], positive=[side], busy=0)
        draft.tags.append("side effect")
    made += body(draft, inside, [] if positive else [name], positive=[name] if positive else [], busy=1)
    draft.block(f"FUNCTION {name}({', '.join(arguments)})", locals_first(made, arguments))
    draft.functions.append(Function(name, len(arguments), positive))


def locals_first(made: Statements, arguments: Sequence[str] = ()) -> Statements:
    """LOCALs must come first, each name once; one of an argument's name would be a second one to the C++ compiler."""
    names: dict[str, None] = {}
    for statement in made:
        if statement.text.startswith("LOCAL "):
            names |= dict.fromkeys(statement.text.removeprefix("LOCAL ").split(", "))
    names = {name: None for name in names if name not in arguments}
    rest = [s for s in made if not s.text.startswith("LOCAL ")]
    return [plain(f"LOCAL {', '.join(names)}"), *rest] if names else rest
