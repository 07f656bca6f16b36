"""Arrays in which events leave what BREAKPOINT reads later: a ring of the last ones."""

from __future__ import annotations

from .draft import Draft, assign, plain
from .statements import Statements
from .tree import Expression as E
from .tree import Statement


def ring(draft: Draft, start: Statements, amount: str) -> Statements:
    """Declare an array, and let BREAKPOINT read it; returns what an event does with it."""
    c = draft.chance
    draft.tags.append("ring")
    # Long ones are not followed element by element.
    size = c.count(13, 18) if c.of(60) else c.count(2, 4)
    draft.variable("ring", size, scope=c.one(("RANGE", "")))
    name = draft.assigned[-1].name
    at = draft.variable("at", scope=c.one(("RANGE", "")))
    echo, total = draft.variable("echo"), draft.variable("total")
    begin = assign(f"{name}[i]", E(c.one(("0", "0.1", "0.1*i"))))
    start += [assign(at, E("0")), Statement(f"FROM i = 0 TO {size - 1}", (), ((begin,),))]
    turns = c.of(60)
    place = at if turns else f"fmod({at}, {size})"
    heard = draft.heard_at_events()
    factor = draft.at_events(states=c.of(50)).positive_one(1)
    factor = factor if heard is None else E(f"(1 + 0.6*tanh({heard}))")
    form = c.weighted({"0.4*{1}": 25.0, "0.5*{0}[slot] + 0.3*{1}": 25.0, "0.4*{1}*{{0}}": 50.0})
    value = E(form.format(name, amount), (factor,) if "{{" in form else ())
    arrive: Statements = [plain("LOCAL slot"), assign("slot", E(place)), assign(f"{name}[slot]", value)]
    arrive.append(plain(f"{at} = {at} + 1"))
    if turns:
        arrive.append(Statement("IF ({0})", (E(f"{at} == {size}"),), ((plain(f"{at} = 0"),),)))
    part = draft.scope(states=False, time=False, jumps=0.0).positive_one(1)
    slot = "k" if turns else f"fmod(k, {size})"
    inside: Statements = [assign("x", E(slot)), assign(echo, E(f"(0.5*{echo} + 0.4*{name}[x]*{{0}})", (part,)))]
    inside.append(
        assign(total, E(c.one((f"{total} + 0.3*{echo}", f"{total} + 0.3*{echo}*{name}[x]*(1 - 0.2*{total})"))))
    )
    loop = f"FROM k = 0 TO {c.one((str(size - 1), f'{at} - 1'))}"
    first: Statements = [plain("LOCAL x")]
    if not turns:
        first += [plain("LOCAL y"), assign("y", E(f"{at} - {size}"))]
        first.append(Statement("IF ({0})", (E("y < 0"),), ((plain("y = 0"),),)))
        loop = f"FROM k = y TO {at} - 1"
    draft.early += [*first, assign(echo, E("0")), assign(total, E("0")), Statement(loop, (), (tuple(inside),))]
    draft.small += [total, f"{name}[{c.count(0, size - 1)}]"]
    draft.heard += [total]
    return arrive
