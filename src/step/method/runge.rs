//! METHOD runge: the classical scheme of Runge and Kutta, at the potential that was solved.
//!
//! With `t` and the states `s` where the solve begins: `k1 = f(s, t)`, `k2 = f(s + dt k1/2, t + dt/2)`,
//! `k3 = f(s + dt k2/2, t + dt/2)`, `k4 = f(s + dt k3, t + dt)`; then `s + dt (k1 + 2 k2 + 2 k3 + k4)/6`.
//! Then the block is run once more, for what it sets besides the states. A state that is listed `n` times
//! ([`times_listed`]) starts the second evaluation from `s + (n - 1) dt k1/2`, as NEURON's loop does.

use std::collections::BTreeMap;

use crate::graph::{Id, Scope};
use crate::step::Step;
use crate::syntax::ast::Block;
use crate::trace::{Primes, Traced, Values, times_listed};

/// How far each evaluation is from the start, in parts of `dt`, and how often its slopes count.
const STAGES: [(f64, f64); 4] = [(0.0, 1.0), (0.5, 2.0), (0.5, 2.0), (1.0, 1.0)];

type Slopes = BTreeMap<String, Id>;

pub(in crate::step) fn advance(
    step: &mut Step,
    index: usize,
    block: &Block,
    mut start: Values,
    scope: Scope,
) -> Traced<Values> {
    let mut values = start.clone();
    let mut slopes = Slopes::new();
    let mut sums = Slopes::new();
    for (stage, (share, weight)) in STAGES.into_iter().enumerate() {
        values = shift(step, &start, values, &slopes, share);
        (values, slopes) = evaluate(step, index, block, values, scope)?;
        if stage == 0 {
            repeat_first(step, &mut start, &slopes, block);
        }
        let weight = step.graph.number(weight / 6.0);
        for (name, slope) in &slopes {
            let addend = step.graph.mul(weight, *slope);
            let sum = match sums.get(name) {
                Some(sum) => step.graph.add(*sum, addend),
                None => addend,
            };
            sums.insert(name.clone(), sum);
        }
    }
    let mut values = shift(step, &start, values, &sums, 1.0);
    if let Some(t) = start.get("t") {
        values.insert("t".to_owned(), *t);
    }
    let (values, _) = evaluate(step, index, block, values, scope)?;
    Ok(values)
}

/// States that are listed several times have gone half a step for each time but the last.
fn repeat_first(step: &mut Step, start: &mut Values, slopes: &Slopes, block: &Block) {
    for (name, slope) in slopes {
        let times = times_listed(block, name);
        if let (Some(value), true) = (start.get_mut(name), times > 1) {
            let halves = step.graph.number(0.5 * (f64::from(times) - 1.0));
            let time = step.graph.mul(halves, step.dt);
            let change = step.graph.mul(time, *slope);
            *value = step.graph.add(*value, change);
        }
    }
}

/// The right sides, and what the block left behind.
fn evaluate(step: &mut Step, index: usize, block: &Block, values: Values, scope: Scope) -> Traced<(Values, Slopes)> {
    let mechanism = &step.region.mechanisms[index];
    let mut trace = step.trace(mechanism, values, scope);
    trace.primes = Primes::Collect(Vec::new());
    trace.run_block(block)?;
    let slopes = trace.collected(block).into_iter().collect();
    Ok((trace.values, slopes))
}

/// `t` and the states a share of `dt` after the start.
fn shift(step: &mut Step, start: &Values, mut values: Values, slopes: &Slopes, share: f64) -> Values {
    let share = step.graph.number(share);
    let time = step.graph.mul(share, step.dt);
    for (name, slope) in slopes {
        if let Some(before) = start.get(name) {
            let change = step.graph.mul(time, *slope);
            values.insert(name.clone(), step.graph.add(*before, change));
        }
    }
    if let Some(before) = start.get("t") {
        values.insert("t".to_owned(), step.graph.add(*before, time));
    }
    values
}
