//! Systems of equations whose unknowns are values of the graph.

use std::collections::BTreeSet;

use super::{Graph, Id, Input, LinearId, Node, Scope, SparseRow, SystemId};

/// Equations `residual = 0` that define the unknowns together.
#[derive(Clone, Debug)]
pub struct System {
    /// The inputs that stand for the unknowns inside the residuals; their
    /// values are the solution that NEURON found.
    pub unknowns: Vec<Input>,
    pub residuals: Vec<Id>,
    /// Where they are solved.
    pub scope: Scope,
}

/// Equations `matrix . values = right`.
#[derive(Clone, Debug)]
pub struct LinearSystem {
    pub matrix: Vec<SparseRow>,
    pub right: Vec<Id>,
    pub values: Vec<Id>,
    /// Inputs that stand for the values wherever a derivative is taken: what
    /// depends on the solution has a derivative by these, and only the
    /// equations have derivatives by what they are made of.
    pub unknowns: Vec<Input>,
    /// Where the equations are solved.
    pub scope: Scope,
    /// The values are those that NEURON found.
    pub is_known: bool,
}

impl Graph {
    pub fn system(&self, system: SystemId) -> &System {
        &self.systems[system.0 as usize]
    }

    /// What is 0 at the solutions of all systems of equations.
    pub fn residuals(&self) -> impl Iterator<Item = Id> + '_ {
        self.systems.iter().flat_map(|system| system.residuals.iter().copied())
    }

    /// The solution of `residuals = 0`: NEURON's values, with derivatives.
    pub fn solve(&mut self, unknowns: Vec<Input>, residuals: Vec<Id>, scope: Scope) -> Vec<Id> {
        let system = SystemId(u32::try_from(self.systems.len()).unwrap_or(u32::MAX));
        let count = unknowns.len();
        self.systems.push(System { unknowns, residuals, scope });
        (0..count).map(|index| self.intern(Node::Unknown(system, index))).collect()
    }

    pub fn linear_system(&self, system: LinearId) -> &LinearSystem {
        &self.linear[system.0 as usize]
    }

    /// The linear equations among whose unknowns these inputs are, oldest first.
    pub fn linear_systems(&self, inputs: &BTreeSet<Input>) -> Vec<LinearId> {
        let found: BTreeSet<LinearId> = inputs.iter().filter_map(|input| self.owners.get(input).copied()).collect();
        found.into_iter().collect()
    }

    /// The solution of linear equations, by elimination or as NEURON already
    /// has it; `None` if they are singular whatever their coefficients.
    pub fn solve_linear(
        &mut self,
        matrix: Vec<SparseRow>,
        right: Vec<Id>,
        known: Option<Vec<Id>>,
        scope: Scope,
    ) -> Option<Vec<Id>> {
        let is_known = known.is_some();
        let values = if let Some(values) = known {
            values
        } else {
            let factors = self.factorise(matrix.clone())?;
            self.substitute(&factors, right.clone())
        };
        let system = LinearId(u32::try_from(self.linear.len()).unwrap_or(u32::MAX));
        let unknowns: Vec<Input> = values.iter().map(|_| self.input("unknown")).collect();
        self.owners.extend(unknowns.iter().map(|unknown| (*unknown, system)));
        self.linear.push(LinearSystem {
            matrix,
            right,
            values: values.clone(),
            unknowns: unknowns.clone(),
            scope,
            is_known,
        });
        let anchored = values.into_iter().zip(unknowns).map(|(value, unknown)| {
            let tangent = self.read(unknown);
            self.anchor(value, tangent)
        });
        Some(anchored.collect())
    }

    /// Whether it stands for an unknown of linear equations, which has a derivative and no value of its own.
    pub fn is_solution(&self, input: Input) -> bool {
        self.owners.contains_key(&input)
    }
}
