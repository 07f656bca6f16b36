//! The procedures of a region: the initial gradients, the coefficients of a
//! step, the gradients of the states after it.

use serde::Serialize;

use super::code::Code;
use super::lines;
use super::region::Writer;
use super::stages::unknown_name;
use crate::graph::{Builtin, Id};
use crate::step::Row;

#[derive(Serialize)]
pub(super) struct Procedure {
    pub locals: String,
    pub code: Vec<String>,
    pub in_loop: Vec<String>,
}

impl Writer<'_> {
    /// The products of a row, for direction `k`.
    pub fn terms(&self, row: &Row, factor: &mut dyn FnMut(Id) -> String) -> Vec<String> {
        let states = row.states.iter().map(|(other, id)| (*id, format!("{}[k]", self.gradients[*other])));
        let after = row.v_after.map(|id| (id, "W_new[k]".to_owned()));
        let before = row.v_before.map(|id| (id, "W[k]".to_owned()));
        let far_after = row.far_after.iter().map(|(index, id)| (*id, format!("{}[k]", self.far[*index].new)));
        let far_before = row.far_before.iter().map(|(index, id)| (*id, format!("{}[k]", self.far[*index].gradient)));
        let parameters = row.parameters.iter().map(|(index, id)| (*id, format!("{}[k]", self.seeds[*index])));
        let unknowns = row.unknowns.iter().map(|(place, id)| (*id, unknown_name(*place)));
        let products = states
            .chain(after)
            .chain(before)
            .chain(far_after)
            .chain(far_before)
            .chain(parameters)
            .chain(unknowns)
            .map(|(id, name)| self.product(id, &factor(id), &name));
        products.chain(row.arrays.map(|id| self.through(id))).collect()
    }

    fn product(&self, id: Id, coefficient: &str, variable: &str) -> String {
        if self.infinite.contains(&id) {
            return format!("{}({coefficient}, {variable})", Builtin::Times.name());
        }
        product(coefficient, variable)
    }
}

/// The step is not the one that is differentiated: say so.
pub(super) fn flag_where(code: &Code, failed: &[Id]) -> Vec<String> {
    failed.iter().map(|id| format!("IF ({} != 0) {{ fault = 3 }}", code.value(*id))).collect()
}

pub(super) fn product(coefficient: &str, variable: &str) -> String {
    if coefficient == "1" { variable.to_owned() } else { format!("{coefficient}*{variable}") }
}

pub(super) fn locals_statement(names: &[String]) -> String {
    if names.is_empty() { String::new() } else { format!("LOCAL {}", lines::one_list(names)) }
}
