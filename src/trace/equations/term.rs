//! Terms of the equations of a KINETIC block: they stand among the values, so that conditionals join them.

use crate::graph::{Graph, Id};
use crate::trace::Trace;

/// What the names of terms begin with.
const TERM: char = '~';

/// The value of a term that an arm of a conditional does not have.
pub(in crate::trace) fn empty(name: &str, graph: &mut Graph) -> Option<Id> {
    name.starts_with(TERM).then(|| graph.number(0.0))
}

pub(in crate::trace) fn right_term(row: usize) -> String {
    format!("{TERM}right {row}")
}

pub(in crate::trace) fn matrix_term(row: usize, column: usize) -> String {
    format!("{TERM}matrix {row} {column}")
}

impl Trace<'_> {
    pub(in crate::trace) fn add_term(&mut self, key: String, value: Id) {
        let zero = self.graph.number(0.0);
        let before = self.values.get(&key).copied().unwrap_or(zero);
        let sum = self.graph.add(before, value);
        self.values.insert(key, sum);
    }
}
