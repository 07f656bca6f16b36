//! What the code of one phase of a run reads and computes.

use std::collections::BTreeSet;

use crate::emit::text::code::Code;
use crate::graph::{Id, Input};
use crate::step::Linearised;

pub struct Phase {
    pub roots: Vec<Id>,
    pub inputs: BTreeSet<Input>,
}

impl Phase {
    pub fn new(linearised: &Linearised, roots: Vec<Id>) -> Self {
        let inputs = linearised.graph.reachable_inputs(&roots, false);
        Self { roots, inputs }
    }

    pub fn code<'a>(&self, linearised: &'a Linearised) -> Code<'a> {
        Code::new(&linearised.graph, &self.roots)
    }
}
