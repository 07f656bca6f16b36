//! KINETIC: a block of reactions -> the linear equations of one iteration.
//!
//! NEURON advances a scheme by solving `A change = r` for the change of the
//! states, again and again (`scopmath/sparse_thread`). Row `i` is the balance
//! of state `i`, `r_i = -(s_i - s_i(t_n))/dt + reactions`, times its volume; a
//! CONSERVE takes the place of the row of one of its states. `A` has the
//! derivatives of the reactions by the states that they consume, but not those
//! of the rates. The same `A` and `r` are made here as by NEURON's translator.

use std::collections::BTreeMap;

use crate::graph::{Id, SparseRow};
use crate::syntax::ast::{Block, Statement, StatementKind};
use crate::trace::equations::scheme::Scheme;
use crate::trace::equations::term::{matrix_term, right_term};
use crate::trace::{Trace, Traced, Values};

/// `matrix . change = right`
#[derive(Clone, Debug)]
pub struct Equations {
    pub matrix: Vec<SparseRow>,
    pub right: Vec<Id>,
    /// What `A` takes as constant although `r` may vary with it.
    pub rates: Vec<Id>,
    pub has_bare_sum: bool,
}

impl Trace<'_> {
    /// Runs a KINETIC block at the present values of the states; `old` has
    /// those at the start of the step of length `dt`.
    pub fn kinetic(&mut self, block: &Block, scheme: &Scheme, old: &Values, dt: Id) -> Traced<Equations> {
        let mut scheme = scheme.clone();
        scheme.volumes = self.volumes(&block.body)?;
        let one = self.graph.number(1.0);
        let rate = self.graph.div(one, dt);
        for (row, state) in scheme.states.iter().enumerate() {
            if scheme.is_conserved(row) {
                continue;
            }
            let change = self.graph.sub(old[state], self.values[state]);
            let volume = scheme.volumes.get(state).copied().unwrap_or(one);
            let diagonal = self.graph.mul(rate, volume);
            let right = self.graph.mul(diagonal, change);
            self.values.insert(right_term(row), right);
            self.values.insert(matrix_term(row, row), diagonal);
        }
        let zero = self.graph.number(0.0);
        for flux in ["f_flux", "b_flux"] {
            self.values.insert(flux.to_owned(), zero);
        }
        let count = scheme.states.len();
        let outer = self.scheme.replace(scheme);
        let result = self.run_block(block);
        let scheme = std::mem::replace(&mut self.scheme, outer);
        result?;
        let mut equations = Equations {
            matrix: vec![SparseRow::new(); count],
            right: Vec::new(),
            rates: scheme.iter().flat_map(|scheme| scheme.rates.clone()).collect(),
            has_bare_sum: scheme.is_some_and(|scheme| scheme.has_bare_sum),
        };
        for row in 0..count {
            equations.right.push(self.values.remove(&right_term(row)).unwrap_or(zero));
            for column in 0..count {
                if let Some(entry) = self.values.remove(&matrix_term(row, column)) {
                    equations.matrix[row].insert(column, entry);
                }
            }
        }
        Ok(equations)
    }

    /// What the reactions make of each state per unit of time, at its present value; a CONSERVE is left out, as by CVODE.
    pub fn kinetic_rates(&mut self, block: &Block) -> Traced<Vec<(String, Id)>> {
        let scheme = Scheme { conserved: BTreeMap::new(), ..Scheme::new(self.mechanism, block) };
        let kept = self.values.clone();
        let one = self.graph.number(1.0);
        let equations = self.kinetic(block, &scheme, &kept, one)?;
        let mut slopes = Vec::new();
        for (state, right) in scheme.states.iter().zip(&equations.right) {
            let volume = self.volumes(&block.body)?.get(state).copied().unwrap_or(one);
            slopes.push((state.clone(), self.graph.div(*right, volume)));
        }
        Ok(slopes)
    }

    /// What the reactions make of each state per unit of time in a step of NEURON.
    pub fn kinetic_slopes(&mut self, block: &Block, dt: Id) -> Traced<Vec<(String, Id)>> {
        let scheme = Scheme::new(self.mechanism, block);
        let kept = self.values.clone();
        let mut slopes = self.kinetic_rates(block)?;
        // A step makes up for what a CONSERVE finds missing.
        self.values.clone_from(&kept);
        let equations = self.kinetic(block, &scheme, &kept, dt)?;
        for (row, (_, slope)) in slopes.iter_mut().enumerate() {
            if let Some(weight) = equations.matrix[row].get(&row).filter(|_| scheme.is_conserved(row)) {
                let missing = self.graph.div(equations.right[row], *weight);
                let change = self.graph.div(missing, dt);
                *slope = self.graph.add(*slope, change);
            }
        }
        Ok(slopes)
    }

    fn volumes(&mut self, body: &[Statement]) -> Traced<BTreeMap<String, Id>> {
        let mut volumes = BTreeMap::new();
        for statement in body {
            let StatementKind::Compartment { index, volume, species } = &statement.kind else {
                continue;
            };
            for name in species {
                let Some(variable) = self.mechanism.variable(&name.text) else { continue };
                for (number, element) in variable.elements().into_iter().enumerate() {
                    let before = index.as_ref().map(|index| {
                        #[allow(clippy::cast_precision_loss)]
                        let number = self.graph.number(number as f64);
                        let before = self.frame().insert(index.text.clone(), number);
                        (index.text.clone(), before)
                    });
                    let value = self.expression(volume);
                    if let Some((index, before)) = before {
                        match before {
                            Some(before) => self.frame().insert(index, before),
                            None => self.frame().remove(&index),
                        };
                    }
                    volumes.insert(element, value?);
                }
            }
        }
        Ok(volumes)
    }
}
