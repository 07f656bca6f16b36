"""The mutants: one wrong line each, in the rules of differentiation and in the step."""

from __future__ import annotations

from mutant import Mutant
from variable_step import VARIABLE_STEP

__all__ = ["MUTANTS", "Mutant"]

_RULES = "src/diff/rules.rs"
_LINEARISE = "src/step/linear_map/linearise.rs"
_FORM = "src/step/linear_map/linear_form.rs"

RULES = [
    Mutant("neg", _RULES, "=> g.neg(d[0]),", "=> d[0],"),
    Mutant("add", _RULES, "(Node::Add(..), _) => g.add(d[0], d[1])", "(Node::Add(..), _) => g.sub(d[0], d[1])"),
    Mutant("sub", _RULES, "(Node::Sub(..), _) => g.sub(d[0], d[1])", "(Node::Sub(..), _) => g.add(d[0], d[1])"),
    Mutant("mul, left", _RULES, "let left = g.mul(d[0], *b);", "let left = g.mul(d[0], *a);"),
    Mutant("mul, right", _RULES, "let right = g.mul(*a, d[1]);", "let right = g.mul(*b, d[1]);"),
    Mutant("div, sign", _RULES, "let top = g.sub(da, q_db);", "let top = g.add(da, q_db);"),
    Mutant("div, below", _RULES, "    let slope = g.div(top, b);\n", "    let slope = g.mul(top, b);\n"),
    Mutant("x/expm1, slope", _RULES, "let by_x = g.mul(by_x, dx);", "let by_x = g.mul(by_x, c);"),
    Mutant("x/expm1, sign", _RULES, "let by_x = g.mul(sign, by_x);", "let by_x = g.neg(by_x);"),
    Mutant("x/expm1, factor", _RULES, "return g.add(by_x, by_c);", "return by_x;"),
    Mutant("exp", _RULES, "Builtin::Exp => g.call(Builtin::ExpSlope, vec![y]),", "Builtin::Exp => one,"),
    Mutant("log", _RULES, "Builtin::Log => g.div(one, x[0]),", "Builtin::Log => g.div(one, y),"),
    Mutant("log10", _RULES, "std::f64::consts::LOG10_E", "std::f64::consts::LOG2_E"),
    Mutant("sqrt", _RULES, "let half = g.number(0.5);", "let half = g.number(2.0);"),
    Mutant("fabs", _RULES, "Builtin::Fabs => g.call(Builtin::Sign, vec![x[0]]),", "Builtin::Fabs => one,"),
    Mutant("sin", _RULES, "Builtin::Sin => g.call(Builtin::Cos, vec![x[0]]),", "Builtin::Sin => y,"),
    Mutant("cos", _RULES, "            g.neg(sine)", "            sine"),
    Mutant(
        "tan",
        _RULES,
        "            g.add(one, square)\n        }\n        Builtin::Asin",
        "            g.sub(one, square)\n        }\n        Builtin::Asin",
    ),
    Mutant("asin", _RULES, "Builtin::Asin => inverse_root(g, x[0]),", "Builtin::Asin => one,"),
    Mutant("acos", _RULES, "            g.neg(slope)", "            slope"),
    Mutant(
        "atan",
        _RULES,
        "let below = g.add(one, square);\n            g.div",
        "let below = g.sub(one, square);\n            g.div",
    ),
    Mutant("sinh", _RULES, "Builtin::Sinh => g.call(Builtin::Cosh, vec![x[0]]),", "Builtin::Sinh => y,"),
    Mutant("cosh", _RULES, "Builtin::Cosh => g.call(Builtin::Sinh, vec![x[0]]),", "Builtin::Cosh => y,"),
    Mutant("tanh", _RULES, "g.sub(one, square) } Builtin::Floor", "g.add(one, square) } Builtin::Floor"),
    Mutant("floor, ceil", _RULES, "Builtin::Sign => g.number(0.0),", "Builtin::Sign => one,"),
    Mutant("pow, base", _RULES, "return g.mul(x[1], power);", "return power;"),
    Mutant(
        "pow, exponent", _RULES, "g.call(Builtin::TimesLog, vec![y, x[0]])", "g.call(Builtin::TimesLog, vec![y, x[1]])"
    ),
    Mutant("atan2", _RULES, "{ x[1] } else { g.neg(x[0]) }", "{ x[1] } else { x[0] }"),
    Mutant("fmod, second", _RULES, "let rest = g.sub(y, x[0]);", "let rest = g.sub(x[0], y);"),
    Mutant("erf", _RULES, "std::f64::consts::FRAC_2_SQRT_PI", "std::f64::consts::FRAC_1_SQRT_2"),
    Mutant(
        "root of asin",
        _RULES,
        "let below = g.sub(one, square);\n    let root",
        "let below = g.add(one, square);\n    let root",
    ),
    Mutant(
        "conditional", "src/diff/mod.rs", "graph.join(branch, then, otherwise)", "graph.join(branch, otherwise, then)"
    ),
]

STEP = [
    Mutant(
        "Dd (V' - V)", "src/step/phase/current.rs", "let current = self.graph.add(current, change);", "let _ = change;"
    ),
    Mutant(
        "numerical slope",
        "src/step/phase/current.rs",
        "if !bends && !differs && !self.has_corner(current) {",
        "if true || (!bends && !differs) {",
    ),
    Mutant(
        "slope's step", "src/step/phase/current.rs", "const SLOPE_STEP: f64 = 0.001;", "const SLOPE_STEP: f64 = 0.002;"
    ),
    Mutant(
        "CONDUCTANCE",
        "src/step/phase/current.rs",
        "let hint = self.hinted(mechanism, &after);",
        "let hint = self.hinted(mechanism, &after).filter(|_| false);",
    ),
    Mutant(
        "electrode",
        "src/step/phase/current.rs",
        "            sum = if current.electrode {",
        "            sum = if !current.electrode {",
    ),
    Mutant(
        "dI/dV - d",
        _LINEARISE,
        "source.set(Source::VBefore, (!self.graph.is_zero(rest)).then_some(rest));",
        "source.set(Source::VBefore, None); let _ = rest;",
    ),
    Mutant(
        "G, the old voltage",
        _FORM,
        "let voltages = [(Source::VBefore, self.v_before), (Source::VAfter, self.v_after)];",
        "let voltages = [(Source::VAfter, self.v_after)];",
    ),
    Mutant(
        "F, the new voltage",
        _FORM,
        "let voltages = [(Source::VBefore, self.v_before), (Source::VAfter, self.v_after)];",
        "let voltages = [(Source::VBefore, self.v_before)];",
    ),
    Mutant(
        "E, the states",
        _FORM,
        ".chain(states).chain(parameters)",
        ".chain(states.take(0)).chain(parameters)",
    ),
    Mutant(
        "cm", _LINEARISE, "let scale = self.graph.number(membrane::CAPACITIVE);", "let scale = self.graph.number(0.0);"
    ),
    Mutant(
        "initial rows, voltage",
        _LINEARISE,
        "Source::State(_) | Source::VAfter | Source::PointerAfter(_) => false,",
        "Source::State(_) | Source::VAfter | Source::VBefore | Source::PointerAfter(_) => false,",
    ),
    Mutant(
        "initial rows, parameters",
        _LINEARISE,
        "Source::State(_) | Source::VAfter | Source::PointerAfter(_) => false,",
        "Source::State(_) | Source::VAfter | Source::Parameter(_) | Source::PointerAfter(_) => false,",
    ),
    Mutant(
        "writers first",
        "src/step/region.rs",
        "writers.into_iter().rev().chain(others)",
        "others.into_iter().chain(writers)",
    ),
    Mutant(
        "writers reversed",
        "src/step/region.rs",
        "writers.into_iter().rev().chain(others)",
        "writers.into_iter().chain(others)",
    ),
    Mutant(
        "Nernst",
        "src/step/input/ion.rs",
        "let value = self.graph.anchor(own, formula);",
        "let value = { let _ = formula; own };",
    ),
    Mutant(
        "concentration's start",
        "src/step/input/ion.rs",
        "let value = self.graph.anchor(own, initial);",
        "let value = { let _ = initial; own };",
    ),
    Mutant(
        "initial Nernst",
        "src/step/input/ion.rs",
        "Some((name, self.where_set(&ion.nernst_init(), formula, own)))",
        "Some((name, self.where_set(&ion.nernst(), formula, own)))",
    ),
    Mutant(
        "default initial value", "src/step/phase/initial.rs", "default.unwrap_or(zero)", "{ let _ = default; zero }"
    ),
    Mutant(
        "euler at the old states",
        "src/step/method/euler.rs",
        "let change = step.graph.mul(step.dt, slope);",
        "let change = slope;",
    ),
    Mutant(
        "runge: the weights of the evaluations",
        "src/step/method/runge.rs",
        "step.graph.number(weight / 6.0)",
        "step.graph.number(0.25 + 0.0 * weight)",
    ),
    Mutant(
        "runge: the block is run once more",
        "src/step/method/runge.rs",
        "let (values, _) = evaluate(step, index, block, values, scope)?;\n    Ok(values)",
        "Ok(values)",
    ),
    Mutant("states listed twice", "src/trace/equations/linear_ode.rs", ".sum()", ".sum::<u32>().min(1)"),
    Mutant("implicit function, sign", "src/diff/implicit.rs", "g.neg(derivative)", "derivative"),
    Mutant(
        "substitution, down",
        "src/graph/elimination.rs",
        "right[*below] = self.sub(right[*below], term);",
        "let _ = (below, term);",
    ),
    Mutant("substitution, up", "src/graph/elimination.rs", "value = self.sub(value, term);", "let _ = term;"),
    Mutant(
        "own value of hidden states", _LINEARISE, "own: self.is_hidden(&candidate.kind).then(||", "own: false.then(||"
    ),
    Mutant(
        "state phase at the old voltage",
        "src/step/phase/state.rs",
        "let v = self.graph.read(self.v_after);",
        "let v = self.graph.read(self.v_before);",
    ),
    Mutant(
        "cnexp, decay",
        "src/trace/equations/linear_ode.rs",
        "let approach = g.sub(one, decay);",
        "let approach = g.add(one, decay);",
    ),
    Mutant(
        "TABLE, slope",
        "src/trace/calls/table.rs",
        "let part = self.graph.mul(fraction, rise);",
        "let part = { let _ = fraction; rise };",
    ),
    Mutant(
        "TABLE, above",
        "src/trace/calls/table.rs",
        "g.join(high, one, inside_fraction)",
        "g.join(high, inside_fraction, inside_fraction)",
    ),
    Mutant(
        "TABLE, below", "src/trace/calls/table.rs", "g.join(low, zero, fraction)", "g.join(low, fraction, fraction)"
    ),
    Mutant(
        "TABLE, usetable",
        "src/trace/calls/table.rs",
        "self.graph.compare(Comparison::Ne, usetable, zero)",
        "self.graph.compare(Comparison::Eq, usetable, zero)",
    ),
    Mutant("series of x/expm1", "templates/functions.mod.j2", "-0.5 + x*(1/6", "-0.5 + x*(1/7"),
    Mutant("quotient of x/expm1", "templates/functions.mod.j2", "(1 - x*(e/(e - 1)))", "(1 + x*(e/(e - 1)))"),
    Mutant("sign", "templates/functions.mod.j2", "        sign_of = -1", "        sign_of = 1"),
]
_PASSIVE = ("python/tests/test_passive.py",)
_SOLVER = "templates/forward/solver.mod.j2"
SOLVER = [
    Mutant("solver: upwards", _SOLVER, "to[k] -= q*from[k];", "to[k] += q*from[k];", _PASSIVE),
    Mutant("solver: downwards", _SOLVER, "(to[k] - bj*from[k])*q", "(to[k] - 0*bj*from[k])*q", _PASSIVE),
    Mutant("solver: what was before", _SOLVER, "old[k] = kept;", "old[k] = w[k];", ("python/tests/test_currents.py",)),
    Mutant("solver: cells with rows", _SOLVER, "gm->affected[j] = 1;", "gm->affected[j] = j < 2;", _PASSIVE),
    Mutant(
        "solver: addresses, anew",
        _SOLVER,
        "gm->structure == structure_change_cnt && ",
        "",
        ("python/tests/test_addresses.py",),
    ),
    Mutant(
        "solver: capacitance",
        "templates/forward/row/step.mod.j2",
        "rhs[k] += hold*newV[k] - S;",
        "rhs[k] -= S;",
        _PASSIVE,
    ),
    Mutant(
        "solver: area of a point", "templates/forward/row/step.mod.j2", "rhs[k] -= scale*S;", "rhs[k] -= S;", _PASSIVE
    ),
    Mutant("solver: Ra here", "templates/forward/row_axial.mod.j2", "here[k] -= own*change[k];", "", _PASSIVE),
    Mutant("solver: Ra there", "templates/forward/row_axial.mod.j2", "there[k] += other*change[k];", "", _PASSIVE),
]
_SECOND = ("python/tests/test_second_order.py",)
_AXIAL = "templates/forward/row_axial.mod.j2"
_DESCENT = "templates/reverse/descent.mod.j2"
SECOND_ORDER = [
    Mutant("second order: the other half", _SOLVER, "2.*old[k] - w[k];", "old[k];", _SECOND),
    Mutant("second order: capacitance", "templates/forward/row/step.mod.j2", "'(0.5*dt)' if", "'dt' if", _SECOND),
    Mutant("second order: axial", _AXIAL, "(GM_V(node) - GM_RHS[node]);", "GM_V(node);", _SECOND),
    Mutant(
        "second order: another order",
        _SOLVER,
        "secondorder != {{ secondorder }} || cvode_active_",
        "cvode_active_",
        _SECOND,
    ),
    Mutant(
        "second order: the rise",
        "src/step/phase/current.rs",
        "let rise = self.graph.mul(part, rise);",
        "let _ = part;",
        _SECOND,
    ),
    Mutant(
        "second order: currents that pools see",
        "src/step/phase/current.rs",
        "region.scheme == TimeScheme::CrankNicolsonCurrents",
        "false",
        _SECOND,
    ),
    Mutant(
        "second order: CONDUCTANCE of an ion",
        "src/step/phase/current.rs",
        "|name| name == Some(ion.name.as_str())",
        "|_| true",
        _SECOND,
    ),
    Mutant(
        "second order: cnexp beside another METHOD",
        "src/step/phase/state.rs",
        "            self.dt = self.graph.mul(half, whole_step);\n",
        "",
        _SECOND,
    ),
    Mutant(
        "second order: a METHOD's change",
        "src/step/time_scheme.rs",
        "graph.add(solved, change)",
        "graph.add(before, change)",
        _SECOND,
    ),
    Mutant("second order: reverse, twice", _DESCENT, "y[j] *= 2.;", "", _SECOND),
    Mutant("second order: reverse, what is held", _DESCENT, "y[j] -= run->held[j];", "", _SECOND),
    Mutant("second order: reverse, the start", _DESCENT, "run->y[j] -= run->held[j]/run->inertia[j];", "", _SECOND),
    Mutant(
        "second order: reverse, ends",
        "python/gradmod/_reverse/descent.py",
        "first_frame.get((index, node), 0.0) + value",
        "first_frame.get((index, node), 0.0)",
        _SECOND,
    ),
]
_EVENTS = ("python/tests/test_reverse_events.py", "python/tests/test_events.py")
_UNDO = "src/emit/reverse/adjoint/undo.rs"
_ADJOINT = "templates/reverse/adjoint.mod.j2"
_DESCENT = "templates/reverse/descent.mod.j2"
_CHANGING = ("python/tests/test_changing_parameters.py",)
_ELEMENTS = "src/emit/reverse/adjoint/arrays.rs"
_DRAWN = ("python/tests/test_random.py",)
EVENTS = [
    Mutant("event: not undone", _DESCENT, "    gm_undo(run, step, 0);\n", "", _EVENTS),
    Mutant("event: one a step", _DESCENT, "(double) number; at = (long) log[at])", "(double) number; at = 0)", _EVENTS),
    Mutant("event: as the step left it", _DESCENT, "places->landed_step[i] = (long) entry[1];", "", _EVENTS),
    Mutant("change: taken back", _DESCENT, "run->fixed[number] = entry[3];", "", _CHANGING),
    Mutant("change: computed again", _DESCENT, "places->adjoint->prepare(places, run, i, i + 1);", "", _CHANGING),
    Mutant("change: the last", _DESCENT, "if (!is_known[number]) run->fixed", "run->fixed", _CHANGING),
    Mutant(
        "change: in a window",
        "python/gradmod/_reverse/recorder.py",
        "begin] = self._gather.present",
        "begin] = 0.0",
        _CHANGING,
    ),
    Mutant("array: current", _ELEMENTS, "n + i] -= waiting", "n + i] += waiting", _EVENTS),
    Mutant("array: only one element", _ELEMENTS, "gm_at < {end} ? gm_at", "gm_at < {end} ? 0*gm_at", _EVENTS),
    Mutant("array: taken once", _UNDO, 'text.push(format!("    {element} = 0.;"));', "", _EVENTS),
    Mutant(
        "array: what it was",
        "templates/reverse/recorder/events.mod.j2",
        "gm_entry[3] = *gm_present;",
        "gm_entry[3] = _lvalue;",
        _EVENTS,
    ),
    Mutant(
        "random: which stream", "templates/reverse/draws.mod.j2", "(uint32_t) ids[n],", "(uint32_t) ids[0],", _DRAWN
    ),
    Mutant(
        "random: first frame of a window",
        "python/gradmod/_reverse/windows.py",
        "            self._put(frame)\n            self.recorders.empty",
        "            self.recorders.empty",
        _DRAWN,
    ),
    Mutant(
        "ion: a reversal potential that is set",
        "src/step/input/ion.rs",
        "[ion.inside(), ion.outside(), ion.reversal()]",
        "[ion.inside(), ion.outside()]",
        ("python/tests/test_constructs.py",),
    ),
    Mutant(
        "event: weights",
        _UNDO,
        "if (flows) flows[{argument}] = n{argument};",
        "if (flows) flows[{argument}] = b{argument};",
        _EVENTS,
    ),
    Mutant("event: voltage", _UNDO, "if !self.flow.v_before.is_empty() {", "if false {", _EVENTS),
    Mutant(
        "event: states that it only reads",
        _UNDO,
        "(!self.set_states.contains(state)).then(|| adjoint_of(*state))",
        "None::<String>",
        _EVENTS,
    ),
    Mutant(
        "event: INITIAL of the weights",
        "src/emit/reverse/adjoint/render.rs",
        'text.push("gm_start_weights(places, run, i);".to_owned());',
        "",
        _EVENTS,
    ),
    Mutant(
        "event: after the step, reverse",
        "src/emit/reverse/frame/layout.rs",
        "            && matches!(quantity, Quantity::Variable(_, _, When::After))\n",
        "            && *quantity == Quantity::Time\n",
        _EVENTS,
    ),
    Mutant(
        "event: what it does by its time",
        "src/emit/region/event_time.rs",
        "of.get(Source::Time).map(",
        "of.get(Source::Time).filter(|_| false).map(",
        ("python/tests/test_events.py",),
    ),
    Mutant(
        "event: how long it waits",
        "src/emit/region/event_time.rs",
        'terms.extend(self.known_terms(row, code, k));\n            lines.extend(lines::sum(&format!("next_shift',
        'let _ = row;\n            lines.extend(lines::sum(&format!("next_shift',
        ("python/tests/test_events.py",),
    ),
    Mutant(
        "event: copies are compared",
        "templates/reverse/gather.mod.j2",
        "pair.mark[j] = {{ seen.missed }}.;",
        ";",
        _EVENTS,
    ),
    Mutant(
        "event: currents are compared",
        "src/emit/reverse/adjoint/render.rs",
        "states.chain(currents)",
        "states.chain(currents.take(0))",
        _EVENTS,
    ),
    Mutant(
        "event: at the end of a window",
        _DESCENT,
        "    gm_undo(run, run->last, 0);\n",
        "",
        _EVENTS,
    ),
    Mutant(
        "event: second finitialize",
        "python/gradmod/_reverse/windows.py",
        "        if self._handlers:\n            self.has_begun = True\n            self._aim(0)",
        "        pass",
        _EVENTS,
    ),
    Mutant(
        "event: weights that NEURON clears",
        "src/step/event/traced_event.rs",
        "receive.arguments.iter().skip(1)",
        "receive.arguments.iter().skip(9)",
        _EVENTS[1:],
    ),
    Mutant(
        "event: ion style at its place",
        "python/gradmod/_model/ions.py",
        "style = _promoted(made if is_made else told, users.here)",
        "style = told",
        _EVENTS[1:],
    ),
    Mutant(
        "event: ion style, promoted",
        "python/gradmod/_model/ions.py",
        "reversal = max(reversal, 2)",
        "pass",
        _EVENTS[1:],
    ),
    Mutant(
        "event: ions of the step before",
        "src/emit/region/sources.rs",
        "                if *when == When::Before {\n                    self.remember(present, Guard::Ion(",
        "                if *when == When::After {\n                    self.remember(present, Guard::Ion(",
        _EVENTS[1:],
    ),
]
_RING = tuple(
    f"python/tests/test_events.py::{test}"
    for test in (
        "test_synapse[RingSyn]",
        "test_synapse[CountSyn]",
        "test_ring_buffers_wrap",
        "test_an_event_without_a_source_is_noticed",
    )
)
_RANDOM = ("python/tests/test_random.py",)
_CONSTRUCTS = ("python/tests/test_constructs.py",)
LATER = [
    Mutant(
        "loop: slots feed slots",
        "src/diff/repeat.rs",
        "                    next = g.add(next, term);",
        "                    let _ = term;",
        _RING,
    ),
    Mutant(
        "loop: gradient of an element",
        "src/diff/mod.rs",
        "Some(tangent) if array == input => graph.element(tangent, index),",
        "Some(_) if array == input => graph.number(0.0),",
        _RING,
    ),
    Mutant(
        "array: the same index",
        "src/emit/region/arrays.rs",
        "k * array.start.len());",
        "k * array.start.len() + 1);",
        _RING,
    ),
    Mutant(
        "array: as the lagged step saw it",
        "src/emit/region/arrays.rs",
        'lines.insert(1, "    written = 0".to_owned());',
        'lines.insert(1, "    written = 0".to_owned());\n            lines.truncate(2);',
        _RING,
    ),
    Mutant(
        "array: balances",
        "src/step/guard/state_check.rs",
        "if !system.is_known {",
        "if true {",
        _RING,
    ),
    Mutant(
        "event: settled states in weights",
        "src/emit/region/terms.rs",
        "terms.extend(form.iter().filter_map(state));",
        "let _ = state;",
        _RING,
    ),
    Mutant(
        "event: hidden variables that weights need",
        "src/step/linear_map/linearise.rs",
        "    roots.extend(received.iter().flat_map(TracedEvent::needs).chain(step.kept_slopes()));\n",
        "    roots.extend(step.kept_slopes());\n",
        _RING,
    ),
    Mutant("noise: the next place", "src/trace/calls/random.rs", "self.graph.add(place, one)", "place", _RANDOM),
    Mutant(
        "noise: exponential",
        "src/trace/calls/random.rs",
        "        self.graph.neg(log)",
        "        log",
        _RANDOM,
    ),
    Mutant(
        "isolated values",
        "src/step/guard/special_values.rs",
        "Comparison::Eq | Comparison::Ne",
        "Comparison::Lt",
        _CONSTRUCTS,
    ),
    Mutant(
        "Nernst without calcium",
        "src/trace/calls/neuron_function.rs",
        "let value = g.join(inner, formula, low);",
        "let value = { let _ = (inner, low); formula };",
        _CONSTRUCTS,
    ),
]
_VARIABLES = ("python/tests/test_pointed_variables.py",)
POINTED = [
    Mutant("variable: late", _SOLVER, "            gm->pass = 1;\n            GM_ALL(after)\n", "", _VARIABLES),
    Mutant("variable: INITIAL", _SOLVER, "            gm->pass = 1;\n            GM_ALL(start)\n", "", _VARIABLES),
    Mutant(
        "variable: what states saw",
        "src/emit/region/sources.rs",
        "        lines.extend(self.keep_seen(1));\n",
        "",
        _VARIABLES,
    ),
]

_POINTERS = ("python/tests/test_pointers.py",)
POINTERS = [
    Mutant(
        "pointer: the voltage after the solve",
        "src/step/phase/state.rs",
        "self.see(index, &mut values, When::After);",
        "self.see(index, &mut values, When::Before);",
        _POINTERS,
    ),
    Mutant(
        "pointer: what the states see",
        _FORM,
        "before.chain(after)",
        "before.chain(after.take(0))",
        _POINTERS,
    ),
    Mutant(
        "pointer: the current, backwards",
        "src/emit/reverse/adjoint/waiting.rs",
        'Source::PointerBefore(index) => (element("pointer_carry", index), false),',
        "Source::PointerBefore(_) => return None,",
        _POINTERS,
    ),
    Mutant(
        "pointer: INITIAL, backwards",
        "src/emit/reverse/adjoint/render.rs",
        'text.push(format!("{pointer} *= scale[i];"));',
        'text.push(format!("{pointer} *= 0.;"));',
        _POINTERS,
    ),
]
_WATCH = ("python/tests/test_watch.py",)
_WRITTEN = "src/emit/region/events.rs"
WATCH = [
    Mutant("watch: the other way", _WRITTEN, "if falls { '<' } else { '>' }", "if falls { '>' } else { '<' }", _WATCH),
    Mutant("watch: what it sees at once", _WRITTEN, "in &sent.seen {", "in sent.seen.iter().skip(1) {", _WATCH),
    Mutant(
        "watch: v is taken again",
        "src/trace/effect.rs",
        'self.values.insert("v".to_owned(), before);',
        "let _ = before;",
        _WATCH,
    ),
    Mutant(
        "v: not handed over", "src/emit/forward/received.rs", 'format!("W_new[k] = e{number}")', "String::new()", _WATCH
    ),
    Mutant("v: noticed", "templates/forward/row/start.mod.j2", "fabs(v - v_kept) >", "0*fabs(v - v_kept) >", _WATCH),
    Mutant(
        "v: at the end of a step",
        "src/emit/region/load.rs",
        '("v_solved".to_owned(), Guard::None)',
        '("v_now".to_owned(), Guard::None)',
        _WATCH,
    ),
    Mutant("v: rise", "src/emit/region/load.rs", 'format!("v_solved - {}"', 'format!("v_now - {}"', _WATCH),
    Mutant(
        "v: order of pushes",
        "src/step/event/order.rs",
        "Node::Add(a, b) if self.is_free(b, changed)",
        "Node::Add(a, b) if self.is_free(b, changed) && a == b",
        _WATCH,
    ),
]
WATCH += [
    Mutant(
        "v, reverse: in one place", _DESCENT, "y[places->node[i]] += places->carry[i]/places->inertia[i];", "", _WATCH
    ),
    Mutant("v, reverse: not undone", _UNDO, "= pushed/places->inertia[i];", "= push/places->inertia[i];", _WATCH),
    Mutant(
        "v, reverse: at the end of a step",
        "src/emit/reverse/frame/load.rs",
        "match (self.jumps, reader) {",
        "match (false, reader) {",
        _WATCH,
    ),
    Mutant(
        "v, reverse: ends of windows",
        _DESCENT,
        "    gm_undo(run, run->first, 1);\n",
        "",
        _WATCH,
    ),
    Mutant("v, reverse: between steps", _DESCENT, "    gm_undo(run, step + 1, 1);\n", "", _WATCH),
    Mutant(
        "v, reverse: Ra",
        "python/gradmod/_reverse/layout.py",
        "after=tuple(recorders.frame.place_after(*place) for place in every)",
        "after=tuple(recorders.frame.nodes[place] for place in every)",
        _WATCH,
    ),
    Mutant(
        "v, reverse: too early",
        "templates/reverse/recorder/events.mod.j2",
        "            changed = {{ seen.early }}\n",
        "",
        _WATCH,
    ),
]

_GATHER = "templates/reverse/gather.mod.j2"
_REVERSE = ("python/tests/test_reverse.py", "python/tests/test_reverse_watch.py", "python/tests/test_addresses.py")
REVERSE = [
    Mutant("descent: residual", _DESCENT, "broken += !(fabs(current[j])", "broken += 0*!(fabs(current[j])", _REVERSE),
    Mutant("descent: branches", _DESCENT, "if (above != j - 1) {", "if (above == j) {", _REVERSE),
    Mutant("descent: axial current", _DESCENT, "current[parent[j]] -= flow[j];", "(void) 0;", _REVERSE),
    Mutant(
        "descent: several at a node",
        _DESCENT,
        "d[j] += scale[i]*conductance[i];",
        "d[j] = scale[i]*conductance[i];",
        _REVERSE,
    ),
    Mutant(
        "gather: moved",
        _GATHER,
        "if (gm->structure == structure_change_cnt && gm->nodes == _nt->end) return;",
        "if (gm->nodes == _nt->end) return;",
        _REVERSE[2:],
    ),
    Mutant("gather: the last frame", _GATHER, "if (v_structure_change) v_setup_vectors();", "", _REVERSE[2:]),
    Mutant("gather: neighbours", _GATHER, "next.to == last->to + last->length", "next.to >= last->to", _REVERSE),
    Mutant("adjoint: tables", _ADJOINT, "if (places->tables) {", "if (0) {", _REVERSE),
    Mutant("adjoint: log", "templates/elementary.mod.j2", "p = p*z + 1./3.;", "p = p*z + 1./5.;", _REVERSE),
    Mutant(
        "adjoint: what INITIAL made",
        "src/emit/reverse/frame/layout.rs",
        "linearised.states[index].is_settled && frame.is_made_of_fixed(start)",
        "index < linearised.states.len() || frame.is_made_of_fixed(start)",
        _REVERSE,
    ),
]

_SETTLED = ("python/tests/test_settled.py",)
_START, _CORRECTED = "src/emit/receipt/start.rs", ("python/tests/test_corrected.py",)
_KEEP = "src/emit/reverse/recorder/gathered.rs"
SETTLED = [
    Mutant(
        "settled: set before the first step",
        _GATHER,
        "if (gm->is_initial) gm_different(settled",
        "if (0) gm_different(settled",
        _SETTLED,
    ),
    Mutant("settled: set at the end", _GATHER, "gm_different(&gm->settled, gm_memory->fixed, 0, 1, 0)", "0", _SETTLED),
    Mutant(
        "settled: own recorder",
        "src/emit/reverse/recorder/framed.rs",
        "gm_fixed[{index}] != {name}) moved = 1.;",
        "0) moved = 1.;",
        _SETTLED,
    ),
    Mutant("saved: not at all", _KEEP, ".chain(saved_slots)", "", _SETTLED),
    Mutant("saved: copies", _KEEP, "if reversed.is_copied(state) {", "if false {", _SETTLED),
    Mutant("corrected: read", _START, ".chain(parameters_read(linearised).filter(is_settled))", "", _SETTLED),
    Mutant("corrected: forward", _START, ".chain(parameters_read(linearised)).collect()", ".collect()", _CORRECTED),
    Mutant(
        "corrected: hidden",
        _START,
        "filter_map(|state| state.own.map(|(_, start)| start))",
        "filter_map(|state| state.own.map(|(_, start)| start).filter(|_| false))",
        _CORRECTED,
    ),
    Mutant(
        "corrected: only INITIAL reads it",
        "src/step/linear_map/state_vector.rs",
        "chosen.extend(replaced);",
        "let _ = replaced;",
        _CORRECTED,
    ),
    Mutant(
        "windows: the first frame",
        "python/gradmod/_reverse/windows.py",
        "self._fork(self._frame(0))",
        "self._fork(0 * self._frame(0))",
        ("python/tests/test_reverse_memory.py",),
    ),
]
_BLOCK = "src/emit/forward/block.rs"
BLOCK = [
    Mutant("block: tables", _BLOCK, "tables ? {place} : 0.;", "0.*tables;", ("python/tests/test_every_parameter.py",)),
    Mutant("block: checks", _BLOCK, '("fault".to_owned(), "flaw".to_owned())', '("fault".to_owned(), "0.".to_owned())'),
    Mutant("block: own states", _BLOCK, "own.chain(coefficients)", "own.take(0).chain(coefficients)"),
    Mutant(
        "block: Nernst",
        "src/emit/region/load.rs",
        "({condition}) ? {now} : {value}",
        "0*({condition}) ? {now} : {value}",
    ),
    Mutant(
        "streams beside area",
        "src/step/region.rs",
        "mechanism.randoms.is_empty())\n",
        "mechanism.randoms.len() < 9)\n",
        _RANDOM,
    ),
]

INERT = [
    Mutant(
        "inert: voltages",
        "src/step/linear_map/inert.rs",
        ".all(LinearForm::is_free_of_voltages)",
        ".all(|_| true)",
        ("python/tests/test_inert.py",),
    ),
    Mutant(
        "inert: may be another",
        "src/step/linear_map/inert.rs",
        "&& self.failed.is_empty()",
        "",
        ("tests/transform.rs",),
    ),
    Mutant("inert: its own", "python/gradmod/_forward/inert.py", " - own", "", ("python/tests/test_inert.py",)),
    Mutant(
        "inert: turned to",
        "python/gradmod/_forward/inert.py",
        "sorted(names & _targets(directions))",
        "sorted(names & set())",
        ("python/tests/test_inert.py",),
    ),
]

_MEMO = "src/trace/memo.rs"
_PAST = "src/step/guard/previous_run.rs"
_HISTORY = ("tests/history.rs",)
_SAFE = "src/model/check/threadsafe.rs"
_TRAINS = ("python/tests/test_trains.py",)
HISTORY = [
    Mutant("memo: not seen", "src/trace/conditional.rs", "&& self.memo(condition, body)? {", "&& false {", _HISTORY),
    Mutant("memo: untested input", _MEMO, "if !(is_known && keys", "if !(true && keys", _HISTORY),
    Mutant("memo: another key", _MEMO, "keys.iter().all(is_kept)", "true", _HISTORY),
    Mutant("memo: computed key", _MEMO, "is_simple.then(|| vec!", "Some(true).map(|_| vec!", _HISTORY),
    Mutant("memo: scopes", _MEMO, "if scopes.len() > 1 {", "if scopes.len() > 9 {", _HISTORY),
    Mutant("memo: set elsewhere", _MEMO, "other.memo != Some(memo.start) && !forces_it", "false", _HISTORY),
    Mutant("memo: forced", _MEMO, "memo.guards.contains(variable) && is_number", "false && is_number", _HISTORY),
    Mutant("history: tested", _PAST, "!kept.is_always && !is_tested", "!kept.is_always", _HISTORY),
    Mutant("history: hidden", _PAST, "gone.hidden.contains(input) || ", "", _HISTORY),
    Mutant("history: shown", _PAST, " || gone.reset.contains(input) =>", " =>", _HISTORY),
    Mutant(
        "FUNCTION_TABLE: slope",
        "templates/function_tables.mod.j2",
        "        return slope;",
        "        return 0.5*slope;",
    ),
    Mutant("CONDUCTANCE: C code", _SAFE, "self.is_unsafe |= !self.is_declared;", "", ("tests/conductance.rs",)),
    Mutant("CONDUCTANCE: GLOBAL", _SAFE, "found.global.contains(name)", "false && found.global.contains(name)"),
    Mutant(
        "BREAKPOINT sets a state",
        "src/emit/reverse/frame/layout.rs",
        "set_by_currents.contains(&kind)",
        "set_by_currents.is_empty()",
        _TRAINS,
    ),
]
_EVENT_TIME = "templates/forward/row/event_time.mod.j2"
_RECEIVED = "templates/forward/row/events.mod.j2"
_SPIKES = ("python/tests/test_spikes.py",)
SPIKES = [
    Mutant("spike: its time", _EVENT_TIME, "shift[gm_k] = gm_spike[1 + gm_k];", "shift[gm_k] = 0.;", _SPIKES),
    Mutant("spike: slope before", _EVENT_TIME, "    i_before = i_moment\n", "    i_before = 0\n", _SPIKES),
    Mutant("spike: charge", _RECEIVED, "charge[k] + (i_moment - i_before)*shift[k]", "charge[k]", _SPIKES),
    Mutant("spike: delay", _RECEIVED, "shift[{{ loop.index0 }}] + {{ change }}", "shift[{{ loop.index0 }}]", _SPIKES),
    Mutant(
        "spike: own events",
        _EVENT_TIME,
        "shift[gm_k] = sent_shift[gm_j*{{ directions }} + gm_k];",
        "shift[gm_k] = 0.;",
        _SPIKES,
    ),
]
_STEERED = ("python/tests/test_homeostat.py",)
_STEER = "templates/homeostat.mod.j2"
_STILL = "src/step/linear_map/prune.rs"
_UNHEARD = ("tests/homeostat.rs", *_STEERED)
STEERED = [
    Mutant("homeostat: sign", _STEER, "theta[k] - dt*alpha", "theta[k] + dt*alpha", _STEERED),
    Mutant("homeostat: error", _STEER, "(f - target)*part", "(target - f)*part", _STEERED),
    Mutant("homeostat: average", _STEER, "(1 - share)*keep*df[k] + share*dx[k]", "keep*df[k] + share*dx[k]", _STEERED),
    Mutant(
        "homeostat: leak",
        "templates/forward/row/procedures.mod.j2",
        "        keep = exp(-faded)\n    }\n{% for group",
        "        keep = 1\n    }\n{% for group",
        _STEERED,
    ),
    Mutant("homeostat: bounds", _STEER, "IF (theta[k] < lower[k]) {", "IF (theta[k] < -1e30) {", _STEERED),
    Mutant("unheard events: moving states", _STILL, "!moving.states.contains(&true) && ", "", _UNHEARD),
    Mutant("unheard events: voltage", _STILL, "receive.voltage.is_some() || ", "", _UNHEARD),
    Mutant("unheard events: streams", _STILL, " || is_own", "", _UNHEARD),
]
_EXTERNAL = ("tests/external.rs", "python/tests/test_external.py")
_SCHEDULE = "src/graph/schedule.rs"
_SCHEDULED = ("tests/schedule.rs",)
SHARED = [
    Mutant(
        "EXTERNAL: two inputs", "src/step/input/external.rs", "known.shown_as(variable) == shown", "false", _EXTERNAL
    ),
    Mutant("EXTERNAL: owner sets it", "src/model/external.rs", " && !set.contains(name));", ");", _EXTERNAL),
    Mutant("EXTERNAL: reader sets it", "src/model/external.rs", "set.contains(&name.text)", "false", _EXTERNAL),
    Mutant("EXTERNAL: readers", "python/gradmod/_model/catalogue.py", "external.read_by(mechanism)", "()", _EXTERNAL),
    Mutant("names: used twice", _SCHEDULE, "self.uses[value] == 1 && ", "", _SCHEDULED),
    Mutant("names: outside the arm", _SCHEDULE, "self.graph.branch(*inner).scope == arm", "true", _SCHEDULED),
    Mutant(
        "a block that calls itself",
        "src/trace/calls/call.rs",
        "self.calls.push(name.text.clone());\n        let result = self.run_block(block);",
        "let result = self.run_block(block);",
        ("tests/mutations.rs",),
    ),
]
_PROFILE, _PROFILES = "python/gradmod/profile.py", ("python/tests/test_profile.py",)
_FITTED = (
    "python/tests/test_certainty.py",
    "python/tests/test_fit.py",
    "python/tests/test_fit_problem.py",
    "python/tests/test_fit_methods.py",
)
_PROBLEM, _FITS = "python/gradmod/_problem/", "python/gradmod/_fit/"
_SAMPLED, _FEATURED = "python/gradmod/_features/sampled.py", ("python/tests/test_features.py",)
FITS = [
    Mutant("profile: slope", _PROFILE, "complex(stepped).imag / _STEP", "2 * complex(stepped).imag / _STEP", _PROFILES),
    Mutant("profile: kinks", _PROFILE, "if not abs(slope - difference)", "if not 0 * abs(slope)", _PROFILES),
    Mutant("profile: overwritten", _PROFILE, "if abs(now - wanted) > _SAME", "if abs(now - wanted) > 1e9", _PROFILES),
    Mutant("profile: all or nothing", _PROFILE, "self._coefficients = before", "pass", _PROFILES),
    Mutant(
        "profile: one parameter",
        "python/gradmod/_simulation/settable.py",
        "and self._of.coefficient != other._of.coefficient",
        "",
        _PROFILES,
    ),
    Mutant("fit: logistic slope", _PROBLEM + "scales.py", "* _logistic(u) * _logistic(-u)", "* _logistic(u)", _FITTED),
    Mutant("fit: robust slope", _PROBLEM + "robust.py", "slope * np.abs(residuals)", "slope * residuals", _FITTED),
    Mutant("fit: Huber", _PROBLEM + "robust.py", "2.0 * size - 1.0), 1.0 / size", "2.0 * size - 1.0), size", _FITTED),
    Mutant("fit: weight of slopes", _PROBLEM + "problem.py", "rows.slopes, weight * by)", "rows.slopes, by)", _FITTED),
    Mutant("fit: shared numbers", _PROBLEM + "problem.py", "np.add.at(found.T, self._source, rows.T)",
           "found.T[self._source] = rows.T", _FITTED),
    Mutant("fit: which trace", _PROBLEM + "problem.py", "self._index[first + offset]", "self._index[offset]", _FITTED),
    Mutant("fit: between samples", _PROBLEM + "targets.py", "part / self._uncertainty]", "0 * part]", _FITTED),
    Mutant("fit: missing spikes", _PROBLEM + "targets.py", "slopes.append(slope / self._count_size if",
           "slopes.append(0 * slope if", _FITTED),
    Mutant("fit: the best", _FITS + "course.py", "or cost < min(self._costs)", "or cost > min(self._costs)", _FITTED),
    Mutant("fit: another problem", _FITS + "course.py", "if abs(evaluated.cost - before) > _SAME",
           "if abs(evaluated.cost - before) > 1e9", _FITTED),
    Mutant("fit: bounds of steps", _FITS + "descend.py", ", low, high)", ", -np.inf, np.inf)", _FITTED),
    Mutant("fit: what optax remembers", _FITS + "descend.py", "if course.saved.state:", "if False:", _FITTED),
    Mutant("fit: Richardson", _FITS + "curvature.py", "(ratio * found[i + 1] - found[i])",
           "(ratio * found[i + 1] + found[i])", _FITTED),
    Mutant("fit: standard errors", _FITS + "certainty.py", "np.where(is_told, strengths, 1.0) ** 2",
           "np.where(is_told, strengths, 1.0)", _FITTED),
    Mutant("fit: interrupts reach waits", "python/gradmod/_process/interrupts.py",
           "signal.siginterrupt(signal.SIGINT, True)", "pass", ("python/tests/test_fit_workers.py",)),
    Mutant("features: vertex", _SAMPLED, "(before - after) / (bend * 2.0)", "(before - after) / bend", _FEATURED),
    Mutant("features: height", _SAMPLED, "rise * rise / (bend * 8.0)", "rise * rise / (bend * 4.0)", _FEATURED),
    Mutant("features: its sign", _SAMPLED, "(before - after) / (bend", "(after - before) / (bend", _FEATURED),
    Mutant("features: of samples", _SAMPLED, "(1.0 - self._part[at]) * number.slopes", "number.slopes", _FEATURED),
]  # fmt: skip
_CURRENTS, _SUMS = "python/gradmod/_currents/", ("python/tests/test_membrane_currents.py",)
_PLAYED = ("python/tests/test_waveform.py",)
_FIELDS = ("python/tests/test_field_waveform.py",)
_TRANSFERS = ("python/tests/test_transfers.py",)
CURRENTS = [
    Mutant("currents: rallbranch", _CURRENTS + "axial_balance.py",
           "weights - self._rall * weights", "weights - weights", _SUMS),
    Mutant("currents: into the parent", _CURRENTS + "axial_balance.py",
           "np.add.at(found, self._above, flows)", "pass", _SUMS),
    Mutant("currents: middle of the step", _CURRENTS + "axial_balance.py",
           "(samples[..., 1:] + samples[..., :-1]) / 2", "samples[..., 1:]", _SUMS),
    Mutant("currents: transposed", _CURRENTS + "axial_balance.py",
           "found[..., 0] += slopes[..., 0]", "pass", _SUMS),
    Mutant("currents: Ra, reverse", _CURRENTS + "seeds.py",
           "- edges[node] / ra[sec]", "- 0 * edges[node] / ra[sec]", _SUMS),
    Mutant("currents: Ra, forward", "python/gradmod/_forward/current_gradients.py",
           "if change != 0.0 and", "if False and", _SUMS),
    Mutant("waveform: hats", "python/gradmod/samples.py", "self.part * slopes, 0.0)", "0 * slopes, 0.0)", _PLAYED),
    Mutant("waveform: after the last", "python/gradmod/samples.py", "np.clip(later, 1, len(known) - 1)",
           "np.clip(later, 1, max(len(known) - 2, 1))", _PLAYED),
    Mutant("waveform: compared", "python/gradmod/_emitted/followed.py",
           "if np.any(gap >", "if False and np.any(gap >", _PLAYED),
    Mutant("waveform: which step", "python/gradmod/_emitted/followed.py", "np.append(sums[1:], 0.0)",
           "np.append(0.0, sums[:-1])", _PLAYED),
    Mutant("waveform: kept", "python/gradmod/_model/directions.py",
           "self.parameter.frozen() if isinstance(self.parameter, Samples)",
           "self.parameter if isinstance(self.parameter, Samples)", _PLAYED),
    Mutant("fields: weights", "templates/reverse/descent_layers.mod.j2",
           "sum += weight[sheath]*adjoint", "sum += adjoint", _FIELDS),
    Mutant("fields: compared", "python/gradmod/_outside/fields.py", "if not np.all(gap <= ROUNDING):",
           "if False and not np.all(gap <= ROUNDING):", _FIELDS),
    Mutant("fields: what is left of a pulse", "templates/reverse/descent_layers.mod.j2",
           "(after + before + battery)*all->gap[at]", "(after + battery)*all->gap[at]", _FIELDS),
    Mutant("transfers: put back", "python/gradmod/_transfers/handed_on.py",
           "nrn.set_number(place, each.name, value)", "pass", _TRANSFERS),
    Mutant("transfers: initial voltages", "python/gradmod/_model/pointers.py",
           "if parameter.where is not None or callable(parameter.weight):", "if False:", _TRANSFERS),
    Mutant("currents: electrodes by parameters", "src/emit/region/description.rs",
           "is_free_of_voltage && linearised.source.reads_parameters_only()", "is_free_of_voltage", _SUMS),
    Mutant("currents: electrodes with a conductance", "src/emit/region/description.rs",
           "linearised.graph.is_zero(linearised.conductance)", "true", _SUMS),
]  # fmt: skip
MUTANTS = [
    *RULES,
    *STEP,
    *SOLVER,
    *SECOND_ORDER,
    *EVENTS,
    *LATER,
    *POINTERS,
    *POINTED,
    *WATCH,
    *HISTORY,
    *SPIKES,
    *STEERED,
    *SHARED,
    *FITS,
    *CURRENTS,
]
MUTANTS += [*REVERSE, *INERT, *SETTLED, *BLOCK, *VARIABLE_STEP]
