//! One fixed step of NEURON for the mechanisms of a region, and its derivative.
//!
//! The step is traced in NEURON's order: [`current`] at the old voltage, then
//! [`state`] at the new one, concentration writers first; [`initial`] gives the
//! start. [`linearise`] differentiates it all. To add an integration method, add
//! a file beside [`derivimplicit`] and a line to [`state`].

mod current;
mod derivimplicit;
mod euler;
mod initial;
mod ion;
mod linearise;
mod quantity;
mod state;

use std::collections::{BTreeMap, BTreeSet};

use crate::diff::Differentiator;
use crate::graph::{Arm, Graph, Id, Input, Scope};
use crate::model::{Kind, Mechanism};
use crate::trace::Values;

pub use ion::RegionIon;
pub use linearise::{linearise, Linearised, Parameter, Row, State, StateKind};
pub use quantity::{emitted_name, Quantity, When};

/// A refusal, and the mechanism in whose source it lies.
#[derive(Debug)]
pub struct Refused {
    pub mechanism: usize,
    pub diagnostic: crate::diagnostic::Diagnostic,
}

/// Mechanisms that share segments, in NEURON's order.
#[derive(Clone, Debug)]
pub struct Region {
    pub name: String,
    pub mechanisms: Vec<Mechanism>,
    /// Each mechanism can be off in a segment.
    pub switched: bool,
}

impl Region {
    /// Mechanisms in the order of their types, put into the order in which
    /// NEURON runs them: those that write a concentration first, the last
    /// registered first among them (`nrn_writes_conc`).
    pub fn new(name: impl Into<String>, mechanisms: Vec<Mechanism>, switched: bool) -> Self {
        let (writers, others): (Vec<_>, Vec<_>) =
            mechanisms.into_iter().partition(Mechanism::writes_concentration);
        let mechanisms = writers.into_iter().rev().chain(others).collect();
        Self { name: name.into(), mechanisms, switched }
    }

    pub fn kind(&self) -> Kind {
        self.mechanisms.first().map_or(Kind::Density, |mechanism| mechanism.kind)
    }
}

/// The step under construction.
struct Step<'a> {
    region: &'a Region,
    graph: Graph,
    diff: Differentiator,
    /// What each input is, by input.
    quantities: BTreeMap<Input, Quantity>,
    constants: BTreeSet<Input>,
    ions: Vec<RegionIon>,
    /// Inputs that all mechanisms share.
    v_before: Input,
    v_after: Input,
    dt: Id,
    /// `t_n + dt/2` in the current phase, `t_{n+1}` in the state phase.
    t: Id,
    celsius: Id,
    /// The values of each mechanism's variables now.
    values: Vec<Values>,
    /// The values of the ions' variables now.
    ion_values: Values,
}

impl Step<'_> {
    /// The scope of one mechanism's code: its own arm where it can be off.
    fn enter(&mut self, mechanism: usize) -> Scope {
        if !self.region.switched {
            return None;
        }
        let switch = self.switch(mechanism);
        let branch = self.graph.new_branch(switch, None);
        Some((branch, Arm::Then))
    }

    /// After a mechanism's code: where it is off, nothing has changed.
    fn leave(&mut self, scope: Scope, before: &Values, after: &mut Values) {
        let Some((branch, _)) = scope else { return };
        for (name, value) in after {
            if let Some(before) = before.get(name) {
                *value = self.graph.join(branch, *value, *before);
            }
        }
    }

    fn derivative(&mut self, of: Id, by: Input) -> Id {
        self.diff.derivative(&mut self.graph, of, by)
    }
}
