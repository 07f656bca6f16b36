//! METHOD derivimplicit: `s_{n+1} = s_n + dt f(s_{n+1})`, by Newton's method; with `secondorder` over half a step.
//!
//! NEURON iterates until the relative change is below 1e-6 and the residual
//! below 1e-8; the last correction is far smaller, so the iterate's derivative
//! is that of the solution (the implicit function theorem at NEURON's end point).

use crate::graph::{Input, Scope};
use crate::step::Step;
use crate::syntax::ast::Block;
use crate::trace::{Primes, Traced, Values};

pub(in crate::step) fn advance(
    step: &mut Step,
    index: usize,
    block: &Block,
    values: Values,
    scope: Scope,
) -> Traced<Values> {
    let region = step.region;
    let mechanism = &region.mechanisms[index];
    // Which states have an equation.
    let names: Vec<String> = {
        let mut trace = step.trace(mechanism, values.clone(), scope);
        trace.primes = Primes::Collect(Vec::new());
        trace.run_block(block)?;
        match trace.primes {
            Primes::Collect(slopes) => slopes.into_iter().map(|(name, _)| name).collect(),
            _ => Vec::new(),
        }
    };
    let unknowns: Vec<Input> = names.iter().map(|name| step.state_after(index, name)).collect();
    let extent = step.extent;
    let mut at_solution = values.clone();
    for (name, unknown) in names.iter().zip(&unknowns) {
        let end = step.graph.read(*unknown);
        at_solution.insert(name.clone(), extent.solved(&mut step.graph, values[name], end));
    }
    let mut trace = step.trace(mechanism, at_solution, scope);
    trace.primes = Primes::Collect(Vec::new());
    trace.run_block(block)?;
    let Primes::Collect(slopes) = trace.primes else { return Ok(values) };
    let mut residuals = Vec::new();
    for (name, unknown) in names.iter().zip(&unknowns) {
        let slope = slopes.iter().find(|(known, _)| known == name).map(|(_, slope)| *slope);
        let slope = slope.unwrap_or_else(|| step.graph.number(0.0));
        let end = step.graph.read(*unknown);
        let change = extent.solved_change(&mut step.graph, values[name], end);
        let drift = step.graph.mul(step.dt, slope);
        residuals.push(step.graph.sub(change, drift));
    }
    let ends = step.graph.solve(unknowns, residuals, scope);
    // Once more with the solution, for what the block assigns besides.
    let mut solved = values.clone();
    for (name, end) in names.iter().zip(&ends) {
        solved.insert(name.clone(), extent.solved(&mut step.graph, values[name], *end));
    }
    let mut trace = step.trace(mechanism, solved, scope);
    trace.primes = Primes::Collect(Vec::new());
    trace.run_block(block)?;
    let mut values = trace.values;
    for (name, value) in names.into_iter().zip(ends) {
        values.insert(name, value);
    }
    Ok(values)
}
