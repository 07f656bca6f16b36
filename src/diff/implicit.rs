//! Derivatives of the unknowns of a system of equations, by the implicit
//! function theorem: `M dx = -dr`, `M = dr/dx`.
//!
//! The elimination is written out on the graph, once per system, so that it
//! costs one forward and one backward substitution per input.

use super::Differentiator;
use crate::graph::{Graph, Id, Input, SystemId};

/// `M = L U`: factors below the diagonal, `U` on and above it.
#[derive(Clone, Debug)]
pub struct Elimination {
    rows: Vec<Vec<Id>>,
}

impl Differentiator {
    pub(super) fn unknown(&mut self, g: &mut Graph, system: SystemId, index: usize, input: Input) -> Id {
        let residuals = g.system(system).residuals.clone();
        let mut right: Vec<Id> = residuals
            .iter()
            .map(|residual| {
                let derivative = self.derivative(g, *residual, input);
                g.neg(derivative)
            })
            .collect();
        if right.iter().all(|id| g.is_zero(*id)) {
            return g.number(0.0);
        }
        let rows = self.eliminate(g, system).rows;
        let count = rows.len();
        for i in 0..count {
            for j in 0..i {
                let term = g.mul(rows[i][j], right[j]);
                right[i] = g.sub(right[i], term);
            }
        }
        for i in (index..count).rev() {
            for j in i + 1..count {
                let term = g.mul(rows[i][j], right[j]);
                right[i] = g.sub(right[i], term);
            }
            right[i] = g.div(right[i], rows[i][i]);
        }
        right[index]
    }

    /// Gaussian elimination without pivoting: `M` is `1 - dt df/dx`, near the
    /// identity for any step that NEURON can take.
    fn eliminate(&mut self, g: &mut Graph, system: SystemId) -> Elimination {
        if let Some(known) = self.eliminated.get(&system) {
            return known.clone();
        }
        let description = g.system(system).clone();
        let mut rows: Vec<Vec<Id>> = description
            .residuals
            .iter()
            .map(|residual| {
                description.unknowns.iter().map(|unknown| self.derivative(g, *residual, *unknown)).collect()
            })
            .collect();
        let count = rows.len();
        for pivot in 0..count {
            for row in pivot + 1..count {
                if g.is_zero(rows[row][pivot]) {
                    continue;
                }
                let factor = g.div(rows[row][pivot], rows[pivot][pivot]);
                rows[row][pivot] = factor;
                for column in pivot + 1..count {
                    let term = g.mul(factor, rows[pivot][column]);
                    rows[row][column] = g.sub(rows[row][column], term);
                }
            }
        }
        let elimination = Elimination { rows };
        self.eliminated.insert(system, elimination.clone());
        elimination
    }
}
