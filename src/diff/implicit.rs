//! Derivatives of the unknowns of a system of equations.
//!
//! By the implicit function theorem: equations `r(x, p) = 0` have `M dx = -dr`,
//! `M = dr/dx`. The elimination is written out on the graph, once per system,
//! so that each input costs one forward and one backward substitution.

use super::Differentiator;
use crate::graph::elimination::Factors;
use crate::graph::{Graph, Id, Input, SparseRow, SystemId};

impl Differentiator {
    pub(super) fn unknown(&mut self, g: &mut Graph, system: SystemId, index: usize, input: Input) -> Id {
        if let Some(known) = self.unknowns.get(&(system, input)) {
            return known[index];
        }
        let residuals = g.system(system).residuals.clone();
        let right: Vec<Id> = residuals
            .iter()
            .map(|residual| {
                let derivative = self.derivative(g, *residual, input);
                g.neg(derivative)
            })
            .collect();
        if !self.systems.contains_key(&system) {
            let matrix = self.jacobian(g, system);
            let factors = g.factorise(matrix);
            self.systems.insert(system, factors);
        }
        let solution = solve(g, self.systems[&system].as_ref(), right);
        let value = solution[index];
        self.unknowns.insert((system, input), solution);
        value
    }

    fn jacobian(&mut self, g: &mut Graph, system: SystemId) -> Vec<SparseRow> {
        let description = g.system(system).clone();
        let row = |residual: &Id| {
            let unknowns = description.unknowns.iter().enumerate();
            unknowns.map(|(column, unknown)| (column, self.derivative(g, *residual, *unknown))).collect()
        };
        description.residuals.iter().map(row).collect()
    }
}

/// Equations that are singular whatever their coefficients have no derivative.
fn solve(g: &mut Graph, factors: Option<&Factors>, right: Vec<Id>) -> Vec<Id> {
    if right.iter().all(|id| g.is_zero(*id)) {
        return right;
    }
    match factors {
        Some(factors) => g.substitute(factors, right),
        None => vec![g.number(f64::NAN); right.len()],
    }
}
