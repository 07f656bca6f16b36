//! Values that code computes anew only where something changed.
//!
//! ```text
//! IF (warm != celsius) { warm = celsius  factor = 3^((celsius - 6.3)/10) }
//! ```
//!
//! After this code `factor` is always that of the present `celsius`, whatever an
//! earlier run left, so it is followed as if it always ran. That is so where all
//! that the values are made of is compared, and where nothing else sets them.

use std::collections::{BTreeMap, BTreeSet};

use super::findings::Place;
use super::{Trace, Traced, Values};
use crate::graph::{Comparison, Id, Node, Work};
use crate::model::{Role, Visibility};
use crate::syntax::ast::{BinaryOp, Expr, ExprKind, Statement};
use crate::syntax::span::Span;

/// The memos of a region, and all assignments.
#[derive(Debug, Default)]
pub struct Memos {
    found: Vec<Memo>,
    assignments: BTreeMap<Place, Vec<Assignment>>,
}

#[derive(Clone, Copy, Debug)]
struct Assignment {
    /// Where the memo begins that it belongs to.
    memo: Option<usize>,
    span: Span,
    value: Id,
}

#[derive(Clone, Debug)]
struct Memo {
    mechanism: String,
    start: usize,
    /// What tells whether something is new.
    guards: BTreeSet<String>,
    values: BTreeSet<String>,
}

/// One comparison of a condition.
struct Key {
    guard: String,
    comparison: BinaryOp,
    with: Id,
}

impl Memos {
    /// Where code that has been run sets a variable for the last time.
    pub fn last_set(&self, mechanism: &str, variable: &str) -> Option<Span> {
        let own = self.assignments.get(&(mechanism.to_owned(), variable.to_owned()))?;
        own.last().map(|assignment| assignment.span)
    }

    /// A variable of a memo that other code sets too: its mechanism, its name, and where.
    ///
    /// A guard may be set to a number, so that the code runs in any case.
    pub fn broken(&self, is_number: impl Fn(Id) -> bool) -> Option<(String, String, Span)> {
        for memo in &self.found {
            for variable in memo.guards.iter().chain(&memo.values) {
                let place = (memo.mechanism.clone(), variable.clone());
                let mut all = self.assignments.get(&place).into_iter().flatten();
                let other = all.find(|other| {
                    let forces_it = memo.guards.contains(variable) && is_number(other.value);
                    other.memo != Some(memo.start) && !forces_it
                });
                if let Some(other) = other {
                    return Some((place.0, place.1, other.span));
                }
            }
        }
        None
    }
}

impl Trace<'_> {
    /// Runs the body of a conditional that only keeps values which are what its body would make of
    /// them; does nothing if it is not like that.
    pub(super) fn memo(&mut self, condition: &Expr, body: &[Statement]) -> Traced<bool> {
        let Some(start) = body.first().map(|first| first.span.start) else { return Ok(false) };
        let outer = self.memo.replace(start);
        let result = match self.find_memo(condition, body, start) {
            Some((memo, keys)) => {
                self.findings.memos.found.push(memo);
                self.fail_where_never_made(&keys);
                self.sequence(body).map(|()| true)
            }
            None => Ok(false),
        };
        self.memo = outer;
        result
    }

    pub(super) fn note_assignment(&mut self, variable: &str, span: Span, value: Id) {
        let place = (self.mechanism.name.clone(), variable.to_owned());
        let assignment = Assignment { memo: self.memo, span, value };
        self.findings.memos.assignments.entry(place).or_default().push(assignment);
    }

    fn find_memo(&mut self, condition: &Expr, body: &[Statement], start: usize) -> Option<(Memo, Vec<Key>)> {
        let keys = self.keys(condition)?;
        // Nothing can be new where a variable is compared with itself, or with what it has just been set to.
        let is_old = |key: &Key| key.comparison == BinaryOp::Ne && self.values.get(&key.guard) == Some(&key.with);
        if keys.iter().all(is_old) {
            return None;
        }
        let after = self.trial(body)?;
        let is_changed = |name: &&String| self.values.get(*name) != after.get(*name);
        let changed: BTreeSet<String> = after.keys().filter(is_changed).cloned().collect();
        // What this run has made already is as good as what other runs left.
        let is_kept = |key: &Key| {
            let Some(value) = after.get(&key.guard) else { return false };
            let are_numbers = self.graph.as_number(*value).is_some() && self.graph.as_number(key.with).is_some();
            match key.comparison {
                BinaryOp::Ne => *value == key.with,
                // Memory is 0 at first: it is never another number until something sets it.
                _ => are_numbers && *value != key.with && self.graph.is_zero(key.with),
            }
        };
        let made: Vec<Id> = changed.iter().map(|name| after[name]).collect();
        let with: Vec<Id> = keys.iter().map(|key| key.with).collect();
        let mut known = self.graph.reachable_inputs(&with, true);
        known.extend(&self.constants.fixed);
        let is_known = self.graph.reachable_inputs(&made, true).is_subset(&known);
        if !(is_known && keys.iter().all(is_kept) && changed.iter().all(|name| self.can_be_kept(name))) {
            return None;
        }
        let guards: BTreeSet<String> = keys.iter().map(|key| key.guard.clone()).collect();
        // A guard for all segments is new in the first one only: values of the others would stay as they are.
        let scopes: BTreeSet<bool> = changed.iter().map(|name| self.is_for_all(name)).collect();
        if scopes.len() > 1 {
            return None;
        }
        let values = changed.difference(&guards).cloned().collect();
        Some((Memo { mechanism: self.mechanism.name.clone(), start, guards, values }, keys))
    }

    /// Memory is 0 at first: what is 0 may never have been new.
    fn fail_where_never_made(&mut self, keys: &[Key]) {
        let zero = self.graph.number(0.0);
        for key in keys.iter().filter(|key| key.comparison == BinaryOp::Ne) {
            let is_zero = self.graph.compare(Comparison::Eq, key.with, zero);
            if self.graph.as_number(is_zero) != Some(0.0) {
                self.fail_where(is_zero);
            }
        }
    }

    /// `a != x || done == 0`, where it is plain that equal keys make equal values.
    fn keys(&mut self, condition: &Expr) -> Option<Vec<Key>> {
        let ExprKind::Binary(operator, a, b) = &condition.kind else { return None };
        if *operator == BinaryOp::Or {
            return Some(self.keys(a)?.into_iter().chain(self.keys(b)?).collect());
        }
        if !matches!(operator, BinaryOp::Ne | BinaryOp::Eq) {
            return None;
        }
        let mut sides = [(a, b), (b, a)].into_iter();
        let (guard, other) = sides.find_map(|(side, other)| {
            let name = bare(side).filter(|name| self.can_be_kept(name))?;
            Some((name.to_owned(), other))
        })?;
        let with = self.expression(other).ok()?;
        let is_simple = matches!(self.graph.node(with), Node::Input(_) | Node::Number(_));
        is_simple.then(|| vec![Key { guard, comparison: *operator, with }])
    }

    /// A variable of the mechanism that lasts and that nothing outside sets.
    fn can_be_kept(&self, name: &str) -> bool {
        let is_local = self.frames.last().is_some_and(|frame| frame.contains_key(name));
        let is_ion = self.mechanism.ions.iter().any(|ion| ion.uses(name));
        let variable = self.mechanism.variable(name);
        !is_local && !is_ion && variable.is_some_and(|variable| variable.role == Role::Assigned)
    }

    /// Whether all segments have it together.
    fn is_for_all(&self, name: &str) -> bool {
        let variable = self.mechanism.variable(name);
        variable.is_some_and(|variable| {
            matches!(variable.visibility, Visibility::Global | Visibility::External | Visibility::File)
        })
    }

    /// The values after code that does nothing but set variables.
    fn trial(&mut self, body: &[Statement]) -> Option<Values> {
        let count = |trace: &Self| {
            let effects = trace.effects.as_ref().map_or(0, Vec::len);
            effects + trace.stores.as_ref().map_or(0, Vec::len)
        };
        let collects =
            self.equations.is_some() || self.residuals.is_some() || self.scheme.is_some() || self.watched.is_some();
        self.graph.charge(Work::Copies(self.values.len()));
        let values = self.values.clone();
        let before = (self.frames.clone(), self.primes.clone(), self.has_jumped, count(self));
        let statements = self.statements;
        let is_traced = !collects && self.tried(|trace| trace.sequence(body)).is_some();
        let is_plain =
            (&self.frames, &self.primes, self.has_jumped, count(self)) == (&before.0, &before.1, before.2, before.3);
        let after = std::mem::replace(&mut self.values, values);
        (self.frames, self.primes, _, _) = before;
        self.statements = statements;
        (is_traced && is_plain).then_some(after)
    }
}

/// The variable that this is, or this times 1 with a unit.
fn bare(expr: &Expr) -> Option<&str> {
    match &expr.kind {
        ExprKind::Name(name) => Some(name),
        ExprKind::Binary(BinaryOp::Mul, a, b) => match &b.kind {
            #[allow(clippy::float_cmp)]
            ExprKind::Number(number, _) if number.value == 1.0 => bare(a),
            _ => None,
        },
        _ => None,
    }
}
