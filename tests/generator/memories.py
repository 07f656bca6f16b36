"""Values that code computes only where something is new, as old models do to save time: well, and badly."""

from __future__ import annotations

from dataclasses import replace

from .draft import Draft, assign, plain
from .statements import Statements
from .tree import Expression as E
from .tree import Statement


def remember(draft: Draft) -> Statements:
    """Add a PROCEDURE that keeps a value; returns what INITIAL does."""
    c = draft.chance
    draft.tags.append("memory of values")
    scope = c.one(("RANGE", "", "", "GLOBAL"))
    kept = draft.variable("kept", scope=scope)
    guard_scope = scope if c.of(85) else "GLOBAL"
    guard = draft.variable("old", scope=guard_scope)
    keys = c.some([*[p.name for p in draft.parameters], "celsius", *([] if scope == "GLOBAL" else ["v"])], 1, 2)
    value = replace(draft.scope(states=False, time=False, jumps=0.0), functions=(), voltage="")
    if c.of(75):
        # Of nothing but what is compared.
        numbers = tuple(
            f"({key} + 60)/40" if key == "v" else f"({key}/20)" if key == "celsius" else key for key in keys
        )
        value = replace(value, small=numbers, positive=(), gates=())
    is_mixed = guard_scope != scope
    if is_mixed:
        # New in the first segment only: those of the others stay as they are.
        keys = ["celsius"]
    how = (
        "new"
        if is_mixed
        else c.weighted({"new": 50.0, "first": 12.0, "computed": 15.0, "another": 13.0, "never": 10.0})
    )
    guards = [guard]
    if how == "first":
        test, note = f"{guard} == 0", [plain(f"{guard} = 1")]
        value = replace(value, small=() if c.of(60) else value.small)
    elif how == "another":
        # What is compared is not what was remembered.
        test, note = f"{guard} != {keys[0]}", [plain(f"{guard} = 1.1*{keys[0]}")]
    elif how == "never":
        # Memory is 0 at first, and nothing makes it this number.
        test, note = f"{guard} == {c.one(('1', keys[0]))}", [plain(f"{guard} = 2")]
    elif how == "computed":
        test, note = f"{guard} != floor({keys[0]})", [plain(f"{guard} = floor({keys[0]})")]
    else:
        guards += [draft.variable("old", scope=scope) for _ in keys[1:] if c.of(85)]
        pairs = list(zip(guards, keys, strict=False))
        test, note = " || ".join(f"{g} != {k}" for g, k in pairs), [plain(f"{g} = {k}") for g, k in pairs]
    made = [*note, assign(kept, E("(0.4 + 0.5*{0})", (value.small_one(2),)))]
    draft.block("PROCEDURE update()", [Statement("IF ({0})", (E(test),), (tuple(made),))])
    draft.calls.append("update()")
    draft.early.append(plain("update()"))
    if c.of(10):
        # Where nothing is new, this is done again and again.
        draft.early.append(plain(f"{kept} = 0.2 + 0.7*{kept}"))
    draft.small.append(kept)
    draft.heard.append(kept)
    start: Statements = [plain("update()")]
    if c.of(15):
        # Set by INITIAL too: back to what is not new, or to another value.
        start = [assign(c.one([guard, kept]), E("-1")), *(start if c.of(60) else [])]
    return start
