//! METHOD sparse: KINETIC schemes, implicit Euler as NEURON iterates it.
//!
//! NEURON (`scopmath/sparse_thread`) adds `A^-1 r` to the states until the sum
//! of the changes is at most 1e-6, states below zero set to zero; a scheme whose
//! `A` is linear is solved once. The iteration stops early and `A` lacks the
//! derivatives of the rates, so the gradient is that of the iterates, one by
//! one, not that of the solution.

use std::collections::BTreeSet;

use crate::diagnostic::{Code, Diagnostic};
use crate::graph::{Comparison, Id, Input};
use crate::step::time_scheme::Extent;
use crate::syntax::ast::Block;
use crate::trace::{Scheme, Trace, Traced, Values};

/// The sum of changes at which NEURON stops.
const CONVERGED: f64 = 1e-6;
/// The time step of STEADYSTATE, ms.
const STEADY_STEP: f64 = 1e9;
/// Iterations that are written out; NEURON gives up after 21. A run that needs more is flagged.
const ITERATIONS: usize = 6;

/// One time step; `own` are NEURON's values of the states at its end.
pub(in crate::step) fn advance(
    trace: &mut Trace,
    block: &Block,
    (dt, extent): (Id, Extent),
    own: impl Fn(&str) -> Input,
) -> Traced<()> {
    let scheme = Scheme::new(trace.mechanism, block);
    let old = trace.values.clone();
    if scheme.is_linear {
        let scope = trace.scope();
        let equations = trace.kinetic(block, &scheme, &old, dt)?;
        let mut known = Vec::new();
        for state in &scheme.states {
            let end = trace.graph.read(own(state));
            known.push(extent.solved_change(trace.graph, old[state], end));
        }
        let changes =
            trace.graph.solve_linear(equations.matrix, equations.right, Some(known), scope).unwrap_or_default();
        for (state, change) in scheme.states.iter().zip(changes) {
            let value = trace.graph.add(old[state], change);
            trace.values.insert(state.clone(), value);
        }
    } else {
        iterate(trace, block, &scheme, &old, dt, ITERATIONS)?;
    }
    let mut solved = Vec::new();
    for state in &scheme.states {
        let end = trace.graph.read(own(state));
        let own = extent.solved(trace.graph, old[state], end);
        let value = trace.graph.anchor(own, trace.values[state]);
        trace.values.insert(state.clone(), value);
        solved.push((state, value, end));
    }
    // What the block assigns besides is that of the solution.
    trace.kinetic(block, &scheme, &old, dt)?;
    if extent == Extent::Half {
        for (state, value, own) in solved {
            let end = extent.end(trace.graph, old[state], value);
            let end = trace.graph.anchor(own, end);
            trace.values.insert(state.clone(), end);
        }
    }
    Ok(())
}

/// `SOLVE ... STEADYSTATE sparse`: one enormous step.
///
/// For a nonlinear scheme the pivots of that step are small differences of large
/// rates: what comes of it in NEURON is rounding in part, and has no derivative.
pub(in crate::step) fn steady_state(trace: &mut Trace, block: &Block) -> Traced<()> {
    let scheme = Scheme::new(trace.mechanism, block);
    if !scheme.is_linear {
        let message = "STEADYSTATE of a scheme in which states are multiplied is not differentiated";
        return Err(Box::new(
            Diagnostic::refusal(Code::Method, block.span, message)
                .label("this scheme")
                .help("set the states in INITIAL, or start with a run that settles"),
        ));
    }
    let dt = trace.graph.number(STEADY_STEP);
    let usual = trace.values.insert("dt".to_owned(), dt);
    let old = trace.values.clone();
    // Where `A` is all of the derivative, each further iteration finds the same solution.
    let iterations = if is_exact(trace, block, &scheme, dt)? { 0 } else { ITERATIONS };
    iterate(trace, block, &scheme, &old, dt, iterations)?;
    trace.kinetic(block, &scheme, &old, dt)?;
    if let Some(usual) = usual {
        trace.values.insert("dt".to_owned(), usual);
    }
    Ok(())
}

fn iterate(trace: &mut Trace, block: &Block, scheme: &Scheme, old: &Values, dt: Id, left: usize) -> Traced<()> {
    let changes = change(trace, block, scheme, old, dt)?;
    add(trace, scheme, &changes);
    if left == 0 {
        return Ok(());
    }
    let mut error = trace.graph.number(0.0);
    for change in changes {
        let size = trace.graph.call(crate::graph::Builtin::Fabs, vec![change]);
        error = trace.graph.add(error, size);
    }
    let limit = trace.graph.number(CONVERGED);
    let goes_on = trace.graph.compare(Comparison::Gt, error, limit);
    if left == 1 {
        trace.fail_where(goes_on);
        return Ok(());
    }
    trace.branch(goes_on, |trace| iterate(trace, block, scheme, old, dt, left - 1), |_| Ok(())).map(|_| ())
}

/// Whether `A` is the derivative of `r`: no rate depends on the states.
fn is_exact(trace: &mut Trace, block: &Block, scheme: &Scheme, dt: Id) -> Traced<bool> {
    if !scheme.is_linear {
        return Ok(false);
    }
    let kept = trace.values.clone();
    let mut states = BTreeSet::new();
    for state in &scheme.states {
        let input = trace.graph.input("any");
        states.insert(input);
        let value = trace.graph.read(input);
        trace.values.insert(state.clone(), value);
    }
    let old = trace.values.clone();
    let equations = trace.kinetic(block, scheme, &old, dt);
    trace.values = kept;
    let equations = equations?;
    let reached = trace.graph.reachable_inputs(&equations.rates, false);
    Ok(!equations.has_bare_sum && reached.is_disjoint(&states))
}

/// `A^-1 r` at the present values.
fn change(trace: &mut Trace, block: &Block, scheme: &Scheme, old: &Values, dt: Id) -> Traced<Vec<Id>> {
    let equations = trace.kinetic(block, scheme, old, dt)?;
    let scope = trace.scope();
    trace.graph.solve_linear(equations.matrix, equations.right, None, scope).ok_or_else(|| {
        Box::new(Diagnostic::refusal(Code::Singular, block.span, "the equations of this scheme are singular"))
    })
}

fn add(trace: &mut Trace, scheme: &Scheme, changes: &[Id]) {
    let zero = trace.graph.number(0.0);
    for (state, change) in scheme.states.iter().zip(changes) {
        let value = trace.graph.add(trace.values[state], *change);
        let negative = trace.graph.compare(Comparison::Lt, value, zero);
        let branch = trace.graph.new_branch(negative, trace.scope());
        let value = trace.graph.join(branch, zero, value);
        trace.values.insert(state.clone(), value);
    }
}
