//! NONLINEAR blocks: the states that solve equations, by Newton's method, in each step.
//!
//! NEURON iterates as for [`super::derivimplicit`], so the derivative is that of
//! the solution, at NEURON's end point.

use crate::diagnostic::{Code, Diagnostic};
use crate::graph::{Input, Scope};
use crate::step::Step;
use crate::syntax::ast::Block;
use crate::trace::{Traced, Values, unknowns_of_nonlinear};

pub(in crate::step) fn advance(
    step: &mut Step,
    index: usize,
    block: &Block,
    values: Values,
    scope: Scope,
) -> Traced<Values> {
    let mechanism = &step.region.mechanisms[index];
    let names = unknowns_of_nonlinear(mechanism, block);
    let unknowns: Vec<Input> = names.iter().map(|name| step.state_after(index, name)).collect();
    let mut at_end = values;
    for (name, unknown) in names.iter().zip(&unknowns) {
        let value = step.graph.read(*unknown);
        at_end.insert(name.clone(), value);
    }
    let mut trace = step.trace(mechanism, at_end.clone(), scope);
    let residuals = trace.nonlinear(block)?;
    if residuals.len() != unknowns.len() {
        let message = format!("{} equations for {} unknowns", residuals.len(), unknowns.len());
        return Err(Box::new(Diagnostic::refusal(Code::EquationCount, block.span, message)));
    }
    let solution = step.graph.solve(unknowns, residuals, scope);
    // Once more with the solution, for what the block assigns besides.
    at_end.extend(names.iter().cloned().zip(solution.iter().copied()));
    let mut trace = step.trace(mechanism, at_end, scope);
    trace.nonlinear(block)?;
    let mut values = trace.values;
    values.extend(names.into_iter().zip(solution));
    Ok(values)
}
