"""NET_RECEIVE: weights that change, flags, self-events, WATCH."""

from __future__ import annotations

import re

from . import rings, streams
from .draft import Draft, assign, plain
from .statements import Statements, locals_first
from .tree import Expression as E
from .tree import Statement


def add(draft: Draft, start: Statements) -> None:
    """Add a NET_RECEIVE; more code of INITIAL goes to `start`."""
    c = draft.chance
    weights = ["w", "trace", "last"][: c.weighted({1: 45.0, 2: 32.0, 3: 23.0})]
    draft.tags.append("NET_RECEIVE")
    scope = draft.at_events()
    code: Statements = []
    if len(weights) > 1:
        known = draft.at_events().without_voltage().positive_one(1)
        of_known = c.of(50)
        begin = [assign("trace", E("0.4*{0}", (known,)) if of_known else E(f"{c.number(0.2, 1):g}"))]
        begin += [plain("last = t")] if len(weights) > 2 else []
        # Without it NEURON clears all weights but the first.
        if c.of(75):
            draft.tags += ["weights start by a PARAMETER"] if of_known and re.search("[a-z]", str(known)) else []
            code.append(Statement("INITIAL", (), (tuple(begin),)))
        else:
            draft.tags.append("weights that NEURON clears")
    arrive: Statements = []
    if len(weights) > 2:
        tau = draft.parameter("taud", 2, 20, "ms")
        arrive += [plain(f"trace = 1 + (0.6*trace - 1)*exp(-(t - last)/{tau})"), plain("last = t")]
    elif len(weights) > 1:
        form = c.one(
            ("0.7*trace + 0.1", "trace*0.8", "0.5*trace + 0.2*w", "0.6*trace + 0.2*{0}", "0.6*trace + 0.2*{0}")
        )
        heard = draft.heard_at_events()
        seen = draft.at_events(states=c.of(50)).small_one(1) if heard is None else E(f"tanh({heard})")
        arrive.append(assign("trace", E(form, (seen,) if "{0}" in form else ())))
    if len(weights) > 1 and c.of(30):
        arrive += _counted(draft, start)
    if len(weights) > 1 and c.of(15):
        arrive.append(_lately(draft, start))
    amount = "w*trace" if len(weights) > 1 else "w"
    if c.of(28):
        arrive += rings.ring(draft, start, amount)
    if c.of(40):
        amount += "*{0}"
    heard = draft.heard_at_events()
    factor = scope.positive_one(1) if heard is None else E(f"(0.6 + 0.3*tanh({heard}))")
    parts = (factor,) if "{0}" in amount else ()
    targets = draft.gates[:2]
    switch = draft.variable("on")
    draft.gates.append(switch)
    start.append(assign(switch, E(c.one(("0", "0.2", f"{c.number(0.1, 0.9):g}")))))
    for target in targets:
        if c.of(25):
            arrive.append(Statement(f"state_discontinuity({target}, {target} + 0.3*{amount})", parts))
        else:
            arrive.append(Statement(f"{target} = {target} + 0.3*{amount}", parts))
    if not targets or c.of(50):
        arrive.append(Statement(f"{switch} = {switch}*0.5 + 0.3*{amount}", parts))
    if c.of(18):
        draft.tags.append("v set by events")
        arrive.append(Statement(c.one((f"v = v + 3*{amount}", "v = v + 0.3*(-62 - v)", "v = -64 + w")), parts))
    if c.of(8):
        arrive.append(plain(f"{switch} = {switch}*0.6 + 0.2*random_normal(fate, w, 0.3*w)"))
        arrive = streams.by_chance(draft, start, arrive)
    text = " ".join(str(statement) for statement in arrive)
    draft.tags += ["v at events"] if re.search(r"\bv\b", text) else []
    draft.tags += ["states at events"] if any(re.search(rf"(?<!^)\b{s}\b", text) for s in draft.states) else []
    arrive = locals_first(arrive)
    how = c.weighted({"plain": 40.0, "self": 30.0, "watch": 18.0, "any flag": 12.0})
    if how == "plain":
        code += arrive
        if c.of(15):
            first = [s for s in code if s.text == "INITIAL"]
            code = [*first, Statement("IF ({0})", (E("w > 0.2"),), (tuple(s for s in code if s not in first),))]
    elif how == "self":
        draft.tags.append("self-event")
        after = f"{c.number(0.4, 3):g}" if c.of(50) else draft.parameter("after", 0.4, 3, "ms")
        arrive.append(plain(f"net_send({after}, 1)"))
        end = [assign(switch, E(c.one(("0", f"{switch}*0.4", "0.1"))))]
        if targets and c.of(50):
            end.append(plain(f"{targets[0]} = 0.5*{targets[0]}"))
        if c.of(20):
            end.append(Statement("IF ({0})", (E("t < 6"),), ((plain("net_send(1.3, 1)"),),)))
        code.append(Statement("IF ({0})", (E("flag == 0"),), (tuple(arrive), tuple(end)), ("ELSE",)))
        if c.of(25):
            start.append(plain(f"net_send({c.one((0, c.number(0.5, 3))):g}, 1)"))
    elif how == "watch":
        draft.tags.append("WATCH")
        start.append(plain("net_send(0, 1)"))
        sign = c.one("<>")
        at = c.one((-55, -58.3, -47, -62))
        crossed = [assign(switch, E(f"{switch}*0.3 + 0.4"))]
        begin = [plain(f"WATCH (v {sign} {at}) 2")]
        if c.of(30):
            begin = [plain(f"WATCH (v > {at}) 2"), plain(f"WATCH (v < {at - 8}) 3")]
        blocks = (tuple(begin), tuple(crossed), (assign(switch, E("0.05")),), tuple(arrive))
        code.append(
            Statement("IF ({0})", (E("flag == 1"),), blocks, ("ELSE IF (flag == 2)", "ELSE IF (flag == 3)", "ELSE"))
        )
    else:
        code.append(Statement("IF ({0})", (E("flag >= 0"),), (tuple(arrive),)))
        if c.of(30):
            # Not in INITIAL: there is no `w` then, and NEURON reads it all the same.
            code.append(Statement("IF ({0})", (E("flag == 0"),), ((plain("net_send(1.1, 2)"),),)))
        draft.tags.append("flags not told apart")
    if c.of(8):
        code.append(plain("net_event(t)"))
    draft.block(f"NET_RECEIVE({', '.join(weights)})", locals_first(code))


def _lately(draft: Draft, start: Statements) -> Statement:
    """What BREAKPOINT carries along and nothing but weights of events hear of."""
    c = draft.chance
    draft.tags.append("only events read it")
    name = draft.variable("lately", scope=c.one(("", "", "RANGE")))
    start.append(assign(name, E(c.one(("0", "tanh((v + 60)/20)")))))
    known = c.one([p.name for p in draft.parameters if p.name.startswith("p")])
    draft.early.append(assign(name, E(f"0.8*{name} + 0.2*tanh((v + 60)/20 + {known})")))
    return plain(f"trace = 0.6*trace + 0.3*(1 + {name})")


def _counted(draft: Draft, start: Statements) -> Statements:
    """Every second or third event does something else to a weight: nothing but weights knows how many there were."""
    c = draft.chance
    draft.tags.append("counted events")
    count = draft.variable("count", scope=c.one(("", "", "RANGE")))
    start.append(plain(f"{count} = 0"))
    known = draft.heard_at_events() or c.one([p.name for p in draft.parameters if p.name.startswith("p")])
    then = (plain(f"{count} = 0"), plain(f"trace = trace + (1 - trace)*0.4*(1 + tanh({known}))"))
    test = E(f"{count} == {c.count(2, 3)}")
    return [
        plain(f"{count} = {count} + 1"),
        Statement("IF ({0})", (test,), (then, (plain("trace = 0.7*trace"),)), ("ELSE",)),
    ]
