//! Linear equations inside the derivative of a step.
//!
//! What a solution depends on reaches the rows of the states only through the
//! solution's own derivative `z`, which solves `A z = db - dA x` for each
//! direction. Written out as substitution, it is a list of rows in order:
//!
//! ```text
//! r_i = row . (V, x, p, z of earlier solves) - sum_j lower_ij r_j     top down
//! z_i = inverse_i (r_i - sum_j upper_ij z_j)                          bottom up
//! ```

use super::linear_form::{FormInputs, LinearForm};
use crate::graph::{Id, LinearId, Work};
use crate::step::Step;

/// One equation of a solve, in the order of elimination.
#[derive(Clone, Debug)]
pub struct ImplicitRow {
    /// The derivative of the equation.
    pub row: LinearForm,
    /// By index of an earlier row of the solve.
    pub lower: Vec<(usize, Id)>,
    /// By index of a later row of the solve, whose unknown it multiplies.
    pub upper: Vec<(usize, Id)>,
    /// 1 / pivot
    pub inverse: Id,
}

/// The derivative of one solution of linear equations.
#[derive(Clone, Debug)]
pub struct ImplicitSolve {
    pub rows: Vec<ImplicitRow>,
    /// Not 0 where the equations are solved; elsewhere `z` is 0. None: everywhere.
    pub on: Option<Id>,
}

impl ImplicitSolve {
    pub fn coefficients(&self) -> Vec<Id> {
        let mut ids: Vec<Id> = self.on.into_iter().collect();
        for row in &self.rows {
            ids.extend(row.row.coefficients());
            ids.extend(row.lower.iter().chain(&row.upper).map(|(_, id)| *id));
            ids.push(row.inverse);
        }
        ids
    }
}

impl Step<'_> {
    /// The implicit solves for some equations, and where their unknowns are in them.
    pub(in crate::step) fn implicit_solves(
        &mut self,
        systems: &[LinearId],
        inputs: &mut FormInputs,
    ) -> Vec<ImplicitSolve> {
        let mut implicit_solves = Vec::new();
        for system in systems {
            let system = self.graph.linear_system(*system).clone();
            let Some(factors) = self.graph.factorise(system.matrix.clone()) else { continue };
            let (zero, one) = (self.graph.number(0.0), self.graph.number(1.0));
            let mut position = vec![0; factors.pivots.len()];
            let mut of_column = position.clone();
            for (index, (row, column)) in factors.pivots.iter().enumerate() {
                position[*row] = index;
                of_column[*column] = index;
            }
            let mut rows = Vec::new();
            for (index, (row, _)) in factors.pivots.iter().enumerate() {
                let row = self.equation(&system.matrix[*row], system.right[*row], &system.values, inputs);
                let upper = factors.upper[index].iter();
                let upper = upper.map(|(column, id)| (of_column[*column], *id)).collect();
                let inverse = self.graph.div(one, factors.diagonal[index]);
                rows.push(ImplicitRow { row, lower: Vec::new(), upper, inverse });
            }
            for (index, lower) in factors.lower.iter().enumerate() {
                for (below, id) in lower {
                    rows[position[*below]].lower.push((index, *id));
                }
            }
            let on = system.scope.map(|_| self.graph.only_in(system.scope, one, zero));
            if on.is_some() {
                for row in &mut rows {
                    let row_ids = row.row.ids_mut();
                    let ids = row_ids.chain(row.lower.iter_mut().map(|(_, id)| id));
                    let ids = ids.chain(row.upper.iter_mut().map(|(_, id)| id));
                    for id in ids.chain([&mut row.inverse]) {
                        *id = self.graph.only_in(system.scope, *id, zero);
                    }
                }
            }
            for (column, unknown) in system.unknowns.iter().enumerate() {
                inputs.unknowns.push((*unknown, (implicit_solves.len(), of_column[column])));
            }
            implicit_solves.push(ImplicitSolve { rows, on });
        }
        implicit_solves
    }

    /// `db - dA x` of one equation.
    fn equation(
        &mut self,
        matrix: &crate::graph::SparseRow,
        right: Id,
        values: &[Id],
        inputs: &FormInputs,
    ) -> LinearForm {
        // Whoever made the graph so large is refused for it.
        if self.graph.is_full() {
            return LinearForm::default();
        }
        let total = |step: &mut Self, by| {
            step.graph.charge(Work::Looks(1 + matrix.len()));
            if !step.graph.may_touch(right, by) && !matrix.values().any(|id| step.graph.may_touch(*id, by)) {
                return None;
            }
            let mut sum = step.derivative(right, by);
            for (column, coefficient) in matrix {
                let derivative = step.derivative(*coefficient, by);
                let term = step.graph.mul(derivative, values[*column]);
                sum = step.graph.sub(sum, term);
            }
            (!step.graph.is_zero(sum)).then_some(sum)
        };
        self.form_by(inputs, total)
    }
}
