//! What code may be made of without changing during a run.

use std::collections::{BTreeMap, BTreeSet};

use crate::graph::Input;

/// Inputs that can't change while a simulation runs, so that a TABLE may depend on them.
#[derive(Debug, Default)]
pub struct Constants {
    pub(super) inputs: BTreeSet<Input>,
    /// Constants that can't change between runs either.
    pub(super) fixed: BTreeSet<Input>,
    /// Constants that have a value in every segment.
    pub(super) ranges: BTreeSet<Input>,
    /// What mechanisms call all inputs, constant or not.
    pub called: BTreeMap<Input, String>,
}

impl Constants {
    pub fn insert(&mut self, input: Input) {
        self.inputs.insert(input);
    }

    pub fn insert_fixed(&mut self, input: Input) {
        self.inputs.insert(input);
        self.fixed.insert(input);
    }

    pub fn insert_range(&mut self, input: Input) {
        self.inputs.insert(input);
        self.ranges.insert(input);
    }
}
