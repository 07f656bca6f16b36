//! The procedures of a region: the initial gradients, the coefficients of a
//! step, the gradients of the states after it.

use serde::Serialize;

use super::implicit_solve::unknown_name;
use super::writer::Writer;
use crate::emit::text::code::Code;
use crate::emit::text::lines;
use crate::graph::{Builtin, Id};
use crate::step::{LinearForm, Source};

#[derive(Serialize)]
pub(in crate::emit) struct Procedure {
    pub locals: String,
    pub code: Vec<String>,
    pub in_loop: Vec<String>,
}

impl Writer<'_> {
    /// The products of a linear form, for direction `k`.
    pub fn terms(&self, form: &LinearForm, factor: &mut dyn FnMut(Id) -> String) -> Vec<String> {
        let mut term = |(source, id): (Source, Id)| {
            let gradient = match source {
                Source::State(index) => format!("{}[k]", self.gradients[index]),
                Source::VAfter => "W_new[k]".to_owned(),
                Source::VBefore => "W[k]".to_owned(),
                Source::PointerAfter(index) => format!("{}[k]", self.pointer_gradients[index].new),
                Source::PointerBefore(index) => format!("{}[k]", self.pointer_gradients[index].gradient),
                Source::Parameter(index) => format!("{}[k]", self.seeds[index]),
                Source::Unknown(solve, row) => unknown_name((solve, row)),
                Source::Arrays => return Some(self.through(id)),
                // Only events have these.
                Source::Argument(_) | Source::Time => return None,
            };
            Some(self.product(id, &factor(id), &gradient))
        };
        form.in_order_of_sums().filter_map(&mut term).collect()
    }

    fn product(&self, id: Id, coefficient: &str, variable: &str) -> String {
        if self.infinite.contains(&id) {
            return format!("{}({coefficient}, {variable})", Builtin::Times.name());
        }
        product(coefficient, variable)
    }
}

/// The step is not the one that is differentiated: say so.
pub(in crate::emit) fn flag_where(code: &Code, failed: &[Id]) -> Vec<String> {
    failed.iter().map(|id| format!("IF ({} != 0) {{ fault = 3 }}", code.value(*id))).collect()
}

pub(in crate::emit) fn product(coefficient: &str, variable: &str) -> String {
    if coefficient == "1" { variable.to_owned() } else { format!("{coefficient}*{variable}") }
}

pub(in crate::emit) fn locals_statement(names: &[String]) -> String {
    if names.is_empty() { String::new() } else { format!("LOCAL {}", lines::one_list(names)) }
}
