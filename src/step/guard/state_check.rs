//! What a state is at the end of a step must be what its equation makes of it: else it was set from outside, or a TABLE
//! is in use that NEURON did not fill again, or a parameter was another in between.

use std::collections::BTreeSet;

use crate::graph::{Builtin, Graph, Id, Input, Node};
use crate::model::Kind;
use crate::step::linear_map::state_vector::Candidate;
use crate::step::{Quantity, Step};

/// Relative deviation of a state from its equation that is put down to rounding.
pub const ROUNDING: f64 = 1e-7;

/// Relative deviation that is left where NEURON iterates until the changes are below 1e-6.
const ITERATED: f64 = 1e-5;

/// What is left of a balance, per ms, where NEURON has set a state below zero to zero.
const CLAMPED: f64 = 1e-9;

/// An equation of the step that NEURON's values must fulfil.
#[derive(Clone, Debug)]
pub struct Check {
    /// The states that it is about, in NEURON's words.
    pub of: String,
    /// What is 0.
    pub rest: Id,
    /// The sizes of what it is the sum of.
    pub size: Id,
    /// How much may be left, relative to the size, and besides.
    pub relative: f64,
    pub absolute: f64,
    /// The equation is one of those that hold a point process's arrays, which events write.
    pub of_arrays: bool,
}

impl Step<'_> {
    /// The equations of all states that NEURON shows.
    pub(in crate::step) fn checks(&mut self, chosen: &[Candidate]) -> Vec<Check> {
        let mut checks: Vec<Check> = chosen.iter().filter_map(|candidate| self.of_state(candidate)).collect();
        let ends: Vec<Id> = chosen.iter().map(|candidate| candidate.after).collect();
        self.of_linear_equations(&ends, &mut checks);
        self.of_equations(&ends, &mut checks);
        checks
    }

    /// A state with a formula of its own.
    fn of_state(&mut self, candidate: &Candidate) -> Option<Check> {
        let Node::Anchored { value, mut tangent } = *self.graph.node(candidate.after) else { return None };
        while let Node::Anchored { value: again, tangent: inner } = *self.graph.node(tangent) {
            if again != value {
                break;
            }
            tangent = inner;
        }
        // Of a solution of equations these tell.
        let is_solution = match self.graph.node(tangent) {
            Node::Unknown(..) => true,
            Node::Input(input) => self.graph.is_solution(*input),
            _ => false,
        };
        if is_solution || self.is_own(value, tangent) {
            return None;
        }
        let before = self.graph.read(candidate.input);
        let rest = self.graph.sub(tangent, value);
        let sizes = [before, value].map(|id| self.graph.call(Builtin::Fabs, vec![id]));
        let size = self.graph.add(sizes[0], sizes[1]);
        let of = self.public_name(&candidate.kind);
        Some(Check { of, rest, size, relative: ROUNDING, absolute: 0.0, of_arrays: false })
    }

    /// Whether a formula is made of the value that it should be compared with.
    fn is_own(&self, value: Id, formula: Id) -> bool {
        self.graph.reachable(&[formula], false).contains(&value)
    }

    /// NEURON's solutions of linear equations.
    fn of_linear_equations(&mut self, ends: &[Id], checks: &mut Vec<Check>) {
        for system in self.systems(ends) {
            let system = self.graph.linear_system(system).clone();
            if !system.is_known {
                continue;
            }
            let of = self.states_in(&system.values);
            for (row, right) in system.matrix.iter().zip(&system.right) {
                let mut rest = *right;
                let mut size = self.graph.call(Builtin::Fabs, vec![*right]);
                for (column, coefficient) in row {
                    let term = self.graph.mul(*coefficient, system.values[*column]);
                    rest = self.graph.sub(rest, term);
                    let term = self.graph.call(Builtin::Fabs, vec![term]);
                    size = self.graph.add(size, term);
                }
                let zero = self.graph.number(0.0);
                let [rest, size] = [rest, size].map(|id| self.graph.only_in(system.scope, id, zero));
                let of_arrays = !self.arrays.is_empty();
                checks.push(Check { of: of.clone(), rest, size, relative: ROUNDING, absolute: CLAMPED, of_arrays });
            }
        }
    }

    /// NEURON's solutions of other equations.
    fn of_equations(&mut self, ends: &[Id], checks: &mut Vec<Check>) {
        let mut systems = BTreeSet::new();
        for id in self.graph.reachable(ends, true) {
            if let Node::Unknown(system, _) = self.graph.node(id) {
                systems.insert(*system);
            }
        }
        for system in systems {
            let system = self.graph.system(system).clone();
            let values: Vec<Id> = system.unknowns.iter().map(|input| self.graph.read(*input)).collect();
            let of = self.states_in(&values);
            for rest in system.residuals {
                let size = size_of(&mut self.graph, rest);
                let zero = self.graph.number(0.0);
                let [rest, size] = [rest, size].map(|id| self.graph.only_in(system.scope, id, zero));
                checks.push(Check { of: of.clone(), rest, size, relative: ITERATED, absolute: 0.0, of_arrays: false });
            }
        }
    }

    /// The names of the states among what some values are made of.
    fn states_in(&self, values: &[Id]) -> String {
        let inputs: BTreeSet<Input> = self.graph.reachable_inputs(values, false);
        let names: BTreeSet<String> = inputs.iter().filter_map(|input| self.state_name(*input)).collect();
        names.into_iter().collect::<Vec<_>>().join(", ")
    }

    fn state_name(&self, input: Input) -> Option<String> {
        match self.quantities.get(&input)? {
            Quantity::Variable(mechanism, name, _) => Some(self.region.mechanisms[*mechanism].public_name(name)),
            Quantity::Ion(name, _) => Some(name.clone()),
            _ => None,
        }
    }

    /// Whether nothing but the step changes it: no event of a point process.
    pub(in crate::step) fn is_untouched(&mut self, candidate: &Candidate) -> bool {
        self.region.kind() == Kind::Density || candidate.event == self.graph.read(candidate.input)
    }
}

/// The sizes of the terms of a sum.
fn size_of(graph: &mut Graph, sum: Id) -> Id {
    match *graph.node(sum) {
        Node::Add(a, b) | Node::Sub(a, b) => {
            let parts = [a, b].map(|id| size_of(graph, id));
            graph.add(parts[0], parts[1])
        }
        Node::Neg(a) => size_of(graph, a),
        _ => graph.call(Builtin::Fabs, vec![sum]),
    }
}
