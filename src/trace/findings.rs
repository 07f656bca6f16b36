//! What running code has shown besides values: what its tables are made of, what it keeps, what is refused.

use std::collections::{BTreeMap, BTreeSet};

use super::Memos;
use crate::diagnostic::Diagnostic;
use crate::graph::{Id, Input};
use crate::model::{Mechanism, Role, Visibility};
use crate::syntax::span::Span;

/// A mechanism, and one of its blocks or variables.
pub(super) type Place = (String, String);

/// What has been found in all code of a region that has run.
#[derive(Debug, Default)]
pub struct Findings {
    /// By mechanism and tabulated block: what the table is made of and does not DEPEND on.
    pub unwatched: BTreeMap<Place, BTreeSet<Input>>,
    /// By mechanism and tabulated block: what the table is made of that segments have for themselves.
    pub shared: BTreeMap<Place, Shared>,
    /// What stands for a variable that the filling of a table sets.
    pub leftovers: BTreeMap<Input, Leftover>,
    /// Variables that a filling leaves as the body would set them.
    pub(super) kept: Vec<(Leftover, Id)>,
    /// By mechanism and variable: the values that code sets it to.
    assigned: BTreeMap<Place, BTreeSet<Id>>,
    pub memos: Memos,
    /// By mechanism: why code in an arm of a conditional was left out.
    pub unfollowed: Vec<(String, Diagnostic)>,
    /// Whether code goes on after a refused statement.
    pub gathers: bool,
    /// By mechanism: the refusals after which code went on.
    pub gathered: Vec<(String, Diagnostic)>,
}

/// What the filling of a table left in a variable that is no column of it.
#[derive(Clone, Debug)]
pub struct Leftover {
    /// The mechanism.
    pub mechanism: String,
    pub variable: String,
    /// The TABLE statement.
    pub span: Span,
}

/// The variables of one segment that a table for all segments is made of.
#[derive(Clone, Debug, Default)]
pub struct Shared {
    pub inputs: BTreeSet<Input>,
    /// Inputs that are in the DEPEND list.
    pub watched: BTreeSet<Input>,
    /// The TABLE statement.
    pub span: Span,
}

impl Findings {
    pub(super) fn note_unfollowed(&mut self, mechanism: &str, diagnostic: &Diagnostic) {
        let place = (diagnostic.code, diagnostic.span.start);
        let is_same =
            |(name, known): &(String, Diagnostic)| name == mechanism && (known.code, known.span.start) == place;
        if !self.unfollowed.iter().any(is_same) {
            self.unfollowed.push((mechanism.to_owned(), diagnostic.clone()));
        }
    }

    pub(super) fn note_assigned(&mut self, mechanism: &Mechanism, variable: &str, value: Id) {
        if is_shared(mechanism, variable) {
            let place = (mechanism.name.clone(), variable.to_owned());
            self.assigned.entry(place).or_default().insert(value);
        }
    }

    /// The variables of a mechanism that fillings leave as the body would set them.
    pub fn kept(&self, mechanism: &str) -> BTreeSet<String> {
        let own = self.kept.iter().filter(|(left, _)| left.mechanism == mechanism);
        own.map(|(left, _)| left.variable.clone()).collect()
    }

    /// A variable that a filling leaves as the body would set it, and that other code sets to another value.
    pub fn mixed(&self) -> Option<&Leftover> {
        let is_mixed = |(left, value): &&(Leftover, Id)| {
            let place = (left.mechanism.clone(), left.variable.clone());
            self.assigned.get(&place).is_some_and(|values| values.iter().any(|other| other != value))
        };
        self.kept.iter().find(is_mixed).map(|(left, _)| left)
    }
}

/// One variable for all segments, that scripts see and that is no PARAMETER.
pub(super) fn is_shared(mechanism: &Mechanism, name: &str) -> bool {
    mechanism
        .variable(name)
        .is_some_and(|variable| variable.visibility == Visibility::Global && variable.role == Role::Assigned)
}
