//! Right sides of equations that not every step computes: NEURON keeps the last one.

use std::collections::BTreeSet;

use crate::syntax::ast::{Block, Statement, StatementKind};
use crate::syntax::visit::primes;

/// What NEURON keeps of the right side of an equation, where not every step runs it.
pub fn kept_slope(state: &str) -> String {
    format!("D.{state}")
}

/// What is not 0 once a run has set it.
pub fn kept_slope_is_set(state: &str) -> String {
    format!("D.{state}.set")
}

/// Whether a name is one of these.
pub fn is_kept_slope(name: &str) -> bool {
    name.starts_with("D.")
}

/// The states of whose equations there is none on some way through the block.
pub fn skipped(block: &Block) -> BTreeSet<String> {
    let all: BTreeSet<String> = primes(&block.body).map(|(state, _)| state.name.text.clone()).collect();
    &all - &surely(&block.body)
}

fn surely(body: &[Statement]) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for statement in body {
        match &statement.kind {
            StatementKind::Prime(place, ..) => {
                found.insert(place.name.text.clone());
            }
            StatementKind::If(branches, Some(otherwise)) => {
                let ways = branches.iter().map(|(_, body)| surely(body));
                found.extend(ways.fold(surely(otherwise), |sure, way| &sure & &way));
            }
            // A loop over the elements of a state.
            StatementKind::Group(body) | StatementKind::From { body, .. } => {
                found.extend(surely(body));
            }
            _ => {}
        }
    }
    found
}
