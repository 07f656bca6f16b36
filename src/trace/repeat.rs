//! FROM loops whose rounds only the simulation knows, kept as loops.
//!
//! What the rounds change is found by running the body on inputs: first on the values
//! before the loop, then with an input in place of all that has been seen to change,
//! until nothing else does. So what is left has the same value in every round.

use super::{FAILED, Trace, Traced};
use crate::graph::{Comparison, Id, Work};
use crate::syntax::ast::{Expr, Statement, StatementKind};
use crate::syntax::visit::statements;

/// Loops in loops.
const DEPTH: usize = 8;
/// Variables that the rounds of one loop may change: the work grows with the square of their number.
const CARRIED: usize = 100;

/// A variable that rounds change: of the block that runs, or of the mechanism.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Carried {
    local: bool,
    name: String,
}

impl Trace<'_> {
    /// Runs a loop as one; false if its body does more than compute numbers.
    pub(super) fn kept_loop(
        &mut self,
        variable: &str,
        (first, last, step): (&Expr, &Expr, i64),
        body: &[Statement],
    ) -> Traced<bool> {
        if !statements(body).all(only_computes) {
            return Ok(false);
        }
        let start = self.integer_value(first)?;
        let outer = self.depth;
        self.graph.charge(Work::Copies(self.values.len()));
        let before = (self.values.clone(), self.frames.clone(), self.primes.clone());
        let kept = (self.effects.clone(), self.stores.clone(), self.statements);
        for depth in outer..DEPTH {
            self.depth = depth + 1;
            let found = self.rounds_of(depth, variable, (start, last, step), body);
            self.depth = outer;
            (self.values, self.frames, self.primes) = before.clone();
            self.statements = kept.2;
            let is_pure = self.effects.as_ref().map(Vec::len) == kept.0.as_ref().map(Vec::len)
                && self.stores.as_ref().map(Vec::len) == kept.1.as_ref().map(Vec::len);
            (self.effects, self.stores) = (kept.0.clone(), kept.1.clone());
            let Some((carried, condition, slots)) = found.filter(|_| is_pure) else { return Ok(false) };
            let inside: Vec<Id> = slots.iter().map(|(_, next)| *next).chain([condition]).collect();
            // A loop inside of it would use the same names.
            if self.graph.has_loop_of(&inside, depth) {
                continue;
            }
            let after = self.graph.repeat(self.scope, depth, condition, slots);
            // The first is the loop's own variable, which ends with it.
            for (one, value) in carried.into_iter().zip(after.into_iter().skip(1)) {
                let values = if one.local { self.frame() } else { &mut self.values };
                values.insert(one.name, value);
            }
            return Ok(true);
        }
        Ok(false)
    }

    /// What needs a loop to be computed is not to be computed in every round: it is carried along.
    fn made_by_loops(&self, variable: &str) -> Vec<Carried> {
        let globals = self.values.iter().filter(|(_, id)| self.graph.has_loop(**id));
        let globals = globals.map(|(name, _)| Carried { local: false, name: name.clone() });
        let locals = self.frames.last().into_iter().flatten().filter(|(_, id)| self.graph.has_loop(**id));
        let locals = locals.filter(|(name, _)| *name != variable);
        globals.chain(locals.map(|(name, _)| Carried { local: true, name: name.clone() })).collect()
    }

    /// What rounds change, the condition, and the first and next value of each slot.
    #[allow(clippy::type_complexity)] // used here only
    fn rounds_of(
        &mut self,
        depth: usize,
        variable: &str,
        (start, last, step): (Id, &Expr, i64),
        body: &[Statement],
    ) -> Option<(Vec<Carried>, Id, Vec<(Id, Id)>)> {
        self.graph.charge(Work::Copies(self.values.len()));
        let before = (self.values.clone(), self.frames.clone());
        let mut carried = self.made_by_loops(variable);
        loop {
            (self.values, self.frames) = before.clone();
            let index = self.graph.inner(depth, 0);
            let index = self.graph.read(index);
            self.frame().insert(variable.to_owned(), index);
            for (slot, one) in carried.iter().enumerate() {
                let inner = self.graph.inner(depth, slot + 1);
                let inner = self.graph.read(inner);
                let values = if one.local { self.frame() } else { &mut self.values };
                values.insert(one.name.clone(), inner);
            }
            self.graph.charge(Work::Copies(self.values.len()));
            let at_start = (self.values.clone(), self.frame().clone());
            let limit = self.integer_value(last).ok()?;
            let condition = self.graph.compare(Comparison::Le, index, limit);
            self.tried(|trace| trace.statements(body))?;
            if self.frame().get(variable) != Some(&index) {
                return None;
            }
            let mut changed = Vec::new();
            for (local, after, start) in
                [(false, self.values.clone(), &at_start.0), (true, self.frame().clone(), &at_start.1)]
            {
                for (name, value) in after {
                    if *start.get(&name)? != value {
                        changed.push(Carried { local, name });
                    }
                }
            }
            // Terms of equations, and what else has no variable.
            if changed.iter().any(|one| !one.local && one.name.starts_with('~') && one.name != FAILED) {
                return None;
            }
            changed.retain(|one| !carried.contains(one));
            if carried.len() + changed.len() > CARRIED {
                return None;
            }
            if changed.is_empty() {
                #[allow(clippy::cast_precision_loss)]
                let step = self.graph.number(step as f64);
                let next = self.graph.add(index, step);
                let mut slots = vec![(start, next)];
                for one in &carried {
                    let (first, next) = if one.local {
                        (before.1.last()?.get(&one.name)?, self.frames.last()?.get(&one.name)?)
                    } else {
                        (before.0.get(&one.name)?, self.values.get(&one.name)?)
                    };
                    slots.push((*first, *next));
                }
                return Some((carried, condition, slots));
            }
            carried.extend(changed);
        }
    }
}

/// Whether a statement, but for the code in it, is one that may stand in a loop that is kept.
fn only_computes(statement: &Statement) -> bool {
    matches!(
        statement.kind,
        StatementKind::Assign(..)
            | StatementKind::Expression(_)
            | StatementKind::Local(_)
            | StatementKind::Comment(_)
            | StatementKind::UnitsSwitch(_)
            | StatementKind::Word(_)
            | StatementKind::Verbatim(_)
            | StatementKind::If(..)
            | StatementKind::From { .. }
            | StatementKind::While(..)
            | StatementKind::Group(_)
            | StatementKind::Protect(_)
    )
}
