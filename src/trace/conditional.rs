//! IF: both arms are run, and every variable is joined after them.

use super::{FAILED, Primes, Trace, Traced, Values};
use crate::graph::{Arm, BranchId, Id, Scope, Work};
use crate::syntax::ast::{Expr, Statement};
use crate::trace::equations::term;
use crate::trace::refused::AVOIDABLE;

impl Trace<'_> {
    pub(super) fn conditional(
        &mut self,
        branches: &[(Expr, Vec<Statement>)],
        otherwise: Option<&[Statement]>,
        in_arm: bool,
    ) -> Traced<()> {
        let run = if in_arm { Self::arm } else { Self::sequence };
        let Some(((condition, body), rest)) = branches.split_first() else {
            return otherwise.map_or(Ok(()), |body| run(self, body));
        };
        if rest.is_empty() && otherwise.is_none() && self.memo(condition, body)? {
            return Ok(());
        }
        let condition = self.expression(condition)?;
        match self.graph.as_number(condition) {
            Some(0.0) => return self.conditional(rest, otherwise, in_arm),
            Some(_) => return run(self, body),
            None => {}
        }
        self.branch(condition, |trace| trace.arm(body), |trace| trace.conditional(rest, otherwise, true)).map(|_| ())
    }

    /// Code that a simulation need not enter. Where it can't be followed, it is
    /// left out, and a simulation that enters it is flagged.
    fn arm(&mut self, body: &[Statement]) -> Traced<()> {
        if self.follows_all {
            return self.sequence(body);
        }
        self.graph.charge(Work::Copies(self.values.len()));
        let before = (self.values.clone(), self.frames.clone(), self.primes.clone(), self.scope);
        let equations = self.equations.clone();
        self.arms += 1;
        let result = self.sequence(body);
        self.arms -= 1;
        let Err(diagnostic) = result else { return Ok(()) };
        if !AVOIDABLE.contains(&diagnostic.code) {
            return Err(diagnostic);
        }
        (self.values, self.frames, self.primes, self.scope) = before;
        self.equations = equations;
        let one = self.graph.number(1.0);
        self.values.insert(FAILED.to_owned(), one);
        self.findings.note_unfollowed(&self.mechanism.name, &diagnostic);
        Ok(())
    }

    /// Runs one of two pieces of code, depending on a value of the simulation.
    pub fn branch(
        &mut self,
        condition: Id,
        then: impl FnOnce(&mut Self) -> Traced<()>,
        otherwise: impl FnOnce(&mut Self) -> Traced<()>,
    ) -> Traced<BranchId> {
        let outer: Scope = self.scope;
        let branch = self.graph.new_branch(condition, outer);
        self.graph.charge(Work::Copies(self.values.len()));
        let before = (self.values.clone(), self.frame().clone(), self.primes.clone());
        self.scope = Some((branch, Arm::Then));
        then(self)?;
        let after_then = (
            std::mem::replace(&mut self.values, before.0),
            std::mem::replace(self.frame(), before.1),
            std::mem::replace(&mut self.primes, before.2),
        );
        self.scope = Some((branch, Arm::Else));
        otherwise(self)?;
        self.scope = outer;
        self.join_values(branch, after_then.0, false);
        self.join_values(branch, after_then.1, true);
        self.join_primes(branch, after_then.2);
        Ok(branch)
    }

    fn join_values(&mut self, branch: BranchId, then: Values, local: bool) {
        let own = if local { self.frame() } else { &mut self.values };
        if own.len() == then.len() && own.keys().eq(then.keys()) {
            let mut joined = std::mem::take(own);
            for (other, value) in joined.values_mut().zip(then.into_values()) {
                *other = self.graph.join(branch, value, *other);
            }
            *(if local { self.frame() } else { &mut self.values }) = joined;
            return;
        }
        // Terms of equations that only the other arm has.
        let missing: Vec<String> =
            self.values.keys().filter(|name| !local && !then.contains_key(*name)).cloned().collect();
        for name in missing {
            if let Some(zero) = term::empty(&name, self.graph) {
                let joined = self.graph.join(branch, zero, self.values[&name]);
                self.values.insert(name, joined);
            }
        }
        for (name, value) in then {
            let other = if local { self.frame().get(&name) } else { self.values.get(&name) };
            let other = other.copied().or_else(|| term::empty(&name, self.graph));
            if let Some(other) = other {
                let joined = self.graph.join(branch, value, other);
                let values = if local { self.frame() } else { &mut self.values };
                values.insert(name, joined);
            }
        }
    }

    /// An equation that only one arm gives: the other arm leaves the state alone.
    fn join_primes(&mut self, branch: BranchId, then: Primes) {
        let (Primes::Collect(mut own), Primes::Collect(then)) = (self.primes.clone(), then) else {
            return;
        };
        let zero = self.graph.number(0.0);
        for (name, value) in &mut own {
            let other = then.iter().find(|(known, _)| known == name).map_or(zero, |(_, value)| *value);
            *value = self.graph.join(branch, other, *value);
        }
        for (name, value) in then {
            if !own.iter().any(|(known, _)| *known == name) {
                let joined = self.graph.join(branch, value, zero);
                own.push((name, joined));
            }
        }
        self.primes = Primes::Collect(own);
    }
}
