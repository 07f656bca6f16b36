"""RANDOM: streams of numbers, drawn by INITIAL, by BREAKPOINT and by events."""

from __future__ import annotations

from .draft import Draft, assign, plain
from .statements import Statements, locals_first
from .tree import Expression as E
from .tree import Statement

_THROWS = (
    "random_uniform(dice, -0.6, 0.6)",
    "random_normal(dice, 0.3*{0}, 0.2)",
    "0.5*{0}*random_uniform(dice)",
    "0.3*{0}*random_negexp(dice)",
    "0.3*random_negexp(dice, 0.8*{0})",
)


def throw(draft: Draft) -> Statements:
    """Declare a stream, and draw from it twice or more; returns what INITIAL does."""
    c = draft.chance
    draft.tags.append("RANDOM")
    draft.randoms.append("dice")
    name = draft.variable("thrown", scope=c.one(("RANGE", "", "")))
    start: Statements = [plain(f"random_setseq(dice, {c.count(0, 5)})"), *_twice(draft, name)]
    if c.of(45):
        # NEURON runs BREAKPOINT twice in a step.
        draft.tags.append("RANDOM in BREAKPOINT")
        noise = draft.variable("noise", scope=c.one(("RANGE", "")))
        start.append(assign(noise, E("0")))
        draft.early += _twice(draft, noise)
        if c.of(40):
            again = assign(noise, E(f"0.5*{noise} + {c.one(_THROWS[2:])}", (draft.scope(states=False).small_one(0),)))
            draft.early.append(Statement("IF ({0})", (draft.scope(states=False).condition(0),), ((again,),)))
        draft.small.append(noise)
        draft.heard.append(noise)
    draft.small.append(name)
    draft.heard.append(name)
    return start


def _twice(draft: Draft, name: str) -> Statements:
    """The derivative of the variable is the second number, or a number that the place of the first decides."""
    c = draft.chance
    first, second = c.one(_THROWS), c.one(_THROWS[2:])
    known = c.one([p.name for p in draft.parameters if p.name.startswith("p")])
    parts = (draft.scope(states=False).small_one(1),) if "{0}" in first else ()
    return [assign(name, E(first, parts)), plain(f"{name} = 0.5*{name} + {second.format(known)}")]


def by_chance(draft: Draft, start: Statements, arrive: Statements) -> Statements:
    """Events of which some do nothing."""
    draft.tags.append("RANDOM at events")
    draft.randoms.append("fate")
    # Each run has the same numbers.
    start.append(plain(f"random_setseq(fate, {draft.chance.count(0, 5)})"))
    test = E(f"random_uniform(fate) > {draft.chance.number(0.2, 0.6):g}")
    return [Statement("IF ({0})", (test,), (tuple(locals_first(arrive)),))]
