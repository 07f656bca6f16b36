//! Linear forms as text: the products whose sum is a gradient.

use super::implicit_solve::unknown_name;
use super::writer::Writer;
use crate::emit::text::code::Code;
use crate::emit::text::lines::product;
use crate::graph::{Builtin, Id};
use crate::step::{LinearForm, Source};

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

    /// The products of a form with parameters and weights, for direction `k`.
    fn terms_of(&self, form: &LinearForm, code: &Code, k: usize) -> Vec<String> {
        let term = |(source, id): (Source, Id)| {
            let gradient = match source {
                Source::Parameter(index) => format!("{}[{k}]", self.seeds[index]),
                Source::Argument(index) => weight_gradient(index, k),
                // Of the states see `known_terms`; for what else there may be, whoever calls takes care.
                Source::State(_)
                | Source::VAfter
                | Source::VBefore
                | Source::PointerAfter(_)
                | Source::PointerBefore(_)
                | Source::Unknown(..)
                | Source::Time
                | Source::Arrays => return None,
            };
            Some(product(&code.factor(id), &gradient))
        };
        form.iter().filter_map(term).collect()
    }

    /// The products of a form that depends on no states but those that nothing changes after INITIAL, for direction `k`.
    pub fn known_terms(&self, form: &LinearForm, code: &Code, k: usize) -> Vec<String> {
        let state = |(source, id): (Source, Id)| match source {
            Source::State(index) => Some(product(&code.factor(id), &format!("{}[{k}]", self.gradients[index]))),
            // In `terms_of`, or not among what this is for.
            Source::Parameter(_)
            | Source::Argument(_)
            | Source::VAfter
            | Source::VBefore
            | Source::PointerAfter(_)
            | Source::PointerBefore(_)
            | Source::Unknown(..)
            | Source::Time
            | Source::Arrays => None,
        };
        let mut terms = self.terms_of(form, code, k);
        terms.extend(form.iter().filter_map(state));
        terms
    }

    /// What holds the part of a row that arrays make, for direction `k`.
    pub fn through(&self, id: Id) -> String {
        let index = self.array_terms.iter().position(|known| *known == id).unwrap_or_default();
        format!("through[k + {}]", index * self.directions)
    }
}

/// The gradient of a weight of the `NetCon`.
pub(in crate::emit) fn weight_gradient(argument: usize, direction: usize) -> String {
    format!("dw{argument}_{direction}")
}
