//! Arrays that are one value: elements are read at any index, and written by events
//! and by INITIAL.

use super::{Trace, Traced, refuse};
use crate::diagnostic::Code;
use crate::graph::{Id, Input, Scope};
use crate::syntax::ast::Expr;
use crate::syntax::span::Span;

/// An element that code sets.
#[derive(Clone, Debug)]
pub struct Store {
    pub array: Input,
    pub index: Id,
    pub value: Id,
    pub scope: Scope,
    pub span: Span,
}

impl Trace<'_> {
    pub(super) fn whole_array(&self, name: &str) -> Option<Input> {
        self.lookup(name).and_then(|id| self.graph.as_array(id))
    }

    /// The value before anything that this code sets.
    pub(super) fn element_of(&mut self, array: Input, index: &Expr, span: Span) -> Traced<Id> {
        if self.stores.iter().flatten().any(|store| store.array == array) {
            let message = "an element of this array is read after one has been set in the same block";
            return Err(refuse(Code::EventArray, span, message));
        }
        let index = self.index_value(index)?;
        Ok(self.graph.element(array, index))
    }

    pub(super) fn store(&mut self, array: Input, index: &Expr, value: Id, span: Span) -> Traced<()> {
        let index = self.index_value(index)?;
        let scope = self.scope;
        match &mut self.stores {
            Some(stores) => {
                stores.push(Store { array, index, value, scope, span });
                Ok(())
            }
            None => Err(refuse(Code::EventArray, span, "an element of this array is set outside of events")),
        }
    }

    fn index_value(&mut self, index: &Expr) -> Traced<Id> {
        match self.integer(index)? {
            #[allow(clippy::cast_precision_loss)]
            Some(number) => Ok(self.graph.number(number as f64)),
            None => self.integer_value(index),
        }
    }
}
