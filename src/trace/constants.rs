//! What the tables of a region are made of, and what their filling leaves behind.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};

use super::Memos;
use crate::diagnostic::Diagnostic;
use crate::graph::{Id, Input};
use crate::model::{Mechanism, Role, Visibility};
use crate::syntax::span::Span;

/// Inputs that can't change while a simulation runs, so that a TABLE may depend on them.
#[derive(Debug, Default)]
pub struct Constants {
    pub(super) inputs: BTreeSet<Input>,
    /// Those of them that can't change at all.
    pub(super) fixed: BTreeSet<Input>,
    /// Those of them that have a value in every segment.
    pub(super) ranges: BTreeSet<Input>,
    pub(super) unwatched: RefCell<BTreeMap<(String, String), BTreeSet<Input>>>,
    pub(super) shared: RefCell<BTreeMap<(String, String), Shared>>,
    pub(super) leftovers: RefCell<BTreeMap<Input, Leftover>>,
    pub(super) kept: RefCell<Vec<(Leftover, Id)>>,
    pub(super) assigned: RefCell<BTreeMap<(String, String), BTreeSet<Id>>>,
    pub memos: Memos,
    /// What mechanisms call the inputs.
    pub called: BTreeMap<Input, String>,
    unfollowed: RefCell<Vec<(String, Diagnostic)>>,
    /// Whether code goes on after a refused statement.
    pub(super) gathers: Cell<bool>,
    gathered: RefCell<Vec<(String, Diagnostic)>>,
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
    /// Those of them in the DEPEND list.
    pub watched: BTreeSet<Input>,
    /// The TABLE statement.
    pub span: Span,
}

impl Constants {
    /// From now on code goes on after a refused statement.
    pub fn gather(&self) {
        self.gathers.set(true);
    }

    pub(super) fn note_refused(&self, mechanism: &str, diagnostic: Diagnostic) {
        self.gathered.borrow_mut().push((mechanism.to_owned(), diagnostic));
    }

    /// By mechanism: all refusals.
    pub fn gathered(&self) -> Vec<(String, Diagnostic)> {
        self.gathered.borrow().clone()
    }

    pub(super) fn note_unfollowed(&self, mechanism: &str, diagnostic: &Diagnostic) {
        let mut notes = self.unfollowed.borrow_mut();
        let place = (diagnostic.code, diagnostic.span.start);
        let is_known = notes.iter().any(|(name, known)| name == mechanism && (known.code, known.span.start) == place);
        if !is_known {
            notes.push((mechanism.to_owned(), diagnostic.clone()));
        }
    }

    /// By mechanism: why code in an arm of a conditional was left out.
    pub fn unfollowed(&self) -> Vec<(String, Diagnostic)> {
        self.unfollowed.borrow().clone()
    }

    pub fn insert_range(&mut self, input: Input) {
        self.inputs.insert(input);
        self.ranges.insert(input);
    }

    /// By mechanism and tabulated block.
    pub fn shared(&self) -> BTreeMap<(String, String), Shared> {
        self.shared.borrow().clone()
    }

    pub fn insert(&mut self, input: Input) {
        self.inputs.insert(input);
    }

    pub fn insert_fixed(&mut self, input: Input) {
        self.inputs.insert(input);
        self.fixed.insert(input);
    }

    /// By mechanism and tabulated block: what the table is made of and does not DEPEND on.
    pub fn unwatched(&self) -> BTreeMap<(String, String), BTreeSet<Input>> {
        self.unwatched.borrow().clone()
    }

    pub fn leftovers(&self) -> BTreeMap<Input, Leftover> {
        self.leftovers.borrow().clone()
    }

    pub(super) fn note_assigned(&self, mechanism: &Mechanism, variable: &str, value: Id) {
        if is_shared(mechanism, variable) {
            let place = (mechanism.name.clone(), variable.to_owned());
            self.assigned.borrow_mut().entry(place).or_default().insert(value);
        }
    }

    /// The variables of a mechanism that fillings leave as the body would set them.
    pub fn kept(&self, mechanism: &str) -> BTreeSet<String> {
        let kept = self.kept.borrow();
        let own = kept.iter().filter(|(left, _)| left.mechanism == mechanism);
        own.map(|(left, _)| left.variable.clone()).collect()
    }

    /// A variable that a filling leaves as the body would set it, and that other code sets to another value.
    pub fn mixed(&self) -> Option<Leftover> {
        let assigned = self.assigned.borrow();
        let kept = self.kept.borrow();
        let is_mixed = |(left, value): &&(Leftover, Id)| {
            let place = (left.mechanism.clone(), left.variable.clone());
            assigned.get(&place).is_some_and(|values| values.iter().any(|other| other != value))
        };
        kept.iter().find(is_mixed).map(|(left, _)| left.clone())
    }
}

/// One variable for all segments, that scripts see and that is no PARAMETER.
pub(super) fn is_shared(mechanism: &Mechanism, name: &str) -> bool {
    mechanism
        .variable(name)
        .is_some_and(|variable| variable.visibility == Visibility::Global && variable.role == Role::Assigned)
}
