//! METHOD euler: `s + n dt f(s)`, all right sides at the old states; `n` is how often NEURON lists the state.

use crate::graph::Scope;
use crate::step::Step;
use crate::syntax::ast::Block;
use crate::trace::{Primes, Traced, Values, times_listed};

pub(in crate::step) fn advance(
    step: &mut Step,
    index: usize,
    block: &Block,
    values: Values,
    scope: Scope,
) -> Traced<Values> {
    let mechanism = &step.region.mechanisms[index];
    let mut trace = step.trace(mechanism, values, scope);
    trace.primes = Primes::Collect(Vec::new());
    trace.run_block(block)?;
    let slopes = trace.collected(block);
    let mut values = trace.values;
    for (name, slope) in slopes {
        if let Some(value) = values.get_mut(&name) {
            let times = step.graph.number(f64::from(times_listed(block, &name)));
            let slope = step.graph.mul(times, slope);
            let change = step.graph.mul(step.dt, slope);
            let solved = step.graph.add(*value, change);
            *value = step.extent.end(&mut step.graph, *value, solved);
        }
    }
    Ok(values)
}
